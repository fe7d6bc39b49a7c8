// The weathers in which every contract has to hold, each through the fault proxy: calm, where all passes unchanged, and rough.
//
// Rough: before it has any effect a request meets a throttle, a 5xx or a cut connection, up to three in a row; everything takes its time; and weak
// reads are a minute old where the contract allows. What an adapter repeats by itself must leave nothing of that to be seen.
// Faults after the effect are lost-replies.aws.test.ts's.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../lab/fault/proxy.ts';
import type { Fault, Rule } from '../../lab/fault/rule.ts';

export interface Weather {
  readonly name: string;
  readonly rules: () => readonly Rule[];
}

/** Every `of`th request meets it, at its first attempt: its repetition is the same text. */
function firstAttempts(of: number, fault: Fault): Rule {
  const met = new Set<string>();
  return {
    where({ action, parameters }) {
      const text = action + JSON.stringify(parameters);
      if (met.has(text)) return false;
      met.add(text);
      return met.size % of === 0;
    },
    fault,
  };
}

const slow: Rule = {
  fault: { does: 'delay', requestMs: { p50Ms: 1, p99Ms: 15 }, replyMs: { p50Ms: 1, p99Ms: 15 } },
};

const weathers = (throttled: string, broken: string, stale: boolean): readonly Weather[] => [
  { name: 'in calm weather', rules: () => [] },
  {
    name: 'in rough weather',
    rules: () => [
      slow,
      firstAttempts(6, { does: 'refuse', code: throttled }),
      firstAttempts(5, { does: 'refuse', code: broken }),
      firstAttempts(4, { does: 'reset' }),
      ...(stale ? [{ fault: { does: 'stale', ageMs: 60_000 } } as const] : []),
    ],
  },
];

/** `listing` is the only weak read of store and timeline, and promises no freshness. */
export const dynamoWeathers = weathers('ProvisionedThroughputExceededException', 'InternalServerError', true);
/** The budget reads its shift weakly, and is compared to the millisecond. */
export const budgetWeathers = weathers(
  'ProvisionedThroughputExceededException',
  'InternalServerError',
  false,
);
/** Every Describe is a weak read: what is planned from an old one is lost-replies.aws.test.ts's. */
export const ec2Weathers = weathers('RequestLimitExceeded', 'Unavailable', false);

/** Registers its own hooks, the suite, and a last test that the weather was what it is called. */
export function inWeather(
  { rules }: Weather,
  target: () => string,
  suite: (endpoint: () => string) => void,
): void {
  let proxy: FaultProxy | undefined;
  beforeAll(async () => {
    proxy = await startFaultProxy({ target, rules: rules() });
  });
  afterAll(() => proxy?.stop());
  suite(() => proxy!.endpoint);
  it('and all of it went through the proxy, which was as it was told to be', () => {
    const { calls } = proxy!;
    expect(calls.length).toBeGreaterThan(10);
    const refused = calls.filter((call) => call.fault !== undefined && call.fault !== 'stale');
    if (rules().length === 0) expect(calls.filter((call) => call.landed === undefined)).toEqual([]);
    else expect(new Set(refused.map((call) => call.fault))).toEqual(new Set(['refuse', 'reset']));
  });
}
