// What an operator can set of the request budget, and how the clients repeat a throttled read.
import { describe, expect, test } from 'vitest';
import { retrySoon } from '../../shared/aws/retry.ts';
import { settingsFrom } from '../../shared/aws/wire.ts';
import { rates } from '../../shared/rate-limit/local-bucket.ts';

const env = {
  VIPSHIFT_STAGE: 'test',
  VIPSHIFT_VIPS_TABLE: 'vips',
  VIPSHIFT_TIMELINE_TABLE: 'timeline',
  VIPSHIFT_BUS: 'bus',
  VIPSHIFT_NODE_IDENTITY: 'none',
};

describe('VIPSHIFT_EC2_RATES', () => {
  test('unset: EC2’s defaults', () => {
    expect(settingsFrom(env).rates).toEqual(rates);
  });

  test('names the buckets that the account was granted; the others keep the default', () => {
    const told = settingsFrom({
      ...env,
      VIPSHIFT_EC2_RATES: 'ReplaceRoute=200/20, CreateRoute=100/7.5',
    }).rates;
    expect(told).toEqual({
      ...rates,
      ReplaceRoute: { burst: 200, perSecond: 20 },
      CreateRoute: { burst: 100, perSecond: 7.5 },
    });
  });

  for (const wrong of ['ReplaceRoute=50', 'DeleteRoute=50/5', 'ReplaceRoute=0/5', 'ReplaceRoute=50/0', 'x']) {
    test(`${wrong} is refused with what is wanted: a wrong size would only show in a zone failure`, () => {
      expect(() => settingsFrom({ ...env, VIPSHIFT_EC2_RATES: wrong })).toThrow(/NAME=BURST\/PER_SECOND/);
    });
  }
});

describe('a read that failed', () => {
  type Info = Parameters<ReturnType<typeof retrySoon>['refreshRetryTokenForRetry']>[1];
  const throttled = { error: new Error('slow down'), errorType: 'THROTTLING' } as Info;

  test('is repeated within a tenth of a second when it was throttled, and at most so often', async () => {
    const strategy = retrySoon(4, () => 0.999);
    let token = await strategy.acquireInitialRetryToken('');
    const delays: number[] = [];
    for (let n = 1; n < 4; n++) {
      token = await strategy.refreshRetryTokenForRetry(token, throttled);
      delays.push(Math.round(token.getRetryDelay()));
    }
    expect(delays).toEqual([100, 200, 400]);
    await expect(strategy.refreshRetryTokenForRetry(token, throttled)).rejects.toThrow('slow down');
  });

  test('is not repeated when it was our mistake', async () => {
    const strategy = retrySoon(4, () => 0.5);
    const mistake = { error: new Error('no such thing'), errorType: 'CLIENT_ERROR' } as Info;
    const token = await strategy.acquireInitialRetryToken('');
    await expect(strategy.refreshRetryTokenForRetry(token, mistake)).rejects.toThrow('no such thing');
  });
});
