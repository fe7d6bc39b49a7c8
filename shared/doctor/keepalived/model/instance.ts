// One vrrp_instance, as keepalived runs it: with its defaults, and with what it does about a value that it refuses.
import { defined } from '../../../optional.ts';
import type { Statement } from '../grammar/blocks.ts';
import type { Globals, Version } from './globals.ts';
import {
  type Authentication,
  advertOf,
  advertSOf,
  authenticationOf,
  stateOf,
  versionOf,
} from './instance-values.ts';
import { inInstance, notifyScripts, trackers } from './keywords.ts';
import { complainOfPlainValues, complainOfStrict } from './plain-values.ts';
import {
  addressFrom,
  flagOf,
  type List,
  type Listed,
  listOf,
  type Notes,
  noteOpaque,
  noteUnread,
  type Scope,
  type Span,
  spanOf,
  statedValue,
  statementsOf,
  type Value,
  wholeFrom,
} from './statements.ts';
import type { TrackedFile } from './tracked-files.ts';

export interface Instance {
  readonly name: string;
  readonly span: Span;
  readonly isPartial: boolean;
  readonly routerId: Value<number>;
  readonly priority: Value<number>;
  /** As it stands in the file. */
  readonly advertS: Value<number>;
  /** As it goes over the wire. */
  readonly advertCs: Value<number>;
  readonly version: Value<Version>;
  readonly family: 4 | 6;
  readonly authentication: Value<Authentication>;
  readonly source: Value<string>;
  readonly peers: List;
  readonly addresses: List;
  /** The multicast group, where there are no peers. */
  readonly group: Value<string>;
  readonly checksSource: Value<boolean>;
  /** It drops packets for its addresses: no_accept, or what strict mode makes of it. */
  readonly drops: Value<boolean>;
  readonly strict: Value<boolean>;
  readonly state: Value<'MASTER' | 'BACKUP'>;
  readonly interface: Value<string>;
  readonly tracked: readonly string[];
  readonly trackedFiles: readonly TrackedFile[];
  readonly scripts: readonly Statement[];
}

/** keepalived complains, and does not run it. */
export const isLeftOut = ({
  isPartial,
  routerId,
  interface: port,
  addresses,
  version,
  strict,
}: Instance): boolean =>
  (!isPartial && (isMissing(routerId) || isMissing(port))) ||
  (!addresses.isPartial && addresses.listed.length === 0 && (version.value === 3 || strict.value === true));

const isMissing = ({ value, line }: Value<unknown>): boolean => value === undefined && line === undefined;

export const isUnicast = ({ peers }: Instance): boolean => peers.listed.length > 0;

/** Without the files that it tracks: they are defined elsewhere. */
export function instanceOf(statement: Statement, globals: Globals, notes: Notes): Instance {
  const block = statement.block ?? [];
  const name = statement.words[1]!;
  const scope: Scope = { block, name, notes, isPartial: noteUnread(block, inInstance, notes) };
  const source = statedValue(scope, {
    word: 'unicast_src_ip',
    synonym: 'mcast_src_ip',
    parse: addressFrom,
    wanted: 'an address',
    fallback: undefined,
  });
  const peers = listOf(scope, 'unicast_peer');
  const addresses = listOf(scope, 'virtual_ipaddress');
  const family = familyOf(scope, source, [peers, addresses]);
  const version = versionOf(scope, globals, family);
  const advertS = advertSOf(scope);
  const strict =
    statementsOf(scope, 'strict_mode').length > 0 ? flagOf(scope, 'strict_mode') : globals.strict;
  const instance: Instance = {
    name,
    span: spanOf(statement),
    isPartial: scope.isPartial,
    routerId: statedValue(scope, { word: 'virtual_router_id', ...OCTET, fallback: undefined }),
    priority: statedValue(scope, { word: 'priority', ...OCTET, fallback: 100 }),
    advertS,
    advertCs: advertOf(scope, advertS, version.value),
    version,
    family,
    authentication: authenticationOf(scope, version.value, strict.value),
    source,
    peers: ofFamily(scope, peers, family),
    addresses: ofFamily(scope, addresses, family),
    group: groupOf(scope, globals, family),
    checksSource: checksSourceOf(scope, globals),
    drops: dropsOf(scope, strict),
    strict,
    state: stateOf(scope),
    interface: statedValue(scope, { word: 'interface', parse: same, wanted: 'a name', fallback: undefined }),
    tracked: trackedIn(block, notes),
    trackedFiles: [],
    scripts: scriptsIn(block),
  };
  complainOfMissing(instance, scope);
  complainOfPlainValues(scope);
  if (strict.value === true) complainOfStrict(scope, version.value);
  return instance;
}

const same = (text: string): string => text;
const OCTET = { parse: wholeFrom(1, 255), wanted: 'a number from 1 to 255' } as const;

export function trackedIn(block: readonly Statement[], notes: Notes): readonly string[] {
  const held = block.filter(({ words }) => trackers.has(words[0]!)).flatMap((one) => one.block ?? []);
  noteOpaque(held, notes);
  return held.map(({ words }) => words[0]!);
}

export const scriptsIn = (block: readonly Statement[]): readonly Statement[] =>
  block.filter(({ words }) => notifyScripts.has(words[0]!));

const ADDRESSED = new Set(['unicast_src_ip', 'mcast_src_ip', 'unicast_peer', 'virtual_ipaddress']);

/** Of the first address in the block. */
function familyOf({ block }: Scope, source: Value<string>, lists: readonly List[]): 4 | 6 {
  const listed = new Map(lists.flatMap((list) => list.listed.map((one) => [one.line, one.family] as const)));
  for (const { block: held } of block.filter((one) => ADDRESSED.has(one.words[0]!))) {
    if (held === undefined && source.value !== undefined) return source.value.includes(':') ? 6 : 4;
    const first = (held ?? []).map(({ line }) => listed.get(line)).find((family) => family !== undefined);
    if (first !== undefined) return first;
  }
  return 4;
}

function ofFamily({ name, notes }: Scope, list: List, family: 4 | 6): List {
  const isKept = (one: Listed) => one.family === family;
  for (const { address, line } of list.listed.filter((one) => !isKept(one)))
    notes.complaints.push({
      at: line.at,
      line,
      says: `${name}: ${address} is no IPv${family} address, as the first one is, and is left out`,
    });
  return { ...list, listed: list.listed.filter(isKept) };
}

function groupOf(scope: Scope, globals: Globals, family: 4 | 6): Value<string> {
  const own = statedValue(scope, {
    word: 'mcast_dst_ip',
    parse: addressFrom,
    wanted: 'a multicast address',
    fallback: undefined,
  });
  return own.line !== undefined || scope.isPartial ? own : globals.groups[family];
}

/** Also where a peer has limits of its TTL. */
function checksSourceOf(scope: Scope, globals: Globals): Value<boolean> {
  const peers = statementsOf(scope, 'unicast_peer').flatMap(({ block }) => block ?? []);
  const limited = peers.find(({ words }) => words.includes('min_ttl') || words.includes('max_ttl'));
  if (limited !== undefined) return { value: true, line: limited.line };
  const own = flagOf(scope, 'check_unicast_src');
  return own.value === true ? own : globals.checksSource;
}

function dropsOf(scope: Scope, strict: Value<boolean>): Value<boolean> {
  const last = scope.block.filter(({ words }) => words[0] === 'accept' || words[0] === 'no_accept').at(-1);
  if (last === undefined) return strict;
  return { value: last.words[0] === 'no_accept', line: last.line };
}

function complainOfMissing(instance: Instance, { notes, isPartial, block }: Scope): void {
  const { span, name, interface: port, addresses, state } = instance;
  const { at } = span.head;
  const miss = (word: string, example: string) =>
    notes.complaints.push({ at, says: `${name}: no ${word}`, put: `${word} ${example}`, into: span });
  const has = (word: string) => block.find(({ words }) => words[0] === word)?.line;
  if (!isPartial && has('virtual_router_id') === undefined) miss('virtual_router_id', 'NUMBER');
  if (!isPartial && port.value === undefined) miss('interface', 'NAME');
  if (!addresses.isPartial && addresses.listed.length === 0) miss('virtual_ipaddress', '{ ADDRESS }');
  const line = has('nopreempt');
  const says =
    line === undefined
      ? undefined
      : state.value === 'MASTER'
        ? 'nopreempt has no effect with state MASTER'
        : instance.priority.value === 255
          ? 'nopreempt has no effect with priority 255'
          : undefined;
  if (line !== undefined && says !== undefined)
    notes.complaints.push({ at: line.at, line, says: `${name}: ${says}`, isHarmless: true });
  // It clears the state, and the node begins as BACKUP.
  if (state.value === 'MASTER' && instance.authentication.value?.type === 'AH')
    notes.complaints.push({
      ...{ at: state.line?.at ?? at, ...defined({ line: state.line }), isHarmless: true },
      says: `${name}: state MASTER has no effect with auth_type AH`,
    });
  const delay = has('preempt_delay');
  if (line !== undefined && delay !== undefined)
    notes.complaints.push({
      at: delay.at,
      line: delay,
      says: `${name}: preempt_delay has no effect with nopreempt`,
      isHarmless: true,
    });
}
