// Acting under an operator's order: every end that there is, and that no decision is carried out on another item than the one
// it was made on.
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../shared/memory/clock.ts';
import { ANSWER_WITHIN, isOver, mayWaitOn } from '../../../shared/switch/lease-wait.ts';
import { RACES_MAX, type Way, type WhenFree, whenFree } from '../../../shared/switch/when-free.ts';
import { durationMs, minus, plus, seconds } from '../../../shared/time.ts';
import { LEASE_TTL, LOOK_AGAIN } from '../../../shared/vip/lease.ts';
import { type Vip, withLease } from '../../../shared/vip/vip.ts';
import { finish, item, START, type World, world } from '../../support/world.ts';

const cause = { kind: 'order', why: 'test', atMs: START } as const;
const held = (vip: Vip): Vip =>
  withLease(vip, { holder: 'other', expiresAtMs: plus(START, LEASE_TTL), cause });

async function run(w: World, over: Partial<Way<string>> = {}, deadline = w.ports.deadline) {
  const waits: Vip[] = [];
  const decided: Vip[] = [];
  const way: Way<string> = {
    stops: () => undefined,
    waits: (vip) => waits.push(vip),
    decide: (vip) => ({ write: { ...vip, owner: 'i-b' } }),
    write: (before, after) => w.vips.write(before, after),
    ...over,
  };
  const decide: Way<string>['decide'] = (vip, now) => {
    decided.push(vip);
    return way.decide(vip, now);
  };
  const found: WhenFree<string> = await finish(
    w,
    whenFree({ ...w.ports, deadline }, 'web', { ...way, decide }),
  );
  return { found, waits, decided };
}

describe('a free VIP', () => {
  it('is written as decided, and both items are handed over', async () => {
    const w = world();
    const before = item(w);
    const { found, waits } = await run(w);
    expect(found).toEqual({ is: 'written', before, after: item(w) });
    expect([item(w).owner, waits]).toEqual(['i-b', []]);
  });

  it('is left alone where that is decided', async () => {
    const w = world();
    const vip = item(w);
    const { found } = await run(w, { decide: () => ({ end: 'no' }) });
    expect(found).toEqual({ is: 'ended', end: 'no', vip });
    expect(item(w)).toBe(vip);
  });

  it('is decided on again where another caller was quicker', async () => {
    const w = world();
    let writes = 0;
    const write: Way<string>['write'] = (before, after) => {
      if (++writes === 1) w.vips.items.set('web', { ...before, rev: before.rev + 1, tablesSeen: 9 });
      return w.vips.write(before, after);
    };
    const { found, decided } = await run(w, { write });
    expect(decided.map((vip) => vip.tablesSeen)).toEqual([4, 9]);
    expect(found).toMatchObject({ is: 'written', after: { owner: 'i-b', tablesSeen: 9 } });
  });

  it('is given up after RACES_MAX writes that were lost, and not one earlier', async () => {
    const { found, decided } = await run(world(), { write: async () => undefined });
    expect([found.is, decided.length]).toEqual(['contended', RACES_MAX]);
    let writes = 0;
    const w = world();
    const write: Way<string>['write'] = async (before, after) =>
      ++writes < RACES_MAX ? undefined : w.vips.write(before, after);
    expect((await run(w, { write })).found.is).toBe('written');
  });
});

describe('a VIP that is not registered', () => {
  it.each<[string, (w: World) => void]>([
    ['never', (w) => w.vips.items.clear()],
    ['not any more', (w) => w.vips.items.set('web', { ...item(w), removedAtMs: START })],
  ])('%s, is not asked about', async (_, change) => {
    const w = world();
    change(w);
    const { found, decided } = await run(w, { stops: () => 'asked' });
    expect([found, decided]).toEqual([{ is: 'unregistered' }, []]);
  });
});

describe('a lease of another caller', () => {
  it('is waited for, and counts as no lost race: it is decided once, on the item that it leaves', async () => {
    const w = world();
    w.vips.items.set('web', held(item(w)));
    const { found, waits, decided } = await run(w);
    expect(found.is).toBe('written');
    expect(decided).toHaveLength(1);
    expect(waits.length).toBeGreaterThan(5);
    expect(w.clock.now()).toBeGreaterThanOrEqual(plus(START, LEASE_TTL));
  });

  it('is not waited for longer than the invocation has time to answer', async () => {
    const w = world();
    const vip = held(item(w));
    w.vips.items.set('web', vip);
    const { found, decided } = await run(w, {}, plus(plus(START, ANSWER_WITHIN), seconds(2)));
    expect([found, decided]).toEqual([{ is: 'under-way', vip }, []]);
    expect(w.clock.now()).toBeLessThan(plus(START, seconds(3)));
  });

  it('does not keep an operator from being heard: what stops is asked before each wait', async () => {
    const w = world();
    w.vips.items.set('web', held(item(w)));
    const stops: Way<string>['stops'] = (_, now) => (now >= plus(START, seconds(1)) ? 'frozen' : undefined);
    const { found, decided } = await run(w, { stops });
    expect(found).toMatchObject({ is: 'ended', end: 'frozen' });
    expect(decided).toEqual([]);
    expect(w.clock.now()).toBeLessThan(plus(START, seconds(3)));
  });
});

/** The next look would be at the end of what may be waited for, or so many ms before. */
function waiting(earlyMs: number) {
  const clock = manualClock(START);
  const deadline = plus(plus(START, LOOK_AGAIN), durationMs(ANSWER_WITHIN + earlyMs));
  return { clock, deadline };
}

describe('waiting for a lease', () => {
  it('is over when the next look would leave less than it takes to answer, to the millisecond', () => {
    expect([isOver(waiting(1)), isOver(waiting(0)), isOver(waiting(-1))]).toEqual([false, true, true]);
  });

  it('goes on after LOOK_AGAIN, not before', async () => {
    const ports = waiting(1);
    let looks = 0;
    const waited = mayWaitOn(ports).then((may) => {
      looks += 1;
      return may;
    });
    await ports.clock.advance(durationMs(LOOK_AGAIN - 1));
    expect(looks).toBe(0);
    await ports.clock.advance(durationMs(1));
    expect(await waited).toBe(true);
  });

  it('that is over is not begun: the answer is there at once', async () => {
    const ports = waiting(0);
    expect(await mayWaitOn(ports)).toBe(false);
    expect(ports.clock.now()).toBe(START);
    expect(minus(ports.deadline, ANSWER_WITHIN)).toBeGreaterThan(START);
  });
});
