// The election where a node flaps: every row of the rule in docs/decisions/0035.
import { describe, expect, test } from 'vitest';
import { durationMs, type EpochMs, plus } from '../../../shared/time.ts';
import type { VrrpState } from '../../../shared/vip/claim.ts';
import { elect, REPORTED_WITHIN } from '../../../shared/vip/election.ts';
import { FLAP_WINDOW, FLAPS_MIN, type Transition } from '../../../shared/vip/flapping.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { type NodeState, nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { type Hold, newVip, type Vip } from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START } from '../../support/world.ts';

const NOW_MS = 10_000;
const at = (ms: number): EpochMs => plus(START, durationMs(ms));
const storm: readonly Transition[] = Array.from({ length: FLAPS_MIN }, (_, n) => ({
  boot: 'boot-of-',
  since: n,
  atMs: at(n * 1000),
}));

interface Said {
  readonly state: VrrpState;
  readonly sinceMs?: number;
  readonly seenMs?: number;
  readonly priority?: number;
  readonly damped?: true;
}

const stateOf = (node: string, { state, sinceMs = 0, seenMs = NOW_MS, priority = 100 }: Said): NodeState =>
  nodeStateFrom(claimOf(node, { state, sinceMs, atMs: seenMs, priority, kind: 'assertion' }), at(seenMs));

function vipOf(said: Readonly<Record<string, Said>>, hold: Hold, over: Partial<Vip> = {}): Vip {
  const nodes = Object.keys(said);
  const of = <T>(value: (node: string) => T) => Object.fromEntries(nodes.map((node) => [node, value(node)]));
  const damped = nodes.filter((node) => said[node]!.damped);
  return {
    ...newVip({ ...entry, hold }),
    members: of(memberOf),
    claims: of((node) => stateOf(node, said[node]!)),
    transitions: Object.fromEntries(damped.map((node) => [node, storm])),
    ...over,
  };
}

const MASTER = { state: 'MASTER' } as const;
const BACKUP = { state: 'BACKUP' } as const;
const NEW = { ...MASTER, sinceMs: 8000, damped: true } as const;

const rows: readonly (readonly [string, Hold, Readonly<Record<string, Said>>, string, string])[] = [
  ['the steady master keeps it', 'both', { a: NEW, b: MASTER }, 'b', 'b'],
  ['the steady master gets it back from the node that flaps', 'both', { a: NEW, b: MASTER }, 'a', 'b'],
  ['of steady masters the newest', 'both', { a: NEW, b: MASTER, c: { ...MASTER, sinceMs: 5000 } }, 'b', 'c'],
  [
    'a standby that owns it keeps it',
    'both',
    { a: NEW, b: BACKUP, c: { ...BACKUP, priority: 200 } },
    'b',
    'b',
  ],
  [
    'else the standby of the highest priority',
    'both',
    { a: NEW, b: BACKUP, c: { ...BACKUP, priority: 200 } },
    'a',
    'c',
  ],
  ['of equal standbys the first by id', 'both', { a: NEW, c: BACKUP, b: BACKUP }, 'a', 'b'],
  ['with hold master no standby', 'master', { a: NEW, b: BACKUP }, 'b', 'a'],
  ['with hold master the steady master', 'master', { a: NEW, b: MASTER }, 'a', 'b'],
  [
    'all damped: it stays at an owner that stands by',
    'both',
    { a: NEW, b: { ...BACKUP, damped: true } },
    'b',
    'b',
  ],
  [
    'all damped, hold master: it leaves an owner that stands by',
    'master',
    { a: NEW, b: { ...BACKUP, damped: true } },
    'b',
    'a',
  ],
  [
    'all damped, hold master: it stays at an owner that says MASTER',
    'master',
    { a: NEW, b: { ...MASTER, damped: true } },
    'b',
    'b',
  ],
  ['an owner that is FAULT has nothing to keep', 'both', { a: NEW, b: { state: 'FAULT' } }, 'b', 'a'],
  ['nor has one that is STOP', 'both', { a: NEW, b: { state: 'STOP' } }, 'b', 'a'],
  ['nor one that is DELETED', 'both', { a: NEW, b: { state: 'DELETED' } }, 'b', 'a'],
  ['nor a damped one that is FAULT', 'both', { a: NEW, b: { state: 'FAULT', damped: true } }, 'b', 'a'],
  ['no other member: the node that flaps', 'both', { a: NEW }, 'a', 'a'],
];

describe('the newest MASTER flaps', () => {
  test.each(rows)('%s (hold %s)', (...[, hold, said, owner, elected]) => {
    const { owner: to, reason } = elect(vipOf(said, hold, { owner }), at(NOW_MS));
    expect(to).toBe(elected);
    if (to !== 'a') expect(reason).toEqual({ key: 'damped', node: elected, other: 'a' });
    const calm = elect(vipOf(said, hold, { owner, transitions: {} }), at(NOW_MS));
    expect(calm.owner, 'without the storm').toBe('a');
  });

  test.each([
    ['MASTER', MASTER],
    ['BACKUP', BACKUP],
  ] as const)(
    'an owner that says %s and no longer reports keeps it no longer than its next reports are due',
    (state, word) => {
      const seen = (seenMs: number) => ({ a: { ...NEW, seenMs: 80_000 }, b: { ...word, seenMs } });
      const late = at(NOW_MS + 20_000);
      const silent = 80_000 - REPORTED_WITHIN[state];
      expect(elect(vipOf(seen(silent + 1000), 'both', { owner: 'b' }), late).owner).toBe('b');
      expect(elect(vipOf(seen(silent), 'both', { owner: 'b' }), late).owner).toBe('a');
    },
  );

  test('a member that is no longer heard is no other place, nor one that left', () => {
    const vip = vipOf({ a: { ...NEW, seenMs: 150_000 }, b: { ...MASTER, seenMs: 145_000 } }, 'both', {
      owner: 'b',
    });
    const last = vip.claims.b!.slot;
    const heard = Array.from({ length: 6 }, (_, n) => last + 1 + n);
    expect(elect(vip, at(NOW_MS)).owner).toBe('b');
    const ahead = { ...vip.claims.a!, slot: windowOf(START) + 30 };
    expect(elect({ ...vip, heard, claims: { ...vip.claims, a: ahead } }, at(NOW_MS)).owner).toBe('a');
    const { b: _left, ...members } = vip.members;
    expect(elect({ ...vip, members }, at(NOW_MS)).owner).toBe('a');
  });

  test('it is over by itself: a minute after the last transition the newest MASTER is elected, with no claim in between', () => {
    const vip = vipOf({ a: NEW, b: MASTER }, 'both', { owner: 'b' });
    const lastMs = (FLAPS_MIN - 1) * 1000;
    expect(elect(vip, at(lastMs + FLAP_WINDOW - 1)).owner).toBe('b');
    expect(elect(vip, at(lastMs + FLAP_WINDOW)).owner).toBe('a');
  });
});

describe('what operators order is honoured', () => {
  const order = { untilMs: at(60_000), by: 'ops', reason: 'test' };
  const vip = vipOf({ a: NEW, b: MASTER }, 'both', { owner: 'b' });

  test('a pin on a node that flaps holds', () => {
    expect(elect({ ...vip, pin: { ...order, node: 'a' } }, at(NOW_MS)).reason.key).toBe('pinned');
  });

  test('a suspended pin leaves it to the election, which passes over the node that flaps', () => {
    expect(elect({ ...vip, pin: { ...order, node: 'gone' } }, at(NOW_MS)).owner).toBe('b');
  });

  test('frozen is frozen', () => {
    expect(elect({ ...vip, owner: 'a', freeze: order }, at(NOW_MS)).owner).toBe('a');
  });
});

test('where no node says MASTER the VIP stays where it is, damped or not', () => {
  const vip = vipOf({ a: { ...BACKUP, damped: true }, b: BACKUP }, 'both', { owner: 'a' });
  expect(elect(vip, at(NOW_MS))).toMatchObject({ owner: 'a', reason: { key: 'no-candidate' } });
});
