// Where keepalived's files are, and which of them an `include` means: glob(7) with csh's braces, as keepalived asks the C
// library for it.

/** Paths are as the operator gave them, relative ones from where the doctor runs. */
export interface ConfigFolder {
  /** Undefined where keepalived would read nothing: no such file, a folder, an executable one. */
  read(path: string): string | undefined;
  /** The names in a folder; undefined where it is none. */
  list(path: string): readonly string[] | undefined;
}

export function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end === -1 ? '.' : end === 0 ? '/' : path.slice(0, end);
}

export const joined = (folder: string, path: string): string =>
  path.startsWith('/') || folder === '.' ? path : folder === '/' ? `/${path}` : `${folder}/${path}`;

/** The files that `pattern` means from `folder`, in the order in which they are read. */
export function filesMatching(files: ConfigFolder, folder: string, pattern: string): readonly string[] {
  return alternatives(pattern).flatMap((one) =>
    expanded(files, joined(folder, one)).filter((path) => files.read(path) !== undefined),
  );
}

/** `{a,b}.conf` is `a.conf` and `b.conf`; braces may be nested. */
function alternatives(pattern: string): readonly string[] {
  const open = pattern.indexOf('{');
  if (open === -1) return [pattern];
  const parts: string[] = [];
  let depth = 0;
  let from = open + 1;
  for (let at = open; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '{') depth++;
    if (char === '}') depth--;
    if (depth > 1 || (depth === 1 && char !== ',')) continue;
    if (at > open) {
      parts.push(pattern.slice(from, at));
      from = at + 1;
    }
    if (depth === 0) {
      const rest = pattern.slice(at + 1);
      return parts.flatMap((part) => alternatives(`${pattern.slice(0, open)}${part}${rest}`));
    }
  }
  return [pattern];
}

const WILD = /[*?[]/;

function expanded(files: ConfigFolder, path: string): readonly string[] {
  const segments = path.split('/');
  let found: readonly string[] = [''];
  for (const [n, segment] of segments.entries()) {
    const name = (before: string, last: string) => (n === 0 ? last : `${before}/${last}`);
    if (!WILD.test(segment)) {
      const bare = segment.replace(/\\(.)/g, '$1');
      found = found.map((before) => name(before, bare));
      continue;
    }
    const fits = patternOf(segment);
    found = found.flatMap((before) => {
      const names = files.list(n === 0 ? '.' : before === '' ? '/' : before) ?? [];
      // A wildcard stands for no leading dot.
      const visible = names.filter((one) => segment.startsWith('.') || !one.startsWith('.'));
      return visible
        .filter((one) => fits.test(one))
        .sort()
        .map((one) => name(before, one));
    });
  }
  return found;
}

function patternOf(segment: string): RegExp {
  const source = segment.replace(
    /\[(!?)([^\]]+)\]|[*?]|\\(.)|[.+^$(){}|[\]\\]/g,
    (all, not, set, escaped) => {
      if (set !== undefined) return `[${not === '!' ? '^' : ''}${String(set).replace(/[\\^[]/g, '\\$&')}]`;
      if (escaped !== undefined) return `\\${escaped}`;
      return all === '*' ? '.*' : all === '?' ? '.' : `\\${all}`;
    },
  );
  return new RegExp(`^${source}$`, 'u');
}
