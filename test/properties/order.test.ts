// Guarantee 2, over the real failover function and the ports in memory: any order of delivery of the same claims leaves
// the same recorded claims; where these contain a candidate and the newest two transitions are 2 s or more apart, also
// the same owner; and a repeated claim moves nothing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { handleClaim } from '../../shared/controller/handle-claim.ts';
import { localBucket } from '../../shared/rate-limit/local-bucket.ts';
import { type EpochMs, plus, seconds } from '../../shared/time.ts';
import type { Claim, VrrpState } from '../../shared/vip/claim.ts';
import { isSilent } from '../../shared/vip/liveness.ts';
import { transitionAt } from '../../shared/vip/node-state.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { anyNode, claimOf, START, type World, world } from '../support/world.ts';

const NODES = ['i-a', 'i-b', 'i-c'];
const SPAN_MS = 40_000;
/** When a node boots for the second time. */
const BOOTS_MS = 50_000;

interface DrawnState {
  readonly node: string;
  readonly boot: number;
  readonly sinceMs: number;
  readonly state: VrrpState;
  readonly clockMs: number;
  readonly saidMs: readonly number[];
  readonly advertMs: number | undefined;
}

const states = fc.array(
  fc.record({
    node: fc.constantFrom(...NODES),
    boot: fc.integer({ min: 1, max: 2 }),
    sinceMs: fc.integer({ min: 0, max: SPAN_MS }),
    state: fc.constantFrom<VrrpState>('MASTER', 'MASTER', 'MASTER', 'BACKUP', 'FAULT', 'STOP'),
    clockMs: fc.constantFrom(0, 0, -3_600_000, 500, 86_400_000),
    saidMs: fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 3 }),
    advertMs: fc.option(fc.integer({ min: 1, max: 15_000 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 6 },
);

const sinceOf = ({ sinceMs, boot }: DrawnState): number => sinceMs + (boot - 1) * 100_000;

/** When the node spoke of it for the last time: it changed again, or booted again. */
const endOf = (nodeState: DrawnState, all: readonly DrawnState[]): number =>
  Math.min(
    nodeState.boot === 1 ? BOOTS_MS : Number.POSITIVE_INFINITY,
    ...all.filter((s) => s.node === nodeState.node && sinceOf(s) > sinceOf(nodeState)).map(sinceOf),
  );

const claimsOfAll = (drawn: readonly DrawnState[]): readonly Claim[] => {
  const all = distinct(drawn);
  return all.flatMap((nodeState, n) => claimsOf(nodeState, n, endOf(nodeState, all)));
};

/** The second boot comes a minute after the first, so that every order of seconds agrees with the order of boots. */
function claimsOf(nodeState: DrawnState, n: number, endMs: number): readonly Claim[] {
  const since = sinceOf(nodeState);
  const words = {
    priority: 100 + NODES.indexOf(nodeState.node),
    bootId: `boot-${nodeState.boot}`,
    state: nodeState.state,
  };
  const say = (kind: Claim['kind'], atMs: number) => {
    const up = atMs + (nodeState.boot === 1 ? 3_600_000 : -BOOTS_MS);
    const sinceUp = since + (nodeState.boot === 1 ? 3_600_000 : -BOOTS_MS);
    return claimOf(nodeState.node, {
      ...words,
      kind,
      atMs,
      sinceMs: since,
      over: {
        seq: up * 1000,
        since: sinceUp * 1000,
        uptimeMs: up,
        atMs: START + atMs + nodeState.clockMs,
        eventId: `event ${n} ${kind} ${atMs}`,
      },
    });
  };
  const adverts =
    nodeState.advertMs === undefined || nodeState.state !== 'MASTER'
      ? []
      : [say('lower-advert', since + nodeState.advertMs)];
  const assertions = nodeState.saidMs.map((ms) => say('assertion', since + ms));
  const ended = (claim: Claim) => claim.atMs - START - nodeState.clockMs >= endMs;
  return [say('transition', since), ...[...assertions, ...adverts].filter((claim) => !ended(claim))];
}

/** Two node states of one node must not begin in the same microsecond: `seq` rises. */
const distinct = (all: readonly DrawnState[]): readonly DrawnState[] => {
  const seen = new Set<string>();
  return all.filter((s) => {
    const key = `${s.node} ${s.boot} ${s.sinceMs}`;
    return !seen.has(key) && seen.add(key);
  });
};

async function deliver(claims: readonly Claim[]): Promise<World> {
  const w = world(NODES);
  w.clock.set(plus(START, seconds(170)) as EpochMs);
  for (const claim of claims) {
    const answer = await handleClaim(
      { ...w.ports, localBucket: localBucket() },
      { claim, source: '' },
      anyNode,
    );
    expect(['recorded', 'switched']).toContain(answer.answer);
  }
  return w;
}

const itemOf = (w: World): Vip => w.vips.items.get('web')!;

/** The newest two transitions to MASTER, when certain. */
function apart(vip: Vip): 'no candidate' | 'close' | 'apart' {
  const at = Object.values(vip.claims)
    .filter((s) => s.state === 'MASTER' && !isSilent(vip, s))
    .map((s) => transitionAt(s))
    .sort((a, b) => b - a);
  if (at.length === 0) return 'no candidate';
  return at.length > 1 && at[0]! - at[1]! < 2000 ? 'close' : 'apart';
}

test('any order of the same claims leaves the same record and, where there is a candidate, the same owner', async () => {
  const counted = { 'no candidate': 0, close: 0, apart: 0 };
  await fc.assert(
    fc.asyncProperty(states, fc.infiniteStream(fc.nat()), async (drawn, draws) => {
      const claims = claimsOfAll(drawn);
      const shuffled = [...claims, ...claims.slice(0, 3)].map((claim) => ({
        claim,
        key: draws.next().value ?? 0,
      }));
      shuffled.sort((a, b) => a.key - b.key);
      const [one, other] = [await deliver(claims), await deliver(shuffled.map((s) => s.claim))];
      expect(itemOf(other).claims).toEqual(itemOf(one).claims);
      expect([...itemOf(other).heard]).toEqual([...itemOf(one).heard]);
      const kind = apart(itemOf(one));
      counted[kind] += 1;
      if (kind === 'apart') expect(itemOf(other).owner).toBe(itemOf(one).owner);
    }),
    { numRuns: 400, seed: 4 },
  );
  // Both kinds were there, or the property would be about one of them only.
  expect(counted['no candidate']).toBeGreaterThan(20);
  expect(counted.apart).toBeGreaterThan(150);
});

test('repeating any claim moves nothing and begins no epoch', async () => {
  await fc.assert(
    fc.asyncProperty(states, async (drawn) => {
      const claims = claimsOfAll(drawn);
      const w = await deliver(claims);
      const before = { epoch: itemOf(w).epoch, effects: w.ec2.effects.length, claims: itemOf(w).claims };
      for (const claim of claims)
        await handleClaim({ ...w.ports, localBucket: localBucket() }, { claim, source: '' }, anyNode);
      const after = { epoch: itemOf(w).epoch, effects: w.ec2.effects.length, claims: itemOf(w).claims };
      expect(after).toEqual(before);
    }),
    { numRuns: 150, seed: 5 },
  );
});
