// Which files an instance tracks, by their paths, and with which weight.
import type { Statement } from '../grammar/blocks.ts';
import type { Written } from '../grammar/definitions.ts';

export interface TrackedFile {
  readonly path: string;
  /** Undefined where it is none that can be read. */
  readonly weight: number | undefined;
  /** Where the weight stands, or where the file is tracked. */
  readonly line: Written;
}

/** Without `weight` keepalived adds what the file has. */
const WEIGHT = '1';

/** `block`: of an instance or a sync group. `defined`: everything at the top level. */
export function trackedFilesIn(
  block: readonly Statement[],
  defined: readonly Statement[],
): readonly TrackedFile[] {
  return block
    .filter(({ words }) => words[0] === 'track_file')
    .flatMap((one) => one.block ?? [])
    .flatMap((reference) => {
      const definition = defined.find(
        ({ words }) => /^(?:vrrp_)?track_file$/.test(words[0]!) && words[1] === reference.words[0],
      );
      const file = lineOf(definition, 'file');
      if (file === undefined) return [];
      const own = weightAfter(reference.words);
      const general = lineOf(definition, 'weight');
      const stated = own ?? general?.words[1] ?? WEIGHT;
      return [
        {
          path: file.words[1] ?? '',
          weight: /^[+-]?\d+$/.test(stated) ? Number(stated) : undefined,
          line: own === undefined && general !== undefined ? general.line : reference.line,
        },
      ];
    });
}

const lineOf = (statement: Statement | undefined, word: string): Statement | undefined =>
  statement?.block?.filter(({ words }) => words[0] === word).at(-1);

const weightAfter = (words: readonly string[]): string | undefined =>
  words[1] === 'weight' ? words[2] : undefined;
