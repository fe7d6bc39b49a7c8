// The same work for many VIPs: how many at once, what a limit of AWS's does to it, and what a failure hides.
import { describe, expect, test } from 'vitest';
import { forAll, tryAll } from '../../../cli/command/many.ts';
import { Fault } from '../../../shared/fault.ts';

const things = Array.from({ length: 100 }, (_, n) => n);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A clock whose waits are over at once, and kept. */
const clock = () => {
  const waits: number[] = [];
  return { waits, wait: async (ms: number) => void waits.push(ms) };
};
const trying = (more: object = {}) => ({ clock: clock(), atOnce: 4, over: () => undefined, ...more });

describe('forAll', () => {
  test('does all of it, never more at a time than it is told', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await forAll(
      things,
      async (thing) => {
        most = Math.max(most, ++running);
        await turn();
        running -= 1;
        done.push(thing);
      },
      7,
    );
    expect(most).toBe(7);
    expect(done.toSorted((a, b) => a - b)).toEqual(things);
  });
});

describe('tryAll', () => {
  test('hides none of the others behind one that fails', async () => {
    let over = 0;
    const result = await tryAll(
      things,
      async (thing) => {
        await turn();
        if (thing % 10 === 3) throw new Fault('refused', 'X', `no ${thing}`);
      },
      trying({
        over: () => {
          over += 1;
        },
      }),
    );
    expect(result.done).toHaveLength(90);
    expect(result.failed.map(({ thing }) => thing)).toEqual([3, 13, 23, 33, 43, 53, 63, 73, 83, 93]);
    expect(result.left).toEqual([]);
    expect(over).toBe(100);
  });

  test('waits where AWS limits the rate, all together and longer each time, and then goes on', async () => {
    const refused = new Map<number, number>();
    const to = trying();
    const result = await tryAll(
      things.slice(0, 4),
      async (thing) => {
        const times = refused.get(thing) ?? 0;
        if (times === 3) return;
        refused.set(thing, times + 1);
        throw new Fault('throttled', 'ThrottlingException', 'slow down');
      },
      to,
    );
    expect(result.done).toHaveLength(4);
    expect(result.failed).toEqual([]);
    expect(to.clock.waits).toEqual([1000, 2000, 4000]);
  });

  test('gives up what is refused for its rate six times', async () => {
    let tries = 0;
    const result = await tryAll(
      ['web'],
      async () => {
        tries += 1;
        throw new Fault('throttled', 'ThrottlingException', 'slow down');
      },
      trying(),
    );
    expect(tries).toBe(6);
    expect(result.failed).toMatchObject([{ thing: 'web', fault: { kind: 'throttled' } }]);
  });

  test('stops when AWS answers none of them, and names what it has not tried', async () => {
    const result = await tryAll(
      things,
      async () => {
        throw new Fault('unknown', 'ECONNREFUSED', 'no answer');
      },
      trying(),
    );
    expect(result.failed.length).toBeGreaterThanOrEqual(16);
    expect(result.failed.length).toBeLessThan(20);
    expect(result.left).toHaveLength(100 - result.failed.length);
  });

  test('throws a mistake of ours when the others are over', async () => {
    const done: number[] = [];
    const all = tryAll(
      things,
      async (thing) => {
        if (thing === 2) throw new TypeError('x is not a function');
        done.push(thing);
      },
      trying(),
    );
    await expect(all).rejects.toThrow('x is not a function');
    expect(done).toHaveLength(99);
  });
});
