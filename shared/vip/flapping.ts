// Flapping: a node that becomes MASTER again and again. Each time it would move the VIP, and with it spend the request budget that
// every other failover needs. So the node is damped: the election passes it over while it has another place for the VIP
// (election.ts), and moves from or to it book behind all others (docs/decisions/0035). What operators order is no flapping.
//
// Invariants: a pure function of the transitions that are kept, which are a set: redelivery and order change nothing. They are
// kept by node, and a node's claims add to its own only. Damping ends FLAP_WINDOW after the last transition, by itself.
// Limit: it is counted in the item of one VIP. keepalived judges each VRRP instance by itself, and so does this.
import { type DurationMs, type EpochMs, epochMs, iso, minutes, plus, seconds } from '../time.ts';
import { LATE_AFTER } from './claim.ts';
import { NEVER_IN_TIME } from './liveness.ts';
import type { Members } from './member.ts';
import type { NodeState } from './node-state.ts';

/** A node that becomes MASTER as often within FLAP_WINDOW is damped. Three restarts by hand, or three moves, are no storm. */
export const FLAPS_MIN = 4;
/** Damping ends when the last transition is this old. */
export const FLAP_WINDOW: DurationMs = minutes(1);
/** The newest transitions of a node that count: more than FLAPS_MIN, so that a storm that gets slower stays one storm. */
export const FLAPS_KEPT = 12;
/** Writers that can read first keep only FLAPS_KEPT; with this many stored a claim has to be recorded by one of them. */
export const FLAPS_STORED_MAX = 24;

/** A node became MASTER; known by its boot and `since`. */
export interface Transition {
  /** The beginning of the boot's id. */
  readonly boot: string;
  readonly since: number;
  /** By the boot's clock and AWS's stamp: never ahead of the claim's own stamp. */
  readonly atMs: EpochMs;
}

export type Transitions = Readonly<Record<string, readonly Transition[]>>;

/** What the item of a VIP has about it. */
interface Transiting {
  readonly members: Members;
  readonly transitions?: Transitions;
  readonly forced?: Ordered;
}

/** The two nodes of a forced failover, when it began, and when it runs out, should its workflow have died. */
interface Ordered {
  readonly node: string;
  readonly from?: string;
  readonly atMs: EpochMs;
  readonly untilMs: EpochMs;
}

const BOOT_CHARS = 8;

/** The transition that a claim speaks of; undefined when it is not to MASTER or too old to count, or the claim came late. */
export function recentTransition(nodeState: NodeState): Transition | undefined {
  const { state, bootId, since, stampMs, upMs, slot } = nodeState;
  if (state !== 'MASTER') return undefined;
  const agoMs = Math.max(0, Math.round(upMs - since / 1000));
  if (slot === NEVER_IN_TIME || agoMs >= FLAP_WINDOW) return undefined;
  return { boot: bootId.slice(0, BOOT_CHARS), since, atMs: epochMs(stampMs - agoMs) };
}

export const isSameTransition = (a: Transition, b: Transition): boolean =>
  a.boot === b.boot && a.since === b.since;

/** Newest first; of equals somehow, so that every order of arrival agrees. */
export const byAge = (a: Transition, b: Transition): number =>
  b.atMs - a.atMs || b.since - a.since || (a.boot < b.boot ? -1 : 1);

/** Newest first, each once, at the earliest instant that was computed for it. */
function distinct(transitions: readonly Transition[]): readonly Transition[] {
  const found: Transition[] = [];
  for (const transition of [...transitions].sort(byAge).reverse())
    if (!found.some((known) => isSameTransition(known, transition))) found.push(transition);
  return found.sort(byAge);
}

/** Those that are kept. */
export const newestOf = (transitions: readonly Transition[]): readonly Transition[] =>
  distinct(transitions).slice(0, FLAPS_KEPT);

/** Exactly as it is stored, however many there are: what a writer does that cannot read first. */
export function withStored(all: Transitions, node: string, added: Transition | undefined): Transitions {
  const stored = all[node] ?? [];
  if (
    added === undefined ||
    stored.some((known) => isSameTransition(known, added) && known.atMs === added.atMs)
  )
    return all;
  return { ...all, [node]: [...stored, added].sort(byAge) };
}

/** With the transition in it, if it is among the newest; the same object when that says nothing new and leaves room for more. */
export function withTransition(all: Transitions, node: string, added: Transition | undefined): Transitions {
  const stored = all[node] ?? [];
  const newest = newestOf(added === undefined ? stored : [...stored, added]);
  const isKnown = newest.every((transition) => stored.some((known) => isSameTransition(known, transition)));
  return isKnown && stored.length < FLAPS_STORED_MAX ? all : { ...all, [node]: newest };
}

/** No claim that comes in time can speak of a transition that one so old has to do with. */
const FORGET_AFTER: DurationMs = (FLAP_WINDOW + LATE_AFTER) as DurationMs;

/** Without the transitions of nodes that have been calm for long; the same object when there are none. */
export function withoutOldTransitions<T extends Transiting>(
  vip: T,
  now: EpochMs,
): Omit<T, 'transitions'> & Pick<Transiting, 'transitions'> {
  const { transitions = {}, ...rest } = vip;
  const kept = Object.entries(transitions).filter(([, of]) =>
    of.some(({ atMs }) => now - atMs < FORGET_AFTER),
  );
  if (kept.length === Object.keys(transitions).length) return vip;
  return kept.length === 0 ? rest : { ...rest, transitions: Object.fromEntries(kept) };
}

/** AWS's stamps are whole seconds. */
const STAMP_DOUBT: DurationMs = seconds(1);

const isOrdered = ({ forced }: Pick<Transiting, 'forced'>, node: string, { atMs }: Transition): boolean =>
  forced !== undefined &&
  (node === forced.node || node === forced.from) &&
  plus(atMs, STAMP_DOUBT) >= forced.atMs &&
  atMs < forced.untilMs;

/** Those that count: without what a forced failover that is under way has made its two nodes do. */
export const countedTransitions = (vip: Transiting, node: string): readonly Transition[] =>
  (vip.transitions?.[node] ?? []).filter((transition) => !isOrdered(vip, node, transition));

/** Without those that do not count: for the end of a forced failover. */
export function withoutOrderedTransitions<T extends Transiting>(
  vip: T,
): Omit<T, 'transitions'> & Pick<Transiting, 'transitions'> {
  const { transitions, ...rest } = vip;
  if (transitions === undefined || vip.forced === undefined) return vip;
  const counted = Object.keys(transitions)
    .map((node) => [node, countedTransitions(vip, node)] as const)
    .filter(([, of]) => of.length > 0);
  return counted.length === 0 ? rest : { ...rest, transitions: Object.fromEntries(counted) };
}

export interface Flapping {
  readonly node: string;
  /** The first transition of those that damped it, as far as they are kept. */
  readonly sinceMs: EpochMs;
  /** When damping ends unless another transition comes. */
  readonly untilMs: EpochMs;
  /** How often it is known to have become MASTER since then. */
  readonly transitions: number;
}

export const flappingText = ({ node, sinceMs, untilMs, transitions }: Flapping): string =>
  `${node} flaps: it became MASTER ${transitions} times or more since ${iso(sinceMs)}; damped until ${iso(untilMs)}, or a minute after the next time`;

/** Of transitions newest first: those that followed each other without a break of FLAP_WINDOW, down from the newest. */
function withoutBreak(transitions: readonly Transition[]): readonly Transition[] {
  const next = transitions.findIndex(
    ({ atMs }, n) => n > 0 && transitions[n - 1]!.atMs - atMs >= FLAP_WINDOW,
  );
  return next < 0 ? transitions : transitions.slice(0, next);
}

/** Of such ones the first and the last of the newest FLAPS_MIN within FLAP_WINDOW; undefined where they make no storm. */
function stormIn(
  run: readonly Transition[],
): { readonly first: EpochMs; readonly count: number } | undefined {
  for (let n = 0; n + FLAPS_MIN <= run.length; n++) {
    const first = run[n + FLAPS_MIN - 1]!.atMs;
    if (run[n]!.atMs - first < FLAP_WINDOW) return { first, count: n + FLAPS_MIN };
  }
  return undefined;
}

/**
 * Whether these transitions damp their node at `now`: FLAPS_MIN of them came within FLAP_WINDOW, and it has not been calm for
 * as long since.
 */
export function flappingOf(
  node: string,
  transitions: readonly Transition[],
  now: EpochMs,
): Flapping | undefined {
  const newest = newestOf(transitions);
  const storm = stormIn(withoutBreak(newest));
  if (storm === undefined || now - newest[0]!.atMs >= FLAP_WINDOW) return undefined;
  return {
    node,
    sinceMs: storm.first,
    untilMs: plus(newest[0]!.atMs, FLAP_WINDOW),
    transitions: storm.count,
  };
}

/**
 * Whether the transitions end in a storm that is none without `added`. By their own dates alone: when someone looks does not
 * matter, and of two storms that it joins the first one goes on.
 */
export function beginsStorm(added: Transition, transitions: readonly Transition[]): boolean {
  const run = withoutBreak(distinct(transitions));
  const others = run.filter((one) => !isSameTransition(one, added));
  return stormIn(run) !== undefined && stormIn(others) === undefined;
}

/** Undefined when the node is not damped. */
export const dampedAt = (vip: Transiting, node: string, now: EpochMs): Flapping | undefined =>
  flappingOf(node, countedTransitions(vip, node), now);

export const isDamped = (vip: Transiting, node: string, now: EpochMs): boolean =>
  dampedAt(vip, node, now) !== undefined;

/** The members that are damped, by id. */
export const dampedMembers = (vip: Transiting, now: EpochMs): readonly Flapping[] =>
  Object.keys(vip.members)
    .sort()
    .flatMap((node) => dampedAt(vip, node, now) ?? []);
