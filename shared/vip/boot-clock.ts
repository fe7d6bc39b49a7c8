// When a word was sent, by two clocks: AWS's stamp, which no node can set ahead, and the clock of the node's boot. From
// them follows which of two words of one node was sent later, and whether both can be true.
//
// Invariant: of a node's own words none is ever found to contradict another. The clock of a boot never runs back, drifts
// by less than DRIFT_MAX, and may stand still while AWS's goes on (a paused host); one boot ends before the next begins.
// Where words contradict each other the newer stamp wins, so that a forged one is gone with the node's next word.
// Limit: a forged word that runs ahead by no more than ORDER_DOUBT is not told from a true one until it is overtaken.
import { type DurationMs, durationMs, minutes, seconds } from '../time.ts';

export interface Sending {
  readonly bootId: string;
  /** When the node booted, as this word has it: stamp less uptime. */
  readonly bootAtMs: number;
  /** AWS's stamp of it. */
  readonly stampMs: number;
  /** CLOCK_BOOTTIME when it was sent. */
  readonly upMs: number;
}

/** Two requests may be accepted the wrong way round when they were sent within this: the shim gives one up after 3 s. */
export const ORDER_DOUBT: DurationMs = seconds(5);
/** Two stamps that are closer tell no order: the bus's are whole seconds, rounded down, and two front ends' clocks differ by 200 ms. */
export const STAMPS_DIFFER: DurationMs = durationMs(1200);
/** A host may stand still between a word's uptime and its stamp, but AWS refuses a signature that is older. */
export const UNDER_WAY_MAX: DurationMs = minutes(5);
/** No node's clock runs wrong by more: the kernel's own limit for slewing it. */
export const DRIFT_MAX = 500e-6;

export const bootDiffers = (a: Sending, b: Sending): boolean => a.bootId !== b.bootId;

/** The later stamp has no later uptime: the clock of a boot does not run back. */
function ranBack(a: Sending, b: Sending): boolean {
  const [earlier, later] = byStamp(a, b);
  const stamped = later.stampMs - earlier.stampMs > STAMPS_DIFFER && later.upMs <= earlier.upMs;
  return stamped && later.bootAtMs - earlier.bootAtMs > ORDER_DOUBT;
}

const byStamp = (a: Sending, b: Sending) =>
  (a.stampMs < b.stampMs ? [a, b] : [b, a]) as readonly [Sending, Sending];

/** More uptime than time has passed between the two. */
function ranAhead(a: Sending, b: Sending): boolean {
  // Stryker disable next-line EqualityOperator: of two words with the same uptime neither runs ahead
  const [behind, ahead] = a.upMs < b.upMs ? [a, b] : [b, a];
  const passed = Math.max(0, ahead.stampMs - behind.stampMs) * (1 + DRIFT_MAX);
  return ahead.upMs - behind.upMs > passed + UNDER_WAY_MAX;
}

/** Up to here another boot's words may be stamped without both having been up at once. */
export const othersEndBy = ({ bootAtMs, upMs }: Sending): number =>
  Math.floor(bootAtMs + ORDER_DOUBT + upMs * DRIFT_MAX);

/** The boot that spoke last was up already when the other one still spoke. */
function upAtOnce(a: Sending, b: Sending): boolean {
  const [earlier, later] = byStamp(a, b);
  return earlier.stampMs > othersEndBy(later);
}

/** Whether the boot's clock and AWS's stamps disagree about two words of one boot. */
export const clocksDisagree = (a: Sending, b: Sending): boolean => ranBack(a, b) || ranAhead(a, b);

/** What two words of one node cannot both be true for; undefined when they can. */
export type Contradiction = 'clock-ran-back' | 'clock-ran-ahead' | 'two-boots-at-once';

export function contradiction(a: Sending, b: Sending): Contradiction | undefined {
  if (bootDiffers(a, b)) return upAtOnce(a, b) ? 'two-boots-at-once' : undefined;
  if (ranBack(a, b)) return 'clock-ran-back';
  return ranAhead(a, b) ? 'clock-ran-ahead' : undefined;
}

/** Positive when `a` was sent after `b`, 0 when neither clock tells. */
export function bySending(a: Sending, b: Sending): number {
  if (!bootDiffers(a, b)) return ranBack(a, b) ? a.stampMs - b.stampMs : a.upMs - b.upMs;
  // Two boots of one second: ordered somehow, so that every order of arrival agrees.
  // Stryker disable next-line EqualityOperator: two boots never have the same id
  return a.stampMs - b.stampMs || a.bootAtMs - b.bootAtMs || (a.bootId < b.bootId ? -1 : 1);
}
