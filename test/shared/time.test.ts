import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, systemNow } from '../../shared/aws/wire.ts';
import { manualClock } from '../../shared/memory/clock.ts';
import { durationMs, minutes, plus, timeoutAfter, withTimeout } from '../../shared/time.ts';
import { START } from '../support/world.ts';

let worker: Worker | undefined;
afterEach(() => worker?.terminate());

describe('patience', () => {
  test('lasts to the millisecond', async () => {
    const clock = manualClock(START);
    let lost = false;
    void timeoutAfter(clock, durationMs(300)).then(() => {
      lost = true;
    });
    await clock.advance(durationMs(299));
    expect(lost).toBe(false);
    await clock.advance(durationMs(1));
    expect(lost).toBe(true);
  });

  test('hears what came while the process had no CPU: timers fire before sockets are read', async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       parentPort.postMessage('the answer'); Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0);`,
      { eval: true, workerData: flag },
    );
    // From here on timers come first in the event loop's next turn.
    await new Promise((resolve) => setImmediate(resolve));
    const answer = new Promise((resolve) => worker!.once('message', resolve));
    const heard = withTimeout(
      systemClock(plus(systemNow(), minutes(1)), new AbortController().signal),
      answer,
      durationMs(50),
    );
    // The answer is there, and the patience long over, before this process reads anything.
    Atomics.wait(flag, 0, 0);
    const end = performance.now() + 100;
    while (performance.now() < end);
    expect(await heard).toBe('the answer');
  });

  test('without an answer says how long it waited; without time left it waits for the answer itself', async () => {
    const clock = manualClock(START, plus(START, durationMs(100)));
    const never = new Promise<never>(() => undefined);
    const short = expect(withTimeout(clock, never, durationMs(50))).rejects.toThrow('no answer within 50 ms');
    await clock.advance(durationMs(50));
    await short;
    const late = withTimeout(
      clock,
      clock.wait(durationMs(40)).then(() => 'at last'),
      durationMs(500),
    );
    await clock.advance(durationMs(40));
    expect(await late).toBe('at last');
  });
});
