// One notice a storm: whatever became of the writes, and in whatever order the transitions came.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../../shared/fault.ts';
import { settleMicrotasks } from '../../../../shared/memory/clock.ts';
import { durationMs, seconds } from '../../../../shared/time.ts';
import { dampedAt, FLAP_WINDOW, FLAPS_KEPT } from '../../../../shared/vip/flapping.ts';
import type { Vip } from '../../../../shared/vip/vip.ts';
import { withLease } from '../../../../shared/vip/vip.ts';
import { item, owned, START, says, type World } from '../../../support/world.ts';

/** `i-b` became MASTER at that second, says a claim that comes now. */
const comes = (w: World, second: number) =>
  says(w, 'i-b', { sinceMs: second * 1000, atMs: second * 1000, over: { eventId: `event-${second}` } });

async function until(w: World, second: number): Promise<void> {
  await w.clock.advance(durationMs(Math.max(0, START + second * 1000 - w.clock.now())));
}

/** Each of them comes at once. */
async function flaps(w: World, ...instants: readonly number[]): Promise<void> {
  for (const second of instants) {
    await until(w, second);
    await comes(w, second);
  }
}

/** What happens between the effect of the next write and its reply; `lost` when that never comes. */
function beforeReply(w: World, reply: 'lost' | 'comes', meanwhile: () => Promise<unknown>): void {
  const write = w.vips.write.bind(w.vips);
  w.vips.write = async (before, after) => {
    w.vips.write = write;
    const written = await write(before, after);
    await meanwhile();
    if (reply === 'lost') throw new Fault('unknown', 'TimeoutError', 'no reply');
    return written;
  };
}

/** The next claim takes the lease. */
function holderIsDead(w: World): void {
  const cause = { kind: 'reconcile', id: 'r', why: 'test', atMs: w.clock.now() } as const;
  w.vips.items.set('web', withLease(item(w), { holder: 'dead', expiresAtMs: START, cause }));
}

const ownerSpeaks = (w: World) => () => says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
const isStored = (w: World, second: number): boolean =>
  (item(w).transitions?.['i-b'] ?? []).some(({ atMs }) => atMs === START + second * 1000);

describe('a storm is announced once', () => {
  test('not by a transition from before its last ones, whose write lost the reply while another node wrote', async () => {
    const w = await owned();
    await flaps(w, 11, 12, 13, 15, 16);
    expect(w.storms).toHaveLength(1);
    holderIsDead(w);
    beforeReply(w, 'lost', ownerSpeaks(w));
    await comes(w, 14);
    expect([isStored(w, 14), w.storms.length]).toEqual([true, 1]);
  });

  test('by the transition that began it, not by the one before whose write lost its reply until then', async () => {
    const w = await owned();
    await flaps(w, 11, 12, 13);
    expect(w.storms).toHaveLength(0);
    await until(w, 15);
    holderIsDead(w);
    let last: Promise<unknown> = Promise.resolve();
    beforeReply(w, 'lost', async () => {
      last = comes(w, 15);
      for (let tries = 0; tries < 100 && !isStored(w, 15); tries++) await settleMicrotasks();
    });
    await comes(w, 14);
    await last;
    expect([isStored(w, 14), w.storms.length]).toEqual([true, 1]);
  });

  test('not again by a caller that goes on when the storm would have been over without its transition', async () => {
    const w = await owned();
    await flaps(w, 11, 12, 13, 14);
    await until(w, 73);
    beforeReply(w, 'comes', () => w.clock.advance(seconds(2)));
    await comes(w, 73);
    expect([isStored(w, 73), w.storms.length]).toEqual([true, 1]);
  });

  test('not again by a transition that shows that it never ended', async () => {
    const w = await owned();
    await flaps(w, 11, 12, 13, 14, 75, 76, 77);
    expect(dampedAt(item(w), 'i-b', w.clock.now())).toBeUndefined();
    await comes(w, 50);
    expect(dampedAt(item(w), 'i-b', w.clock.now())).toBeDefined();
    expect(w.storms).toHaveLength(1);
  });

  test('not again when the last of its first transitions makes room for a newer one', async () => {
    const w = await owned();
    const slow = Array.from({ length: FLAPS_KEPT - 6 }, (_, n) => 60 + n * 45);
    const end = slow.at(-1)! + 40;
    await flaps(w, 11, 12, 13, 14, ...slow, end, end + 15);
    expect(item(w).transitions!['i-b']).toHaveLength(FLAPS_KEPT);
    await flaps(w, end + 16);
    expect([item(w).transitions!['i-b']![0]!.atMs, w.storms.length]).toEqual([START + (end + 16) * 1000, 1]);
  });
});

interface Delivery {
  readonly second: number;
  readonly lateBy: number;
  readonly what: 'nothing' | 'takes the lease' | 'reply lost' | 'takes the lease, reply lost';
}

const deliveries: fc.Arbitrary<readonly Delivery[]> = fc.uniqueArray(
  fc.record({
    second: fc.integer({ min: 11, max: 200 }),
    lateBy: fc.integer({ min: 0, max: 50 }),
    what: fc.constantFrom('nothing', 'takes the lease', 'reply lost', 'takes the lease, reply lost'),
  }),
  { selector: ({ second }) => second, minLength: 5, maxLength: FLAPS_KEPT },
);

test('two notices are of two storms, with a calm minute in between, in every order and with every lost reply', async () => {
  await fc.assert(
    fc.asyncProperty(deliveries, async (all) => {
      const w = await owned();
      let earlier: number | undefined;
      w.ports.bus.flapping = async (_vip, { sinceMs }) => {
        const known = (item(w).transitions?.['i-b'] ?? []).map(({ atMs }) => atMs).sort((a, b) => a - b);
        const from = earlier ?? Number.NEGATIVE_INFINITY;
        const isCalm = known.some(
          (atMs, n) => atMs > from && atMs <= sinceMs && atMs - known[n - 1]! >= FLAP_WINDOW,
        );
        expect(earlier === undefined || isCalm, 'announced twice').toBe(true);
        earlier = sinceMs;
      };
      const inOrder = all.toSorted((a, b) => a.second + a.lateBy - b.second - b.lateBy);
      for (const { second, lateBy, what } of inOrder) {
        await until(w, second + lateBy);
        if (what.startsWith('takes')) holderIsDead(w);
        if (what.endsWith('lost')) beforeReply(w, 'lost', ownerSpeaks(w));
        await comes(w, second);
      }
    }),
    { numRuns: 60 },
  );
});

test('without faults every storm is announced', async () => {
  await fc.assert(
    fc.asyncProperty(deliveries, async (all) => {
      const w = await owned();
      let wasDamped = false;
      for (const { second, lateBy } of all.toSorted((a, b) => a.second + a.lateBy - b.second - b.lateBy)) {
        await until(w, second + lateBy);
        await comes(w, second);
        wasDamped ||= dampedAt(item(w) as Vip, 'i-b', w.clock.now()) !== undefined;
        expect(w.storms.length > 0).toBe(wasDamped);
      }
    }),
    { numRuns: 40 },
  );
});
