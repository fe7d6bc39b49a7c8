// Lines as a tree: a statement is a line of words, with a block where a brace follows, on the same line or the next.
import type { Place, Written } from './definitions.ts';
import type { Remark } from './reader.ts';
import { wordsOf } from './words.ts';

export interface Statement {
  readonly words: readonly string[];
  readonly line: Written;
  /** Undefined where no brace follows. */
  readonly block?: readonly Statement[];
  readonly opensAt?: Place;
  readonly endsAt?: Place;
}

export interface Tree {
  readonly statements: readonly Statement[];
  readonly refused: readonly Remark[];
}

/** keepalived has four. */
const DEPTH_MAX = 100;

type Growing = { -readonly [K in keyof Statement]: Statement[K] } & { block?: Growing[] };

export function treeOf(lines: readonly Written[]): Tree {
  const refused: Remark[] = [];
  const root: Growing[] = [];
  const open: Growing[] = [];
  const here = (): Growing[] => open.at(-1)?.block ?? root;
  for (const line of lines) {
    const { at } = line;
    if (line.text === '{') {
      const owner = here().at(-1);
      if (owner === undefined || owner.block !== undefined)
        refused.push({ at, says: 'a { that opens no block' });
      else if (open.length >= DEPTH_MAX) {
        refused.push({ at, says: `blocks more than ${DEPTH_MAX} deep` });
        break;
      } else {
        owner.block = [];
        owner.opensAt = at;
        open.push(owner);
      }
      continue;
    }
    if (line.text === '}') {
      const ended = open.pop();
      if (ended === undefined) refused.push({ at, says: 'a } too many' });
      else ended.endsAt = at;
      continue;
    }
    const { words, isOpen } = wordsOf(line.text);
    if (isOpen) refused.push({ at, says: `a quote is left open: ${line.text}` });
    if (words.length > 0) here().push({ words, line });
  }
  for (const one of open)
    refused.push({ at: one.line.at, says: `the block of ${one.words[0]} is not closed` });
  return { statements: root, refused };
}
