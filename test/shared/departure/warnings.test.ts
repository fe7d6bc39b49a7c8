// What a warning leads to, and what the sweep finds of those that were lost, over the ports in memory.
import { describe, expect, it } from 'vitest';
import { announceScheduled } from '../../../shared/controller/warned.ts';
import { onWarnings } from '../../../shared/departure/warned.ts';
import { Fault } from '../../../shared/fault.ts';
import { epochMs, iso, minutes, plus } from '../../../shared/time.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { maintenanceName } from '../../../shared/warning/departure.ts';
import type { ScheduledEvent } from '../../../shared/warning/scheduled.ts';
import type { Warning } from '../../../shared/warning/warning.ts';
import { START, world } from '../../support/world.ts';
import { stage } from './stage.ts';

const reboot = (node: string, over = false, startsAtMs = plus(START, minutes(5))): Warning => ({
  ...{ kind: 'maintenance', node, code: 'system-reboot', degraded: false, startsAtMs, over },
});

describe('a warning', () => {
  it('of an unknown instance leads to nothing; of a member to a departure of the same name each time', async () => {
    const s = stage();
    const unknown = await onWarnings(s.ports, 'aws.ec2', [reboot('i-0fffffffffffffff0')]);
    expect(unknown).toEqual({ departures: [], said: ['i-0fffffffffffffff0 is a member of no VIP'] });
    const [one, two] = await Promise.all(
      [1, 2].map(() => onWarnings(s.ports, 'aws.health', [reboot('i-a')])),
    );
    expect(one).toEqual(two);
    expect(one!.departures).toMatchObject([
      { name: maintenanceName('i-a', plus(START, minutes(5))), input: { node: 'i-a', dueAt: iso(START) } },
    ]);
  });

  it('of a rebalance is recorded once, and drains nothing', async () => {
    const s = stage();
    const advice: Warning = { kind: 'rebalance', node: 'i-a', id: 'e-1', atMs: START };
    await onWarnings(s.ports, 'aws.ec2', [advice]);
    await onWarnings(s.ports, 'aws.ec2', [advice]);
    expect(s.orders).toMatchObject([{ order: 'at-risk', node: 'i-a', vip: 'web' }]);
    expect((await s.item()).drains).toBeUndefined();
  });

  it('that is over ends its own drain, and no other', async () => {
    const name = maintenanceName('i-a', plus(START, minutes(5)));
    const drain = { untilMs: plus(START, minutes(60)), by: 'aws.ec2', reason: 'r' };
    for (const [departure, stays] of [
      [name, false],
      ['leave-i-a-other', true],
    ] as const) {
      const s = stage({ drains: { 'i-a': { ...drain, departure } } });
      await onWarnings(s.ports, 'aws.health', [reboot('i-a', true)]);
      expect((await s.item()).drains !== undefined, departure).toBe(stays);
      expect(s.orders.map(({ order }) => order)).toEqual(stays ? [] : ['undrain']);
    }
  });

  it('that is over ends its drain also where the node is a member no more', async () => {
    const drain = { untilMs: plus(START, minutes(60)), by: 'aws.ec2', reason: 'r' };
    const departure = maintenanceName('i-a', plus(START, minutes(5)));
    const drains = { 'i-a': { ...drain, departure } };
    const s = stage({ drains, members: { 'i-b': world(['i-b']).vips.items.get('web')!.members['i-b']! } });
    await onWarnings(s.ports, 'aws.health', [reboot('i-a', true)]);
    expect((await s.item()).drains).toBeUndefined();
    expect((await onWarnings(s.ports, 'aws.health', [reboot('i-a')])).departures).toEqual([]);
  });

  it('that is over hands its drain over to other maintenance that is due, unless EC2 cannot say', async () => {
    const startsAtMs = plus(START, minutes(5));
    const drain = {
      ...{ untilMs: plus(START, minutes(60)), by: 'aws.ec2', reason: 'r', startsAtMs },
      departure: maintenanceName('i-a', startsAtMs),
    };
    const listed = { node: 'i-a', code: 'instance-reboot', description: 'reboot' };
    const other = { ...listed, notBeforeMs: plus(START, minutes(8)), notAfterMs: plus(START, minutes(20)) };
    const later = { ...listed, notBeforeMs: plus(START, minutes(11)) };
    const s = stage({ drains: { 'i-a': drain } });
    s.ec2.scheduled.push(other, later, { ...other, node: 'i-b' });
    s.ec2.scheduled.push({
      ...other,
      notBeforeMs: plus(START, minutes(9)),
      description: '[Completed] reboot',
    });
    const handedOver = await onWarnings(s.ports, 'aws.health', [reboot('i-a', true)]);
    const handed = { untilMs: other.notAfterMs, startsAtMs: other.notBeforeMs };
    expect(await s.item()).toMatchObject({
      drains: { 'i-a': { ...handed, departure: maintenanceName('i-a', other.notBeforeMs) } },
    });
    expect(s.orders).toMatchObject([{ order: 'drain', node: 'i-a', untilMs: other.notAfterMs }]);
    // Its own warning may be lost: the departure begins, also where a step that is tried again finds all handed over.
    const { departures } = handedOver;
    expect(departures).toMatchObject([{ name: maintenanceName('i-a', other.notBeforeMs) }]);
    expect((await onWarnings(s.ports, 'aws.health', [reboot('i-a', true)])).departures).toEqual(departures);

    const unasked = stage({ drains: { 'i-a': drain } });
    unasked.ec2.scheduledEvents = () => Promise.reject(new Fault('throttled', 'Throttling', 'slow down'));
    await expect(onWarnings(unasked.ports, 'aws.health', [reboot('i-a', true)])).rejects.toThrow(Fault);
    expect((await unasked.item()).drains).toEqual({ 'i-a': drain });

    const declined = { 'i-a': { startsAtMs: other.notBeforeMs, untilMs: other.notAfterMs } };
    const refused = stage({ drains: { 'i-a': drain }, declined });
    refused.ec2.scheduled.push(other);
    await onWarnings(refused.ports, 'aws.health', [reboot('i-a', true)]);
    expect((await refused.item()).drains).toBeUndefined();
  });
});

describe('the sweep', () => {
  const listed = (over: Partial<ScheduledEvent> = {}): ScheduledEvent => ({
    ...{ node: 'i-a', code: 'system-reboot', description: 'reboot', notBeforeMs: plus(START, minutes(10)) },
    ...over,
  });
  const announced = async (event: ScheduledEvent, vip: Partial<Vip> = {}) => {
    const s = stage(vip);
    s.ec2.scheduled.push(event);
    await announceScheduled(s.ports, await s.vips.list());
    return s.warned.length;
  };

  it('finds what is due, to the millisecond, and what is of a failing host at once', async () => {
    expect(await announced(listed())).toBe(1);
    expect(await announced(listed({ notBeforeMs: epochMs(START + 600_001) }))).toBe(0);
    const far = plus(START, minutes(60 * 24 * 14));
    expect(await announced(listed({ code: 'instance-retirement', notBeforeMs: far }))).toBe(1);
  });

  it('says nothing of what is over, of others’ instances, of nodes that are drained', async () => {
    expect(await announced(listed({ description: '[Completed] reboot' }))).toBe(0);
    expect(await announced(listed({ node: 'i-0fffffffffffffff0' }))).toBe(0);
    const drain = { untilMs: plus(START, minutes(60)), by: 'ann', reason: 'r' };
    expect(await announced(listed(), { drains: { 'i-a': drain } })).toBe(0);
  });

  it('says that it is over where the node is still drained for it', async () => {
    const departure = maintenanceName('i-a', plus(START, minutes(10)));
    const drain = { untilMs: plus(START, minutes(60)), by: 'aws.ec2', reason: 'r', departure };
    const over = listed({ description: '[Canceled] reboot' });
    expect(await announced(over, { drains: { 'i-a': drain } })).toBe(1);
    expect(await announced(over, { drains: { 'i-a': drain }, members: {} })).toBe(1);
    expect(await announced(over, { members: {} })).toBe(0);
  });

  it('tells maintenance of one node apart by its date: over, declined or noted is only what has the same one', async () => {
    const [date, other] = [plus(START, minutes(10)), plus(START, minutes(9))];
    const drainOn = (startsAtMs: typeof date) => ({
      ...{ untilMs: plus(START, minutes(60)), by: 'aws.ec2', reason: 'r' },
      ...{ departure: maintenanceName('i-a', startsAtMs), startsAtMs },
    });
    const over = listed({ description: '[Completed] reboot' });
    expect(await announced(over, { drains: { 'i-a': drainOn(date) } })).toBe(1);
    expect(await announced(over, { drains: { 'i-a': drainOn(other) } })).toBe(0);
    const declinedOn = (startsAtMs: typeof date) => ({
      declined: { 'i-a': { startsAtMs, untilMs: plus(START, minutes(60)) } },
    });
    expect(await announced(listed(), declinedOn(date))).toBe(0);
    expect(await announced(listed(), declinedOn(other))).toBe(1);
    const beside = async (startsAtMs: typeof date) => {
      const s = stage();
      s.ec2.scheduled.push(listed());
      const web = await s.item();
      s.vips.items.set('db', { ...web, name: 'db', drains: { 'i-a': drainOn(startsAtMs) } });
      await announceScheduled(s.ports, await s.vips.list());
      return s.warned.length;
    };
    expect([await beside(date), await beside(other)]).toEqual([0, 1]);
  });

  it('says nothing of what is over where another event has its node and date; of another date it does', async () => {
    const date = plus(START, minutes(10));
    const drain = { untilMs: plus(START, minutes(60)), by: 'aws.ec2', reason: 'r', startsAtMs: date };
    const drains = { 'i-a': { ...drain, departure: maintenanceName('i-a', date) } };
    const over = listed({ description: '[Canceled] reboot' });
    for (const [event, times] of [
      [listed({ code: 'instance-reboot' }), 0],
      [listed({ notBeforeMs: plus(date, minutes(30)) }), 1],
      [listed({ node: 'i-b' }), 1],
    ] as const) {
      const s = stage({ drains });
      s.ec2.scheduled.push(over, event);
      await announceScheduled(s.ports, await s.vips.list());
      const told = s.warned.filter(
        ({ node, description }) => node === 'i-a' && description === over.description,
      );
      expect(told, JSON.stringify(event)).toHaveLength(times);
    }
  });
});
