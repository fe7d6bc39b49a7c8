// The network between an invocation and AWS: requests and replies take their time, and everything that the story allows goes
// wrong.
//
// A request is: begin (a pause or kill may strike) → travel → effect → travel → reply heard. After ATTEMPT_MAX without
// a reply the caller gives up with a Fault `unknown`; the effect comes all the same.
import type { Change } from '../../../shared/controller/hint.ts';
import { Fault } from '../../../shared/fault.ts';
import type { MemorySharedBucket } from '../../../shared/memory/shared-bucket.ts';
import type { MemoryTimeline } from '../../../shared/memory/timeline.ts';
import type { MemoryVips } from '../../../shared/memory/vip-store.ts';
import type { Step } from '../../../shared/network/step.ts';

import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import { ATTEMPT_MAX } from '../../../shared/vip/lease.ts';
import type { ScheduledEvent } from '../../../shared/warning/scheduled.ts';
import type { FaultName } from '../history/history.ts';
import type { Log } from '../truth/log.ts';
import type { Region } from '../world/region.ts';
import type { Scheduler } from '../world/scheduler.ts';
import type { Invocation } from './invocation.ts';

export interface Notice {
  readonly atMs: number;
  readonly vip: string;
  readonly of: 'finished' | 'failed' | 'flapping' | 'leaving';
  /** Of which failover. */
  readonly epoch?: number;
  /** The node that flaps, or is about to go with the VIP. */
  readonly node?: string;
}

export interface Network {
  readonly sched: Scheduler;
  readonly epochAt: number;
  readonly region: Region;
  readonly vips: MemoryVips;
  readonly timeline: MemoryTimeline;
  readonly budget: MemorySharedBucket | undefined;
  readonly log: Log;
  /** What people were sent. */
  readonly notices: Notice[];
  /** Other people's changes, as CloudTrail reported them; by VIP. */
  readonly changes: { readonly vip: string; readonly change: Change }[];
  readonly orders: OperatorAction[];
  /** Whether AWS warns of nodes in this history. */
  readonly departs: boolean;
  /** Whose step it is, by what it sets. */
  vipOf(step: Step): string;
  /** Whether the fault strikes this request; counted when it does. `untilMs`: when its consequences are over. */
  strikes(name: FaultName, invocation: Invocation, lastsMs?: number): boolean;
  /** Reconcile announces what it has found scheduled. */
  warned(event: ScheduledEvent): void;
  describesFail(): boolean;
  callsDenied(): boolean;
}

export const lost = (what: string): Fault => new Fault('unknown', 'TimeoutError', `${what}: no reply`);
export const broken = (what: string): Fault =>
  new Fault('unknown', 'InternalError', `${what}: internal error`);
export const throttled = (what: string): Fault =>
  new Fault('throttled', 'Throttled', `${what}: rate exceeded`);

export interface Trip {
  readonly toMs: number;
  readonly backMs: number;
  /** The reply never comes. */
  readonly mute?: boolean;
}

/** A call of AWS, and the invocation that makes it. */
export interface Call {
  readonly net: Network;
  readonly by: Invocation;
  readonly what: string;
}

/** One request. `effect` acts at once; its promise carries the answer only. */
export function request<T>({ net, by, what }: Call, trip: Trip, effect: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    by.begin(() => {
      const total = trip.toMs + trip.backMs;
      const inTime = !trip.mute && total <= ATTEMPT_MAX;
      net.sched.after(trip.toMs, () => {
        const answer = answerOf(effect());
        // The port's own promises have to go on before anything else happens.
        net.sched.stir();
        if (inTime) net.sched.after(trip.backMs, () => by.hear(() => answer.giveTo(resolve, reject)));
      });
      if (!inTime) net.sched.after(ATTEMPT_MAX, () => by.hear(() => reject(lost(what))));
    });
  });
}

/** What an effect has answered by the time when the reply is heard: it acted at once, and no one else was in the way. */
interface AnswerKept<T> {
  giveTo(resolve: (value: T) => void, reject: (why: unknown) => void): void;
}

export function answerOf<T>(effect: Promise<T>): AnswerKept<T> {
  let said: { readonly value: T } | { readonly why: unknown } | undefined;
  effect.then(
    (value) => {
      said = { value };
    },
    (why: unknown) => {
      said = { why };
    },
  );
  return {
    giveTo(resolve, reject) {
      if (said === undefined) throw new Error('an effect acts at once, and this one has not answered');
      if ('value' in said) resolve(said.value);
      else reject(said.why);
    },
  };
}

export const refuse =
  <T>(fault: Fault) =>
  (): Promise<T> =>
    Promise.reject(fault);
