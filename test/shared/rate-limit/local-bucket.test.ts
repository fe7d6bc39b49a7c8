import { describe, expect, test } from 'vitest';
import { manualClock } from '../../../shared/memory/clock.ts';
import {
  type LocalBucket,
  localBucket,
  rates,
  waitForToken,
} from '../../../shared/rate-limit/local-bucket.ts';
import { durationMs, type EpochMs, plus } from '../../../shared/time.ts';
import { START } from '../../support/world.ts';

/** EC2 developer guide, "Request throttling": burst and refill a second of the mutating calls. */
const bucket = { burst: 50, perSecond: 5 };

const places = (paced: LocalBucket, count: number, now: EpochMs = START): readonly number[] =>
  Array.from({ length: count }, () => paced.reserve('ReplaceRoute', now));

describe('the local bucket', () => {
  test('lets a burst go at once and spaces out the rest', () => {
    const waits = places(localBucket(), 60);
    expect(waits.filter((wait) => wait === 0)).toHaveLength(rates.ReplaceRoute.burst);
    expect(waits.at(-1)).toBeCloseTo((11 / rates.ReplaceRoute.perSecond) * 1000);
  });

  test('is never refused by EC2’s bucket, however many ask', () => {
    const sent = places(localBucket(), 200).map((wait) => wait / 1000);
    let [tokens, at] = [bucket.burst, 0];
    for (const second of sent) {
      tokens = Math.min(bucket.burst, tokens + (second - at) * bucket.perSecond) - 1;
      at = second;
      expect(tokens).toBeGreaterThanOrEqual(0);
    }
  });

  test('keeps its level from one failover to the next, and fills up again', () => {
    const paced = localBucket();
    places(paced, 49);
    expect(paced.reserve('ReplaceRoute', START)).toBeGreaterThan(0);
    const full = plus(START, durationMs(60_000));
    expect(places(paced, 49, full).every((wait) => wait === 0)).toBe(true);
  });

  test('each action has a bucket of its own: routes do not hold up the EIP', () => {
    const paced = localBucket();
    places(paced, 100);
    expect(paced.reserve('AssociateAddress', START)).toBe(0);
    expect(paced.reserve('CreateRoute', START)).toBe(0);
  });

  test('a refusal empties our bucket: someone else spends from the same one', () => {
    const paced = localBucket();
    paced.drain('ReplaceRoute', START);
    expect(paced.reserve('ReplaceRoute', START)).toBeCloseTo(1000 / rates.ReplaceRoute.perSecond);
  });

  test('a refusal forgives no debt, and a clock that steps back gains nothing', () => {
    const paced = localBucket();
    places(paced, 59);
    paced.drain('ReplaceRoute', START);
    const before = plus(START, durationMs(-60_000));
    expect(paced.reserve('ReplaceRoute', before)).toBeCloseTo((11 / rates.ReplaceRoute.perSecond) * 1000);
  });

  test('gains a token each 1 / rate, to the millisecond, and never more than its burst', () => {
    const paced = localBucket({ ...rates, ReplaceRoute: { burst: 2, perSecond: 10 } });
    const at = (ms: number) => paced.reserve('ReplaceRoute', plus(START, durationMs(ms)));
    expect([at(0), at(0), at(0), at(0)]).toEqual([0, 0, 100, 200]);
    expect([at(200), at(299)]).toEqual([100, expect.closeTo(101)]);
    expect([at(90_000), at(90_000), at(90_000)]).toEqual([0, 0, 100]);
  });

  test('tells how long so many calls would have to wait, and takes nothing for it', () => {
    const paced = localBucket({ ...rates, ReplaceRoute: { burst: 2, perSecond: 10 } });
    const delays = () => [0, 1, 2, 3, 5].map((count) => paced.delay('ReplaceRoute', count, START));
    expect(delays()).toEqual([0, 0, 0, 100, 300]);
    expect(delays()).toEqual([0, 0, 0, 100, 300]);
    paced.reserve('ReplaceRoute', START);
    expect(delays()).toEqual([0, 0, 100, 200, 400]);
    expect(paced.delay('ReplaceRoute', 3, plus(START, durationMs(50)))).toBe(150);
  });

  test('takes back a token that was not used, and has never more than its burst', () => {
    const paced = localBucket({ ...rates, ReplaceRoute: { burst: 2, perSecond: 10 } });
    paced.refund('ReplaceRoute');
    places(paced, 3);
    paced.refund('ReplaceRoute');
    expect(paced.delay('ReplaceRoute', 1, START)).toBe(100);
    for (let n = 0; n < 5; n++) paced.refund('ReplaceRoute');
    expect(places(paced, 3)).toEqual([0, 0, 100]);
  });

  test('has twice the burst for an ENI’s attribute, as EC2 has', () => {
    const paced = localBucket();
    expect(paced.delay('ModifyNetworkInterfaceAttribute', 98, START)).toBe(0);
    expect(paced.delay('ModifyNetworkInterfaceAttribute', 99, START)).toBeGreaterThan(0);
  });

  test('makes a call wait for its token, and one that has it not even for a tick', async () => {
    const clock = manualClock(START);
    const paced = localBucket({ ...rates, ReplaceRoute: { burst: 1, perSecond: 10 } });
    expect(waitForToken(paced, clock, 'ReplaceRoute')).toBeUndefined();
    let went = false;
    const turn = waitForToken(paced, clock, 'ReplaceRoute')!.then(() => {
      went = true;
    });
    await clock.advance(durationMs(99));
    expect(went).toBe(false);
    await clock.advance(durationMs(1));
    await turn;
  });

  test('stays below EC2’s rates for every call', () => {
    for (const rate of Object.values(rates)) expect(rate.perSecond).toBeLessThan(bucket.perSecond);
    expect(rates.ReplaceRoute.burst).toBeLessThan(bucket.burst);
  });
});
