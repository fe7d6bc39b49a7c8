// An operator ends the drain for AWS's maintenance before its date: the sweep announces it no more, until ten minutes before; then once.
import { describe, expect, it } from 'vitest';
import { withDrains, withoutDrains } from '../../../cli/drain/outlook.ts';
import { reconcile } from '../../../shared/controller/reconcile.ts';
import { announceScheduled } from '../../../shared/controller/warned.ts';
import { leaveNode } from '../../../shared/departure/leave.ts';
import { type DeparturePorts, onWarnings } from '../../../shared/departure/warned.ts';
import { type DurationMs, durationMs, hours, minus, minutes, plus } from '../../../shared/time.ts';
import { drainOf, type Vip } from '../../../shared/vip/vip.ts';
import { LEAD, maintenanceName } from '../../../shared/warning/departure.ts';
import { type ScheduledEvent, scheduledWarning } from '../../../shared/warning/scheduled.ts';
import { item, owned, reconciles, START, says } from '../../support/world.ts';

const IN: DurationMs = hours(48);
const startsAtMs = plus(START, IN);
const retirement: ScheduledEvent = {
  ...{ node: 'i-a', code: 'instance-retirement', description: 'on degraded hardware' },
  notBeforeMs: startsAtMs,
};
const NAME = maintenanceName('i-a', startsAtMs);

/** Node a owns the VIP, b stands by; each sweep's announcements start their workflow, once for each name. */
async function stage(event: ScheduledEvent = retirement) {
  const w = await owned();
  await says(w, 'i-b', { state: 'BACKUP', priority: 90 });
  w.vips.items.set('web', { ...item(w), hold: 'both' });
  const executions = new Set<string>();
  const announced: ScheduledEvent[] = [];
  const ports: DeparturePorts & typeof w.ports = {
    ...w.ports,
    orders: { put: () => Promise.resolve() },
    bus: { ...w.ports.bus, warned: async (one) => void announced.push(one) },
  };
  w.ec2.scheduledEvents = async () => [event];
  const start = async (one: ScheduledEvent) => {
    const { departures } = await onWarnings(ports, 'aws.ec2', [scheduledWarning(one)!]);
    for (const { name, input } of departures) {
      if (executions.has(name)) continue;
      executions.add(name);
      await leaveNode(ports, { execution: name, stage: 'prod', story: { input } });
    }
  };
  return {
    ...{ w, executions, announced, ports },
    /** So many sweeps, one a minute; how many announced something. */
    async sweeps(times: number): Promise<number> {
      const before = announced.length;
      for (let n = 0; n < times; n++) {
        for (const node of await announceScheduled(ports, await w.vips.list()))
          if (node === 'i-a') await start(announced.at(-1)!);
        await w.clock.advance(minutes(1));
      }
      return announced.length - before;
    },
    order: (change: (vip: Vip) => Vip) => void w.vips.items.set('web', change(item(w))),
    untilLead: () => w.clock.advance(durationMs(minus(startsAtMs, LEAD) - w.clock.now())),
    drain: () => drainOf(item(w), 'i-a', w.clock.now()),
  };
}
const undrain = (s: Awaited<ReturnType<typeof stage>>) =>
  s.order((vip) => withoutDrains(vip, ['i-a'], s.w.clock.now()));

describe('a drain for a retirement in two days', () => {
  it('is begun by one announcement, and none follows while it lasts', async () => {
    const s = await stage();
    expect(await s.sweeps(5)).toBe(1);
    expect(s.drain()).toMatchObject({ departure: NAME, startsAtMs });
    expect(item(s.w).owner).toBe('i-b');
  });

  it('ended by an operator: nothing is announced until ten minutes before, then once, and it is drained', async () => {
    const s = await stage();
    await s.sweeps(1);
    undrain(s);
    expect(item(s.w).declined).toMatchObject({ 'i-a': { startsAtMs, againMs: minus(startsAtMs, LEAD) } });
    expect([await s.sweeps(30), s.drain()]).toEqual([0, undefined]);
    await s.untilLead();
    expect(await s.sweeps(5)).toBe(1);
    expect(s.announced.at(-1)).toEqual({ ...retirement, again: true });
    expect(s.drain()).toMatchObject({ departure: `${NAME}-again`, startsAtMs });
    expect(item(s.w)).not.toHaveProperty('declined');
  });

  it('ended again in the last ten minutes: the operator’s word holds to the end', async () => {
    const s = await stage();
    await s.sweeps(1);
    undrain(s);
    await s.untilLead();
    await s.sweeps(1);
    undrain(s);
    expect([await s.sweeps(8), s.drain()]).toEqual([0, undefined]);
    expect(s.executions).toEqual(new Set([NAME, `${NAME}-again`]));
  });

  it('is announced until it has led to a drain: a lost announcement is not the last', async () => {
    const s = await stage();
    await announceScheduled(s.ports, await s.w.vips.list());
    await announceScheduled(s.ports, await s.w.vips.list());
    expect(s.announced).toHaveLength(2);
    expect(await s.sweeps(3)).toBe(1);
  });

  it('replaced by an operator’s shorter one: drained again ten minutes before', async () => {
    const s = await stage();
    await s.sweeps(1);
    const now = s.w.clock.now();
    const own = { untilMs: plus(now, hours(1)), by: 'ann', reason: 'work', now };
    s.order((vip) => withDrains(vip, ['i-a'], own));
    expect(s.drain()).toEqual({ untilMs: own.untilMs, by: 'ann', reason: 'work' });
    await s.w.clock.advance(hours(2));
    expect([await s.sweeps(5), s.drain()]).toEqual([0, undefined]);
    await s.untilLead();
    expect([await s.sweeps(2), s.drain()]).toMatchObject([1, { departure: `${NAME}-again` }]);
  });

  it('beside an operator’s longer one: that notes it, and ended early it is not begun before it is time', async () => {
    const s = await stage();
    const own = { untilMs: plus(START, hours(72)), by: 'ann', reason: 'work', now: START };
    s.order((vip) => withDrains(vip, ['i-a'], own));
    expect(await s.sweeps(2)).toBe(0);
    const { departures } = await onWarnings(s.ports, 'aws.health', [scheduledWarning(retirement)!]);
    const [{ name, input }] = departures as [(typeof departures)[number]];
    await leaveNode(s.ports, { execution: name, stage: 'prod', story: { input } });
    expect(s.drain()).toMatchObject({ by: 'ann', startsAtMs });
    undrain(s);
    expect([await s.sweeps(5), s.drain()]).toEqual([0, undefined]);
  });

  it('is kept while the maintenance lasts, and forgotten at the millisecond at which it is over', async () => {
    const s = await stage();
    await s.sweeps(1);
    undrain(s);
    const { untilMs } = item(s.w).declined!['i-a']!;
    for (const [now, stays] of [
      [minus(untilMs, durationMs(1)), true],
      [untilMs, false],
    ] as const) {
      await s.w.clock.advance(durationMs(now - s.w.clock.now()));
      await reconcile(s.w.ports, item(s.w));
      expect(item(s.w).declined !== undefined, `${untilMs - now} ms before its end`).toBe(stays);
    }
  });

  it('is forgotten when the maintenance is over', async () => {
    const s = await stage();
    await s.sweeps(1);
    undrain(s);
    await s.w.clock.advance(hours(51));
    await reconciles(s.w);
    expect(item(s.w)).not.toHaveProperty('declined');
  });
});

it('a reboot is drained ten minutes before; ended by an operator then, it is not begun again', async () => {
  const s = await stage({ ...retirement, code: 'system-reboot' });
  expect(await s.sweeps(3)).toBe(0);
  await s.untilLead();
  await s.sweeps(1);
  undrain(s);
  expect(item(s.w).declined).toEqual({ 'i-a': { startsAtMs, untilMs: plus(startsAtMs, hours(2)) } });
  expect([await s.sweeps(9), s.drain()]).toEqual([0, undefined]);
});

it('a spot warning drains a node all the same, whose maintenance an operator has declined', async () => {
  const s = await stage();
  await s.sweeps(1);
  undrain(s);
  const atMs = s.w.clock.now();
  const spot = { kind: 'interruption', node: 'i-a', action: 'terminate', id: 'e-1', atMs } as const;
  const { departures } = await onWarnings(s.ports, 'aws.ec2', [spot]);
  const [{ name, input }] = departures as [(typeof departures)[number]];
  await leaveNode(s.ports, { execution: name, stage: 'prod', story: { input } });
  expect(s.drain()).toMatchObject({ departure: 'leave-i-a-e-1' });
});
