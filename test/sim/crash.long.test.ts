// A crash, or a pause beyond the lease, at every await of every invocation that switches and of every step of a forced
// failover, one history each: enumerated, not drawn. Everything heals within the lease and one reconcile, and the record stays true.
import { expect, test } from 'vitest';
import { LEASE_TTL } from '../../shared/vip/lease.ts';
import { violationsOf } from './checkers.ts';
import type { Blow, Invocation } from './functions/invocation.ts';
import { RECONCILE_EVERY_MS } from './history/cadence.ts';
import type { Deed, History } from './history/history.ts';
import { retell } from './truth/retell.ts';
import { simulate } from './world/simulate.ts';
import type { World } from './world/world.ts';

const node = (id: string, priority: number) => ({
  id: `i-${id}`,
  zone: `zone-${id}`,
  priorities: [priority],
  clockMs: 0,
  hasEipEni: true,
});

const history = (...acts: readonly (Deed & { readonly atMs: number })[]): History => ({
  seed: 1,
  nodes: [node('a', 250), node('b', 230), node('c', 210)],
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
  odds: {},
  preempt: true,
  sharedBudget: true,
  acts,
  quietAtMs: 100_000,
  phaseMs: 0,
});

const forced = (
  mode: 'routes-only' | 'via-keepalived',
  pinMinutes: number,
  claimWaitSeconds = 20,
): Deed & { atMs: number } => ({
  does: 'forced failover',
  vip: 0,
  node: 1,
  mode,
  pinMinutes,
  claimWaitSeconds,
  atMs: 30_000,
});

const stories: readonly { readonly name: string; readonly story: History }[] = [
  { name: 'the master dies', story: history({ does: 'dies', node: 0, atMs: 30_000 }) },
  {
    name: 'the election changes while a switch is under way',
    story: history({ does: 'stops', node: 0, atMs: 30_000 }, { does: 'starts', node: 0, atMs: 33_700 }),
  },
  {
    name: 'the describes fail, so that the stored view serves',
    story: history(
      { does: 'describes fail', atMs: 80_000 },
      { does: 'dies', node: 0, atMs: 81_000 },
      { does: 'describes work', atMs: 95_000 },
    ),
  },
  {
    name: 'reconcile repairs drift',
    story: history(
      { does: 'route is changed', vip: 0, node: 1, atMs: 30_000 },
      { does: 'eip is loosed', vip: 0, atMs: 31_000 },
    ),
  },
  {
    name: 'an order moves the VIP',
    story: history({ does: 'pin', vip: 0, node: 1, forMs: 600_000, atMs: 30_000 }),
  },
  {
    name: 'EC2 says that the master was stopped',
    story: history(
      { does: 'is cut off', nodes: [0], atMs: 20_000 },
      { does: 'dies', node: 1, stopped: true, atMs: 40_000 },
    ),
  },
  { name: 'a forced failover moves the routes', story: history(forced('routes-only', 30)) },
  { name: 'a forced failover goes through keepalived', story: history(forced('via-keepalived', 0)) },
  {
    name: 'a forced failover is undone, since keepalived does not follow',
    story: { ...history(forced('via-keepalived', 1, 5)), preempt: false },
  },
];

/** Reconcile itself takes a moment, and the due look of the world allows 80 s. */
const HEALS_WITHIN_MS = LEASE_TTL + RECONCILE_EVERY_MS + 5000;

/** Invocations that took a lease, and every step of a workflow, with the number of their awaits. */
async function switching(of: History): Promise<readonly { name: string; awaits: number }[]> {
  const begun: Invocation[] = [];
  const world = await simulate(of, (by) => begun.push(by));
  expect(violationsOf(world)).toEqual([]);
  const holders = new Set(
    world.log.writes.flatMap((w) => (w.after.lease === undefined ? [] : [w.after.lease.holder])),
  );
  return begun
    .filter((by) => by.name.startsWith('execution') || [...by.nonces].some((nonce) => holders.has(nonce)))
    .map((by) => ({ name: by.name, awaits: by.awaits }));
}

/** From the blow to the last write that had to do with leases, open epochs or the owner. */
function healedAfterMs(world: World, struckAtMs: number): number {
  const matters = world.log.writes.filter(
    ({ before, after }) =>
      before?.owner !== after.owner ||
      before?.lease?.holder !== after.lease?.holder ||
      before?.open !== after.open,
  );
  // What a later act of the story leads to is not healing.
  const next = world.story.acts.find((act) => act.atMs > struckAtMs && act.does !== 'describes work');
  const last = matters.filter((w) => w.atMs < (next?.atMs ?? Number.POSITIVE_INFINITY)).at(-1);
  return (last?.atMs ?? struckAtMs) - struckAtMs;
}

for (const { name, story: plain } of stories) {
  for (const what of ['kill', 'pause'] as const) {
    test(`${name}: a ${what} at every await heals, with a true record`, async () => {
      const invocations = await switching(plain);
      expect(invocations.length).toBeGreaterThan(0);
      let blows = 0;
      let longestMs = 0;
      for (const { name: invocation, awaits } of invocations) {
        for (let atAwait = 1; atAwait <= awaits; atAwait++) {
          for (const before of [true, false]) {
            const blow: Blow = { what, atAwait, before, forMs: what === 'pause' ? 25_000 : 0 };
            const world = await simulate({ ...plain, blows: [{ ...blow, invocation }] });
            const violations = violationsOf(world);
            if (violations.length > 0)
              throw new Error(`${JSON.stringify(blow)}\n${retell(world, violations)}`);
            const struckAtMs = world.struckAtMs.get(
              what === 'kill' ? 'invocation killed' : 'invocation paused',
            )!;
            expect(struckAtMs).toBeDefined();
            longestMs = Math.max(longestMs, healedAfterMs(world, struckAtMs));
            blows += 1;
          }
        }
      }
      expect(blows).toBeGreaterThan(20);
      if (what === 'kill') expect(longestMs).toBeLessThan(HEALS_WITHIN_MS);
    });
  }
}

test('a pause that ends as the next holder begins: nothing is recorded as verified that was read back after the lease', async () => {
  const story = history({ does: 'stops', node: 0, atMs: 30_000 }, { does: 'starts', node: 0, atMs: 36_000 });
  let [blows, late] = [0, 0];
  for (const { name: invocation, awaits } of await switching(story)) {
    for (let atAwait = 1; atAwait <= awaits; atAwait++) {
      for (let forMs = 10_000; forMs <= 10_400; forMs += 100) {
        const blow: Blow = { what: 'pause', atAwait, before: false, forMs };
        const world = await simulate({ ...story, blows: [{ ...blow, invocation }] });
        const violations = violationsOf(world);
        if (violations.length > 0) throw new Error(`${JSON.stringify(blow)}\n${retell(world, violations)}`);
        blows += 1;
        const told = world.net.timeline.entries.filter(
          (e) => e.entry === 'outcome' && e.notes.includes('read back after the lease had run out'),
        );
        late += told.length;
      }
    }
  }
  expect(blows).toBeGreaterThan(100);
  expect(late, 'the pause that this is about was among them').toBeGreaterThan(0);
});
