// How old a read may be that something is repaired by: what counts is when it began.
import { expect, it } from 'vitest';
import { assess } from '../../../shared/controller/assess.ts';
import { durationMs, type EpochMs, hours, plus } from '../../../shared/time.ts';
import { STALE_READ } from '../../../shared/vip/lease.ts';
import { item, memberOf, owned, routeTo, V4 } from '../../support/world.ts';

it('undoes what a read shows that began STALE_READ after the last mutation, whenever it ended', async () => {
  const w = await owned();
  routeTo(w, 'rtb-1', V4, { target: memberOf('i-b').eni });
  const { touchedAtMs } = item(w);
  const seen = await w.ec2.observe(item(w));
  const found = (beganAtMs: EpochMs, endedAtMs: EpochMs) =>
    assess(item(w), { ...seen, beganAtMs, endedAtMs }, w.clock.now());
  const trusted = plus(touchedAtMs, STALE_READ);
  const late = plus(trusted, hours(1));
  const early = found(plus(trusted, durationMs(-1)), late);
  expect([early.reason, early.take, early.drift.length]).toEqual([{ key: 'in-sync' }, undefined, 1]);
  expect(found(trusted, trusted)).toMatchObject({
    reason: { key: 'drift' },
    take: `drift at rtb-1 ${V4}`,
  });
});
