// What `undrain` says beforehand of what goes on all the same.
import { expect, it } from 'vitest';
import { afterwards, whose } from '../../../cli/drain/undrain.ts';
import { statusOf } from '../../../shared/controller/status/status.ts';
import { declining } from '../../../shared/controller/warned.ts';
import { hours, minutes, plus } from '../../../shared/time.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START } from '../../support/world.ts';

const startsAtMs = plus(START, hours(48));
const drain = {
  ...{ untilMs: plus(startsAtMs, hours(2)), by: 'aws.ec2', reason: 'instance-retirement' },
  ...{ departure: 'leave-i-a', startsAtMs },
};
const vip: Vip = {
  ...newVip(entry),
  ...{ owner: 'i-b', members: { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') } },
  claims: { 'i-a': nodeStateFrom(claimOf('i-a'), START), 'i-b': nodeStateFrom(claimOf('i-b'), START) },
  drains: { 'i-a': drain },
};

it('names when the node is drained again for its maintenance', () => {
  expect(afterwards(vip, ['i-a', 'i-b'], START)).toEqual([
    'web: it is drained again at 2026-11-24T13:50:00.000Z, ten minutes before AWS’s maintenance of i-a at 2026-11-24T14:00:00.000Z',
  ]);
});

it('says that it is not, in the last ten minutes', () => {
  expect(afterwards(vip, ['i-a'], plus(startsAtMs, minutes(-10)))).toEqual([
    'web: it is not drained again for AWS’s maintenance of i-a at 2026-11-24T14:00:00.000Z',
  ]);
});

it('names a node that goes by its own word, with the command that ends it', () => {
  const claims = { ...vip.claims, 'i-a': { ...vip.claims['i-a']!, leaving: 'spot-terminate' } };
  const { startsAtMs: _date, ...ofSpot } = drain;
  expect(afterwards({ ...vip, claims, drains: { 'i-a': ofSpot } }, ['i-a'], START)).toEqual([
    'web: i-a reports that it is about to go (spot-terminate), and is passed over all the same; to end that, on the node: vipshift-notify stay',
  ]);
});

it('has nothing to say of an operator’s own drain', () => {
  const own = { untilMs: plus(START, hours(1)), by: 'ann', reason: 'work' };
  expect(afterwards({ ...vip, drains: { 'i-a': own } }, ['i-a'], START)).toEqual([]);
});

it('status has it until the maintenance is over', () => {
  const after = declining(vip, 'i-a', START);
  const of = (now: typeof START) =>
    statusOf(after, undefined, now).claims.find(({ node }) => node === 'i-a')?.declined;
  expect(of(START)).toEqual({ startsAtMs, againMs: plus(startsAtMs, minutes(-10)), untilMs: drain.untilMs });
  expect(of(drain.untilMs)).toBeUndefined();
});

it('names who ordered what it ends: it may be another operator’s', () => {
  const own = { untilMs: plus(START, hours(1)), by: 'ann', reason: 'work' };
  expect(whose({ ...vip, drains: { 'i-a': own } }, ['i-a', 'i-b'], START)).toEqual([
    'in web: i-a is drained until 2026-11-22T15:00:00.000Z by ann: work',
  ]);
  expect(whose({ ...vip, drains: { 'i-a': own } }, ['i-a'], own.untilMs)).toEqual([]);
});
