// Words of one node that cannot all be true: an attacker with a node's identity may report anything for it, and yet not
// silence it. Found by a red team: one claim with an uptime of a hundred years, and the register was deaf until a reboot.
import { describe, expect, test } from 'vitest';
import { epochMs, plus, seconds } from '../../../shared/time.ts';
import { contradictionOf, notAhead } from '../../../shared/vip/admission.ts';
import type { Claim } from '../../../shared/vip/claim.ts';
import { SKEW } from '../../../shared/vip/lease.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { merge, nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { claimOf, item, owned, START, says, type World } from '../../support/world.ts';

const stateOf = (w: World, node: string) => item(w).claims[node]?.state;

/** A hundred years, as the contract lets one say. */
const CENTURY_MS = 3_155_760_000_000;
const BOOTED_MS = 3_600_000;

const forgeries: Readonly<Record<string, Partial<Claim>>> = {
  'the same boot, a hundred years ahead': {
    uptimeMs: CENTURY_MS,
    seq: CENTURY_MS * 1000,
    since: CENTURY_MS * 1000,
  },
  'the same boot, an hour ahead': {
    uptimeMs: BOOTED_MS * 2,
    seq: BOOTED_MS * 2000,
    since: BOOTED_MS * 2000,
  },
  'the same boot, to all appearance a transition': {},
  'an invented boot that has just begun': { bootId: 'invented', uptimeMs: 1, seq: 1, since: 1 },
  'an invented boot of a hundred years': {
    ...{ bootId: 'zzz', uptimeMs: CENTURY_MS, seq: CENTURY_MS * 1000, since: CENTURY_MS * 1000 },
  },
};

describe.each(Object.entries(forgeries))('a forged claim: %s', (_name, over) => {
  test.each(['STOP', 'FAULT', 'MASTER'] as const)(
    'that says %s is gone with the next word of its node, also when it is delivered again',
    async (state) => {
      const w = await owned();
      await says(w, 'i-b', { state: 'BACKUP' });
      await w.clock.advance(seconds(30));
      const forgedAtMs = w.clock.now() - START;
      const forge = () => says(w, 'i-b', { state, priority: 255, atMs: forgedAtMs, over });
      await forge();
      expect(stateOf(w, 'i-b')).toBe(state);
      await w.clock.advance(seconds(30));
      const word = { state: 'BACKUP', kind: 'assertion', sinceMs: 10_000 } as const;
      expect(await says(w, 'i-b', word)).toMatchObject({ contradiction: expect.any(String) });
      expect(stateOf(w, 'i-b')).toBe('BACKUP');
      await forge();
      expect(stateOf(w, 'i-b')).toBe('BACKUP');
      await w.clock.advance(seconds(1));
      await says(w, 'i-b', { state: 'MASTER' });
      expect([stateOf(w, 'i-b'), item(w).owner]).toEqual(['MASTER', 'i-b']);
    },
  );
});

test('a node whose register a forged STOP has taken is heard again with its next transition, and the VIP can go there', async () => {
  const w = await owned();
  const lie = { uptimeMs: CENTURY_MS, seq: CENTURY_MS * 1000, since: CENTURY_MS * 1000 };
  await says(w, 'i-b', { state: 'STOP', over: lie });
  for (let n = 0; n < 4; n++) {
    await w.clock.advance(seconds(10));
    await says(w, 'i-b', { state: n % 2 === 0 ? 'BACKUP' : 'MASTER' });
    expect(stateOf(w, 'i-b')).toBe(n % 2 === 0 ? 'BACKUP' : 'MASTER');
  }
  expect(item(w).owner).toBe('i-b');
});

test('each contradiction is counted with what was said and what was recorded; nothing is turned away', async () => {
  const w = await owned();
  await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
  expect(w.timeline.rejections).toEqual([]);
  await says(w, 'i-a', { state: 'STOP', over: forgeries['the same boot, an hour ahead']! });
  await w.clock.advance(seconds(10));
  await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
  expect(w.timeline.rejections).toMatchObject([
    { vip: 'web', node: 'i-a', reason: 'contradiction', count: 2 },
  ]);
  expect(w.timeline.rejections[0]!.message).toBe(
    'the clock of a boot does not run back: says MASTER since 3600000000 in boot boot-of-i-a, up 3620000 ms at ' +
      '2026-11-22T14:00:20.000Z; recorded is STOP since 7200000000 in boot boot-of-i-a, up 7200000 ms at 2026-11-22T14:00:10.000Z',
  );
  expect(item(w).claims['i-a']).toMatchObject({ state: 'MASTER', since: BOOTED_MS * 1000 });
});

describe('what two words of a node contradict each other by', () => {
  const at = (atMs: number, over: Partial<Claim> = {}) => {
    const claim = claimOf('i-a', { kind: 'assertion', sinceMs: 0, atMs, over });
    return nodeStateFrom(claim, claim.timeMs);
  };
  const why = (known: ReturnType<typeof at>, told: ReturnType<typeof at>) =>
    contradictionOf(known, told)?.split(':')[0];
  const later = (upMs: number) => at(60_000, { uptimeMs: BOOTED_MS + upMs, seq: (BOOTED_MS + 1000) * 1000 });

  test('a clock that ran back, when the boot seems later by more than 5 s, to the millisecond', () => {
    const known = at(57_000, { uptimeMs: BOOTED_MS + 60_000 });
    expect(why(known, later(58_000))).toBeUndefined();
    expect(why(known, later(57_999))).toBe('the clock of a boot does not run back');
    expect(why(later(57_999), known)).toBe('the clock of a boot does not run back');
  });

  test('a clock that ran ahead by more than five minutes beyond the time that passed and its drift', () => {
    const allowed = 300_000 + 60_000 * 1.0005;
    expect(why(at(0), later(allowed))).toBeUndefined();
    expect(why(at(0), later(allowed + 1))).toBe('the clock of a boot does not run ahead of time');
  });

  test('a boot that was up when the one before it still spoke, 5 s and its drift apart', () => {
    const other = (bootAtMs: number) =>
      at(60_000, { bootId: 'other', uptimeMs: 60_000 - bootAtMs, seq: 1000, since: 1000 });
    expect(why(at(20_000), other(14_978))).toBeUndefined();
    expect(why(at(20_000), other(14_977))).toBe('a node is not up in two boots at once');
    expect(why(other(14_977), at(20_000))).toBe('a node is not up in two boots at once');
  });

  test('a transition before one that the node knew of already', () => {
    const known = at(10_000, { since: (BOOTED_MS + 5000) * 1000 });
    expect(why(known, at(20_000))).toBe('a node does not go back to an earlier transition');
    expect(why(at(20_000), known), 'an old word that comes late is none').toBeUndefined();
  });

  test('never a word that was said before the other’s transition and is only sent late: the transition stays', () => {
    const known = at(10_000, { since: (BOOTED_MS + 10_000) * 1000, seq: (BOOTED_MS + 10_000) * 1000 });
    const saidAt = (ms: number) => at(30_000, { seq: (BOOTED_MS + ms) * 1000 });
    expect([why(known, saidAt(9999)), merge(known, saidAt(9999))]).toEqual([undefined, known]);
    expect(why(known, saidAt(10_000))).toBe('a node does not go back to an earlier transition');
    expect(merge(known, saidAt(10_000)).since).toBe(saidAt(0).since);
  });

  test('never a host that stood still: its clock shows less than passed, and runs on', () => {
    expect(why(at(0), at(60_000, { uptimeMs: BOOTED_MS + 1, seq: BOOTED_MS * 1000 }))).toBeUndefined();
  });
});

describe('an event that its sender dated ahead', () => {
  test('is taken for one of the present: what it says is not newer than the words after it', async () => {
    const w = await owned();
    const ahead = plus(w.clock.now(), seconds(59));
    await says(w, 'i-b', { state: 'MASTER', over: { timeMs: ahead } });
    expect(item(w).owner).toBe('i-b');
    expect(Math.max(...item(w).heard)).toBeLessThanOrEqual(windowOf(plus(w.clock.now(), SKEW)));
    await w.clock.advance(seconds(5));
    await says(w, 'i-a', { state: 'MASTER' });
    expect(item(w).owner).toBe('i-a');
  });

  test('is left alone as long as clocks may disagree', () => {
    const dated = (ms: number) =>
      notAhead({ ...claimOf('i-a'), timeMs: epochMs(START + ms) }, START).timeMs - START;
    expect([dated(-1), dated(SKEW), dated(SKEW + 1), dated(59_000)]).toEqual([-1, SKEW, SKEW, SKEW]);
  });
});
