// What comes from outside, spoilt: events, ledger files, arguments. A million events run with `npm run fuzz`.

import { CommanderError } from 'commander';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Complaint } from '../../cli/exit.ts';
import { everyCommand, program } from '../../cli/program.ts';
import { parseClaimEvent } from '../../shared/aws/claim-event.ts';
import { ledgerFrom } from '../../shared/ledger-file.ts';
import { rejectReasons } from '../../shared/rejection.ts';
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

const words = everyCommand(program()).flatMap((c) => [
  c.name(),
  ...c.options.flatMap((o) => o.flags.split(/[ ,|]+/)),
]);
const argument = fc.oneof(
  fc.constantFrom(...words),
  fc.constantFrom(
    'web',
    '192.168.255.10/32',
    'eipalloc-1',
    '1h',
    '-1',
    '',
    '--',
    '--=',
    '-',
    'ZZZ',
    '1e9',
    '2026-11-22',
  ),
  fc.string(),
);

test('whatever stands on the command line is taken or refused by name; nothing else is thrown', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 8 }), (argv) => {
      const root = program();
      const quiet = { writeOut: () => undefined, writeErr: () => undefined };
      for (const command of everyCommand(root)) command.configureOutput(quiet).action(() => undefined);
      try {
        root.parse(argv, { from: 'user' });
      } catch (error) {
        refused += 1;
        expect(error instanceof CommanderError || error instanceof Complaint, String(error)).toBe(true);
      }
    }),
    { numRuns: 300, seed: 3 },
  );
  expect(refused).toBeGreaterThan(100);
}, 60_000);
