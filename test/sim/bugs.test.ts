// A TypeError in the middle of EC2 calls, now before the request goes out, now when its reply is read: the other cells are
// moved, the bug is neither repeated nor hidden. With each protection taken out the checker speaks.
import { expect, test } from 'vitest';
import { violationsOf } from './checkers.ts';
import { variant } from './controls/variant.ts';
import type { History } from './history/history.ts';
import { retell } from './truth/retell.ts';
import { simulate } from './world/simulate.ts';

const node = (id: string, priority: number) => ({
  id: `i-${id}`,
  zone: `zone-${id}`,
  priorities: [priority],
  clockMs: 0,
  hasEipEni: true,
});
const broken: History = {
  seed: 1,
  nodes: [node('a', 250), node('b', 230)],
  vips: [
    {
      name: 'web',
      addresses: ['192.168.255.10/32', 'fd77:7669:7073::1/128'],
      eips: ['eipalloc-web-1'],
      tableLabel: 'web',
      nodeLabel: 'web',
      tables: 4,
    },
  ],
  odds: { 'call breaks': 0.3 },
  preempt: true,
  sharedBudget: true,
  acts: [
    { does: 'fails', node: 0, atMs: 60_000 },
    { does: 'recovers', node: 0, atMs: 150_000 },
    { does: 'fails', node: 0, atMs: 240_000 },
  ],
  quietAtMs: 300_000,
  phaseMs: 0,
};

test('a bug in one call costs that cell alone: the others are moved under the same lease, and the record has its name', async () => {
  const world = await simulate(broken);
  const violations = violationsOf(world);
  expect(violations, retell(world, violations)).toEqual([]);
  expect(world.log.bugs.length).toBeGreaterThan(5);
  let both = 0;
  for (const epoch of new Set(world.log.bugs.map(({ lease }) => lease!.epoch))) {
    const outcome = world.net.timeline.entries.find((e) => e.entry === 'outcome' && e.epoch === epoch);
    const steps = outcome?.entry === 'outcome' ? outcome.steps : [];
    const struck = steps.filter((step) => step.fault === 'bug');
    const others = steps.filter((step) => step.fault === undefined);
    expect(
      others.map((step) => step.result),
      `epoch ${epoch}`,
    ).toEqual(others.map(() => 'done'));
    if (struck.length > 0 && others.length > 0) both += 1;
  }
  expect(both, 'epochs with cells of both kinds').toBeGreaterThan(1);
});

test.each([
  [
    'is repeated as if EC2 had not answered',
    'shared/fault.ts',
    "kind === 'unknown' || kind === 'throttled'",
    "kind === 'bug' || kind === 'unknown' || kind === 'throttled'",
  ],
  ['is sent again by the read-back', 'shared/switch/verify.ts', "&& own?.fault !== 'bug'", ''],
  [
    'is thrown, and hides the other steps',
    'shared/switch/execute.ts',
    "if (fault?.kind === 'bug') ports.bugs.push(fault);",
    "if (fault?.kind === 'bug') throw fault;",
  ],
  ['has no name in the record', 'shared/switch/execute.ts', "kind === 'bug' ? { fault: kind } : {}", '{}'],
])('a bug that %s is caught', async (_what, file, replace, by) => {
  const { violationsIn } = await variant([{ file, replace, by }]);
  expect((await violationsIn(broken)).map((v) => v.guarantee)).toContain('bugs contained');
});

test('without a kind of its own a bug passes for an answer that did not come', async () => {
  const { violationsIn } = await variant([
    { file: 'shared/fault.ts', replace: "isProgrammingError(error) ? 'bug' : 'unknown'", by: "'unknown'" },
  ]);
  expect((await violationsIn(broken)).map((v) => v.guarantee)).toContain('bugs contained');
});
