// The pages that people follow, and the commands in them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export const inFolder = (folder: string): readonly string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

const folders = ['.', 'docs', 'docs/reference', 'docs/zh-CN', 'docs/decisions'];
export const pages: readonly string[] = [...folders.flatMap(inFolder), 'notify/README.md'];

export const text = (page: string): string => readFileSync(join(root, page), 'utf8');

/** Code: each line of a block, continued lines joined, and each span between single backticks. */
export function code(page: string): readonly string[] {
  const found: string[] = [];
  const prose = text(page).replace(/^ *```\w*\n([\s\S]*?)^ *```$/gm, (_whole, block: string) => {
    found.push(
      ...block
        .replace(/\\\n\s*/g, ' ')
        .split('\n')
        .map((line) => line.trim()),
    );
    return '';
  });
  for (const [, span] of prose.matchAll(/`([^`]+)`/g)) found.push(span!.replace(/\s+/g, ' '));
  return found;
}
