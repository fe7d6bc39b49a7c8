// The ports of one invocation: those of shared/memory behind the network (network.ts).
import type { InvocationPorts } from '../../../shared/aws/invocation.ts';
import type { SharedBucket } from '../../../shared/rate-limit/shared-bucket.ts';
import type { Ports } from '../../../shared/switch/switch-vip.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { ATTEMPT_MAX } from '../../../shared/vip/lease.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { STALE_MAX_MS } from '../world/region.ts';
import { ec2Of } from './ec2-port.ts';
import type { Invocation } from './invocation.ts';
import { broken, type Network, type Notice, refuse, request, type Trip, throttled } from './network.ts';

type NetworkedPorts = Pick<
  InvocationPorts,
  'ec2' | 'vips' | 'views' | 'timeline' | 'bus' | 'sharedBucket' | 'changes' | 'orders' | 'approvals'
>;

export function portsOf(net: Network, by: Invocation): NetworkedPorts {
  const vips = vipsOf(net, by);
  const ports = {
    ec2: ec2Of(net, by),
    vips,
    views: vips,
    timeline: timelineOf(net, by),
    bus: busOf(net, by),
    ...desksOf(net, by),
  };
  return net.budget === undefined ? ports : { ...ports, sharedBucket: budgetOf(net, by, net.budget) };
}

function vipsOf(net: Network, by: Invocation): Ports['vips'] & Ports['views'] {
  const { luck } = by;
  const { vips, log } = net;
  const trip = (): Trip => ({ toMs: luck.log(1, 8), backMs: luck.log(1, 8) });
  const read = <T>(what: string, effect: () => Promise<T>): Promise<T> => {
    if (!net.strikes('store failed before effect', by)) return request({ net, by, what }, trip(), effect);
    return request({ net, by, what }, trip(), refuse(luck.odds(0.5) ? throttled(what) : broken(what)));
  };
  const write = <T>(what: string, name: string, effect: () => Promise<T>): Promise<T> => {
    if (net.strikes('store failed before effect', by)) {
      return request({ net, by, what }, trip(), refuse(luck.odds(0.5) ? throttled(what) : broken(what)));
    }
    const noted = () => log.wrote(by, name, vips.items, effect);
    if (net.strikes('store reply lost', by, ATTEMPT_MAX)) {
      return request({ net, by, what }, { ...trip(), mute: true }, noted);
    }
    if (net.strikes('store write landed late', by, 6000)) {
      return request({ net, by, what }, { toMs: luck.between(ATTEMPT_MAX, 6000), backMs: 0 }, noted);
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
      return request({ net, by, what }, { toMs: first + luck.between(50, 500), backMs: 5 }, noted);
    }
    return request({ net, by, what }, trip(), noted);
  };
  return {
    read: (name) => read('GetItem', () => vips.read(name)),
    list: () => read('Scan', () => vips.list()),
    recordClaim: (telling, now) => write('UpdateItem', telling.vip, () => vips.recordClaim(telling, now)),
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

function timelineOf(net: Network, by: Invocation): Ports['timeline'] {
  const { luck } = by;
  const { timeline } = net;
  const trip = (): Trip => ({ toMs: luck.log(1, 8), backMs: luck.log(1, 8) });
  const once = <T>(effect: () => Promise<T>): Promise<T> => {
    if (!net.strikes('record failed', by, ATTEMPT_MAX))
      return request({ net, by, what: 'PutItem' }, trip(), effect);
    if (luck.odds(0.5)) return request({ net, by, what: 'PutItem' }, { ...trip(), mute: true }, effect);
    return request({ net, by, what: 'PutItem' }, trip(), refuse(broken('PutItem')));
  };
  return {
    put: (entry) => once(() => net.log.filed(timeline, entry)),
    read: (vip, epoch) => once(() => timeline.read(vip, epoch)),
    reject: (rejection) => once(() => timeline.reject(rejection)),
    probe: (probe) => once(() => timeline.probe(probe)),
  };
}

function budgetOf(net: Network, by: Invocation, budget: SharedBucket): SharedBucket {
  const { luck } = by;
  const once = <T>(effect: () => Promise<T>): Promise<T> => {
    const trip = { toMs: luck.log(1, 8), backMs: luck.log(1, 8) };
    if (net.strikes('store failed before effect', by)) {
      return request(
        { net, by, what: 'UpdateItem' },
        trip,
        refuse(luck.odds(0.5) ? throttled('UpdateItem') : broken('UpdateItem')),
      );
    }
    return request(
      { net, by, what: 'UpdateItem' },
      { ...trip, mute: net.strikes('store reply lost', by, ATTEMPT_MAX) },
      effect,
    );
  };
  return {
    reserve: (call, count, priority, now) => once(() => budget.reserve(call, count, priority, now)),
    takeSpare: (call, count, now) => once(() => budget.takeSpare(call, count, now)),
    pushback: (call) => once(() => budget.pushback(call)),
    refund: (call, count) => once(() => budget.refund(call, count)),
    drain: (call, now) => once(() => budget.drain(call, now)),
  };
}

/** What the rule of notices sends on: nothing that a storm of which people know has caused. */
function note(net: Network, of: 'finished' | 'failed', { vip, flapping, epoch }: Failover): void {
  if (flapping !== undefined) return;
  net.notices.push({ atMs: net.sched.now(), vip, of, epoch });
}

/** To people, of a node. */
function notice(net: Network, by: Invocation, of: Omit<Notice, 'atMs'>): Promise<void> {
  const failed = net.strikes('announcement failed', by);
  const trip = { toMs: by.luck.between(5, 40), backMs: by.luck.between(5, 40) };
  return request({ net, by, what: 'PutEvents' }, trip, async () => {
    if (failed) throw broken('PutEvents');
    net.notices.push({ atMs: net.sched.now(), ...of });
  });
}

const busOf = (net: Network, by: Invocation): Ports['bus'] => ({
  async finished(failover) {
    const failed = net.strikes('announcement failed', by);
    const trip = { toMs: by.luck.between(5, 40), backMs: by.luck.between(5, 40) };
    return request({ net, by, what: 'PutEvents' }, trip, async () => {
      if (failed) throw broken('PutEvents');
      note(net, 'finished', failover);
    });
  },
  failed: async (failover) => note(net, 'failed', failover),
  flapping: (vip, { node }) => notice(net, by, { vip, of: 'flapping', node }),
  leaving: (vip, { node }) => notice(net, by, { vip, of: 'leaving', node }),
  warned(event) {
    const failed = net.strikes('announcement failed', by);
    const trip = { toMs: by.luck.between(5, 40), backMs: by.luck.between(5, 40) };
    return request({ net, by, what: 'PutEvents' }, trip, async () => {
      if (failed) throw broken('PutEvents');
      net.warned(event);
    });
  },
  forward: () => Promise.resolve(),
});

/** What is stored next to the timeline: other people's changes, orders, requests for approval. */
function desksOf(net: Network, by: Invocation): Pick<NetworkedPorts, 'changes' | 'orders' | 'approvals'> {
  const { luck } = by;
  const once = <T>(what: string, effect: () => Promise<T>): Promise<T> => {
    const trip = { toMs: luck.log(1, 8), backMs: luck.log(1, 8) };
    if (!net.strikes('record failed', by, ATTEMPT_MAX)) return request({ net, by, what }, trip, effect);
    if (luck.odds(0.5)) return request({ net, by, what }, { ...trip, mute: true }, effect);
    return request({ net, by, what }, trip, refuse(broken(what)));
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
