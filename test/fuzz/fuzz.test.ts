// What comes from outside, spoilt: events, ledger files, arguments. A million events run with `npm run fuzz`.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseClaimEvent } from '../../shared/aws/claim-event.ts';
import { ledgerFrom } from '../../shared/ledger-file.ts';
import { rejectReasons } from '../../shared/rejection.ts';
import { fuzzFiles, fuzzLines } from './cli.ts';
import { fuzz } from './hostile.ts';

test('hostile events are turned away for every reason there is, and move nothing', async () => {
  const { rejected } = await fuzz(15_000, 3);
  for (const reason of rejectReasons) expect(rejected[reason] ?? 0, reason).toBeGreaterThan(15);
}, 60_000);

test('no value at all makes the event parser throw', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
      (event) => {
        const parsed = parseClaimEvent(event);
        expect(parsed.ok).toBe(false);
      },
    ),
    { numRuns: 1500, seed: 1 },
  );
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

test('a ledger file is read whole, or every wrong place in it is named; nothing throws', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(fc.record({ vips: fc.dictionary(name, entry) }), fc.anything()), (document) => {
      const read = ledgerFrom(document);
      if (read.ok) return;
      refused += 1;
      expect(read.problems.length).toBeGreaterThan(0);
      for (const problem of read.problems) expect(typeof problem).toBe('string');
    }),
    { numRuns: 1000, seed: 2 },
  );
  expect(refused).toBeGreaterThan(300);
});

test('a place that contains itself, by an alias of YAML, is named like any other', () => {
  const eips: unknown[] = [];
  eips.push(eips);
  const read = ledgerFrom({ vips: { web: { eips } } });
  expect(read).toEqual({
    ok: false,
    problems: ['vips.web.eips: found something that contains itself, want a list of texts'],
  });
});

test('a spoilt ledger file is applied, or refused before anything was changed, and never a crash; nothing moves', async () => {
  const ends = await fuzzFiles(150, 5);
  for (const status of [0, 1, 3]) expect(ends[status] ?? 0, `exit status ${status}`).toBeGreaterThan(5);
}, 120_000);

test('a spoilt command line is done, or refused before anything was changed, and never a crash; nothing moves', async () => {
  const ends = await fuzzLines(300, 6);
  for (const status of [0, 2, 3]) expect(ends[status] ?? 0, `exit status ${status}`).toBeGreaterThan(5);
}, 120_000);
