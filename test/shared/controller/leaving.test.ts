import { expect, test } from 'vitest';
import { goesWithTheVip } from '../../../shared/controller/leaving.ts';
import { epochMs } from '../../../shared/time.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START } from '../../support/world.ts';

const says = (node: string, leaving?: string) => ({
  ...nodeStateFrom(claimOf(node), START),
  ...(leaving === undefined ? {} : { leaving }),
});
const vip: Vip = {
  ...newVip(entry),
  ...{ owner: 'i-a', hold: 'both', members: { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') } },
  claims: { 'i-a': says('i-a', 'spot-stop'), 'i-b': { ...says('i-b'), state: 'BACKUP' } },
};
const freeze = { untilMs: epochMs(START + 1000), by: 'ann', reason: 'change' };

test('an owner that is about to go under a freeze: with the command that ends the freeze', () => {
  expect(goesWithTheVip({ ...vip, freeze }, START)).toBe(
    `i-a is about to go (spot-stop), and the VIP is frozen: run vipshift unfreeze ${vip.name}`,
  );
});

test('one that is the last: as that', () => {
  const alone = { ...vip, members: { 'i-a': memberOf('i-a') } };
  expect(goesWithTheVip(alone, START)).toContain('keeps the VIP: no other node is eligible');
});

test('nothing is said where the VIP moves, and of an owner that stays', () => {
  expect(goesWithTheVip(vip, START)).toBeUndefined();
  expect(goesWithTheVip({ ...vip, claims: { 'i-a': says('i-a') }, freeze }, START)).toBeUndefined();
});
