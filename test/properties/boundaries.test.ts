// The constants of the protocol and the edges of its rules, to the millisecond: what histories meet too seldom to hold.
import { describe, expect, test } from 'vitest';
import { plan } from '../../shared/network/plan.ts';
import * as switching from '../../shared/switch/switch-vip.ts';
import * as claim from '../../shared/vip/claim.ts';
import * as election from '../../shared/vip/election.ts';
import * as lease from '../../shared/vip/lease.ts';
import * as silent from '../../shared/vip/liveness.ts';
import * as nodeStates from '../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../shared/vip/vip.ts';
import { addTable, claimOf, entry, memberOf, START, V4, world } from '../support/world.ts';

describe('the constants are those of the protocol', () => {
  test('of claims and silence', () => {
    expect([
      silent.EVIDENCE_WINDOW,
      silent.SILENT_AFTER_WINDOWS,
      claim.LATE_AFTER,
      nodeStates.YOUNG,
      claim.STAMP_MS,
    ]).toEqual([25_000, 5, 60_000, 15_000, 999]);
    // Stands in stored items: another number would make old ones seem in time.
    expect(silent.NEVER_IN_TIME).toBe(0);
    expect([silent.HEARD_KEPT, silent.HEARD_PRUNE_ABOVE, silent.SILENCE_MAX]).toEqual([12, 40, 135_000]);
  });
  test('of the election', () => {
    expect([election.ADVERT_DOUBT_MS, election.OUTLIVES_MS, election.SPLIT_AFTER_MS]).toEqual([
      3000, 90_000, 2000,
    ]);
  });
  test('of the lease', () => {
    expect([lease.LEASE_TTL, lease.ATTEMPT_MAX, lease.SKEW, lease.STALE_READ]).toEqual([
      10_000, 2000, 200, 4000,
    ]);
    expect([lease.UNKNOWN_LANDS_WITHIN, lease.LOOK_AGAIN, lease.RENEW_BELOW]).toEqual([20_000, 200, 6000]);
    expect([lease.OBSERVE_TIMEOUT, lease.FUNCTION_TIMEOUT_MIN]).toEqual([1000, 30_000]);
  });
  test('of the switch', () => {
    expect(switching.EPOCHS_MAX).toBe(8);
  });
});

describe('the durations of the lease are held against each other when the program starts', () => {
  const { ttl, attempt, skew, patience, unknownLands } = lease.durations;
  // The name of a duration, its last value that is right, and the first one that is wrong; whatever else it breaks.
  const edges: readonly (readonly [keyof typeof lease.durations, number, number, string])[] = [
    ['renewBelow', attempt + 2 * skew + 1, attempt + 2 * skew, 'leave time for an attempt'],
    ['renewBelow', ttl - 1, ttl, 'lie within LEASE_TTL'],
    ['patience', ttl - attempt - 2 * skew - 1, ttl - attempt - 2 * skew, 'after waiting OBSERVE_PATIENCE'],
    ['unknownLands', ttl + attempt + 1, ttl + attempt, 'distrusted for longer'],
    ['staleRead', ttl - 1, ttl, 'outwait stale reads'],
    ['lookAgain', ttl / 10 - 1, ttl / 10, 'look often enough'],
    ['functionTimeout', 2 * ttl + unknownLands / 2, 2 * ttl + unknownLands / 2 - 1, 'a whole lease left'],
  ];
  test.each(edges)('%s: %d is right, %d is wrong', (name, right, wrong, why) => {
    expect(lease.agree({ ...lease.durations, [name]: right })).toBeUndefined();
    expect(() => lease.agree({ ...lease.durations, [name]: wrong })).toThrow(why);
  });
  test('a lease that one attempt outlasts is refused', () => {
    const little = {
      ...lease.durations,
      ttl: attempt + 2 * skew,
      patience: 0 - patience,
      renewBelow: 0,
      staleRead: 0,
    };
    expect(() => lease.agree(little)).toThrow('LEASE_TTL must outlast one attempt');
    expect(() =>
      lease.agree({ ...little, ttl: attempt + 2 * skew + 1, renewBelow: attempt + 2 * skew }),
    ).toThrow(/^(?!.*LEASE_TTL must outlast)/);
  });
});

describe('an election with no candidate', () => {
  const nodeState = (node: string, over: Partial<nodeStates.NodeState>): nodeStates.NodeState => ({
    ...nodeStates.nodeStateFrom(claimOf(node), START),
    ...over,
  });
  const of = (over: Partial<Vip>): Vip => ({
    ...newVip(entry),
    members: { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') },
    heard: [9e7, 9e7 + 1, 9e7 + 2, 9e7 + 3, 9e7 + 4],
    ...over,
  });
  test('goes to a silent MASTER where the owner is a member that never reported', () => {
    const vip = of({ owner: 'i-a', claims: { 'i-b': nodeState('i-b', {}) } });
    expect(election.elect(vip, START).owner).toBe('i-b');
  });
  test('goes to a silent MASTER where the owner is not a member any more, whatever it said last', () => {
    const claims = { 'i-a': nodeState('i-a', {}), 'i-b': nodeState('i-b', {}) };
    const members = { 'i-b': memberOf('i-b') };
    expect(election.elect(of({ owner: 'i-a', claims, members }), START).owner).toBe('i-b');
  });
});

test('two masters alike in all are ordered by id, in whatever order they were recorded', () => {
  const a = nodeStates.nodeStateFrom(claimOf('i-a'), START);
  const b = nodeStates.nodeStateFrom(claimOf('i-b'), START);
  const members = { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') };
  for (const claims of [
    { 'i-a': a, 'i-b': b },
    { 'i-b': b, 'i-a': a },
  ]) {
    expect(election.elect({ ...newVip(entry), members, claims }, START).owner).toBe('i-a');
  }
});

describe('a plan', () => {
  test('sends what differs before what is only made sure', async () => {
    const w = world();
    const vip = w.vips.items.get('web')!;
    for (const n of [1, 2, 3]) await w.ec2.apply(route(`rtb-${n}`, 'eni-i-a-service'), () => true);
    const { steps } = plan(vip, await w.ec2.observe(vip), memberOf('i-a'), false);
    const differing = steps.map((s) => s.from !== 'eni-i-a-service');
    expect(differing).toEqual([...differing].sort((x, y) => Number(y) - Number(x)));
    expect(differing.filter((d) => !d)).toHaveLength(3);
  });
  test('misses route tables only where there are addresses', async () => {
    const w = world();
    w.ec2.tables.clear();
    addTable(w.ec2, 'rtb-other');
    for (const [addresses, missed] of [
      [[], 0],
      [[V4], 1],
    ] as const) {
      const vip = { ...w.vips.items.get('web')!, addresses };
      const { conflicts } = plan(vip, await w.ec2.observe(vip), memberOf('i-a'), true);
      expect(conflicts.filter((c) => c.cell === 'route tables')).toHaveLength(missed);
    }
  });
  const route = (table: string, eni: string) =>
    ({ call: 'CreateRoute', cell: `${table} ${V4}`, from: 'nothing', eni, table, destination: V4 }) as const;
});

test('a lower-advert counts when it comes in time, to the millisecond', () => {
  const advert = claimOf('i-a', { kind: 'lower-advert', sinceMs: 0, atMs: 5000 });
  const arrives = (ms: number) => nodeStates.nodeStateFrom(advert, (advert.timeMs + ms) as never);
  expect(arrives(60_000).affSeq).toBe(advert.seq);
  expect(arrives(60_001).affSeq).toBeUndefined();
});
