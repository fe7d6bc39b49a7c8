// What `vipshift status` adds to a node's row.
import { expect, test } from 'vitest';
import { claimRemarks } from '../../../cli/status/screen.ts';
import type { ClaimStatus } from '../../../shared/controller/status/status.ts';
import { epochMs } from '../../../shared/time.ts';

const at = (clock: string) => epochMs(Date.parse(`2026-11-22T${clock}Z`));
const rows: readonly (readonly [over: Partial<ClaimStatus>, remark: string | undefined])[] = [
  [{}, undefined],
  [{ silent: true }, 'silent'],
  [{ member: false }, 'no longer a member'],
  [{ ways: 'direct' }, 'heard by the function URL alone, not by the bus'],
  [{ ways: 'both' }, undefined],
  [
    { drained: { untilMs: at('15:00:00'), by: 'ann', reason: 'kernel' } },
    'drained until 2026-11-22T15:00:00.000Z by ann: kernel',
  ],
  [
    { declined: { startsAtMs: at('15:00:00'), untilMs: at('17:00:00') } },
    'not drained for AWS’s maintenance at 2026-11-22T15:00:00.000Z, by an operator’s word',
  ],
  [
    { declined: { startsAtMs: at('15:00:00'), untilMs: at('17:00:00'), againMs: at('14:50:00') } },
    'not drained for AWS’s maintenance at 2026-11-22T15:00:00.000Z before 2026-11-22T14:50:00.000Z, by an operator’s word',
  ],
  [{ leaving: 'spot-terminate' }, 'is about to go: spot-terminate'],
  [{ atRisk: true }, 'at risk: AWS recommends to rebalance'],
  [{ dampedUntilMs: at('14:01:00') }, 'damped until 2026-11-22T14:01:00.000Z'],
];

test.each(rows)('%j: %s', (over, remark) => {
  const right: ClaimStatus = {
    ...({ node: 'i-a', state: 'MASTER', priority: 100 } as const),
    ...{ ageMs: 1000, silent: false, member: true },
  };
  expect(claimRemarks({ ...right, ...over })).toEqual(remark === undefined ? [] : [remark]);
});
