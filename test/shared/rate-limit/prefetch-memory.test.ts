// What an execution environment remembers of names, at the edges of its limits.
import { describe, expect, test } from 'vitest';
import {
  NAMES_MAX,
  type PrefetchMemory,
  prefetchMemory,
  REFUSED_FOR,
  USELESS_EVERY,
  USELESS_MAX,
} from '../../../shared/rate-limit/prefetch-memory.ts';
import { durationMs, type EpochMs, epochMs, plus } from '../../../shared/time.ts';
import type { Scope } from '../../../shared/vip/vip.ts';

const NOW = epochMs(1_000_000_000);
const later = (ms: number): EpochMs => plus(NOW, durationMs(ms));
const scope = (name: string): Scope => ({ name, tableLabels: [`${name}-t`], nodeLabels: [name] });

let transitions = 0;
/** Another transition each time. */
const claim = (vip: string, node = 'i-a') => ({ vip, node, bootId: 'boot', since: ++transitions });

const emptied = (memory: PrefetchMemory): PrefetchMemory => {
  for (let n = 1; n <= USELESS_MAX; n++) memory.mayPrefetch(claim(`none-${n}`), NOW);
  return memory;
};

describe('for a VIP that was not met', () => {
  test('three are asked in advance, then one in ten seconds', () => {
    const memory = prefetchMemory();
    const asked = (ms: number) => memory.mayPrefetch(claim('web'), later(ms));
    expect([asked(0), asked(0), asked(0), asked(0)]).toEqual([true, true, true, false]);
    expect([asked(USELESS_EVERY - 1), asked(USELESS_EVERY), asked(USELESS_EVERY)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('no more than three are saved up', () => {
    const memory = emptied(prefetchMemory());
    const asked = () => memory.mayPrefetch(claim('web'), later(100 * USELESS_EVERY));
    expect([asked(), asked(), asked(), asked()]).toEqual([true, true, true, false]);
  });

  test('a clock that is set back gives none', () => {
    const memory = emptied(prefetchMemory());
    expect(memory.mayPrefetch(claim('web'), later(0 - USELESS_EVERY))).toBe(false);
  });
});

describe('a VIP that was met', () => {
  test('is always asked for, under its own labels', () => {
    const memory = emptied(prefetchMemory());
    memory.meet(scope('web'));
    expect([1, 2, 3, 4, 5].every(() => memory.mayPrefetch(claim('web'), NOW))).toBe(true);
    expect([memory.scopeOf('web'), memory.scopeOf('other')]).toEqual([scope('web'), undefined]);
  });

  test('takes nothing of what the others may ask', () => {
    const memory = prefetchMemory();
    memory.meet(scope('web'));
    for (let n = 0; n < 10; n++) memory.mayPrefetch(claim('web'), NOW);
    expect(memory.mayPrefetch(claim('other'), NOW)).toBe(true);
  });

  test('and left the registry is one that was not met', () => {
    const memory = prefetchMemory();
    memory.meet(scope('web'));
    memory.refuseVip('web', NOW);
    expect(memory.scopeOf('web')).toBeUndefined();
    expect(memory.mayPrefetch(claim('web'), NOW)).toBe(false);
  });
});

describe('one transition', () => {
  test('is asked for once, however often it is delivered; the next one again', () => {
    const memory = prefetchMemory();
    memory.meet(scope('web'));
    const one = claim('web');
    expect([memory.mayPrefetch(one, NOW), memory.mayPrefetch(one, NOW)]).toEqual([true, false]);
    expect(memory.mayPrefetch({ ...one, bootId: 'next' }, NOW)).toBe(true);
    expect(memory.mayPrefetch({ ...one, node: 'i-b' }, NOW)).toBe(true);
    expect(memory.mayPrefetch(claim('web'), NOW)).toBe(true);
  });
});

describe('for a name that was refused', () => {
  test('nothing is asked for a minute: the VIP', () => {
    const memory = prefetchMemory();
    memory.refuseVip('web', NOW);
    const asked = (ms: number) => memory.mayPrefetch(claim('web'), later(ms));
    expect([asked(REFUSED_FOR - 1), asked(REFUSED_FOR)]).toEqual([false, true]);
  });

  test('unless it is registered since', () => {
    const memory = prefetchMemory();
    memory.refuseVip('web', NOW);
    memory.meet(scope('web'));
    expect(memory.mayPrefetch(claim('web'), NOW)).toBe(true);
  });

  test('nothing is asked for a minute: the node at this VIP, not the others', () => {
    const memory = prefetchMemory();
    memory.meet(scope('web'));
    memory.meet(scope('api'));
    memory.refuseNode(claim('web', 'i-x'), NOW);
    const asked = (vip: string, node: string, ms: number) => memory.mayPrefetch(claim(vip, node), later(ms));
    expect([asked('web', 'i-x', REFUSED_FOR - 1), asked('web', 'i-x', REFUSED_FOR)]).toEqual([false, true]);
    expect([asked('web', 'i-a', 1), asked('api', 'i-x', 1)]).toEqual([true, true]);
  });

  test('a node is looked up three times, then once in ten seconds, at whatever VIP; others are', () => {
    const memory = prefetchMemory();
    const lookedUp = (vip: string, ms: number): boolean => {
      const may = memory.mayLookUp(claim(vip, 'i-x'), later(ms));
      if (may) memory.refuseNode(claim(vip, 'i-x'), later(ms));
      return may;
    };
    expect([lookedUp('a', 0), lookedUp('b', 0), lookedUp('c', 0), lookedUp('d', 0)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect([lookedUp('d', USELESS_EVERY - 1), lookedUp('d', USELESS_EVERY)]).toEqual([false, true]);
    expect(memory.mayLookUp(claim('d', 'i-y'), later(0))).toBe(true);
  });
});

describe('a limit on every memory', () => {
  test('the VIP that was met longest ago is forgotten first, by the one beyond a thousand', () => {
    const memory = prefetchMemory();
    for (let n = 0; n < NAMES_MAX; n++) memory.meet(scope(`vip-${n}`));
    memory.meet(scope('vip-0'));
    expect(memory.scopeOf('vip-1')).toBeDefined();
    memory.meet(scope('one-more'));
    expect([memory.scopeOf('vip-0'), memory.scopeOf('vip-1')]).toEqual([scope('vip-0'), undefined]);
  });

  test('so is a refusal, and a transition', () => {
    const memory = emptied(prefetchMemory());
    const one = claim('web');
    memory.meet(scope('web'));
    memory.mayPrefetch(one, NOW);
    memory.refuseNode(one, NOW);
    for (let n = 0; n < NAMES_MAX; n++) {
      expect(memory.mayPrefetch(one, NOW)).toBe(false);
      memory.refuseVip(`none-${n}`, NOW);
      memory.mayPrefetch(claim(`none-${n}`), NOW);
    }
    // The transition was repeated each time, and is the newest one but one.
    expect(memory.mayPrefetch(one, NOW)).toBe(false);
    expect(memory.mayPrefetch({ ...one, since: 0 }, NOW)).toBe(true);
    for (let n = 0; n < NAMES_MAX; n++) memory.mayPrefetch(claim(`none-${n}`), NOW);
    expect(memory.mayPrefetch({ ...one, since: 0 }, NOW)).toBe(true);
  });

  test('and the count of look-ups', () => {
    const memory = prefetchMemory();
    for (let n = 0; n < USELESS_MAX; n++) memory.refuseNode(claim('web', 'i-x'), NOW);
    expect(memory.mayLookUp(claim('web', 'i-x'), NOW)).toBe(false);
    for (let n = 0; n < NAMES_MAX; n++) memory.refuseNode(claim('web', `i-${n}`), NOW);
    expect(memory.mayLookUp(claim('web', 'i-x'), NOW)).toBe(true);
  });
});
