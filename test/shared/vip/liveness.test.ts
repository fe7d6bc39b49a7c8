import { describe, expect, test } from 'vitest';
import { defined } from '../../../shared/optional.ts';
import {
  EVIDENCE_WINDOW,
  HEARD_KEPT,
  HEARD_PRUNE_ABOVE,
  isSilent,
  NEVER_IN_TIME,
  pruned,
  prunedHeard,
  SILENCE_MAX,
  SILENT_AFTER_WINDOWS,
  windowOf,
  withHeard,
  withReport,
} from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { claimOf, START } from '../../support/world.ts';

const nodeState = nodeStateFrom(claimOf('i-a'), START);
const own = windowOf(START);
const slotsAfter = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => own + 1 + i);

describe('silence', () => {
  test('nothing ages while nothing arrives: with no evidence no one is silent, however long ago it spoke', () => {
    expect(isSilent({ heard: [] }, nodeState)).toBe(false);
    expect(isSilent({ heard: [own] }, nodeState)).toBe(false);
  });

  test(`takes ${SILENT_AFTER_WINDOWS} slots in which others were heard, and not one less`, () => {
    expect(isSilent({ heard: slotsAfter(SILENT_AFTER_WINDOWS - 1) }, nodeState)).toBe(false);
    expect(isSilent({ heard: slotsAfter(SILENT_AFTER_WINDOWS) }, nodeState)).toBe(true);
  });

  test('a node of which no claim came in time is silent at once, also when no one was heard', () => {
    expect(isSilent({ heard: [] }, { slot: NEVER_IN_TIME })).toBe(true);
  });

  test('slots up to its own last word tell nothing', () => {
    expect(isSilent({ heard: [own - 3, own - 2, own - 1, own, ...slotsAfter(4)] }, nodeState)).toBe(false);
  });

  test('slots need not follow each other: an outage between them counts for nothing', () => {
    expect(isSilent({ heard: [own + 1, own + 500, own + 501, own + 502] }, nodeState)).toBe(false);
    expect(isSilent({ heard: [own + 1, own + 500, own + 501, own + 502, own + 503] }, nodeState)).toBe(true);
  });

  test('is told within SILENCE_MAX by members that assert every 10 s', () => {
    const last = START - (START % EVIDENCE_WINDOW);
    const heard = new Set<number>();
    for (let at = last; at <= last + SILENCE_MAX; at += 10_000) heard.add(windowOf(at));
    expect(isSilent({ heard: [...heard] }, { ...nodeState, slot: windowOf(last) })).toBe(true);
  });
});

describe('silence by way', () => {
  const [five, four] = [slotsAfter(SILENT_AFTER_WINDOWS), slotsAfter(SILENT_AFTER_WINDOWS - 1)];
  const byBoth = { ...nodeState, ways: 'both' } as const;

  test('a window that the direct path alone has filled counts for nothing against a node that has never used it', () => {
    expect(isSilent({ heard: [], heardDirectly: five }, nodeState)).toBe(false);
    expect(isSilent({ heard: four, heardDirectly: five }, nodeState)).toBe(false);
    expect(isSilent({ heard: five, heardDirectly: [] }, nodeState)).toBe(true);
  });

  test('against a node that has used both ways each window counts once, by whichever it was filled', () => {
    expect(isSilent({ heard: [], heardDirectly: four }, byBoth)).toBe(false);
    expect(isSilent({ heard: [], heardDirectly: five }, byBoth)).toBe(true);
    expect(isSilent({ heard: four, heardDirectly: four }, byBoth)).toBe(false);
    expect(isSilent({ heard: four, heardDirectly: five }, byBoth)).toBe(true);
  });

  test('every shim uses the bus: its windows count against a node that was heard only directly as yet', () => {
    expect(isSilent({ heard: five }, { ...nodeState, ways: 'direct' })).toBe(true);
  });

  test('a report fills the windows of its own way, and leaves the others as they are', () => {
    const heard = { heard: [1] };
    expect(withReport(heard, 2, { slot: 2 })).toEqual({ heard: [1, 2] });
    const both = withReport(heard, 2, { slot: 2, ways: 'direct' });
    expect(both).toEqual({ heard: [1], heardDirectly: [2] });
    expect(withReport(both, 3, { slot: 3 })).toEqual({ heard: [1, 3], heardDirectly: [2] });
  });

  test('a report that came late fills none, by neither way: it would silence another node now', () => {
    const both = { heard: [1], heardDirectly: [2] };
    for (const ways of [undefined, 'direct', 'both'] as const)
      expect(withReport(both, 3, { slot: NEVER_IN_TIME, ...defined({ ways }) })).toEqual(both);
    expect(withReport({ heard: [1] }, 3, { slot: NEVER_IN_TIME })).toEqual({ heard: [1] });
  });

  test('both sets are bounded', () => {
    const long = slotsAfter(HEARD_PRUNE_ABOVE + 1);
    const { heard, heardDirectly } = prunedHeard({ heard: long, heardDirectly: long });
    expect([heard, heardDirectly]).toEqual([pruned(long), pruned(long)]);
    expect(prunedHeard({ heard: long })).toEqual({ heard: pruned(long) });
  });
});

describe('the slots that were heard', () => {
  test('a slot heard again is the same set: recording evidence twice changes nothing', () => {
    const heard = withHeard([3, 5], 4);
    expect(heard).toEqual([3, 4, 5]);
    expect(withHeard(heard, 4)).toBe(heard);
  });

  test('pruning keeps the latest, in whatever order the store gives the set', () => {
    const long = slotsAfter(HEARD_PRUNE_ABOVE + 1);
    const given = [...long.slice(7), ...long.slice(0, 7)].reverse();
    expect(pruned(given)).toEqual(long.slice(-HEARD_KEPT));
  });

  test('pruning bounds the set and changes no answer', () => {
    const long = slotsAfter(HEARD_PRUNE_ABOVE + 1);
    expect(pruned(long.slice(1))).toHaveLength(HEARD_PRUNE_ABOVE);
    expect(pruned(long)).toHaveLength(HEARD_KEPT);
    for (const slot of long) {
      expect(isSilent({ heard: pruned(long) }, { ...nodeState, slot })).toBe(
        isSilent({ heard: long }, { ...nodeState, slot }),
      );
    }
  });
});
