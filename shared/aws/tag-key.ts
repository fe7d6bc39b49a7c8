export const tagKey = (stage: string): string => `vipshift:${stage}`;
