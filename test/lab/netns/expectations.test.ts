import { describe, expect, it } from 'vitest';
import type { Outage } from '../../../lab/netns/node/client.ts';
import { exceededBounds, failedExpectations, type Seen } from '../../../lab/netns/scenario/expectations.ts';
import type { Ending, Scenario } from '../../../lab/netns/scenario/scenario.ts';
import type { ScenarioContext } from '../../../lab/netns/scenario/scenario-context.ts';
import { epochMs } from '../../../shared/time.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { defaultScope, newVip, type Vip } from '../../../shared/vip/vip.ts';

const outage: Outage = {
  outageMs: 300,
  lastGoodMs: 0,
  firstGoodMs: 300,
  firstGoodNode: 'b',
  refused: 0,
  lost: 0,
  cut: 0,
  good: 100,
};

const vip: Vip = {
  ...newVip({ ...defaultScope('web'), addresses: [], eips: [], vpc: 'vpc-1', account: '1', hold: 'both' }),
  epoch: 5,
  owner: 'i-b',
};

const failover = (epoch: number, changes: Partial<Failover> = {}): Failover => ({
  entry: 'outcome',
  vip: 'web',
  epoch,
  holder: 'h',
  cause: { kind: 'claim', why: 'said MASTER', atMs: epochMs(0) },
  outcome: 'switched',
  to: 'i-b',
  why: 'newest MASTER',
  steps: [],
  conflicts: [],
  stages: [],
  verified: true,
  notes: [],
  claims: {},
  splitBrain: [],
  atMs: epochMs(0),
  ...changes,
});

const good: Seen = { outage, vip, failovers: [failover(5)], epochBefore: 4, lastAnswer: 'b' };

const scenarioThat = (ends: Partial<Ending>): Scenario =>
  ({
    ends: { owner: 'b', longestOutageMs: 1_000, splitBrain: 'never', settlesWithinMs: 1, ...ends },
  }) as Scenario;

function broken(
  seen: Partial<Seen>,
  ends: Partial<Ending> = {},
  misplaced: string[] = [],
): Promise<string[]> {
  const scenario = scenarioThat(ends);
  const stage = {
    nodes: { a: { instanceId: 'i-a' }, b: { instanceId: 'i-b' } },
    cloud: {
      vpc: { misplaced: async () => misplaced },
      mirror: { differences: async () => [], troubles: [] },
    },
  } as unknown as ScenarioContext;
  return failedExpectations(scenario, stage, { ...good, ...seen });
}

describe('what must hold at the end of a scenario', () => {
  it('holds when owner, routes, record and client agree', async () => {
    expect(await broken({})).toEqual([]);
  });

  it('may end at either node where it asks for the master, but routes, record and client have to agree on which', async () => {
    const ends = { owner: 'master' } as const;
    const atA = { vip: { ...vip, owner: 'i-a' }, failovers: [failover(5, { to: 'i-a' })] };
    expect(await broken({}, ends)).toEqual([]);
    expect(await broken({ ...atA, lastAnswer: 'a' }, ends)).toEqual([]);
    expect(await broken(atA, ends)).toEqual(['the client was last answered by "b", expected a']);
  });

  const lease = { holder: 'h', epoch: 5, expiresAtMs: epochMs(0), cause: failover(5).cause };
  it.each<[string, Partial<Seen>, Partial<Ending>, string]>([
    [
      'another owner',
      { vip: { ...vip, owner: 'i-a' } },
      {},
      'the record says that i-a owns the VIP, expected i-b',
    ],
    ['a lease still held', { vip: { ...vip, lease } }, {}, 'epoch 5 still holds the lease, expected none'],
    [
      'an epoch left open',
      { vip: { ...vip, open: { h: { epoch: 5, cause: failover(5).cause } } } },
      {},
      'epochs 5 are still open in the record, expected none',
    ],
    ['an epoch without outcome', { failovers: [] }, {}, 'epoch 5 has no outcome in the timeline'],
    [
      'an outcome that the scenario does not allow',
      { failovers: [failover(5, { outcome: 'failed', notes: ['denied'] })] },
      {},
      'epoch 5 ended failed (denied), expected one of switched, unchanged, superseded',
    ],
    [
      'an outcome that is wanted and missing',
      {},
      { records: 'abandoned' },
      'no epoch ended abandoned in the timeline, expected one',
    ],
    [
      'split brain where there was none',
      { failovers: [failover(5, { splitBrain: ['i-a', 'i-b'] })] },
      {},
      'split brain is reported in epochs 5, expected never',
    ],
    [
      'an answer of the wrong node',
      { lastAnswer: 'a' },
      {},
      'the client was last answered by "a", expected b',
    ],
    [
      'connections that failed where none may',
      { outage: { ...outage, refused: 1, lost: 2 } },
      { failedConnections: 0 },
      '1 connections were refused and 2 lost, expected at most 0',
    ],
  ])('is broken by %s', async (_what, seen, ends, said) => {
    expect(await broken(seen, ends)).toEqual([said]);
  });

  it('may take as long as its scenario says, which is told apart from what did not hold', async () => {
    const scenario = scenarioThat({});
    expect(exceededBounds(scenario, { ...outage, outageMs: 1_000 })).toEqual([]);
    const slow = { ...outage, outageMs: 1_001 };
    expect(exceededBounds(scenario, slow)).toEqual([
      "the client's outage was 1001 ms, expected at most 1000",
    ]);
    expect(await broken({ outage: slow })).toEqual([]);
  });

  it('is broken by what EC2 says, beside everything else that is: no reason hides another', async () => {
    expect(await broken({ lastAnswer: 'a' }, {}, ['table x sends to y'])).toHaveLength(2);
  });

  it('does not count a connection that was cut in its middle as one that no node took', async () => {
    expect(await broken({ outage: { ...outage, cut: 3 } }, { failedConnections: 0 })).toEqual([]);
  });
});
