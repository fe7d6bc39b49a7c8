// global_defs: what holds for all instances of a configuration.
import type { Statement } from '../grammar/blocks.ts';
import { isUnresolved, type Written } from '../grammar/definitions.ts';
import { inGlobals } from './keywords.ts';
import {
  addressFrom,
  flagOf,
  noteUnread,
  type Scope,
  statedValue,
  statementsOf,
  type Value,
  wholeFrom,
} from './statements.ts';

export type Version = 2 | 3;

export interface Globals {
  /** All blocks of the configuration: keepalived takes them as one. */
  readonly blocks: readonly Statement[];
  readonly isPartial: boolean;
  /** Undefined where instances go by their address family. */
  readonly version: Value<Version>;
  readonly strict: Value<boolean>;
  readonly checksSource: Value<boolean>;
  readonly groups: Readonly<Record<4 | 6, Value<string>>>;
  /** Those that changes of VRRP's states are written to. */
  readonly fifos: readonly { readonly path: string; readonly line: Written }[];
  /** It writes states to the FIFO again at each reload. */
  readonly repeats: Written | undefined;
  readonly isScriptSecure: boolean;
}

const FIFOS = ['vrrp_notify_fifo', 'notify_fifo'] as const;

export function globalsOf(top: Scope): Globals {
  const { notes } = top;
  const blocks = statementsOf(top, 'global_defs');
  const block = blocks.flatMap((one) => one.block ?? []);
  const isPartial = noteUnread(block, inGlobals, notes) || top.isPartial;
  const scope: Scope = { block, isPartial, notes, name: 'global_defs' };
  return {
    blocks,
    isPartial,
    version: statedValue(scope, {
      word: 'vrrp_version',
      parse: (text) => wholeFrom(2, 3)(text) as Version | undefined,
      wanted: '2 or 3',
      fallback: 2,
    }),
    strict: flagOf(scope, 'vrrp_strict'),
    checksSource: flagOf(scope, 'vrrp_check_unicast_src'),
    groups: { 4: groupOf(scope, 4, '224.0.0.18'), 6: groupOf(scope, 6, 'ff02::12') },
    fifos: FIFOS.flatMap((word) => fifoOf(scope, word)),
    repeats: statementsOf(scope, 'fifo_write_vrrp_states_on_reload').at(-1)?.line,
    isScriptSecure: isPartial || statementsOf(scope, 'enable_script_security').length > 0,
  };
}

const groupOf = (scope: Scope, family: 4 | 6, fallback: string): Value<string> =>
  statedValue(scope, {
    word: `vrrp_mcast_group${family}`,
    parse: addressFrom,
    wanted: 'a multicast address',
    fallback,
  });

/** The first one counts. */
function fifoOf(scope: Scope, word: string): Globals['fifos'] {
  const [first, ...more] = statementsOf(scope, word);
  for (const { line } of more)
    scope.notes.complaints.push({
      at: line.at,
      line,
      says: `a second ${word}, which is ignored`,
      isHarmless: true,
    });
  const path = first?.words[1];
  if (first === undefined || path === undefined) return [];
  if (isUnresolved(path)) scope.notes.unread.push({ at: first.line.at, text: first.line.text, why: 'words' });
  return [{ path, line: first.line }];
}
