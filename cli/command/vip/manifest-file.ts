// The file of `vipshift apply`, read and checked.
import { readFile } from 'node:fs/promises';
import { type FileEntry, manifestFrom } from '../../../shared/registry/manifest.ts';
import { refused } from '../exit.ts';

/** `-` is stdin. */
export async function entriesFrom(file: string): Promise<readonly FileEntry[]> {
  const { parse } = await import('yaml');
  let document: unknown;
  try {
    document = parse(await (file === '-' ? stdin() : readFile(file, 'utf8')));
  } catch (error) {
    throw refused(
      `${file}: ${(error as Error).message}`,
      'fix the file; vipshift apply --help shows its form',
    );
  }
  const read = manifestFrom(document);
  if (read.ok) return read.entries;
  throw refused(
    `${file} is refused:\n${read.problems.join('\n')}`,
    'fix the file; vipshift apply --help shows its form',
  );
}

async function stdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
