// What a warning that is over does to drains: to whom each is handed over, and what an operator orders meanwhile.
import { describe, expect, it } from 'vitest';
import { leaveNode } from '../../../shared/departure/leave.ts';
import { onWarnings } from '../../../shared/departure/warned.ts';
import { settleMicrotasks } from '../../../shared/memory/clock.ts';
import { minutes, plus } from '../../../shared/time.ts';
import { maintenanceName } from '../../../shared/warning/departure.ts';
import type { Warning } from '../../../shared/warning/warning.ts';
import { START } from '../../support/world.ts';
import { type Stage, stage } from './stage.ts';

const startsAtMs = plus(START, minutes(5));
const reboot = (over: boolean): Warning => ({
  ...{ kind: 'maintenance', node: 'i-a', code: 'system-reboot', degraded: false, startsAtMs, over },
});
const drain = {
  ...{ untilMs: plus(START, minutes(60)), by: 'aws.ec2', reason: 'r', startsAtMs },
  departure: maintenanceName('i-a', startsAtMs),
};
const listed = (fromMinute: number, toMinute: number, node = 'i-a') => ({
  ...{ node, code: 'instance-reboot', description: 'reboot' },
  ...{ notBeforeMs: plus(START, minutes(fromMinute)), notAfterMs: plus(START, minutes(toMinute)) },
});
const ends = (s: Stage) => onWarnings(s.ports, 'aws.health', [reboot(true)]);
const drained = () => stage({ drains: { 'i-a': drain } });

describe('a drain whose maintenance is over', () => {
  it('is handed over to what lasts longest of the same node, and its order is under that one’s name', async () => {
    const s = drained();
    s.ec2.scheduled.push(listed(6, 20), listed(7, 40), listed(8, 30), listed(9, 90, 'i-b'));
    const { departures } = await ends(s);
    const name = maintenanceName('i-a', plus(START, minutes(7)));
    expect((await s.item()).drains).toMatchObject({
      'i-a': { untilMs: plus(START, minutes(40)), departure: name },
    });
    expect(departures).toMatchObject([{ name }]);
    expect(s.orders.map(({ id }) => id.endsWith(`/${name}`))).toEqual([true]);
  });

  it('stays as it is where EC2 has something else at that date, whatever lasts longer', async () => {
    const s = drained();
    s.ec2.scheduled.push(listed(7, 90), listed(5, 20));
    const { said, departures } = await ends(s);
    expect(said).toEqual([expect.stringContaining('EC2 has other maintenance at that date')]);
    expect([departures, s.orders, (await s.item()).drains]).toEqual([[], [], { 'i-a': drain }]);
  });

  it.each([
    ['ended', []],
    ['handed over', [listed(8, 20)]],
  ])('is an operator’s where it was replaced while it was %s', async (_what, events) => {
    const own = { untilMs: plus(START, minutes(30)), by: 'ann', reason: 'work' };
    const s = drained();
    s.ec2.scheduled.push(...events);
    const put = s.ports.orders.put.bind(s.ports.orders);
    Object.assign(s.ports.orders, {
      put: async (order: Parameters<typeof put>[0]) => {
        await put(order);
        const is = await s.item();
        await s.vips.write(is, { ...is, drains: { 'i-a': own } });
      },
    });
    await ends(s);
    expect((await s.item()).drains).toEqual({ 'i-a': own });
  });
});

it('a warning that is not over leads to nothing where the node is a member no more, though drained', async () => {
  const s = stage({ drains: { 'i-a': drain }, members: {} });
  expect(await onWarnings(s.ports, 'aws.ec2', [reboot(false)])).toEqual({
    departures: [],
    said: ['i-a is a member of no VIP'],
  });
});

it('a rebalance is in the item when the step has answered, however long the write takes', async () => {
  const s = stage();
  const write = s.vips.write.bind(s.vips);
  s.ports.vips.write = async (before, after) => {
    await settleMicrotasks();
    return write(before, after);
  };
  await onWarnings(s.ports, 'aws.ec2', [{ kind: 'rebalance', node: 'i-a', id: 'e-1', atMs: START }]);
  expect((await s.item()).atRisk).toMatchObject({ 'i-a': { atMs: START } });
});

it('a departure is not over because EC2 lists something of another node', async () => {
  const s = stage();
  s.ec2.scheduled.push({ ...listed(50, 60, 'i-b'), description: '[Completed] reboot' });
  const until = { dueAt: new Date(START).toISOString(), untilMs: plus(START, minutes(60)), startsAtMs };
  const input = { node: 'i-a', by: 'aws.ec2', why: 'reboot', ...until } as const;
  const round = await leaveNode(s.ports, { execution: 'leave', stage: 'prod', story: { input } });
  expect(round.outcome).not.toBe('over');
  expect((await s.item()).drains).toMatchObject({ 'i-a': { startsAtMs } });
});
