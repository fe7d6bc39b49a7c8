// A claim is a node's report of its own VRRP state. A node state is one transition of one node together with the claims
// about it.
//
// Invariant: `merge` is order-free and idempotent. Whatever the order in which the same claims arrive, and however
// often, the recorded node state is the same (guarantee 2). The one exception is a claim that arrives more than
// LATE_AFTER late: it gives no evidence of life and no lower-advert, by intent. It holds for all that a node can truly say;
// among words that contradict each other (boot-clock.ts) the newer stamp wins, so that the node's next word ends a forged one.
// Limit: a node's wall clock is not trusted. It only refines AWS's whole-second stamp inside its second.
import { type DurationMs, type EpochMs, epochMs, seconds } from '../time.ts';

/** keepalived's states, verbatim (notify FIFO, keepalived 2.2). */
export const vrrpStates = ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED'] as const;
export type VrrpState = (typeof vrrpStates)[number];

/** `lower-advert`: a master heard an advert of lower priority than its own (keepalived's MASTER_RX_LOWER_PRI). */
export const claimKinds = ['transition', 'assertion', 'lower-advert', 'probe'] as const;
export type ClaimKind = (typeof claimKinds)[number];

export interface Claim {
  readonly vip: string;
  /** EC2 instance id. */
  readonly node: string;
  readonly state: VrrpState;
  readonly kind: ClaimKind;
  readonly priority: number;
  /** VRRP instance or sync group of keepalived. */
  readonly instance: string;
  readonly bootId: string;
  /** CLOCK_BOOTTIME in µs at the claim; rises strictly within a boot. */
  readonly seq: number;
  /** `seq` of the transition that the claim speaks of; equal to `seq` for the transition itself. */
  readonly since: number;
  /** CLOCK_BOOTTIME in ms at the moment of sending. */
  readonly uptimeMs: number;
  /** From the claim to the moment of sending. */
  readonly ageMs: number;
  /** The node's wall clock at the claim. */
  readonly atMs: number;
  /** A newer claim of the same VIP waits behind it in the node's spool. */
  readonly superseded: boolean;
  /** How many claims the node's spool has had to drop so far. */
  readonly dropped: number;
  /** Version of the notify shim, as it says itself. */
  readonly shim?: string;
  /** Why the node is about to go, as AWS told it; as it was when the claim was sent. Undefined while it stays. */
  readonly leaving?: string;
  /** AWS recommends to rebalance. */
  readonly atRisk?: boolean;
  /** AWS's stamp: EventBridge's whole seconds, rounded down, or the function URL's milliseconds. */
  readonly timeMs: EpochMs;
  /** EventBridge's event id, the same on every delivery of one event; or the request id of a direct call. */
  readonly eventId: string;
  /** It came by the function URL; absent: by the bus. */
  readonly way?: 'direct';
  /** It comes from a dead-letter queue, where no one vouches for its stamp: late, whatever that says. */
  readonly redriven?: true;
}
/** Older than this on arrival is late; also the maximum event age of the EventBridge rule. */
export const LATE_AFTER: DurationMs = seconds(60);
/** EventBridge stamps whole seconds, so the true instant lies up to this much after the stamp. */
export const STAMP_MS = 999;

/** No later than this was it sent, by the clock of the front end that took it. A function URL stamps milliseconds. */
export const sentBy = ({ timeMs, way }: Pick<Claim, 'timeMs' | 'way'>): number =>
  way === 'direct' ? timeMs : timeMs + STAMP_MS;

export const isLate = (claim: Claim, arrivedAt: EpochMs): boolean =>
  claim.redriven === true || arrivedAt - claim.timeMs > LATE_AFTER;

export const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), high);

/** When the claim was made: the node's clock inside AWS's second, like the transition. For the record only. */
export function saidAt(claim: Claim): EpochMs {
  const hiMs = sentBy(claim) - claim.ageMs;
  return epochMs(Math.round(clamp(claim.atMs, hiMs - STAMP_MS, hiMs)));
}
