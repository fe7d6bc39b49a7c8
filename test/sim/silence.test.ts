// The bus refuses everybody for minutes: every sweep tells it, and none before or after. With the telling taken out the checker speaks.
import { expect, test } from 'vitest';
import { violationsOf } from './checkers.ts';
import { variant } from './controls/variant.ts';
import type { History } from './history/history.ts';
import { retell } from './truth/retell.ts';
import { simulate } from './world/simulate.ts';

const node = (id: string, priority: number) => ({
  id: `i-${id}`,
  zone: `zone-${id}`,
  priorities: [priority, 500 - priority],
  clockMs: 0,
  hasEipEni: true,
});
const vip = (name: string, n: number) => ({
  name,
  addresses: [`192.168.255.${n}/32`],
  eips: [],
  tableLabel: name,
  nodeLabel: 'web',
  tables: 2,
});
const GOES_AT = 95_000;
const RETURNS_AT = 500_000;
const refused: History = {
  seed: 1,
  nodes: [node('a', 250), node('b', 230)],
  vips: [vip('web', 10), vip('dns', 11)],
  odds: {},
  preempt: true,
  sharedBudget: true,
  acts: [
    { does: 'bus goes', atMs: GOES_AT },
    { does: 'bus returns', atMs: RETURNS_AT },
  ],
  quietAtMs: 600_000,
  phaseMs: 0,
};

test('when the bus refuses everybody every sweep reports it of every VIP, from two minutes on and until someone is heard', async () => {
  const world = await simulate(refused);
  const violations = violationsOf(world);
  expect(violations, retell(world, violations)).toEqual([]);
  for (const { name } of refused.vips) {
    const told = world.log.swept.filter((s) => s.vip === name && s.unheard).map((s) => s.beganAtMs);
    expect(told.length, name).toBeGreaterThan(3);
    expect(told[0]! - GOES_AT, 'the first').toBeLessThan(180_000);
    expect(told.at(-1)! - RETURNS_AT, 'the last').toBeLessThan(0);
  }
});

test.each([
  ['nothing is told', 'if (forMs < UNHEARD_AFTER) return undefined;', 'return undefined;'],
  ['the oldest word counts, that of a member long dead', 'Math.max(...seen)', 'Math.min(...seen)'],
])('a sweep of which %s is caught', async (_what, replace, by) => {
  const { violationsIn } = await variant([{ file: 'shared/vip/unheard.ts', replace, by }]);
  const dead: History = { ...refused, acts: [...refused.acts, { does: 'dies', node: 1, atMs: 70_000 }] };
  const ordered = { ...dead, acts: [...dead.acts].sort((a, b) => a.atMs - b.atMs), quietAtMs: 900_000 };
  expect((await violationsIn(ordered)).map((v) => v.guarantee)).toContain('silence told');
});
