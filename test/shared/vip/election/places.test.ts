// Where a VIP goes whose elected node is damped or drained: every other place by turns.
import { describe, expect, test } from 'vitest';
import { epochMs } from '../../../../shared/time.ts';
import { elect } from '../../../../shared/vip/election.ts';
import type { Transition } from '../../../../shared/vip/flapping.ts';
import { type NodeState, nodeStateFrom } from '../../../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../../../support/world.ts';

const says = (node: string, words: Words = {}): NodeState => nodeStateFrom(claimOf(node, words), START);
const storm: readonly Transition[] = [0, 1, 2, 3].map((n) => ({
  boot: 'boot-of-',
  since: n,
  atMs: epochMs(START - n),
}));

interface Case {
  readonly claims: Readonly<Record<string, NodeState>>;
  readonly flaps?: readonly string[];
  readonly drained?: readonly string[];
  readonly over?: Partial<Vip>;
}

/** The members are those that have claimed, in that order. */
function elected({ claims, flaps = [], drained = [], over = {} }: Case) {
  const order = { untilMs: epochMs(START + 1), by: 'ops', reason: 'test' };
  const vip = {
    ...newVip(entry),
    members: Object.fromEntries(Object.keys(claims).map((node) => [node, memberOf(node)])),
    claims,
    transitions: Object.fromEntries(flaps.map((node) => [node, storm])),
    drains: Object.fromEntries(drained.map((node) => [node, order])),
    ...over,
  };
  const { splitBrain: _split, ...rest } = elect(vip, START);
  return rest;
}

const standby = (node: string, priority = 100) => says(node, { state: 'BACKUP', priority });

describe('a node that flaps', () => {
  test('has the VIP all the same where it is the only one, and the reason does not say that it rests there', () => {
    const claims = { 'i-a': says('i-a') };
    const alone = { owner: 'i-a', reason: { key: 'newest-master', node: 'i-a' } };
    expect(elected({ claims, flaps: ['i-a'] })).toEqual(alone);
    expect(elected({ claims, flaps: ['i-a'], over: { owner: 'i-a' } })).toEqual(alone);
  });

  test('takes nothing from the one that outranks it', () => {
    const advert = says('i-a', { kind: 'lower-advert', priority: 200, sinceMs: -60_000, atMs: 20_000 });
    const claims = { 'i-a': advert, 'i-b': says('i-b', { atMs: 1000 }) };
    expect(elected({ claims, flaps: ['i-b'] }).reason).toEqual({
      key: 'outranks',
      node: 'i-a',
      other: 'i-b',
    });
  });

  test('gives way to a calm standby, before another master that flaps', () => {
    const claims = { 'i-a': says('i-a', { atMs: 2000 }), 'i-b': says('i-b'), 'i-c': standby('i-c') };
    expect(elected({ claims, flaps: ['i-a', 'i-b'] })).toEqual({
      owner: 'i-c',
      reason: { key: 'damped', node: 'i-c', other: 'i-a' },
    });
  });

  test('leaves the VIP where it is when every other one flaps; where that is no place it gets it', () => {
    const claims = { 'i-a': says('i-a', { atMs: 2000 }), 'i-b': standby('i-b'), 'i-c': standby('i-c') };
    const flaps = ['i-a', 'i-b', 'i-c'];
    expect(elected({ claims, flaps, over: { owner: 'i-c' } }).owner).toBe('i-c');
    const withdrawn = { ...claims, 'i-c': says('i-c', { state: 'FAULT' }) };
    expect(elected({ claims: withdrawn, flaps, over: { owner: 'i-c' } })).toEqual({
      owner: 'i-a',
      reason: { key: 'newest-master', node: 'i-a' },
    });
  });

  test('gives way to the lower id of two equal standbys, in whatever order they are listed', () => {
    const [a, b, c] = [says('i-a'), standby('i-b'), standby('i-c')];
    for (const claims of [
      { 'i-a': a, 'i-b': b, 'i-c': c },
      { 'i-c': c, 'i-b': b, 'i-a': a },
    ])
      expect(elected({ claims, flaps: ['i-a'] }).owner).toBe('i-b');
  });
});

describe('a drained node', () => {
  test('gives way to a calm standby, before one of a higher priority that flaps', () => {
    const claims = { 'i-a': says('i-a'), 'i-b': standby('i-b', 200), 'i-c': standby('i-c', 50) };
    expect(elected({ claims, flaps: ['i-b'], drained: ['i-a'] })).toEqual({
      owner: 'i-c',
      reason: { key: 'drained', node: 'i-c', other: 'i-a' },
    });
  });

  test('suspends a pin on it, and nothing where there is none', () => {
    const claims = { 'i-a': says('i-a'), 'i-b': standby('i-b') };
    expect(elected({ claims, drained: ['i-a'] })).not.toHaveProperty('suspendedPin');
    const pin = { node: 'i-a', untilMs: epochMs(START + 1), by: 'ops', reason: 'test' };
    expect(elected({ claims, drained: ['i-a'], over: { pin } })).toMatchObject({
      owner: 'i-b',
      suspendedPin: { key: 'drained', node: 'i-a' },
    });
  });
});
