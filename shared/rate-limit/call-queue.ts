// The calls of one failover, in the order in which it asks for them: each goes out when EC2's request budget allows it.
//
// What will be needed is reserved while the describes are under way, so that the reservation does not delay the
// mutations. Guarantee 8: a shared bucket that does not answer delays no call; the local bucket of this execution
// environment then decides.
import type { Step } from '../network/step.ts';
import { type Clock, type EpochMs, epochMs } from '../time.ts';
import { elect, unfit } from '../vip/election.ts';
import { dampedMembers } from '../vip/flapping.ts';
import type { Vip } from '../vip/vip.ts';
import { ActionQueue, type IsWanted } from './action-queue.ts';
import { type LocalBucket, waitForToken } from './local-bucket.ts';
import type { Place, SharedBucket } from './shared-bucket.ts';

export interface CallQueue {
  /** Begins to reserve slots for that many calls, which the failover will probably make. */
  reserveAhead(call: Step['call'], count: number): void;
  /**
   * Resolves when this call may go out; undefined when it may go at once. Rejects with a Fault `deadline` when that is
   * after the end of the invocation. A call that is not wanted any more takes no one's slot.
   */
  waitForSlot(call: Step['call'], isWanted?: IsWanted): Promise<void> | undefined;
  /** The same for a call that EC2 refused although it had its slot: it goes before all that wait. */
  waitForRetrySlot(call: Step['call'], isWanted?: IsWanted): Promise<void> | undefined;
  /** A call went out: its slot is used. */
  sent(call: Step['call']): void;
  /** EC2 refused a call for its rate. */
  drain(call: Step['call']): void;
  /** When `count` more calls will have gone out, as far as is known now; undefined when they can go at once. */
  dueAtMs(call: Step['call'], count: number): EpochMs | undefined;
  /** Refunds what was reserved and not used; calls that still wait are refused. */
  end(): Promise<void>;
}

export interface CallQueuePorts {
  readonly clock: Clock;
  readonly localBucket: LocalBucket;
  /** Without it the local bucket decides. */
  readonly sharedBucket?: SharedBucket;
}

/**
 * The queue of one failover of this VIP; reserves as many calls as moving it took last time. While one of its nodes flaps it goes
 * last and reserves nothing: most claims of such a node move nothing. So does a move for a drain, which no client waits for.
 */
export function callQueueFor(ports: CallQueuePorts, vip: Vip): CallQueue {
  const now = ports.clock.now();
  if (dampedMembers(vip, now).length > 0 || isPlanned(vip, now)) return callQueue(ports, 'last');
  const queue = callQueue(ports, vip.priority === 'first' ? 'front' : 'back');
  queue.reserveAhead('ReplaceRoute', (vip.tablesSeen ?? 0) * vip.addresses.length);
  queue.reserveAhead('AssociateAddress', vip.eips.length);
  return queue;
}

/** A drain takes the VIP from an owner that serves it. */
function isPlanned(vip: Vip, now: EpochMs): boolean {
  const { reason } = elect(vip, now);
  return reason.key === 'drained' && reason.other === vip.owner && unfit(vip, vip.owner) === undefined;
}

/** When the last of these steps will go out, as far as is known now; undefined when all can go at once. */
export function lastCallAtMs(queue: CallQueue | undefined, steps: readonly Step[]): EpochMs | undefined {
  const calls = [...new Set(steps.map((step) => step.call))];
  const count = (call: Step['call']) => steps.filter((step) => step.call === call).length;
  const dues = calls.flatMap((call) => queue?.dueAtMs(call, count(call)) ?? []);
  return dues.length === 0 ? undefined : epochMs(Math.max(...dues));
}

export function callQueue(ports: CallQueuePorts, place: Place): CallQueue {
  const { clock, localBucket, sharedBucket } = ports;
  return sharedBucket === undefined
    ? localCallQueue(clock, localBucket)
    : sharedCallQueue({ clock, localBucket, sharedBucket }, place);
}

function sharedCallQueue(ports: Required<CallQueuePorts>, place: Place): CallQueue {
  const queues = new Map<Step['call'], ActionQueue>();
  const queueOf = (call: Step['call']): ActionQueue => {
    const queue = queues.get(call) ?? new ActionQueue(ports, call, place);
    queues.set(call, queue);
    return queue;
  };
  return {
    reserveAhead: (call, count) => queueOf(call).reserveAhead(count),
    waitForSlot: (call, isWanted) => queueOf(call).waitForSlot(isWanted),
    waitForRetrySlot: (call, isWanted) => queueOf(call).waitForRetrySlot(isWanted),
    sent: (call) => queueOf(call).sent(),
    drain: (call) => queueOf(call).drain(),
    dueAtMs: (call, count) => unlessPast(ports.clock, queueOf(call).dueAtMs(count)),
    end: async () => void (await Promise.all([...queues.values()].map((queue) => queue.end()))),
  };
}

/** Paces the calls of this execution environment alone. */
const localCallQueue = (clock: Clock, bucket: LocalBucket): CallQueue => ({
  reserveAhead: () => undefined,
  waitForSlot: (call) => waitForToken(bucket, clock, call),
  waitForRetrySlot: (call) => waitForToken(bucket, clock, call),
  sent: () => undefined,
  drain: (call) => bucket.drain(call, clock.now()),
  dueAtMs: (call, count) => {
    const now = clock.now();
    return unlessPast(clock, epochMs(now + bucket.delay(call, count, now)));
  },
  end: async () => undefined,
});

const unlessPast = (clock: Clock, atMs: EpochMs): EpochMs | undefined =>
  atMs > clock.now() ? atMs : undefined;
