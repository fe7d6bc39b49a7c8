// Which configurations the files that were given are: one for each node.
//
// A file with lines for several hosts (`@name`) is read once for each of them, unless the operator says whose it is. Files of
// one folder of which one has no vrrp_instance are parts of one configuration.
import { treeOf } from '../grammar/blocks.ts';
import { type ConfigFolder, folderOf } from '../grammar/folder.ts';
import { readingOf } from '../grammar/reader.ts';
import { type Configuration, configurationOf, type Source } from './configuration.ts';

export interface NodeFile {
  readonly path: string;
  /** keepalived's configuration id of the node, where the operator names it. */
  readonly host?: string | undefined;
}

export function configurationsFrom(
  files: ConfigFolder,
  given: readonly NodeFile[],
): readonly Configuration[] {
  const sources = given.flatMap((file) => sourcesOf(files, file));
  const parts = sources.filter(isPart);
  const used = new Set<Source>();
  const whole = sources
    .filter((source) => !isPart(source))
    .map((source) => {
      const others = hasWord(source, 'global_defs')
        ? []
        : parts.filter((part) => folderOf(part.path) === folderOf(source.path));
      for (const part of others) used.add(part);
      return { ...source, statements: [...others.flatMap((part) => part.statements), ...source.statements] };
    });
  const rest = parts.filter((part) => !used.has(part));
  return [...withoutCopies(whole), ...rest].map(configurationOf);
}

function sourcesOf(files: ConfigFolder, { path, host }: NodeFile): readonly Source[] {
  const read = (id: string | undefined) => readingOf({ files, path, host: id });
  const first = read(host);
  const { hosts } = first;
  const others = first.hasOtherHosts && hosts.length < 2 ? [undefined] : [];
  const ids = host !== undefined || hosts.length === 0 ? [host] : [...hosts, ...others];
  return ids.map((id) => {
    const { lines, refused } = id === host ? first : read(id);
    const tree = treeOf(lines);
    const isNamed = hosts.length > 0;
    return {
      name: isNamed ? `${path} (${id ?? 'another host'})` : path,
      path,
      host: isNamed ? (id ?? '') : undefined,
      statements: tree.statements,
      refused: [...refused, ...tree.refused],
    };
  });
}

const hasWord = ({ statements }: Source, word: string): boolean =>
  statements.some(({ words }) => words[0] === word);

/** Without an instance, and with something that an instance may need. */
const isPart = (source: Source): boolean =>
  !hasWord(source, 'vrrp_instance') && source.statements.some(({ block }) => block !== undefined);

/** The same file of several hosts may be given once for each of them. */
function withoutCopies(sources: readonly Source[]): readonly Source[] {
  const known = new Set<string>();
  return sources.filter((source) => {
    if (source.host === undefined) return true;
    const key = JSON.stringify(source.statements, (name, value) =>
      name === 'at' || name.endsWith('At') ? null : value,
    );
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}
