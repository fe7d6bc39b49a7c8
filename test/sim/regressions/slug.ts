// A control's name as the name of a file.
export const slug = (name: string): string => name.replaceAll(/[^a-z]+/gi, '-').toLowerCase();
