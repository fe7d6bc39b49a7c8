// Which room may import which. shared/ is a building of rows: a file imports its own room and lower rows, never a room
// of the same row. Around it, everything looks inwards.
import { importsOf, type Source, targetOf } from './sources.ts';

/** From the ground up. Rooms of one row do not know each other. */
export const rows: readonly (readonly string[])[] = [
  [
    'shared/time.ts',
    'shared/instants.ts',
    'shared/fault.ts',
    'shared/bounded.ts',
    'shared/keyed.ts',
    'shared/optional.ts',
    'shared/place.ts',
    'shared/suggest.ts',
    'shared/text-hash.ts',
    'shared/version.ts',
  ],
  ['shared/vip', 'shared/warning'],
  ['shared/network', 'shared/registry'],
  ['shared/rate-limit', 'shared/timeline'],
  ['shared/switch', 'shared/doctor'],
  ['shared/controller', 'shared/forced-failover'],
  ['shared/departure'],
  ['shared/memory', 'shared/aws'],
];

const isIn = (path: string, room: string): boolean => path === room || path.startsWith(`${room}/`);

/** Row and room of a file of shared/; undefined elsewhere. */
function placeOf(path: string): { readonly row: number; readonly room: string } | undefined {
  const row = rows.findIndex((rooms) => rooms.some((room) => isIn(path, room)));
  if (row === -1) return undefined;
  return { row, room: rows[row]!.find((room) => isIn(path, room))! };
}

/** What the domain may import: its own room, lower rows, no package and no `node:`. */
export function importComplaints(source: Source): readonly string[] {
  const { path } = source;
  if (!path.startsWith('shared/')) return [];
  const place = placeOf(path);
  if (place === undefined) return [`${path} is in no room, expected one of ${rows.flat().join(', ')}`];
  return importsOf(source).flatMap((specifier) => {
    const target = targetOf(path, specifier);
    const complain = (want: string) => [`${path} imports ${specifier}, expected ${want}`];
    if (target === undefined)
      return place.room === 'shared/aws' ? [] : complain('no package and no node: outside shared/aws');
    if (!target.endsWith('.ts') && !target.endsWith('.json')) return complain('a specifier that ends in .ts');
    const there = placeOf(target);
    if (there === undefined) return complain('nothing outside shared/');
    if (there.room === place.room) return [];
    // The ground is one floor, without walls.
    if (place.row === 0 && there.row === 0) return [];
    if (place.row === 0) return complain('nothing but its own row');
    return there.row < place.row ? [] : complain(`only ${place.room} and the rows below it`);
  });
}

/** What aws/<service> may import of aws/: its own room and the files that all services share. */
export function serviceComplaints(source: Source): readonly string[] {
  const room = /^shared\/aws\/([^/]+)\/[^/]+$/.exec(source.path)?.[1];
  if (room === undefined) return [];
  return importsOf(source).flatMap((specifier) => {
    const target = targetOf(source.path, specifier);
    return target === 'shared/aws/wire.ts'
      ? [
          `${source.path} imports ${specifier}, expected its settings handed in: only functions and cli know wire.ts`,
        ]
      : [];
  });
}

/** Around shared/: functions and cli look inwards, product code never at tests. */
export function directionComplaints(source: Source): readonly string[] {
  const { path } = source;
  const [folder] = path.split('/');
  return importsOf(source).flatMap((specifier) => {
    const target = targetOf(path, specifier);
    if (target === undefined) return [];
    const complain = (want: string) => [`${path} imports ${specifier}, expected ${want}`];
    const [to] = target.split('/');
    if (folder !== 'test' && to === 'test') return complain('no test in product code');
    if (folder === 'functions' && to !== 'shared' && to !== 'functions') return complain('only shared/');
    if (folder === 'cli' && to !== 'shared' && to !== 'cli') return complain('only shared/ and cli/');
    if (folder === 'cli') return commandComplaints(path, target, complain);
    return [];
  });
}

const folderOf = (path: string): string | undefined => /^cli\/([^/]+)\//.exec(path)?.[1];

/** A command's folder uses cli/command and itself; of another command's only what it gives: not its words. */
function commandComplaints(
  path: string,
  target: string,
  complain: (want: string) => readonly string[],
): readonly string[] {
  const mine = folderOf(path);
  const theirs = folderOf(target);
  if (mine === undefined || theirs === undefined || theirs === mine || theirs === 'command') return [];
  if (mine === 'command') return complain('cli/command to know no command');
  return /\/(?:\w+-)?command\.ts$/.test(target)
    ? complain(`what cli/${theirs} does, not its command.ts`)
    : [];
}

/** Circles of files, types included, each once, as the paths on the way round. */
export function circlesOf(sources: readonly Source[]): readonly (readonly string[])[] {
  const known = new Set(sources.map(({ path }) => path));
  const next = new Map(
    sources.map((source) => [
      source.path,
      [...new Set(importsOf(source).map((s) => targetOf(source.path, s)))].filter(
        (target): target is string => target !== undefined && known.has(target),
      ),
    ]),
  );
  return strongComponents(next).filter(
    (files) => files.length > 1 || next.get(files[0]!)!.includes(files[0]!),
  );
}

/** Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972). */
function strongComponents(next: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const target of next.get(file)!) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    found.push(stack.splice(stack.indexOf(file)).sort());
  };
  for (const file of next.keys()) if (!index.has(file)) visit(file);
  return found;
}
