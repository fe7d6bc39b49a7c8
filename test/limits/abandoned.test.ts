// The largest epoch that its holder left open: the record of its end notes what every cell shows, and has to fit as well.
import { expect, test } from 'vitest';
import { memoryTimeline } from '../../shared/memory/timeline.ts';
import { ADDRESSES_MAX } from '../../shared/registry/validate.ts';
import { closeAbandonedEpochs } from '../../shared/switch/close-abandoned.ts';
import { itemBytes, RECORD_MAX } from '../../shared/timeline/size.ts';
import { addTable, item, START, world } from '../support/world.ts';

/** More than EC2's quota, so that the notes alone are larger than an item may be. */
const TABLES = 500;

test('an abandoned epoch of the largest VIP is recorded, cut to what fits', async () => {
  const w = world();
  for (let n = 0; n < TABLES; n++) addTable(w.ec2, `rtb-${String(n).padStart(17, '0')}`, 'web');
  const addresses = Array.from(
    { length: ADDRESSES_MAX },
    (_, n) => `fd77:7669:7073:7669:7073:7669:7073:${n + 7000}/128`,
  );
  const cause = { kind: 'reconcile', why: 'test', atMs: START } as const;
  const vip = { ...item(w), addresses, open: { gone: { epoch: 7, cause } } };
  const seen = await w.ec2.observe(vip);
  const timeline = memoryTimeline();
  expect(await closeAbandonedEpochs({ timeline, clock: w.clock }, vip, ['gone'], seen)).toEqual(['gone']);
  const [entry] = timeline.entries;
  expect(entry).toMatchObject({ outcome: 'abandoned', epoch: 7, omitted: { notes: expect.any(Number) } });
  expect(itemBytes(entry!)).toBeLessThanOrEqual(RECORD_MAX);
});
