// The wire contract, told twice: events/*.schema.json for everybody, shared/aws/events/claim-event.ts for the controller.
// Here both judge the same events. What no schema can say (how the numbers of one claim agree) is spelled out below a
// third time, so that every disagreement has a name.
//
// Left out of the mutations: version, account, region and resources of the envelope. EventBridge fills them in itself;
// the schema describes them, the controller does not read them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DETAIL_TYPE, parseClaimEvent } from '../../../../shared/aws/events/claim-event.ts';
import { warningsFrom } from '../../../../shared/aws/events/warning-event.ts';
import { outcomes } from '../../../../shared/timeline/timeline.ts';
import { claimKinds, vrrpStates } from '../../../../shared/vip/claim.ts';
import {
  claimNames,
  type Event,
  example,
  type Json,
  json,
  master,
  names,
  saysClaim,
  saysFinished,
  saysFlapping,
  saysWarned,
  withDetail,
} from '../../../support/event.ts';

describe('the examples', () => {
  test('there is one for every state, kind and case', () => {
    const claims = claimNames.map((name) => example(name).detail);
    const transitions = claims.filter((c) => c.kind === 'transition').map((c) => c.state);
    expect(new Set(transitions)).toEqual(new Set(vrrpStates));
    expect(new Set(claims.map((c) => c.kind))).toEqual(new Set(claimKinds));
    expect(claims.some((c) => c.superseded === true)).toBe(true);
    expect(names).toContain('finished.json');
  });

  for (const name of claimNames) {
    test(`${name}: schema and parser both accept it, and the claim says what it says`, () => {
      const event = example(name);
      expect([saysClaim(event), saysClaim.errors]).toEqual([true, null]);
      const parsed = parseClaimEvent(event);
      if (!parsed.ok) throw new Error(parsed.rejection.message);
      const { version, ...words } = event.detail;
      expect(parsed).toMatchObject({ source: event.source, version });
      expect(parsed.claim).toEqual({ ...words, timeMs: Date.parse(String(event.time)), eventId: event.id });
    });
  }

  test('warned.json: the schema accepts it, and it is read as a warning', () => {
    expect([saysWarned(example('warned.json')), saysWarned.errors]).toEqual([true, null]);
    expect(warningsFrom(example('warned.json'))).toMatchObject({ is: 'warnings' });
  });

  test('flapping.json: the schema accepts it', () => {
    expect([saysFlapping(example('flapping.json')), saysFlapping.errors]).toEqual([true, null]);
  });

  test('finished.json: the schema accepts it', () => {
    expect([saysFinished(example('finished.json')), saysFinished.errors]).toEqual([true, null]);
  });

  test('words of the schemas are the words of the code', () => {
    const detailOf = (path: string) =>
      ((json(path).properties as Json).detail as { properties: Record<string, { enum?: readonly string[] }> })
        .properties;
    const claim = detailOf('vrrp-state-change.schema.json');
    expect([claim.state!.enum, claim.kind!.enum]).toEqual([[...vrrpStates], [...claimKinds]]);
    expect(detailOf('vip-failover-finished.schema.json').outcome!.enum).toEqual([...outcomes]);
    expect(master['detail-type']).toBe(DETAIL_TYPE);
  });
});

/** What no schema can say: how the numbers of one claim agree. */
function disagree(detail: unknown): boolean {
  const { seq, since, uptimeMs, kind } = detail as Record<string, number> & { kind: unknown };
  return since! > seq! || seq! > (uptimeMs! + 1000) * 1000 || (kind === 'transition' && since !== seq);
}

const nasty: readonly unknown[] = [
  ...[null, true, false, [], {}, [{}], { length: 1 }],
  ...[
    0,
    -0,
    1,
    -1,
    0.5,
    255,
    255.5,
    256,
    1e15,
    2 ** 53 - 1,
    2 ** 53,
    1e21,
    -8.64e15,
    8.64e15,
    8.64e15 + 2,
    5e-324,
  ],
  ...['', ' ', 'web', 'web\n', '.web', 'w'.repeat(64), 'w'.repeat(65), 'x'.repeat(255), 'x'.repeat(256)],
  ...['i-0a1b2c3d', 'i-0a1b2c3', 'I-0A1B2C3D', 'i-0a1b2c3d4e5f60718', 'i-0a1b2c3d4e5f607189', 'i-0a1b2c3d\n'],
  ...[
    'x'.repeat(128),
    'x'.repeat(129),
    'MASTER',
    'master',
    'transition',
    'probe',
    'VRRP State Change',
    '1',
    'true',
  ],
];
const times: readonly string[] = [
  ...[
    '2026-11-22T14:03:07Z',
    '2026-11-22T14:03:07.5Z',
    '2026-11-22T14:03:07.123456789Z',
    '2026-11-22T14:03:07.Z',
  ],
  ...[
    '2026-11-22T14:03:07+00:00',
    '2026-11-22T14:03:07+01:00',
    '2026-11-22T14:03:07-00:00',
    '2026-11-22T14:03:07',
  ],
  ...['2026-11-22t14:03:07z', '2026-11-22 14:03:07Z', '2026-11-22T14:03Z', '2026-11-22', 'Sun, 22 Nov 2026'],
  ...['2026-02-29T00:00:00Z', '2028-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-13-01T00:00:00Z'],
  ...['2026-12-31T23:59:60Z', '2026-12-31T24:00:00Z', '2026-12-31T23:60:00Z', '+002026-11-22T14:03:07Z'],
  ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '1900-02-29T00:00:00Z', '2000-02-29T00:00:00Z', ''],
];
const anything = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...nasty, ...times) },
  // Of the basic plane: JSON Schema counts characters, JavaScript counts their halves.
  { weight: 1, arbitrary: fc.string({ maxLength: 80, unit: 'grapheme-ascii' }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2, stringUnit: 'grapheme-ascii' }) },
  { weight: 2, arbitrary: fc.integer({ min: -10, max: 300 }) },
);
const outer = fc.constantFrom('id', 'source', 'time', 'detail-type', 'detail', 'later');
const inner = fc.constantFrom(...Object.keys(master.detail), 'later');
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.oneof(
    { weight: 1, arbitrary: outer.map((key) => [key]) },
    { weight: 4, arbitrary: inner.map((k) => ['detail', k]) },
  ),
  to: fc.oneof(
    { weight: 1, arbitrary: fc.constant({ drop: true as const }) },
    { weight: 5, arbitrary: anything.map((value) => ({ value })) },
    { weight: 2, arbitrary: fc.constantFrom(...times).map((value) => ({ value })) },
    { weight: 2, arbitrary: fc.constantFrom(-1, 1, -1_000_000, 1_000_000, 0.5).map((by) => ({ by })) },
  ),
});
interface Mutation {
  /** One name: of the envelope; two: of the detail. */
  readonly at: readonly string[];
  readonly to: { readonly drop: true } | { readonly value: unknown } | { readonly by: number };
}

function mutated(name: string, mutations: readonly Mutation[]): unknown {
  const event = example(name);
  for (const { at, to } of mutations) {
    const [first, second] = at;
    const holder = (second === undefined ? event : event.detail) as Json | null;
    if (typeof holder !== 'object' || holder === null) continue;
    const key = second ?? first!;
    if ('drop' in to) delete holder[key];
    else if ('value' in to) holder[key] = to.value;
    else if (typeof holder[key] === 'number') holder[key] += to.by;
  }
  return JSON.parse(JSON.stringify(event));
}

describe('schema and parser', () => {
  const mutatedEvent = fc
    .tuple(fc.constantFrom(...claimNames), fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([name, mutations]) => mutated(name, mutations));

  test('agree on every mutation of the examples, apart from what no schema can say', () => {
    const seen = { accepted: 0, refused: 0, onlySchema: 0 };
    fc.assert(
      fc.property(mutatedEvent, (event) => {
        const bySchema = saysClaim(event);
        const parsed = parseClaimEvent(event);
        const lie = bySchema && disagree((event as Event).detail);
        if (parsed.ok) seen.accepted += 1;
        else if (lie) seen.onlySchema += 1;
        else seen.refused += 1;
        expect(parsed.ok).toBe(bySchema && !lie);
        if (!parsed.ok) expect(parsed.rejection).toMatchObject({ reason: 'malformed', message: /./ });
      }),
      { numRuns: 10_000 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
  });

  test('agree on what is no event at all; the parser never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(parseClaimEvent(value).ok).toBe(false);
      }),
      { numRuns: 2000 },
    );
    for (const value of [null, undefined, '', 0, [], {}, { detail: null }, { ...master, detail: [] }]) {
      expect([parseClaimEvent(value).ok, saysClaim(value)]).toEqual([false, false]);
    }
  });

  for (const time of times) {
    test(`agree on the time ${JSON.stringify(time)}`, () => {
      const event = { ...master, time };
      expect(parseClaimEvent(event).ok).toBe(saysClaim(event));
    });
  }

  test('a refusal keeps the names under which one would look for it, cleaned and cut', () => {
    const named = (over: Json) => {
      const parsed = parseClaimEvent(withDetail(over));
      return parsed.ok ? undefined : [parsed.vip, parsed.node];
    };
    expect(named({ state: 'UP' })).toEqual(['web', 'i-0a1b2c3d4e5f60718']);
    expect(named({ vip: '<b>w</b>', node: 7 })).toEqual(['?b?w??b?', 'unknown']);
    expect(named({ vip: 'w'.repeat(100) })![0]).toHaveLength(64);
  });

  test('the message names the field and what is wrong with it', () => {
    const message = (over: Json) => {
      const parsed = parseClaimEvent(withDetail(over));
      return parsed.ok ? '' : parsed.rejection.message;
    };
    expect(message({ state: 'UP' })).toMatch(/^state: .*MASTER/);
    expect(message({ priority: 256 })).toMatch(/^priority: /);
    expect(message({ since: 1 })).toBe('since of a transition is 1, expected its seq, 8123456000');
    expect(message({ since: 8123456001 })).toBe('since is 8123456001, expected at most seq, 8123456000');
    const early = { uptimeMs: 8122455.999, kind: 'assertion' };
    expect(message(early)).toMatch(/^seq is 8123456000, expected at most uptimeMs in µs, /);
    expect(message({ ...early, uptimeMs: 8122456 })).toBe('');
  });
});
