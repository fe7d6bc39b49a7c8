// Reasons and conflicts are stored as data beside their text, and shown by whichever of the two is known.
import { describe, expect, test } from 'vitest';
import { statusOf } from '../../../shared/controller/status/status.ts';
import { type Conflict, conflict, conflictText } from '../../../shared/network/conflict.ts';
import { minutes } from '../../../shared/time.ts';
import { type Decided, decided, decisionText } from '../../../shared/timeline/decision.ts';
import { noticeOf } from '../../../shared/timeline/message.ts';
import { failoverOf } from '../../cli/timeline/records.ts';
import { item, memberOf, outcomesOf, routeTo, says, V4, world } from '../../support/world.ts';

describe('why a failover went where it went', () => {
  test('stands in the record as data, and as the text that a version without the keys shows', async () => {
    const w = world();
    await says(w, 'i-a');
    const [outcome] = outcomesOf(w);
    expect(outcome).toMatchObject({
      reason: { key: 'newest-master', node: 'i-a' },
      why: 'newest MASTER is i-a',
    });
    expect(decisionText(outcome!)).toBe(outcome!.why);
  });

  test('is made from the data, whatever its text', () => {
    expect(decisionText({ ...decided({ key: 'pinned' }), why: 'gepinnt' })).toBe('pinned by order');
  });

  test('in an old record, and in one of a newer version, is shown as it was stored', () => {
    expect(decisionText({ why: 'newest MASTER is i-b' })).toBe('newest MASTER is i-b');
    const newer = { reason: { key: 'at-risk', node: 'i-b' }, why: 'i-b is at risk' } as unknown as Decided;
    expect(decisionText(newer)).toBe('i-b is at risk');
    const odd = { reason: { key: 'constructor' }, why: 'odd' } as unknown as Decided;
    expect(decisionText(odd)).toBe('odd');
  });
});

describe('a cell that was left alone', () => {
  test('stands in the record with its reason as data and as text', async () => {
    const w = world();
    routeTo(w, 'rtb-1', V4, { target: 'tgw-1' });
    await says(w, 'i-a');
    expect(outcomesOf(w)[0]!.conflicts).toEqual([
      {
        cell: `rtb-1 ${V4}`,
        found: 'tgw-1',
        kind: 'foreign',
        reason: { key: 'foreign-route' },
        why: 'the route points to a live target that does not belong to this VIP',
      },
    ]);
  });

  test('is shown by its data; an old one, and one of a newer version, as it was stored', () => {
    const now = conflict('eipalloc-1', 'nothing', { key: 'eni-gone', eni: 'eni-1', node: 'i-a' });
    expect(conflictText({ ...now, why: 'weg' })).toBe('eni-1 of i-a was not found');
    const { reason: _reason, ...old } = now;
    const newer = { ...old, reason: { key: 'draining' }, why: 'the node drains' } as unknown as Conflict;
    expect([conflictText(old), conflictText(newer)]).toEqual([now.why, 'the node drains']);
    const text = noticeOf(failoverOf(1, { conflicts: [old, newer] }), { stage: 'prod' }).text;
    expect(text).toContain('Left alone: eipalloc-1 (nothing): eni-1 of i-a was not found');
    expect(text).toContain('Left alone: eipalloc-1 (nothing): the node drains');
  });

  test('is someone else’s or lacks something, by its reason', () => {
    expect(conflict('c', 'f', { key: 'foreign-eip' }).kind).toBe('foreign');
    expect(conflict('c', 'f', { key: 'no-table', vpc: 'vpc-1', labels: ['web', 'x'] })).toMatchObject({
      kind: 'unmet',
      why: 'no route table in vpc-1 has the label web or x',
    });
  });
});

test('a VIP whose elected node EC2 does not show is unfit, by the reason and not by its text', async () => {
  const w = world(['i-a', 'i-b']);
  await says(w, 'i-b', { state: 'BACKUP' });
  await says(w, 'i-a');
  await w.clock.advance(minutes(1));
  const { eni, eipEni } = memberOf('i-a');
  w.ec2.enis.delete(eni);
  w.ec2.enis.delete(eipEni);
  const { health, why } = statusOf(item(w), await w.ec2.observe(item(w)), w.clock.now());
  expect([health, why]).toEqual(['unfit', 'EC2 shows no labelled ENI of the elected node i-a']);
});
