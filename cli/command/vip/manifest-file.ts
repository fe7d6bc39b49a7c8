// The file of `vipshift apply`, read and checked.
import { readFile } from 'node:fs/promises';
import { type FileEntry, manifestFrom } from '../../../shared/registry/manifest.ts';
import { usage } from '../exit.ts';

/** `-` is stdin. */
export async function entriesFrom(file: string): Promise<readonly FileEntry[]> {
  const { parse } = await import('yaml');
  const next = 'fix the file; vipshift apply --help shows its form';
  let document: unknown;
  try {
    document = parse(await (file === '-' ? stdin() : readFile(file, 'utf8')));
  } catch (error) {
    throw usage(`${file}: ${(error as Error).message}`, next);
  }
  const read = manifestFrom(document);
  if (read.ok) return read.entries;
  throw usage(`${file} is refused:\n${read.problems.join('\n')}`, next);
}

async function stdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
