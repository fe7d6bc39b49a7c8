// A page's tables, by the headings of their columns, so that a test can hold them against what they describe.
const cellsOf = (line: string): readonly string[] =>
  line
    .replace(/^\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

/** The rows of the first table whose columns have these headings. */
export function tableOf(text: string, ...headings: readonly string[]): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const at = lines.findIndex(
    (line) => line.startsWith('|') && cellsOf(line).join('|') === headings.join('|'),
  );
  if (at < 0) throw new Error(`there is no table ${headings.join(' | ')}`);
  const rows = lines.slice(at + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map(cellsOf);
}

/** What stands between backticks. */
export const codeIn = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, span]) => span!);
