// What a claim that was handled leaves in the item and in the timeline.
import { describe, expect, it } from 'vitest';
import { handleClaim } from '../../../shared/controller/handle-claim.ts';
import { minutes, seconds } from '../../../shared/time.ts';
import { counter } from '../../support/depth.ts';
import {
  addNode,
  anyNode,
  change,
  finish,
  heard,
  item,
  outcomesOf,
  owned,
  routeTo,
  START,
  says,
  V4,
  V6,
  world,
} from '../../support/world.ts';

const labelled = [1, 2, 3, 4].map((n) => `rtb-${n}`);

it('records an assertion in one write also when its node was first heard long after its transition', async () => {
  const w = world();
  await w.clock.advance(minutes(10));
  await says(w, 'i-a', { kind: 'assertion', sinceMs: 300_000 });
  expect(item(w).owner).toBe('i-a');
  for (let n = 0; n < 6; n++) {
    await w.clock.advance(seconds(10));
    const counted = counter(w);
    // On whole seconds, where AWS's stamp tells no more than it did before: a tighter bound is worth a second write.
    const atMs = Math.floor((w.clock.now() - START) / 1000) * 1000;
    const words = heard('i-a', { kind: 'assertion', sinceMs: 300_000, atMs });
    await finish(w, handleClaim(counted.ports, words, anyNode));
    expect(counted.counts()).toEqual({ 'vips.recordClaim': 1 });
  }
});

describe('a switch of which no cell could follow', () => {
  it.each([
    [
      'every route is a stranger’s',
      (w: Awaited<ReturnType<typeof owned>>) => {
        addNode(w.ec2, 'i-foreign', 'other');
        for (const table of labelled)
          for (const d of [V4, V6]) routeTo(w, table, d, { target: 'eni-i-foreign-service' });
      },
    ],
    [
      'no table has the label',
      (w: Awaited<ReturnType<typeof owned>>) => {
        for (const table of labelled) {
          const { label: _label, ...bare } = w.ec2.tables.get(table)!;
          w.ec2.tables.set(table, bare);
        }
      },
    ],
  ])('is told as failed, and announced to no one: %s', async (_, arrange) => {
    const w = await owned();
    change(w, { eips: [] });
    arrange(w);
    const before = w.published.length;
    await says(w, 'i-b');
    expect(outcomesOf(w).at(-1)).toMatchObject({ outcome: 'failed', to: 'i-b' });
    expect(w.published).toHaveLength(before);
  });
});

it('says in the timeline when nothing vouches for the node', async () => {
  const w = await owned();
  await says(w, 'i-b');
  expect(
    outcomesOf(w)
      .at(-1)!
      .stages.map((s) => s.stage)
      .join(),
  ).toContain('NodeIdentity is none');
});

it('says why an outcome could not be recorded', async () => {
  const w = await owned();
  const put: typeof w.timeline.put = (entry) =>
    entry.entry === 'outcome' ? Promise.reject(new Error('item too large')) : w.timeline.put(entry);
  const ports = { ...w.ports, timeline: { ...w.ports.timeline, put } };
  const answer = await finish(w, handleClaim(ports, heard('i-b', { atMs: w.clock.now() - START }), anyNode));
  expect(answer).toMatchObject({ answer: 'switched', faults: [{ message: 'item too large' }] });
});
