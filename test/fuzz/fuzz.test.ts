// What comes from outside, spoilt: events, registry files, arguments. A million events run with `npm run fuzz`.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseClaimEvent } from '../../shared/aws/events/claim-event.ts';
import { parseDirectCall } from '../../shared/aws/events/direct-call.ts';
import { hintFrom } from '../../shared/aws/events/hint-event.ts';
import { warningsFrom } from '../../shared/aws/events/warning-event.ts';
import { orderFrom } from '../../shared/aws/step-functions/order-input.ts';
import { manifestFrom } from '../../shared/registry/manifest.ts';
import { rejectReasons } from '../../shared/vip/admission.ts';
import { fuzzFiles, fuzzLines } from './cli.ts';
import type { Draws } from './draw.ts';
import { fuzzCalls, fuzzEvents } from './hostile.ts';

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });

test('hostile events are turned away for every reason there is, and move nothing', async () => {
  const ends = await fuzzEvents({ runs: 15_000, seed: 3 });
  for (const reason of rejectReasons) expect(ends[reason] ?? 0, reason).toBeGreaterThan(15);
}, 600_000);

test('hostile calls of the function URL are turned away for every reason there is, and move nothing', async () => {
  const ends = await fuzzCalls({ runs: 8000, seed: 3 });
  for (const reason of rejectReasons) expect(ends[reason] ?? 0, reason).toBeGreaterThan(5);
}, 600_000);

test('a controller that looks at no caller is found out by a call', async () => {
  await expect(fuzzCalls({ runs: 1000, seed: 3 }, { mode: 'none' })).rejects.toThrow(
    '--replay calls --seed 3',
  );
}, 600_000);

test('a controller that looks at no source is found out by an event with one lie, which seed and path draw again', async () => {
  const failureOf = (draws: Draws): Promise<string> =>
    fuzzEvents(draws, { mode: 'none' }).then(() => 'nothing failed', String);
  const found = await failureOf({ runs: 1000, seed: 3 });
  const [, event, path] = /fails: (.*)\n.* --replay events --seed 3 --path (\S+)$/.exec(found) ?? [];
  expect(JSON.parse(event!)).toMatchObject({
    time: '2026-11-22T15:00:00Z',
    detail: { vip: 'web', priority: 1 },
  });
  expect(await failureOf({ runs: 1000, seed: 3, path: path! })).toBe(found);
});

test('no value at all makes the event parser throw', () => {
  const refused = fc.property(anything, (event) => {
    expect(parseClaimEvent(event).ok).toBe(false);
    expect(parseDirectCall(event).ok).toBe(false);
  });
  fc.assert(refused, { numRuns: 1500, seed: 1 });
});

test('no value at all is a warning of AWS', () => {
  const refused = fc.property(anything, (event) => {
    expect(warningsFrom(event)).toMatchObject({ is: 'ignored' });
  });
  fc.assert(refused, { numRuns: 1500, seed: 1 });
});

const name = fc.oneof(fc.constantFrom('web', 'db', '', 'a b', '__proto__', 'x'.repeat(100)), fc.string());
const value = fc.oneof(
  fc.string(),
  fc.array(fc.string()),
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.anything(),
);
const entry = fc.dictionary(
  fc.oneof(
    fc.constantFrom('addresses', 'pool', 'eips', 'vpc', 'tableLabels', 'nodeLabels', 'hold', 'allowPublic'),
    fc.string(),
  ),
  value,
);

test('a registry file is read whole, or every wrong place in it is named; nothing throws', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(fc.record({ vips: fc.dictionary(name, entry) }), fc.anything()), (document) => {
      const read = manifestFrom(document);
      if (read.ok) return;
      refused += 1;
      expect(read.problems.length).toBeGreaterThan(0);
      for (const problem of read.problems) expect(typeof problem).toBe('string');
    }),
    { numRuns: 1000, seed: 2 },
  );
  expect(refused).toBeGreaterThan(300);
});

/** Any value, or a valid one of which any one place says anything. */
function spoilt(valid: object): fc.Arbitrary<unknown> {
  const paths = (at: unknown): readonly (readonly string[])[] =>
    typeof at !== 'object' || at === null
      ? []
      : Object.keys(at).flatMap((key) => [
          [key],
          ...paths((at as Record<string, unknown>)[key]).map((path) => [key, ...path]),
        ]);
  const put = (at: unknown, [key, ...rest]: readonly string[], value: unknown): unknown => {
    const copy: Record<string, unknown> = { ...(at as object) };
    copy[key!] = rest.length === 0 ? value : put(copy[key!], rest, value);
    return copy;
  };
  const one = fc.tuple(fc.constantFrom(...paths(valid)), anything);
  return fc.oneof(
    { weight: 1, arbitrary: anything },
    { weight: 5, arbitrary: one.map(([path, value]) => put(valid, path, value)) },
  );
}

test('whatever comes in place of a hint is none, or one with a time; the parser never throws', () => {
  const times = { id: 'h-1', time: '2026-11-22T14:00:00Z', account: '111122223333', region: 'eu-central-1' };
  const stopped = {
    ...times,
    source: 'aws.ec2',
    'detail-type': 'EC2 Instance State-change Notification',
    detail: { 'instance-id': 'i-0a1b2c3d4e5f60718', state: 'stopped' },
  };
  const changed = {
    ...times,
    source: 'aws.ec2',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      eventName: 'ReplaceRoute',
      eventTime: '2026-11-22T14:00:00Z',
      userIdentity: { arn: 'arn:aws:iam::111122223333:user/night' },
      requestParameters: {
        routeTableId: 'rtb-1',
        tagSet: { items: [{ key: 'vipshift:dev', value: 'web' }] },
      },
    },
  };
  for (const valid of [stopped, changed]) {
    expect(hintFrom(valid, 'dev'), 'a valid one is read').toBeDefined();
    const reads = fc.property(spoilt(valid), (event) => {
      const hint = hintFrom(event, 'dev');
      if (hint !== undefined) expect(Number.isFinite(hint.atMs)).toBe(true);
    });
    fc.assert(reads, { numRuns: 1000, seed: 7 });
  }
});

test('whatever an execution is started with is an order, or is refused by name; the parser never throws', () => {
  const valid = {
    ...{ vip: 'web', to: 'i-0a1b2c3d4e5f60718', mode: 'routes-only', reason: 'r', by: 'arn', dryRun: false },
    ...{ approval: false, pinMinutes: 60, claimWaitSeconds: 30 },
  };
  expect(orderFrom(valid).ok).toBe(true);
  let refused = 0;
  const reads = fc.property(spoilt(valid), (given) => {
    const read = orderFrom(given);
    if (read.ok) return;
    refused += 1;
    expect(read.reasons.length).toBeGreaterThan(0);
  });
  fc.assert(reads, { numRuns: 1000, seed: 8 });
  expect(refused).toBeGreaterThan(500);
});

test('a place that contains itself, by an alias of YAML, is named like any other', () => {
  const eips: unknown[] = [];
  eips.push(eips);
  const read = manifestFrom({ vips: { web: { eips } } });
  expect(read).toEqual({
    ok: false,
    problems: ['vips.web.eips: found something that contains itself, expected a list of texts'],
  });
});

test('a spoilt registry file is applied, or refused before anything was changed, and never a crash; nothing moves', async () => {
  const ends = await fuzzFiles({ runs: 150, seed: 5 });
  for (const status of [0, 1, 2]) expect(ends[status] ?? 0, `exit status ${status}`).toBeGreaterThan(5);
}, 600_000);

test('a spoilt command line is done, or refused before anything was changed, and never a crash; nothing moves', async () => {
  const ends = await fuzzLines({ runs: 300, seed: 6 });
  for (const status of [0, 2, 3]) expect(ends[status] ?? 0, `exit status ${status}`).toBeGreaterThan(5);
}, 600_000);
