// When the SDK repeats a call, and after how long.
import { describe, expect, it } from 'vitest';
import { retrySoon } from '../../../shared/aws/retry.ts';

type Kind = 'THROTTLING' | 'TRANSIENT' | 'SERVER_ERROR' | 'CLIENT_ERROR';

/** The waits before each repetition, until it gives up. */
async function waitsOf(kind: Kind, attempts: number, random: number): Promise<readonly number[]> {
  const strategy = retrySoon(attempts, () => random);
  const error = Object.assign(new Error('no'), { cause: new Error('why') });
  const waits: number[] = [];
  let token = await strategy.acquireInitialRetryToken('');
  expect([token.getRetryCount(), token.getRetryDelay()]).toEqual([0, 0]);
  for (;;) {
    try {
      token = await strategy.refreshRetryTokenForRetry(token, { error, errorType: kind });
    } catch (thrown) {
      expect(thrown, 'the service’s own error').toBe(error);
      return waits;
    }
    waits.push(token.getRetryDelay());
    expect(token.getRetryCount()).toBe(waits.length);
  }
}

describe('a call is repeated', () => {
  it.each([
    ['SERVER_ERROR', [25, 50, 100, 200, 400, 400]],
    ['TRANSIENT', [25, 50, 100, 200, 400, 400]],
    ['THROTTLING', [100, 200, 400, 400, 400, 400]],
    ['CLIENT_ERROR', []],
  ] as const)('after %s: soon, later each time, and never more than 400 ms', async (kind, most) => {
    expect(await waitsOf(kind, 7, 1)).toEqual(most);
    expect(await waitsOf(kind, 7, 0), 'at least half of it').toEqual(most.map((ms) => ms / 2));
  });

  it('as often as allowed, the first attempt included', async () => {
    for (const attempts of [1, 2, 4])
      expect(await waitsOf('SERVER_ERROR', attempts, 0)).toHaveLength(attempts - 1);
  });
});
