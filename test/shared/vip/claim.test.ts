import { describe, expect, test } from 'vitest';
import { durationMs, epochMs, plus } from '../../../shared/time.ts';
import { isLate, LATE_AFTER, STAMP_MS, saidAt } from '../../../shared/vip/claim.ts';
import { NEVER_IN_TIME, windowOf } from '../../../shared/vip/liveness.ts';
import {
  isNewerTransition,
  lowerAdvertAt,
  merge,
  type NodeState,
  nodeStateFrom,
  sameTransition,
  transitionAt,
  YOUNG,
} from '../../../shared/vip/node-state.ts';
import { claimOf, START, type Words } from '../../support/world.ts';

const told = (words: Words = {}, arrivedMs = words.atMs ?? 0): NodeState =>
  nodeStateFrom(claimOf('i-a', words), epochMs(START + arrivedMs));

describe('a claim', () => {
  test('is late when it was under way for longer than LATE_AFTER, and when it was redriven, however soon', () => {
    const claim = claimOf('i-a');
    const arrived = (ms: number) => plus(claim.timeMs, durationMs(ms));
    const [soon, late] = [arrived(LATE_AFTER), arrived(LATE_AFTER + 1)];
    expect([isLate(claim, soon), isLate(claim, late)]).toEqual([false, true]);
    expect(isLate({ ...claim, redriven: true }, soon)).toBe(true);
  });
});

describe('a node state as one claim gives it', () => {
  test('bounds the transition from above by the stamp, its second and the age at sending', () => {
    const late = told({ over: { uptimeMs: 3_600_000 + 700, timeMs: epochMs(START + 2000) } });
    expect(late.hiMs).toBe(START + 2000 + STAMP_MS - 700);
  });

  test('an assertion bounds the transition by all the time since, not by its own age', () => {
    const nodeState = told({ kind: 'assertion', sinceMs: 0, atMs: 9000 });
    expect(nodeState.hiMs).toBe(START + 9000 + STAMP_MS - 9000);
    expect(nodeState.seenMs).toBe(START + 9000);
    expect(nodeState.atMs).toBe(START);
  });

  test('is young up to and including YOUNG after the transition, and not a millisecond more', () => {
    expect(told({ kind: 'assertion', sinceMs: 0, atMs: YOUNG }).young).toBe(true);
    expect(told({ kind: 'assertion', sinceMs: 0, atMs: YOUNG + 1 }).young).toBe(false);
  });

  test('enters as silent when it comes more than LATE_AFTER late: nodes that reported meanwhile know better', () => {
    expect(told({}, LATE_AFTER).slot).toBe(windowOf(START));
    expect(told({}, LATE_AFTER + 1).slot).toBe(NEVER_IN_TIME);
  });

  test('only a lower-advert carries an advert', () => {
    expect(told({ kind: 'assertion' }).affSeq).toBeUndefined();
    const advert = told({ kind: 'lower-advert', sinceMs: 0, atMs: 5000 });
    expect(advert.affSeq).toBe((3_600_000 + 5000) * 1000);
    expect(advert.affHiMs).toBe(START + 5000 + STAMP_MS);
    const delayed = told({ kind: 'lower-advert', sinceMs: 0, atMs: 5000, over: { uptimeMs: 3_605_400 } });
    expect(delayed.affHiMs, 'sent 400 ms after it was heard').toBe(START + 5000 + STAMP_MS - 400);
    expect(lowerAdvertAt(advert)).toBe(START + 5000);
    expect(lowerAdvertAt(told())).toBeUndefined();
  });
});

describe('which node state is newer', () => {
  const at = (over: Partial<NodeState>): NodeState => ({ ...told(), ...over });

  test('within a boot the larger since, by a microsecond', () => {
    expect(isNewerTransition(at({ since: 11 }), at({ since: 10 }))).toBe(true);
    expect(isNewerTransition(at({ since: 10 }), at({ since: 10 }))).toBe(false);
  });

  test('across boots the later boot, whatever since says: the counter starts again', () => {
    const rebooted = at({ bootId: 'later', bootAtMs: START + 1, since: 1 });
    expect(isNewerTransition(rebooted, at({ bootAtMs: START, since: 999 }))).toBe(true);
    expect(isNewerTransition(at({ bootAtMs: START, since: 999 }), rebooted)).toBe(false);
  });

  test('two boots of one instant are ordered by id, so that every order of arrival agrees', () => {
    const [x, y] = [at({ bootId: 'x' }), at({ bootId: 'y' })];
    expect([isNewerTransition(y, x), isNewerTransition(x, y)]).toEqual([true, false]);
  });

  test('claims of one transition are one node state, whatever state they report', () => {
    expect(sameTransition(told(), told({ kind: 'assertion', sinceMs: 0, atMs: 9000 }))).toBe(true);
    expect(sameTransition(told(), told({ atMs: 1 }))).toBe(false);
  });
});

describe('merge', () => {
  test('a newer node state replaces, an older one is ignored: an old claim delivered late changes nothing', () => {
    const [older, newer] = [told({ atMs: 0 }), told({ atMs: 5000, state: 'BACKUP' })];
    expect(merge(older, newer)).toBe(newer);
    expect(merge(newer, older)).toBe(newer);
    expect(merge(undefined, older)).toBe(older);
  });

  test('within one transition the newest report gives state and priority, the tightest young claim the bound', () => {
    const first = told({ priority: 100, over: { timeMs: epochMs(START + 1000) } });
    const tight = told({ kind: 'assertion', sinceMs: 0, atMs: 1000, priority: 150 });
    const merged = merge(first, tight);
    expect(merged).toMatchObject({ priority: 150, seq: tight.seq, hiMs: START + STAMP_MS, young: true });
    expect(merge(tight, first)).toEqual(merged);
  });

  test('a late claim does not date a known transition again: two masters would change places by it', () => {
    const heard = told({ kind: 'assertion', sinceMs: 0, atMs: 3000 });
    const late = told({}, LATE_AFTER + 1);
    expect(late).toMatchObject({ young: false, slot: 0 });
    const sooner = { ...late, hiMs: heard.hiMs - 500 };
    expect(merge(heard, sooner)).toMatchObject({ hiMs: heard.hiMs, young: true });
    expect(told({}, LATE_AFTER).young).toBe(true);
  });

  test('an old claim does not tighten a young bound: node clocks drift and hosts are suspended', () => {
    const young = told();
    const old = { ...told({ kind: 'assertion', sinceMs: 0, atMs: 60_000 }), hiMs: young.hiMs - 500 };
    expect(merge(young, old).hiMs).toBe(young.hiMs);
    expect(merge(old, young)).toMatchObject({ hiMs: young.hiMs, young: true });
  });

  test('the newest lower-advert is kept apart and never moves the transition', () => {
    const began = told();
    const advert = told({ kind: 'lower-advert', sinceMs: 0, atMs: 5000 });
    const later = told({ kind: 'lower-advert', sinceMs: 0, atMs: 6000 });
    const merged = merge(merge(began, later), advert);
    expect(merged.affSeq).toBe(later.affSeq);
    expect(transitionAt(merged)).toBe(transitionAt(began));
  });

  test('of two bounds that are equally tight the lower clock stays, as the store’s condition has it', () => {
    const [low, high] = [told(), { ...told(), atMs: START + 400 }];
    expect([merge(low, high).atMs, merge(high, low).atMs]).toEqual([START, START]);
  });

  test('fractions of an uptime do not tell two claims apart that bound a transition alike', () => {
    const sent = (ms: number) =>
      told({ kind: 'assertion', sinceMs: 0, over: { uptimeMs: 3_600_000 + ms, since: 3_600_000_300 } });
    const [one, other] = [sent(1000.25), sent(1000.75)];
    expect(merge(one, other)).toEqual(merge(other, one));
    expect(one.upMs).toBe(3_601_001);
  });

  test('of one lower-advert that was sent twice the tighter bound stays', () => {
    const tight = told({ kind: 'lower-advert', sinceMs: 0, atMs: 5000 });
    const loose = { ...tight, affHiMs: tight.affHiMs! + 1000 };
    expect([merge(tight, loose).affHiMs, merge(loose, tight).affHiMs]).toEqual([
      tight.affHiMs,
      tight.affHiMs,
    ]);
  });

  test('the same claim again changes nothing', () => {
    const nodeState = told({ kind: 'lower-advert', sinceMs: 0, atMs: 5000 });
    expect(merge(nodeState, nodeState)).toEqual(nodeState);
  });
});

describe('when a transition happened', () => {
  test('the node clock refines AWS’s second and is never believed beyond it', () => {
    const nodeState = told({ over: { atMs: START + 417 } });
    expect(transitionAt(nodeState)).toBe(START + 417);
    expect(transitionAt(told({ over: { atMs: START - 86_400_000 } }))).toBe(nodeState.hiMs - STAMP_MS);
    expect(transitionAt(told({ over: { atMs: START + 86_400_000 } }))).toBe(nodeState.hiMs);
    expect(transitionAt({ ...nodeState, atMs: nodeState.hiMs + 1 })).toBe(nodeState.hiMs);
    expect(plus(epochMs(nodeState.hiMs), durationMs(-STAMP_MS))).toBe(START);
  });
});

test('when a claim was made: the node clock inside AWS’s second less the age at sending, and never beyond it', () => {
  const said = (atMs: number) => saidAt(claimOf('i-a', { over: { atMs: START + atMs, ageMs: 2000 } }));
  expect(said(-1500)).toBe(START - 1500);
  expect(said(-86_400_000)).toBe(START - 2000);
  expect(said(86_400_000)).toBe(START - 2000 + STAMP_MS);
});
