// The ports of one invocation: those of shared/memory behind a network on which requests and replies take their time
// and everything that the story allows goes wrong.
//
// A request is: begin (a pause or kill may strike) → travel → effect → travel → reply heard. After ATTEMPT_MAX without
// a reply the caller gives up with a Fault `unknown`; the effect comes all the same.
import type { Budget } from '../../shared/budget.ts';
import { Fault } from '../../shared/fault.ts';
import type { Change } from '../../shared/hint.ts';
import { ATTEMPT_MAX } from '../../shared/lease.ts';
import type { OrderEntry } from '../../shared/ledger-order.ts';
import type { MemoryTimeline } from '../../shared/memory/timeline.ts';
import type { MemoryVips } from '../../shared/memory/vip-store.ts';
import type { Step } from '../../shared/plan.ts';
import type { Desk } from '../../shared/runbook.ts';
import type { Wire } from '../../shared/switch.ts';
import type { Failover } from '../../shared/timeline.ts';
import type { Vip } from '../../shared/vip.ts';
import { ec2Of } from './ec2-port.ts';
import type { Invocation } from './invocation.ts';
import type { Log } from './log.ts';
import { type Region, STALE_MAX_MS } from './region.ts';
import type { Scheduler } from './scheduler.ts';
import type { FaultName } from './story.ts';

export interface Network {
  readonly sched: Scheduler;
  readonly epochAt: number;
  readonly region: Region;
  readonly vips: MemoryVips;
  readonly timeline: MemoryTimeline;
  readonly budget: Budget | undefined;
  readonly log: Log;
  readonly published: Failover[];
  /** Other people's changes, as CloudTrail told of them; by VIP. */
  readonly changes: { readonly vip: string; readonly change: Change }[];
  readonly orders: OrderEntry[];
  /** Whose step it is, by what it sets. */
  vipOf(step: Step): string;
  /** Whether the fault strikes this request; counted when it does. `untilMs`: when its consequences are over. */
  strikes(name: FaultName, invocation: Invocation, lastsMs?: number): boolean;
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

/** One request. `effect` acts at once; its promise carries the answer only. */
export function request<T>(
  net: Network,
  by: Invocation,
  what: string,
  trip: Trip,
  effect: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    by.begin(() => {
      const total = trip.toMs + trip.backMs;
      const inTime = !trip.mute && total <= ATTEMPT_MAX;
      net.sched.after(trip.toMs, () => {
        const answer = effect();
        answer.catch(() => undefined);
        // The port's own promises have to go on before anything else happens.
        net.sched.stir();
        if (inTime) net.sched.after(trip.backMs, () => by.hear(() => resolve(answer)));
      });
      if (!inTime) net.sched.after(ATTEMPT_MAX, () => by.hear(() => reject(lost(what))));
    });
  });
}

export const refuse =
  <T>(fault: Fault) =>
  (): Promise<T> =>
    Promise.reject(fault);

type Ports = Pick<Desk, 'ec2' | 'vips' | 'timeline' | 'bus' | 'budget' | 'changes' | 'orders' | 'approvals'>;

export function portsOf(net: Network, by: Invocation): Ports {
  const ports = {
    ec2: ec2Of(net, by),
    vips: vipsOf(net, by),
    timeline: timelineOf(net, by),
    bus: busOf(net, by),
    ...desksOf(net, by),
  };
  return net.budget === undefined ? ports : { ...ports, budget: budgetOf(net, by, net.budget) };
}

function vipsOf(net: Network, by: Invocation): Wire['vips'] {
  const { luck } = by;
  const { vips, log } = net;
  const trip = (): Trip => ({ toMs: luck.log(1, 8), backMs: luck.log(1, 8) });
  const read = <T>(what: string, effect: () => Promise<T>): Promise<T> => {
    if (!net.strikes('store failed before effect', by)) return request(net, by, what, trip(), effect);
    return request(net, by, what, trip(), refuse(luck.odds(0.5) ? throttled(what) : broken(what)));
  };
  const write = <T>(what: string, name: string, effect: () => Promise<T>): Promise<T> => {
    if (net.strikes('store failed before effect', by)) {
      return request(net, by, what, trip(), refuse(luck.odds(0.5) ? throttled(what) : broken(what)));
    }
    const noted = () => log.wrote(by, name, vips.items, effect);
    if (net.strikes('store reply lost', by, ATTEMPT_MAX)) {
      return request(net, by, what, { ...trip(), mute: true }, noted);
    }
    if (net.strikes('store write landed late', by, 6000)) {
      return request(net, by, what, { toMs: luck.between(ATTEMPT_MAX, 6000), backMs: 0 }, noted);
    }
    if (net.strikes('store write repeated', by)) {
      // The SDK's own retry after a lost reply: the same request once more, and its answer is the one that counts.
      const first = luck.between(5, 400);
      by.begin(() =>
        net.sched.after(first, () => {
          net.sched.stir();
          noted().catch(() => undefined);
        }),
      );
      return request(net, by, what, { toMs: first + luck.between(50, 500), backMs: 5 }, noted);
    }
    return request(net, by, what, trip(), noted);
  };
  return {
    read: (name) => read('GetItem', () => vips.read(name)),
    list: () => read('Scan', () => vips.list()),
    tell: (telling, now) => write('UpdateItem', telling.vip, () => vips.tell(telling, now)),
    write: (before, after) =>
      write<Vip | undefined>('UpdateItem', after.name, () => vips.write(before, after)),
    renew: (name, lease, until) => write('UpdateItem', name, () => vips.renew(name, lease, until)),
    view: (name) =>
      read('GetItem', () => vips.view(name)).then((view) => {
        if (view !== undefined) log.looked(by, name, view.beganAtMs - net.epochAt - STALE_MAX_MS);
        return view;
      }),
    keepView: (name, view) => write('PutItem', name, () => vips.keepView(name, view)),
  };
}

function timelineOf(net: Network, by: Invocation): Wire['timeline'] {
  const { luck } = by;
  const { timeline } = net;
  const trip = (): Trip => ({ toMs: luck.log(1, 8), backMs: luck.log(1, 8) });
  const once = <T>(effect: () => Promise<T>): Promise<T> => {
    if (!net.strikes('record failed', by, ATTEMPT_MAX)) return request(net, by, 'PutItem', trip(), effect);
    if (luck.odds(0.5)) return request(net, by, 'PutItem', { ...trip(), mute: true }, effect);
    return request(net, by, 'PutItem', trip(), refuse(broken('PutItem')));
  };
  return {
    put: (entry) => once(() => net.log.filed(timeline, entry)),
    read: (vip, epoch) => once(() => timeline.read(vip, epoch)),
    reject: (rejection) => once(() => timeline.reject(rejection)),
    probe: (probe) => once(() => timeline.probe(probe)),
  };
}

function budgetOf(net: Network, by: Invocation, budget: Budget): Budget {
  const { luck } = by;
  const once = <T>(effect: () => Promise<T>): Promise<T> => {
    const trip = { toMs: luck.log(1, 8), backMs: luck.log(1, 8) };
    if (net.strikes('store failed before effect', by)) {
      return request(
        net,
        by,
        'UpdateItem',
        trip,
        refuse(luck.odds(0.5) ? throttled('UpdateItem') : broken('UpdateItem')),
      );
    }
    return request(
      net,
      by,
      'UpdateItem',
      { ...trip, mute: net.strikes('store reply lost', by, ATTEMPT_MAX) },
      effect,
    );
  };
  return {
    book: (call, count, lane, now) => once(() => budget.book(call, count, lane, now)),
    shift: (call) => once(() => budget.shift(call)),
    giveBack: (call, count) => once(() => budget.giveBack(call, count)),
    empty: (call, now) => once(() => budget.empty(call, now)),
  };
}

const busOf = (net: Network, by: Invocation): Wire['bus'] => ({
  async finished(failover) {
    const failed = net.strikes('announcement failed', by);
    const trip = { toMs: by.luck.between(5, 40), backMs: by.luck.between(5, 40) };
    return request(net, by, 'PutEvents', trip, async () => {
      if (failed) throw broken('PutEvents');
      net.published.push(failover);
    });
  },
});

/** What lies beside the timeline: other people's changes, orders, requests for approval. */
function desksOf(net: Network, by: Invocation): Pick<Ports, 'changes' | 'orders' | 'approvals'> {
  const { luck } = by;
  const once = <T>(what: string, effect: () => Promise<T>): Promise<T> => {
    const trip = { toMs: luck.log(1, 8), backMs: luck.log(1, 8) };
    if (!net.strikes('record failed', by, ATTEMPT_MAX)) return request(net, by, what, trip, effect);
    if (luck.odds(0.5)) return request(net, by, what, { ...trip, mute: true }, effect);
    return request(net, by, what, trip, refuse(broken(what)));
  };
  return {
    changes: {
      note: (vip, change) => once('PutItem', async () => void net.changes.push({ vip, change })),
      since: (vip, atMs) =>
        once('Query', async () =>
          net.changes.filter((c) => c.vip === vip && c.change.atMs >= atMs).map((c) => c.change),
        ),
    },
    orders: {
      put: (order) =>
        once('PutItem', async () => {
          if (!net.orders.some((o) => o.vip === order.vip && o.id === order.id)) net.orders.push(order);
        }),
    },
    approvals: { ask: () => once('PutItem', async () => undefined), pending: async () => [] },
  };
}
