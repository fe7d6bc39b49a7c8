import { describe, expect, test } from 'vitest';
import { epochMs } from '../../../shared/time.ts';
import { DRIFT_MAX } from '../../../shared/vip/boot-clock.ts';
import { STAMP_MS } from '../../../shared/vip/claim.ts';
import {
  ADVERT_DOUBT_MS,
  type Election,
  elect,
  OUTLIVES_MS,
  SPLIT_AFTER_MS,
  unfit,
} from '../../../shared/vip/election.ts';
import { NEVER_IN_TIME, windowOf } from '../../../shared/vip/liveness.ts';
import { type NodeState, nodeStateFrom, transitionAt } from '../../../shared/vip/node-state.ts';
import {
  drainOf,
  newVip,
  type Vip,
  withDrain,
  withoutDrain,
  withoutEndedDrains,
} from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../../support/world.ts';

const NODES = ['i-a', 'i-b', 'i-c'];
const nodeState = (node: string, words: Words = {}): NodeState => nodeStateFrom(claimOf(node, words), START);

function vip(claims: Record<string, NodeState>, over: Partial<Vip> = {}): Vip {
  const members = Object.fromEntries(NODES.map((node) => [node, memberOf(node)]));
  return { ...newVip(entry), members, claims, ...over };
}

const election = (claims: Record<string, NodeState>, over: Partial<Vip> = {}): Election =>
  elect(vip(claims, over), START);
/** Evidence enough to make a node state that was last reported at START silent. */
const muchHeard = [1, 2, 3, 4, 5].map((n) => windowOf(START) + n);

describe('orders', () => {
  const order = { untilMs: epochMs(START + 1), by: 'ops', reason: 'test' };
  const claims = { 'i-a': nodeState('i-a'), 'i-b': nodeState('i-b', { atMs: 5000 }) };

  test('a freeze keeps the owner strictly before its end, and not at it', () => {
    expect(election(claims, { owner: 'i-a', freeze: order })).toMatchObject({
      owner: 'i-a',
      reason: { key: 'frozen' },
    });
    expect(election(claims, { owner: 'i-a', freeze: { ...order, untilMs: START } }).owner).toBe('i-b');
  });

  test('a pin wins over the newest MASTER while its node is fit', () => {
    const pin = { ...order, node: 'i-a' };
    expect(election(claims, { owner: 'i-b', pin })).toMatchObject({
      owner: 'i-a',
      reason: { key: 'pinned' },
    });
    expect(election(claims, { owner: 'i-b', pin: { ...pin, untilMs: START } }).owner).toBe('i-b');
  });

  test('a BACKUP may be pinned: an order is meant to overrule the election', () => {
    const backup = { ...claims, 'i-a': nodeState('i-a', { state: 'BACKUP' }) };
    expect(election(backup, { pin: { ...order, node: 'i-a' } }).owner).toBe('i-a');
  });

  test('a freeze wins over a pin', () => {
    expect(election(claims, { owner: 'i-b', freeze: order, pin: { ...order, node: 'i-a' } }).owner).toBe(
      'i-b',
    );
  });

  for (const state of ['FAULT', 'STOP', 'DELETED'] as const) {
    test(`a pin is suspended, with the reason, when its node says ${state}`, () => {
      const found = election(
        { ...claims, 'i-a': nodeState('i-a', { state }) },
        { pin: { ...order, node: 'i-a' } },
      );
      expect(found).toMatchObject({ owner: 'i-b', suspendedPin: { key: 'withdrawn', node: 'i-a', state } });
    });
  }

  test('a pin is suspended when its node is silent, never reported or is not a member', () => {
    const told = (node: string, over: Partial<Vip> = {}) =>
      election(claims, { pin: { ...order, node }, ...over }).suspendedPin;
    expect(told('i-a', { heard: muchHeard })).toEqual({ key: 'silent', node: 'i-a' });
    expect(told('i-c')).toEqual({ key: 'never-heard', node: 'i-c' });
    expect(told('i-z')).toEqual({ key: 'no-member', node: 'i-z' });
    expect(unfit(vip(claims), 'i-a')).toBeUndefined();
  });
});

describe('among MASTERs', () => {
  test('the newest transition wins, whatever the priorities say: it is what VRRP arrived at', () => {
    const claims = {
      'i-a': nodeState('i-a', { priority: 254 }),
      'i-b': nodeState('i-b', { atMs: 2000, priority: 1 }),
    };
    expect(election(claims)).toMatchObject({ owner: 'i-b', reason: { key: 'newest-master', node: 'i-b' } });
  });

  test('one instant: the higher priority wins, then the lower id', () => {
    const equal = { 'i-b': nodeState('i-b'), 'i-a': nodeState('i-a') };
    expect(election({ ...equal, 'i-c': nodeState('i-c', { priority: 101 }) }).owner).toBe('i-c');
    expect(election(equal).owner).toBe('i-a');
  });

  test('who is not a member, or does not say MASTER, is not a candidate', () => {
    const claims = {
      'i-a': nodeState('i-a'),
      'i-z': nodeState('i-z', { atMs: 9000 }),
      'i-b': nodeState('i-b', { atMs: 9000, state: 'BACKUP' }),
    };
    expect(election(claims).owner).toBe('i-a');
  });

  test('a higher priority takes it back once its lower-advert came surely after the winner’s transition', () => {
    const winner = nodeState('i-b', { atMs: 10_000, priority: 50 });
    const advert = (atMs: number): NodeState => ({
      ...nodeState('i-a', { priority: 100 }),
      affSeq: 1,
      affHiMs: atMs,
      affAtMs: atMs,
    });
    const sure = winner.hiMs + ADVERT_DOUBT_MS;
    expect(election({ 'i-a': advert(sure + 1), 'i-b': winner })).toMatchObject({
      owner: 'i-a',
      reason: { key: 'outranks', node: 'i-a', other: 'i-b' },
    });
    expect(election({ 'i-a': advert(sure), 'i-b': winner }).owner).toBe('i-b');
    const equal = { ...advert(sure + 1), priority: 50 };
    expect(election({ 'i-a': equal, 'i-b': winner }).owner).toBe('i-b');
  });

  test('of several that outrank the winner the highest priority takes it', () => {
    const winner = nodeState('i-c', { atMs: 10_000, priority: 50 });
    const affHiMs = winner.hiMs + ADVERT_DOUBT_MS + 1;
    const outranking = (node: string, atMs: number, priority: number): NodeState => ({
      ...nodeState(node, { atMs, priority }),
      ...{ affSeq: 1, affHiMs, affAtMs: affHiMs },
    });
    const claims = { 'i-a': outranking('i-a', 5000, 100), 'i-b': outranking('i-b', 0, 200), 'i-c': winner };
    expect(election(claims).reason).toEqual({ key: 'outranks', node: 'i-b', other: 'i-c' });
  });

  describe('that no one can tell apart', () => {
    /** Dated by an assertion a minute after the transition. */
    const dated = (node: string, atMs: number): NodeState =>
      nodeState(node, { kind: 'assertion', sinceMs: atMs, atMs: atMs + 60_000 });
    const gap = (claims: Record<'i-a' | 'i-b', NodeState>) =>
      transitionAt(claims['i-b']) - transitionAt(claims['i-a']);
    const at = (node: string, of: Record<'i-a' | 'i-b', NodeState>) => election(of, { owner: node });

    test('the owner keeps it, and the reason names both', () => {
      const claims = { 'i-a': dated('i-a', 0), 'i-b': dated('i-b', 1000) };
      expect(at('i-a', claims)).toMatchObject({
        owner: 'i-a',
        reason: { key: 'in-doubt', node: 'i-a', other: 'i-b' },
      });
      expect(at('i-b', claims).reason).toEqual({ key: 'newest-master', node: 'i-b' });
      expect(at('i-c', claims).owner).toBe('i-b');
    });

    test('also where one of them was dated at once', () => {
      const asserted = { kind: 'assertion', sinceMs: 0, atMs: 9000 } as const;
      const claims = { 'i-a': nodeState('i-a', asserted), 'i-b': dated('i-b', 1000) };
      expect(claims['i-a'].young).toBe(true);
      expect(at('i-a', claims).owner).toBe('i-a');
    });

    test('but not where both were: then each clock says when', () => {
      const asserted = { kind: 'assertion', atMs: 9000 } as const;
      const claims = {
        'i-a': nodeState('i-a', { ...asserted, sinceMs: 0 }),
        'i-b': nodeState('i-b', { ...asserted, sinceMs: 1000 }),
      };
      expect(gap(claims)).toBe(1000);
      expect(at('i-a', claims).owner).toBe('i-b');
    });

    test('within two seconds of AWS’s stamps, and what the newest’s clock may drift in its time as master', () => {
      const newest = dated('i-b', 10_000);
      const doubtMs = 2 * STAMP_MS + (newest.seenMs - transitionAt(newest)) * DRIFT_MAX;
      const older = (byMs: number): NodeState => {
        const hiMs = newest.hiMs - byMs;
        return { ...dated('i-a', 10_000), hiMs, atMs: transitionAt(newest) - byMs };
      };
      const owner = (byMs: number) => at('i-a', { 'i-a': older(byMs), 'i-b': newest }).owner;
      expect(owner(Math.ceil(doubtMs) - 1)).toBe('i-a');
      expect(owner(Math.ceil(doubtMs))).toBe('i-b');
    });

    test('and only an owner that went on after the other’s transition: a dead one keeps nothing', () => {
      const newest = dated('i-b', 1000);
      const owner = (seenMs: number) =>
        at('i-a', { 'i-a': { ...dated('i-a', 0), seenMs }, 'i-b': newest }).owner;
      expect(owner(newest.hiMs)).toBe('i-a');
      expect(owner(newest.hiMs - 1)).toBe('i-b');
    });

    test('a higher priority that received the owner’s advert takes it all the same', () => {
      const older = dated('i-a', 0);
      const affHiMs = older.hiMs + ADVERT_DOUBT_MS + 1;
      const newest = { ...dated('i-b', 1000), priority: 200, affSeq: 1, affHiMs, affAtMs: affHiMs };
      expect(at('i-a', { 'i-a': older, 'i-b': newest }).reason).toEqual({
        ...{ key: 'outranks', node: 'i-b', other: 'i-a' },
      });
    });
  });

  test('a silent MASTER is not a candidate while another is heard', () => {
    const claims = {
      'i-a': nodeState('i-a', { atMs: 2000 }),
      'i-b': nodeState('i-b', { kind: 'assertion', sinceMs: 0, atMs: 130_000 }),
    };
    expect(election(claims, { owner: 'i-a' }).owner).toBe('i-a');
    expect(election(claims, { owner: 'i-a', heard: muchHeard }).owner).toBe('i-b');
  });
});

describe('with no candidate', () => {
  const stays = { key: 'no-candidate' };

  test('the owner stays: no one said anything better', () => {
    expect(election({}, { owner: 'i-a' })).toMatchObject({ owner: 'i-a', reason: stays });
    expect(election({}).owner).toBeUndefined();
    const down = {
      'i-a': nodeState('i-a', { state: 'FAULT' }),
      'i-b': nodeState('i-b', { state: 'BACKUP' }),
    };
    expect(election(down, { owner: 'i-a' })).toMatchObject({ owner: 'i-a', reason: stays });
  });

  test('a silent MASTER takes over from an owner that withdrew itself', () => {
    const claims = { 'i-a': nodeState('i-a', { atMs: 5000, state: 'STOP' }), 'i-b': nodeState('i-b') };
    const found = election(claims, { owner: 'i-a', heard: muchHeard });
    expect(found).toMatchObject({
      owner: 'i-b',
      reason: { key: 'owner-withdrew', node: 'i-b', owner: 'i-a', state: 'STOP' },
    });
  });

  test('both silent: the other takes over only when it spoke OUTLIVES_MS after the owner’s last word', () => {
    const claims = (gap: number) => ({
      'i-a': nodeState('i-a', { atMs: 1000 }),
      'i-b': { ...nodeState('i-b'), seenMs: START + 1000 + gap },
    });
    const silentBoth = { owner: 'i-a', heard: muchHeard };
    expect(election(claims(OUTLIVES_MS), silentBoth)).toMatchObject({
      owner: 'i-b',
      reason: { key: 'owner-silent', node: 'i-b', owner: 'i-a' },
    });
    expect(election(claims(OUTLIVES_MS - 1), silentBoth).owner).toBe('i-a');
  });

  test('an owner that is not a member any more does not hold the VIP against a silent MASTER', () => {
    const found = election({ 'i-b': nodeState('i-b') }, { owner: 'i-gone', heard: muchHeard });
    expect(found).toMatchObject({ owner: 'i-b', reason: { key: 'unowned', node: 'i-b' } });
  });

  test('a MASTER of which no word came in time moves nothing, also when its word is the only one', () => {
    const late = { ...nodeState('i-b'), slot: NEVER_IN_TIME };
    const claims = { 'i-a': nodeState('i-a', { atMs: 5000, state: 'STOP' }), 'i-b': late };
    expect(election(claims, { owner: 'i-a' })).toMatchObject({ owner: 'i-a', reason: stays });
  });
});

describe('split brain', () => {
  const older = (seenMs: number): NodeState => ({ ...nodeState('i-a'), seenMs });

  test('two MASTERs, the older one heard SPLIT_AFTER_MS after the newer one’s transition', () => {
    const newer = nodeState('i-b', { atMs: 10_000 });
    const at = START + 10_000 + SPLIT_AFTER_MS;
    expect(election({ 'i-a': older(at), 'i-b': newer }).splitBrain).toEqual(['i-a', 'i-b']);
    expect(election({ 'i-a': older(at - 1), 'i-b': newer }).splitBrain).toEqual([]);
  });

  test('not a dead host whose last word was MASTER', () => {
    const claims = {
      'i-a': older(START),
      'i-b': nodeState('i-b', { kind: 'assertion', sinceMs: 5000, atMs: 130_000 }),
    };
    expect(election(claims, { heard: muchHeard })).toMatchObject({ owner: 'i-b', splitBrain: [] });
  });
});

const until = { untilMs: epochMs(START + 1), by: 'ops', reason: 'kernel' };
const backup = (node: string, priority = 100): NodeState => ({
  ...nodeState(node, { state: 'BACKUP' }),
  priority,
});

const drainedVip = (
  claims: Record<string, NodeState>,
  drained: readonly string[],
  over: Partial<Vip> = {},
): Vip =>
  vip(claims, {
    ...{ hold: 'both', owner: 'i-a', drains: Object.fromEntries(drained.map((node) => [node, until])) },
    ...over,
  });
const owner = (...of: Parameters<typeof drainedVip>) => elect(drainedVip(...of), START).owner;

const claimed = { 'i-a': nodeState('i-a'), 'i-b': backup('i-b', 90), 'i-c': backup('i-c', 80) };

describe('the VIP of a drained node', () => {
  test('goes to the best standby with hold both, and the reason names both nodes', () => {
    expect(elect(drainedVip(claimed, ['i-a']), START)).toMatchObject({
      owner: 'i-b',
      reason: { key: 'drained', node: 'i-b', other: 'i-a' },
    });
    expect(owner(claimed, ['i-a', 'i-b'])).toBe('i-c');
  });

  test('stays at a standby that has it, whatever the priority of others: a move costs connections', () => {
    expect(owner(claimed, ['i-a'], { owner: 'i-c' })).toBe('i-c');
  });

  test('goes to a MASTER before any standby, the newest one', () => {
    const two = {
      ...claimed,
      'i-b': nodeState('i-b', { atMs: -5000 }),
      'i-c': nodeState('i-c', { atMs: -9000 }),
    };
    expect(owner(two, ['i-a'])).toBe('i-b');
    expect(owner(two, ['i-a', 'i-b'])).toBe('i-c');
  });

  test('stays with hold master until another node is MASTER: the standby does not have the address', () => {
    expect(owner(claimed, ['i-a'], { hold: 'master' })).toBe('i-a');
    expect(owner({ ...claimed, 'i-b': nodeState('i-b', { atMs: -5000 }) }, ['i-a'], { hold: 'master' })).toBe(
      'i-b',
    );
  });

  test('stays where all are drained, and where no other is eligible: withdrawn, silent, never heard', () => {
    expect(owner(claimed, ['i-a', 'i-b', 'i-c'])).toBe('i-a');
    expect(owner({ 'i-a': nodeState('i-a') }, ['i-a'])).toBe('i-a');
    const fault = nodeState('i-b', { state: 'FAULT' });
    expect(owner({ 'i-a': nodeState('i-a'), 'i-b': fault }, ['i-a'])).toBe('i-a');
    const heard = [1, 2, 3, 4, 5].map((n) => windowOf(START) + n);
    const alive = { ...nodeState('i-a'), slot: windowOf(START) + 5 };
    expect(owner({ 'i-a': alive, 'i-b': backup('i-b') }, ['i-a'], { heard })).toBe('i-a');
  });

  test('goes to a standby also where its drained owner withdrew or is gone', () => {
    expect(owner({ ...claimed, 'i-a': nodeState('i-a', { state: 'STOP' }) }, ['i-a'])).toBe('i-b');
  });
});

describe('other orders', () => {
  test('a freeze keeps the VIP where it is', () => {
    expect(elect(drainedVip(claimed, ['i-a'], { freeze: until }), START)).toMatchObject({
      owner: 'i-a',
      reason: { key: 'frozen' },
    });
  });

  test('a pin on a node that is not drained holds; on a drained one it is suspended, unless no other is eligible', () => {
    expect(owner(claimed, ['i-a'], { pin: { ...until, node: 'i-c' } })).toBe('i-c');
    const pin = { ...until, node: 'i-a' };
    expect(elect(drainedVip(claimed, ['i-a'], { pin }), START)).toMatchObject({
      owner: 'i-b',
      suspendedPin: { key: 'drained', node: 'i-a' },
    });
    const last = elect(drainedVip(claimed, ['i-a', 'i-b', 'i-c'], { pin }), START);
    expect(last).toMatchObject({ owner: 'i-a', reason: { key: 'pinned' } });
    expect(last).not.toHaveProperty('suspendedPin');
  });

  test('a node that flaps goes before one that is drained: an operator’s order counts for more than damping', () => {
    const transitions = {
      'i-b': [4, 3, 2, 1].map((s) => ({ boot: 'boot', since: s, atMs: epochMs(START - s * 1000) })),
    };
    const flapping = { 'i-a': nodeState('i-a', { sinceMs: -60_000 }), 'i-b': nodeState('i-b') };
    expect(owner(flapping, [], { transitions })).toBe('i-a');
    expect(owner(flapping, ['i-a'], { transitions })).toBe('i-b');
    expect(owner({ 'i-a': nodeState('i-a'), 'i-b': backup('i-b') }, ['i-a'], { transitions })).toBe('i-b');
  });
});

test('a drain is over at its end, and its node is a target like any other', () => {
  expect(drainOf(drainedVip(claimed, ['i-a']), 'i-a', START)).toEqual(until);
  expect(drainOf(drainedVip(claimed, ['i-a']), 'i-a', until.untilMs)).toBeUndefined();
  expect(elect(drainedVip(claimed, ['i-a']), until.untilMs).owner).toBe('i-a');
});

test('what is taken out leaves nothing behind, and what is not there changes nothing', () => {
  const plain = newVip(entry);
  const drained = withDrain(withDrain(plain, 'i-a', until), 'i-b', { ...until, untilMs: epochMs(START + 2) });
  expect(withoutDrain(withoutDrain(drained, 'i-a'), 'i-b')).toEqual(plain);
  expect(withoutDrain(drained, 'i-c')).toBe(drained);
  expect(withoutEndedDrains(drained, START)).toBe(drained);
  expect(Object.keys(withoutEndedDrains(drained, until.untilMs).drains!)).toEqual(['i-b']);
  expect(withoutEndedDrains(plain, START)).toBe(plain);
});

describe('the VIP of a node that is about to go', () => {
  const goes = (nodes: readonly string[], over: Partial<Vip> = {}): Vip => {
    const vip = drainedVip(claimed, [], over);
    const claims = Object.entries(vip.claims).map(([node, nodeState]) => [
      node,
      nodes.includes(node) ? { ...nodeState, leaving: 'spot-terminate' } : nodeState,
    ]);
    return { ...vip, claims: Object.fromEntries(claims) };
  };

  test('goes to another one, as that of a drained node does, and the reason names what AWS said', () => {
    expect(elect(goes(['i-a']), START)).toMatchObject({
      owner: 'i-b',
      reason: { key: 'leaving', node: 'i-b', other: 'i-a', cause: 'spot-terminate' },
    });
    expect(elect(goes([]), START).owner).toBe('i-a');
  });

  test('stays where all are about to go', () => {
    expect(elect(goes(['i-a', 'i-b', 'i-c']), START)).toEqual(elect(goes([]), START));
  });

  test('a drain and a leaving are one: neither gets it while a third one is eligible', () => {
    const drains = { 'i-b': until };
    expect(elect(goes(['i-a'], { drains }), START).owner).toBe('i-c');
  });

  test('stays while it is frozen; a pin on it is suspended, and still there', () => {
    expect(elect(goes(['i-a'], { freeze: until }), START).owner).toBe('i-a');
    const pin = { node: 'i-a', ...until };
    expect(elect(goes(['i-a'], { pin }), START)).toMatchObject({
      owner: 'i-b',
      suspendedPin: { key: 'leaving', node: 'i-a' },
    });
  });
});
