// What a claim has to do next, as a table: each row is one situation and the one thing that follows from it.
import { describe, expect, it, test } from 'vitest';
import { isUrgent, type NextAction, nextAction } from '../../../shared/controller/next-action.ts';
import { durationMs, type EpochMs, plus, seconds } from '../../../shared/time.ts';
import { LEASE_TTL, SKEW } from '../../../shared/vip/lease.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { newVip, type Vip, withClaim, withLease } from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../../support/world.ts';

const cause = { kind: 'claim', why: 'x', atMs: START } as const;
const members = { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') };
const bare: Vip = { ...newVip(entry), members, rev: 7 };

const told = (node: string, words: Words = {}) => {
  const claim = claimOf(node, words);
  return { claim, nodeState: nodeStateFrom(claim, claim.timeMs), window: windowOf(claim.timeMs) };
};
const said = (vip: Vip, node: string, words: Words = {}): Vip => {
  const { nodeState, window } = told(node, words);
  return withClaim(vip, node, nodeState, window);
};
const held = (vip: Vip): Vip =>
  withLease(vip, { holder: 'other', expiresAtMs: plus(START, LEASE_TTL), cause });
const ENDS: EpochMs = plus(START, durationMs(LEASE_TTL + SKEW));
const failedOn = (node: string) => ({ tried: { node, times: 1, atMs: START } });

const backup = { state: 'BACKUP' } as const;
const again = { kind: 'assertion', sinceMs: 0, atMs: 10_000 } as const;
/** Node a is MASTER and owns the VIP; nothing is to be done. */
const settled: Vip = { ...said(bare, 'i-a'), owner: 'i-a' };
/** Node a is MASTER, and b owns the VIP still. */
const due: Vip = { ...said(bare, 'i-a'), owner: 'i-b' };
/** As it comes by the function URL: the same words, stamped in milliseconds. */
const direct = { over: { way: 'direct', timeMs: plus(START, durationMs(40)) } } as const;
/** Node a is MASTER as both ways say, and the lease is held for it by the caller that carried it first. */
const carried: Vip = withLease(said(due, 'i-a', direct), {
  holder: 'first',
  expiresAtMs: plus(START, LEASE_TTL),
  cause: { ...cause, node: 'i-a', seq: claimOf('i-a').seq },
});

interface Row {
  readonly when: string;
  readonly item: Vip | undefined;
  readonly told: Parameters<typeof nextAction>[1];
  readonly now?: EpochMs;
  readonly follows: Partial<NextAction>;
}

const rows: readonly Row[] = [
  {
    when: 'there is no such VIP',
    item: undefined,
    told: told('i-a'),
    follows: { do: 'reject', reason: 'unknown-vip' },
  },
  {
    when: 'the VIP left the registry',
    item: { ...bare, removedAtMs: START },
    told: told('i-a'),
    follows: { do: 'reject', reason: 'unknown-vip' },
  },
  {
    when: 'the item does not know the node',
    item: bare,
    told: told('i-c'),
    follows: { do: 'look-up' },
  },
  {
    when: 'EC2 does not show the node either',
    item: bare,
    told: { ...told('i-c'), membersSeen: members },
    follows: { do: 'reject', reason: 'not-a-member' },
  },
  {
    when: 'EC2 shows the node: it is stored with the others in one write, on condition',
    item: bare,
    told: { ...told('i-c', backup), membersSeen: { 'i-c': memberOf('i-c') } },
    follows: { do: 'record', as: 'compare' },
  },
  { when: 'the first MASTER is heard', item: bare, told: told('i-a'), follows: { do: 'switch' } },
  {
    when: 'another node becomes MASTER',
    item: settled,
    told: told('i-b', { atMs: 5000 }),
    follows: { do: 'switch', isTransition: true },
  },
  {
    when: 'another node becomes MASTER beside a live lease: it is recorded there, blindly',
    item: held(settled),
    told: told('i-b', { atMs: 5000 }),
    follows: { do: 'record', as: 'news' },
  },
  {
    when: 'a first BACKUP is heard',
    item: settled,
    told: told('i-b', backup),
    follows: { do: 'record', as: 'news' },
  },
  {
    when: 'a node repeats itself',
    item: settled,
    told: told('i-a', again),
    follows: { do: 'record', as: 'refresh', isTransition: false },
  },
  {
    when: 'a node repeats itself, and a claim of a later window overtook this one: merging has to compare',
    item: said(settled, 'i-a', { ...again, atMs: 60_000 }),
    told: told('i-a', { ...again, atMs: 30_000 }),
    follows: { do: 'record', as: 'compare' },
  },
  {
    when: 'a claim is recorded and changes nothing',
    item: settled,
    told: told('i-a'),
    follows: { do: 'answer' },
  },
  {
    when: 'a MASTER is recorded and another caller has the lease',
    item: held(due),
    told: { ...told('i-a'), isOwnWrite: true },
    follows: { do: 'wait' },
  },
  {
    when: 'the MASTER was recorded by another caller: the event came twice, and the other one waits',
    item: held(due),
    told: told('i-a'),
    follows: { do: 'answer' },
  },
  {
    when: 'a newer MASTER of the node has replaced the one that waits: its own caller waits',
    item: held(said(due, 'i-a', { atMs: 3000 })),
    told: { ...told('i-a'), isOwnWrite: true },
    follows: { do: 'answer' },
  },
  {
    when: 'the same transition in another boot has replaced the one that waits',
    item: held(said(due, 'i-a', { bootId: 'boot-2', over: { timeMs: plus(START, seconds(9)) } })),
    told: { ...told('i-a'), isOwnWrite: true },
    follows: { do: 'answer' },
  },
  {
    when: 'the transition that waits is said to be another state by now',
    item: held(said(due, 'i-a', { state: 'STOP' })),
    told: { ...told('i-a'), isOwnWrite: true },
    follows: { do: 'answer' },
  },
  {
    when: 'the node has repeated its MASTER since: the one that waits is the present one still',
    item: held(said(due, 'i-a', again)),
    told: { ...told('i-a'), isOwnWrite: true },
    follows: { do: 'wait' },
  },
  {
    when: 'the MASTER comes by the other way, too: that is noted, in one write on condition',
    item: held(due),
    told: told('i-a', direct),
    follows: { do: 'record', as: 'compare', isSecondCopy: true, isTransition: false },
  },
  {
    when: 'the same MASTER comes by the same way once more: nothing is noted',
    item: held(said(due, 'i-a', direct)),
    told: told('i-a', direct),
    follows: { do: 'answer', isSecondCopy: false },
  },
  {
    when: 'the second copy has noted that it is, under the lease that the first one took: it keeps a place',
    item: carried,
    told: { ...told('i-a', direct), isSecondCopy: true },
    follows: { do: 'wait' },
  },
  {
    when: 'a third copy meets that lease',
    item: carried,
    told: told('i-a', direct),
    follows: { do: 'answer' },
  },
  {
    when: 'the lease is of another cause: the first copy waits for that, and the second one does not',
    item: held(said(due, 'i-a', direct)),
    told: { ...told('i-a', direct), isSecondCopy: true },
    follows: { do: 'answer' },
  },
  {
    when: 'the node has become BACKUP since: the second copy of its MASTER ends',
    item: said(carried, 'i-a', { ...backup, atMs: 3000 }),
    told: { ...told('i-a', direct), isSecondCopy: true },
    follows: { do: 'answer' },
  },
  {
    when: 'the lease of the first copy is dead: the second one takes over',
    item: carried,
    told: { ...told('i-a', direct), isSecondCopy: true },
    now: ENDS,
    follows: { do: 'switch' },
  },
  {
    when: 'an assertion is recorded and another caller has the lease: it does not wait',
    item: said(held(due), 'i-a', again),
    told: told('i-a', again),
    follows: { do: 'answer' },
  },
  {
    when: 'a BACKUP is recorded and another caller has the lease: it does not wait',
    item: said(held(due), 'i-b', backup),
    told: told('i-b', backup),
    follows: { do: 'answer' },
  },
  {
    when: 'the lease is dead: the epoch it left is closed, whichever node owns the VIP',
    item: said(held(settled), 'i-a', again),
    told: told('i-a', again),
    now: ENDS,
    follows: { do: 'switch' },
  },
  {
    when: 'the lease would be dead a millisecond later',
    item: held(due),
    told: { ...told('i-a'), isOwnWrite: true },
    now: plus(ENDS, durationMs(-1)),
    follows: { do: 'wait' },
  },
  {
    when: 'an epoch stands open without a lease',
    item: { ...settled, open: { gone: { epoch: 1, cause } } },
    told: told('i-a'),
    follows: { do: 'switch' },
  },
  {
    when: 'an assertion finds another owner',
    item: due,
    told: told('i-a', again),
    follows: { do: 'switch' },
  },
  {
    when: 'an assertion finds another owner, and the switch failed a moment ago: it is recorded only',
    item: { ...due, ...failedOn('i-a') },
    told: told('i-a', again),
    follows: { do: 'record', as: 'refresh' },
  },
  {
    when: 'an assertion finds another owner, and the switch to a third node failed a moment ago',
    item: { ...due, ...failedOn('i-b') },
    told: told('i-a', again),
    follows: { do: 'switch' },
  },
  {
    when: 'a transition to MASTER does not back off',
    item: { ...due, ...failedOn('i-a') },
    told: told('i-a'),
    follows: { do: 'switch' },
  },
];

describe('a claim', () => {
  it.each(rows)('$when → $follows.do', ({ item, told: claim, now = plus(START, seconds(1)), follows }) => {
    expect(nextAction(item, claim, now)).toMatchObject(follows);
  });

  test('that is rejected says why', () => {
    const messages = [
      nextAction(undefined, told('i-a'), START),
      nextAction(bare, { ...told('i-c'), membersSeen: {} }, START),
    ].map((action) => ('message' in action ? action.message : ''));
    expect(messages[0]).toContain('"web"');
    expect(messages[1]).toMatch(/i-c .*web.* vpc-1/);
  });
});

describe('what is recorded', () => {
  test('has the claim in it, and the members that EC2 showed beside those that the item knows', () => {
    const seen = { 'i-c': memberOf('i-c') };
    const action = nextAction(bare, { ...told('i-c', backup), membersSeen: seen }, START);
    if (action.do !== 'record') throw new Error(action.do);
    expect(action.item).toBe(bare);
    expect(action.recorded.members).toEqual({ ...members, ...seen });
    expect(action.recorded.claims['i-c']).toMatchObject({ state: 'BACKUP' });
  });

  test('of a known member is without those that EC2 showed: the item has them', () => {
    const action = nextAction(bare, { ...told('i-a'), membersSeen: {} }, START);
    if (action.do !== 'switch') throw new Error(action.do);
    expect(action.recorded.members).toBe(members);
  });

  test('is the item itself where it is there already', () => {
    expect(nextAction(settled, told('i-a'), START)).toMatchObject({
      do: 'answer',
      recorded: settled,
      isTransition: false,
    });
  });

  test('is told as a contradiction where both cannot be true, and only then', () => {
    const ran = told('i-a', { atMs: 10_000, over: { uptimeMs: 60_000, seq: 60_000_000, since: 60_000_000 } });
    expect(nextAction(settled, ran, plus(START, seconds(11)))).toMatchObject({
      contradiction: expect.any(String),
    });
    expect(nextAction(settled, told('i-a', again), plus(START, seconds(11)))).not.toHaveProperty(
      'contradiction',
    );
  });
});

test.each([
  ['transition', 'MASTER', true],
  ['transition', 'BACKUP', false],
  ['assertion', 'MASTER', false],
  ['lower-advert', 'MASTER', false],
] as const)('a %s of %s is urgent: %s', (kind, state, urgent) => {
  expect(isUrgent(claimOf('i-a', { kind, state }))).toBe(urgent);
});
