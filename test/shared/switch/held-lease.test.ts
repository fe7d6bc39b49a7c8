import { describe, expect, test } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import { settleMicrotasks } from '../../../shared/memory/clock.ts';
import { heldLease, LOOK_EVERY } from '../../../shared/switch/held-lease.ts';
import { durationMs, type EpochMs, hours, plus } from '../../../shared/time.ts';
import { ATTEMPT_MAX, LEASE_TTL, RENEW_BELOW, SKEW } from '../../../shared/vip/lease.ts';
import type { VipStore } from '../../../shared/vip/store.ts';
import { AFTER_LEASE, item, START, type World, world } from '../../support/world.ts';

const cause = { kind: 'order', why: 'test', atMs: START } as const;
const MARGIN = ATTEMPT_MAX + 2 * SKEW;

async function held(deadline: EpochMs = plus(START, hours(1)), over: Partial<VipStore> = {}) {
  const w = world();
  const lease = { holder: 'me', epoch: 1, expiresAtMs: AFTER_LEASE, cause };
  const vip = (await w.vips.write(item(w), { ...item(w), epoch: 1, lease }))!;
  const asked: EpochMs[] = [];
  const vips: VipStore = {
    ...w.vips,
    renew: (name, of, until) => {
      asked.push(until);
      return { ...w.vips, ...over }.renew(name, of, until);
    },
  };
  return { w, asked, mine: heldLease(vip.name, vip.lease!, vips, { clock: w.clock, deadline }) };
}

const until = (w: World, instant: EpochMs) => w.clock.set(instant);

describe('a held lease', () => {
  test('lets an attempt start strictly before R and twice the skew from the end of the lease', async () => {
    const { w, mine } = await held();
    until(w, plus(AFTER_LEASE, durationMs(-MARGIN - 1)));
    expect(mine.mayStart()).toBe(true);
    until(w, plus(AFTER_LEASE, durationMs(-MARGIN)));
    expect(mine.mayStart()).toBe(false);
  });

  test('lets nothing start at or after the invocation’s own end', async () => {
    const { w, mine } = await held(plus(START, durationMs(100)));
    until(w, plus(START, durationMs(99)));
    expect(mine.mayStart()).toBe(true);
    until(w, plus(START, durationMs(100)));
    expect(mine.mayStart()).toBe(false);
  });

  test('prolongs the lease when RENEW_BELOW or less is left, and not a millisecond earlier', async () => {
    const { w, mine, asked } = await held();
    until(w, plus(AFTER_LEASE, durationMs(0 - RENEW_BELOW - 1)));
    await mine.renewIfDue();
    expect(asked).toEqual([]);
    until(w, plus(AFTER_LEASE, durationMs(0 - RENEW_BELOW)));
    await mine.renewIfDue();
    expect(asked).toEqual([plus(w.clock.now(), LEASE_TTL)]);
    expect(item(w).lease).toMatchObject({ epoch: 1, expiresAtMs: asked[0] });
    until(w, AFTER_LEASE);
    expect(mine.mayStart()).toBe(true);
  });

  test('looks at the item at most once a second, and learns from it whether the work is still wanted', async () => {
    let reads = 0;
    const { w, mine } = await held(plus(START, hours(1)), {});
    const counted = heldLease(
      'web',
      item(w).lease!,
      {
        ...w.vips,
        read(name) {
          reads += 1;
          return w.vips.read(name);
        },
      },
      { clock: w.clock, deadline: plus(START, hours(1)) },
    );
    counted.watch((vip) => vip.owner !== 'i-b');
    await counted.lookIfDue();
    expect(reads, 'it has just been seen').toBe(0);
    until(w, plus(START, LOOK_EVERY));
    await Promise.all([counted.lookIfDue(), counted.lookIfDue()]);
    expect([reads, counted.isStillNeeded()]).toEqual([1, true]);
    await w.vips.write(item(w), { ...item(w), owner: 'i-b' });
    until(w, plus(START, durationMs(2 * LOOK_EVERY)));
    await counted.lookIfDue();
    expect([reads, counted.isStillNeeded(), mine.isStillNeeded()]).toEqual([2, false, true]);
  });

  test('that another caller has taken is lost, as the look finds', async () => {
    const { w, mine } = await held();
    await w.vips.write(item(w), {
      ...item(w),
      epoch: 2,
      lease: { ...item(w).lease!, epoch: 2, holder: 'you' },
    });
    until(w, plus(START, LOOK_EVERY));
    await mine.lookIfDue();
    expect([mine.mayStart(), mine.isStillNeeded()]).toEqual([false, false]);
  });

  test.each([
    ['tolerates a store that does not answer', new Fault('unknown', 'Timeout', 'no'), true],
    ['throws a mistake of ours', new TypeError('ours'), false],
  ])('the look %s', async (_what, error, isTolerated) => {
    const { w } = await held();
    const read = () => Promise.reject(error);
    const mine = heldLease(
      'web',
      item(w).lease!,
      { ...w.vips, read },
      { clock: w.clock, deadline: plus(START, hours(1)) },
    );
    until(w, plus(START, LOOK_EVERY));
    const look = mine.lookIfDue();
    if (isTolerated) await expect(look).resolves.toBeUndefined();
    else await expect(look).rejects.toThrow('ours');
    expect(mine.isStillNeeded()).toBe(true);
  });

  test('asks once when many steps need it at the same time', async () => {
    const { w, mine, asked } = await held();
    until(w, plus(AFTER_LEASE, durationMs(0 - RENEW_BELOW)));
    await Promise.all(Array.from({ length: 50 }, () => mine.renewIfDue()));
    expect(asked).toHaveLength(1);
  });

  test('keeping it lasts until the renewal has its answer: what is asked next is asked of the new end', async () => {
    let answer: () => void = () => undefined;
    const { w, mine } = await held(plus(START, hours(1)), {
      renew: () => new Promise((resolve) => (answer = () => resolve(item(w)))),
    });
    until(w, plus(AFTER_LEASE, durationMs(-MARGIN)));
    let kept = false;
    const keeping = mine.renewIfDue().then(() => {
      kept = true;
    });
    await settleMicrotasks();
    expect(kept).toBe(false);
    answer();
    await keeping;
    expect(mine.mayStart()).toBe(true);
  });

  test('a renewal without an answer leaves the earlier end in force, and is tried again', async () => {
    let replies = 0;
    const { w, mine, asked } = await held(plus(START, hours(1)), {
      renew: () =>
        ++replies === 1 ? Promise.reject(new Error('socket hang up')) : Promise.resolve(item(world())),
    });
    until(w, plus(AFTER_LEASE, durationMs(-MARGIN)));
    await mine.renewIfDue();
    expect(mine.mayStart()).toBe(false);
    await mine.renewIfDue();
    expect([asked.length, mine.mayStart()]).toEqual([2, true]);
  });

  test('a lease that is someone else’s now is lost for good: nothing starts any more', async () => {
    const { w, mine, asked } = await held();
    until(w, plus(AFTER_LEASE, durationMs(0 - RENEW_BELOW)));
    w.vips.items.set('web', { ...item(w), lease: { ...item(w).lease!, epoch: 2, holder: 'other' } });
    await mine.renewIfDue();
    expect(mine.mayStart()).toBe(false);
    await mine.renewIfDue();
    expect(asked).toHaveLength(1);
  });

  test('starts nothing that the item seen at a renewal does not want any more, until it wants it again', async () => {
    const { w, mine } = await held();
    const wanted = { pin: { node: 'i-b', untilMs: AFTER_LEASE, by: 'ops', reason: 'test' } } as const;
    mine.watch((vip) => vip.pin?.node !== 'i-b');
    w.vips.items.set('web', { ...item(w), ...wanted });
    expect([mine.isStillNeeded(), mine.mayStart()], 'no one has looked yet').toEqual([true, true]);
    until(w, plus(AFTER_LEASE, durationMs(0 - RENEW_BELOW)));
    await mine.renewIfDue();
    expect([mine.isStillNeeded(), mine.mayStart()]).toEqual([false, false]);
    mine.observe({ ...item(w), pin: { ...wanted.pin, node: 'i-a' } });
    expect([mine.isStillNeeded(), mine.mayStart()]).toEqual([true, true]);
  });
});
