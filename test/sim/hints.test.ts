// What a hint is worth: the master of a split dies silently while the other one already was MASTER, so that it says nothing
// new. Without AWS's word only silence tells.
import { expect, test } from 'vitest';
import { violationsOf } from './checkers.ts';
import type { FaultName, History } from './history/history.ts';
import { retell } from './truth/retell.ts';
import { simulate } from './world/simulate.ts';

const node = (id: string, priority: number) => ({
  id: `i-${id}`,
  zone: `zone-${id}`,
  priorities: [priority],
  clockMs: 0,
  hasEipEni: true,
});

const split = (stopped: boolean, lost: readonly FaultName[] = []): History => ({
  seed: 1,
  nodes: [node('a', 250), node('b', 230)],
  vips: [
    {
      name: 'web',
      addresses: ['192.168.255.10/32'],
      eips: ['eipalloc-web-1'],
      tableLabel: 'web',
      nodeLabel: 'web',
      tables: 2,
    },
  ],
  odds: Object.fromEntries(lost.map((name) => [name, 1])),
  preempt: true,
  sharedBudget: true,
  acts: [
    { does: 'is cut off', nodes: [1], atMs: 10_000 },
    { does: 'dies', node: 1, stopped, atMs: 65_000 },
  ],
  quietAtMs: 300_000,
  phaseMs: 0,
});

async function wrongForMs(history: History): Promise<number> {
  const world = await simulate(history);
  const violations = violationsOf(world);
  expect(violations, retell(world, violations)).toEqual([]);
  return world.intervals.findLast((i) => i.kind === 'dies')!.forMs;
}

test('a host that dies by itself is given up after the silence rule, one that EC2 stopped within seconds', async () => {
  expect(await wrongForMs(split(false))).toBeGreaterThan(90_000);
  expect(await wrongForMs(split(true))).toBeLessThan(5000);
});

test('nothing rests on hints: where all are lost the VIP still moves, by silence', async () => {
  const withoutMs = await wrongForMs(split(true, ['hint lost']));
  expect(withoutMs).toBeGreaterThan(90_000);
  expect(withoutMs).toBeLessThan(140_000);
});
