import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defined } from '../../../shared/optional.ts';
import { durationMs, epochMs, plus } from '../../../shared/time.ts';
import { ORDER_DOUBT, UNDER_WAY_MAX } from '../../../shared/vip/boot-clock.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { merge, type NodeState, nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { afterClaimWrite, type ClaimWrite } from '../../../shared/vip/store.ts';
import { isNews, newVip, onlyRefreshes, sameScope, type Vip, withClaim } from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START } from '../../support/world.ts';

const vip: Vip = { ...newVip(entry), members: { 'i-a': memberOf('i-a') } };
const first = nodeStateFrom(claimOf('i-a'), START);

/** Claims of one node that speak of one of two transitions, sent and stamped at any time, some of them very late. */
const nodeState: fc.Arbitrary<NodeState> = fc
  .record({
    sinceMs: fc.constantFrom(0, 5000),
    // Also close around the end of youth, where two claims may be stamped the wrong way round.
    afterMs: fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 14_000, max: 16_000 })),
    stampMs: fc.integer({ min: 0, max: 3 }),
    lateMs: fc.constantFrom(0, 0, 0, 61_000),
    kind: fc.constantFrom('assertion' as const, 'lower-advert' as const),
    leaving: fc.constantFrom(undefined, 'spot-stop'),
  })
  .map(({ sinceMs, afterMs, stampMs, lateMs, kind, leaving }) => {
    const atMs = sinceMs + afterMs;
    const timeMs = epochMs(Math.floor((START + atMs) / 1000 + stampMs) * 1000);
    const claim = claimOf('i-a', { kind, sinceMs, atMs, over: { timeMs, ...defined({ leaving }) } });
    return nodeStateFrom(claim, plus(timeMs, durationMs(lateMs)));
  });

describe('a claim that is recorded without a read', () => {
  test('overwrites a few fields and does what merge would do: DynamoDB has no min() and no max()', () => {
    let refreshes = 0;
    fc.assert(
      fc.property(nodeState, nodeState, (known, told) => {
        if (!onlyRefreshes(known, told)) return;
        refreshes += 1;
        const { seq, state, priority, slot, seenMs, affSeq, affHiMs, affAtMs } = told;
        const { bootAtMs, stampMs, upMs } = told;
        const sent = { bootAtMs, stampMs, upMs };
        const { leaving: _was, ...kept } = known;
        const departure = defined({ leaving: told.leaving });
        const advert = affSeq === undefined ? {} : { affSeq, affHiMs, affAtMs };
        expect(merge(known, told)).toEqual({
          ...kept,
          ...sent,
          ...departure,
          seq,
          state,
          priority,
          slot,
          seenMs,
          ...advert,
        });
      }),
      { numRuns: 5000 },
    );
    expect(refreshes).toBeGreaterThan(200);
  });

  /** A later transition, `over` milliseconds apart from what is recorded. */
  const later = (over: { stamp?: number; up?: number; boot?: number; bootId?: string }): NodeState => ({
    ...first,
    ...{ since: first.since + 1, bootId: over.bootId ?? first.bootId },
    stampMs: first.stampMs + (over.stamp ?? 0),
    upMs: first.upMs + (over.up ?? 0),
    bootAtMs: first.bootAtMs + (over.boot ?? 0),
  });
  const [doubt, way] = [0 - ORDER_DOUBT, 0 - UNDER_WAY_MAX];
  test.each([
    ['its clock has gone on, and it is stamped no earlier', { up: 1, boot: doubt - 1 }, true],
    [
      'it is stamped earlier, by no more than two requests may cross',
      { up: 1, stamp: -1, boot: doubt },
      true,
    ],
    ['it is stamped earlier by more than that', { up: 1, stamp: -1, boot: doubt - 1 }, false],
    ['both were sent at once', {}, true],
    ['the clock stood still, and the stamp is later', { stamp: 1 }, false],
    ['its clock is behind', { up: -1, stamp: 1 }, false],
    ['it was under way for as long as AWS lets it', { up: 1, stamp: 1, boot: way }, true],
    ['it was under way for longer', { up: 1, stamp: 1, boot: way - 1 }, false],
    [
      'another boot began when the last word of this one may have come',
      { bootId: 'b', stamp: 1, boot: 0 },
      true,
    ],
  ])('replaces an older transition where %s: %j, %s', (_what, over, replaces) => {
    const told = {
      ...later(over),
      ...('bootId' in over ? { bootAtMs: first.stampMs + doubt, upMs: 0 } : {}),
    };
    expect(isNews(first, told)).toBe(replaces);
  });

  test('replaces a node state that is older, or the first report of a node', () => {
    fc.assert(
      fc.property(nodeState, nodeState, (known, told) => {
        if (isNews(known, told)) expect(merge(known, told)).toEqual(told);
      }),
    );
    expect(isNews(undefined, first)).toBe(true);
    expect(isNews(first, first)).toBe(false);
  });
});

describe('the item after a telling', () => {
  const telling = (over: Partial<ClaimWrite> = {}): ClaimWrite => ({
    vip: 'web',
    node: 'i-a',
    nodeState: first,
    window: windowOf(START),
    as: 'news',
    ...over,
  });

  test('every change raises rev', () => {
    expect(afterClaimWrite(vip, telling(), START)?.rev).toBe(vip.rev + 1);
  });

  test('there is none for a node that is not a member, a VIP out of the registry, or a node state that is no news', () => {
    expect(afterClaimWrite(vip, telling({ node: 'i-z' }), START)).toBeUndefined();
    expect(afterClaimWrite({ ...vip, removedAtMs: START }, telling(), START)).toBeUndefined();
    const known = { ...vip, claims: { 'i-a': first } };
    expect(afterClaimWrite(known, telling(), START)).toBeUndefined();
    expect(afterClaimWrite(vip, telling({ as: 'refresh' }), START)).toBeUndefined();
  });

  test('a claim that says nothing new leaves the very same object, so that no one writes it', () => {
    const known = withClaim(vip, 'i-a', first, windowOf(START));
    expect(withClaim(known, 'i-a', first, windowOf(START))).toBe(known);
    expect(withClaim(known, 'i-a', first, windowOf(START) + 1)).not.toBe(known);
  });
});

test('a VIP that was just registered is at its first rev, under no epoch, and says which schema it has', () => {
  expect(newVip(entry)).toMatchObject({
    schema: 1,
    rev: 1,
    epoch: 0,
    wrote: [],
    open: {},
    members: {},
    claims: {},
  });
});

test('a claim of the slot that is recorded already only refreshes: one write will do for it', () => {
  const later = nodeStateFrom(claimOf('i-a', { kind: 'assertion', sinceMs: 0, atMs: 1000 }), START);
  expect(later.slot).toBe(first.slot);
  expect(onlyRefreshes(first, later)).toBe(true);
  expect(onlyRefreshes({ ...first, slot: later.slot + 1 }, later), 'a slot is never taken back').toBe(false);
  expect(onlyRefreshes({ ...first, seenMs: later.seenMs }, later), 'AWS stamps whole seconds').toBe(true);
  expect(onlyRefreshes(later, later), 'the same claim again is nothing to write').toBe(false);
});

test('a scope is the same by name and by both kinds of label, and by nothing less', () => {
  const scope = { name: 'web', tableLabels: ['web'], nodeLabels: ['web', 'edge'] };
  expect(sameScope(scope, { ...scope })).toBe(true);
  for (const over of [{ name: 'db' }, { tableLabels: ['db'] }, { nodeLabels: ['web'] }])
    expect(sameScope(scope, { ...scope, ...over })).toBe(false);
});
