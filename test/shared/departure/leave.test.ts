// A node leaves, round by round, over the ports in memory.
import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../shared/controller/reconcile.ts';
import { statusOf } from '../../../shared/controller/status/status.ts';
import { leaveNode, ROUNDS_MAX, type Round, reportDeparture } from '../../../shared/departure/leave.ts';
import { type DepartureInput, onWarnings } from '../../../shared/departure/warned.ts';
import { Fault } from '../../../shared/fault.ts';
import { epochMs, iso, minutes, plus } from '../../../shared/time.ts';
import type { NodeState } from '../../../shared/vip/node-state.ts';
import type { Warning } from '../../../shared/warning/warning.ts';
import { finish, START } from '../../support/world.ts';
import { claims, type Stage, stage } from './stage.ts';

const NAME = 'leave-i-a-e-1';
const input: DepartureInput = {
  ...{ node: 'i-a', by: 'aws.ec2', why: 'spot interruption warning: EC2 will terminate it' },
  ...{ dueAt: iso(START), untilMs: plus(START, minutes(15)) },
};
const leave = ({ ports }: Stage, left?: Round, over: Partial<DepartureInput> = {}) =>
  leaveNode(ports, {
    execution: NAME,
    stage: 'prod',
    story: { input: { ...input, ...over }, ...(left && { left }) },
  });

describe('a round', () => {
  it('drains the node, on record before, and moves what can move', async () => {
    const s = stage();
    expect(await leave(s)).toMatchObject({ outcome: 'left', round: 1, drained: ['web'], owns: [] });
    expect(await s.item()).toMatchObject({
      owner: 'i-b',
      drains: { 'i-a': { untilMs: input.untilMs, by: 'aws.ec2', reason: input.why, departure: NAME } },
    });
    expect(s.orders).toMatchObject([{ order: 'drain', node: 'i-a', by: 'aws.ec2', untilMs: input.untilMs }]);
    expect(s.published[0]?.cause).toMatchObject({ kind: 'order', by: 'aws.ec2' });
  });

  it('done twice, or once more after it ended, changes nothing', async () => {
    const s = stage();
    const first = await leave(s);
    const { epoch, rev } = await s.item();
    expect(await leave(s)).toEqual(first);
    expect(await leave(s, first)).toMatchObject({ outcome: 'left', round: 2 });
    expect(await s.item()).toMatchObject({ epoch, rev });
    expect(s.orders).toHaveLength(1);
  });

  it('killed before its write: the record may name an order without effect, and the next try does it', async () => {
    const s = stage();
    const write = () => Promise.reject(new Fault('unknown', 'Gone', 'killed'));
    const broken = { ...s, ports: { ...s.ports, vips: { ...s.ports.vips, write } } };
    await expect(leave(broken)).resolves.toMatchObject({ outcome: 'leaving', owns: ['web'] });
    expect(await leave(s)).toMatchObject({ outcome: 'left' });
  });

  it('names the failover by which keepalived has to give the VIP away, under a name that stays for two minutes', async () => {
    const s = stage({ hold: 'master' });
    const first = await leave(s);
    expect(first).toMatchObject({
      outcome: 'leaving',
      owns: ['web'],
      demotions: [
        { input: { vip: 'web', to: 'i-b', mode: 'via-keepalived', by: 'aws.ec2', reason: input.why } },
      ],
    });
    const names = [];
    for (let round: Round = first; round.round < 25; round = await leave(s, round))
      names.push(round.demotions[0]!.name);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^leave-i-a-e-1-[0-9a-f]{8}-1$/);
    expect((await leave(s, { ...first, round: 24 })).demotions[0]!.name).toMatch(/-2$/);
  });

  it('tries again where EC2 did not move the VIP: it is left only when the node does not own it any more', async () => {
    const s = stage();
    const apply = s.ports.ec2.apply.bind(s.ports.ec2);
    s.ports.ec2.apply = () => Promise.reject(new Fault('denied', 'UnauthorizedOperation', 'no'));
    const first = await finish(s, leave(s));
    expect(first).toMatchObject({ outcome: 'leaving', owns: ['web'] });
    s.ports.ec2.apply = apply;
    expect(await finish(s, leave(s, first))).toMatchObject({ outcome: 'left', owns: [] });
  });

  it('leaves a frozen VIP where it is, and reports it once, with the command', async () => {
    const s = stage({ freeze: { untilMs: plus(START, minutes(60)), by: 'ann', reason: 'work' } });
    const first = await leave(s);
    expect(first.alarm?.text).toContain('vipshift unfreeze web --stage prod --region eu-central-1');
    expect((await leave(s, first)).alarm).toBeUndefined();
    expect(await s.item()).toMatchObject({ owner: 'i-a', epoch: 0 });
  });

  it('tells why a VIP cannot be looked at, tries again in the next round, and reports it where it was the last', async () => {
    const s = stage();
    const read = s.ports.vips.read.bind(s.ports.vips);
    s.ports.vips.read = async () => {
      throw new Fault('unknown', 'ServiceUnavailable', 'reading web: no answer');
    };
    const first = await leave(s);
    expect(first).toMatchObject({
      outcome: 'leaving',
      owns: ['web'],
      faults: ['web: reading web: no answer'],
    });
    const story = { input, left: { ...first, outcome: 'stuck' as const } };
    const { text } = reportDeparture({ execution: NAME, stage: 'prod', story });
    expect(text).toContain('it still owns web');
    expect(text).toContain('web: reading web: no answer');
    s.ports.vips.read = read;
    const second = await leave(s, first);
    expect(second).toMatchObject({ outcome: 'left', round: 2 });
    expect(second.faults).toBeUndefined();
  });

  it('leaves a VIP that no other node can have, and is over after its last round', async () => {
    const s = stage({ claims: claims({ 'i-a': { state: 'MASTER' }, 'i-b': { state: 'FAULT' } }) });
    const first = await leave(s);
    expect(first.alarm?.text).toContain('no other node is eligible');
    expect((await leave(s, { ...first, round: ROUNDS_MAX - 2 })).outcome).toBe('leaving');
    const last = await leave(s, { ...first, round: ROUNDS_MAX - 1 });
    expect(last).toMatchObject({ outcome: 'stuck', owns: ['web'] });
    const asked = { execution: NAME, stage: 'prod', story: { input, left: last } };
    expect(reportDeparture(asked)).toMatchObject({
      subject: 'vipshift prod: i-a has not left',
      cause: 'i-a: it still owns web',
    });
  });

  it('respects who ends the drain, and an operator’s that lasts longer', async () => {
    const s = stage({ hold: 'master' });
    const first = await leave(s);
    await s.vips.write(await s.item(), { ...(await s.item()), drains: {} });
    expect(await leave(s, first)).toMatchObject({ outcome: 'left' });
    expect((await s.item()).drains).toEqual({});
    const longer = { untilMs: plus(START, minutes(60)), by: 'ann', reason: 'kernel' };
    const t = stage({ drains: { 'i-a': longer } });
    await leave(t);
    expect((await t.item()).drains).toEqual({ 'i-a': longer });
    expect(t.orders).toEqual([]);
  });

  it('waits for a forced failover that is under way to the node', async () => {
    const forced = {
      ...{ execution: 'x', node: 'i-a', by: 'ann', reason: 'r', atMs: START },
      untilMs: plus(START, minutes(45)),
    };
    const s = stage({ forced });
    expect(await leave(s)).toMatchObject({ outcome: 'leaving', drained: [] });
    expect((await s.item()).drains).toBeUndefined();
  });

  it('of a rebalance shows in the status, until the node has taken it up and it is over, or boots again', async () => {
    const s = stage();
    const advice: Warning = { kind: 'rebalance', node: 'i-a', id: 'e-1', atMs: START };
    const shown = async () =>
      statusOf(await s.item(), undefined, START)
        .claims.filter(({ atRisk }) => atRisk)
        .map(({ node }) => node);
    const says = async (over: Partial<NodeState>) => {
      const item = await s.item();
      const claims = { ...item.claims, 'i-a': { ...item.claims['i-a']!, ...over } };
      s.vips.items.set('web', { ...item, claims });
      await reconcile(s.ports, await s.item());
    };
    await onWarnings(s.ports, 'aws.ec2', [advice]);
    expect(await shown()).toEqual(['i-a']);
    const { rev } = await s.item();
    await onWarnings(s.ports, 'aws.ec2', [advice]);
    expect((await s.item()).rev).toBe(rev);
    await says({ priority: 7 });
    expect(await shown()).toEqual(['i-a']);
    await says({ atRisk: true });
    expect([await shown(), (await s.item()).atRisk]).toEqual([['i-a'], undefined]);
    const { atRisk: _over, ...claim } = (await s.item()).claims['i-a']!;
    s.vips.items.set('web', { ...(await s.item()), claims: { ...(await s.item()).claims, 'i-a': claim } });
    expect(await shown()).toEqual([]);
    await onWarnings(s.ports, 'aws.ec2', [advice]);
    await says({ bootId: 'another' });
    expect([await shown(), (await s.item()).atRisk]).toEqual([[], undefined]);
  });

  it.each([
    ['completed', '[Completed] reboot', 0, 'over'],
    ['cancelled', '[Canceled] reboot', 0, 'over'],
    ['put off', 'reboot', 86_400_000, 'over'],
    ['still to come', 'reboot', 0, 'left'],
  ])('maintenance that is %s when it is due: %s', async (_what, description, laterMs, outcome) => {
    const s = stage();
    const notBeforeMs = plus(START, minutes(10));
    s.ec2.scheduled.push({
      ...{ node: 'i-a', code: 'system-reboot', description },
      notBeforeMs: epochMs(notBeforeMs + laterMs),
    });
    expect((await leave(s, undefined, { startsAtMs: notBeforeMs })).outcome).toBe(outcome);
    expect((await s.item()).drains === undefined).toBe(outcome === 'over');
  });

  it('goes on where EC2 does not tell what is scheduled', async () => {
    const s = stage();
    const scheduledEvents = () => Promise.reject(new Fault('throttled', 'Throttled', 'no'));
    const deaf = { ...s, ports: { ...s.ports, ec2: { ...s.ports.ec2, scheduledEvents } } };
    expect((await leave(deaf, undefined, { startsAtMs: START })).outcome).toBe('left');
  });
});
