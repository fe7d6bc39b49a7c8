// Hostile command lines and registry files through the command's front door: none is a fault of vipshift itself, none moves anything, and what is refused
// has changed nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Draws, drawAll } from './draw.ts';
import { registryFile, validFile } from './files.ts';
import { type Ended, type FrontDoor, openFrontDoor } from './front-door.ts';
import { commandLine } from './lines.ts';

/** How many ended with which exit status. */
export type Ends = Record<number, number>;

/** Throws an Error that says why this is not how a command may end. */
function judge(ended: Ended, argv: readonly string[]): void {
  const said = () =>
    `${JSON.stringify(argv)}: ${ended.error instanceof Error ? ended.error.stack : String(ended.error)}`;
  if (![0, 1, 2, 3, 4].includes(ended.status)) throw new Error(`status ${ended.status}: ${said()}`);
  const touched = [...ended.writes, ...ended.moves];
  if ((ended.status === 2 || ended.status === 3) && touched.length > 0)
    throw new Error(`refused after ${touched.join(', ')}: ${said()}`);
  // The one command that does the controller's work itself.
  if (ended.moves.length > 0 && !argv.some((word) => word.startsWith('--br')))
    throw new Error(`moved by ${ended.moves.join(', ')}: ${said()}`);
}

async function inFolder(work: (door: FrontDoor, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-fuzz-'));
  const before = process.cwd();
  // Whatever a line writes by a name of its own lies here.
  process.chdir(folder);
  try {
    await using door = await openFrontDoor();
    await work(door, folder);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(ends: Ends, ended: Ended): Ended {
  ends[ended.status] = (ends[ended.status] ?? 0) + 1;
  return ended;
}

export async function fuzzLines(draws: Draws): Promise<Ends> {
  const ends: Ends = {};
  await inFolder(async (door, folder) => {
    const file = join(folder, 'registry.yml');
    writeFileSync(file, validFile);
    await drawAll('lines', draws, commandLine, async (line) => {
      const argv = line.map((word) => (word === '{file}' ? file : word));
      judge(count(ends, await door.run(argv)), argv);
    });
  });
  return ends;
}

export async function fuzzFiles(draws: Draws): Promise<Ends> {
  const ends: Ends = {};
  await inFolder(async (door, folder) => {
    const file = join(folder, 'registry.yml');
    await drawAll('files', draws, fc.tuple(registryFile, fc.boolean()), async ([text, dry]) => {
      writeFileSync(file, text);
      const argv = ['apply', file, dry ? '--dry-run' : '--yes'];
      const ended = count(ends, await door.run(argv));
      judge(ended, argv);
      if (dry && ended.writes.length > 0) throw new Error(`--dry-run wrote ${ended.writes.join(', ')}`);
    });
  });
  return ends;
}
