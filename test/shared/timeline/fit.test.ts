import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepDone } from '../../../shared/network/step.ts';
import { fitted, type Limit, omittedText, recordLimit } from '../../../shared/timeline/fit.ts';
import { foldFaults } from '../../../shared/timeline/fold-faults.ts';
import { committed } from '../../../shared/timeline/query.ts';
import { ITEM_MAX, itemBytes, jsonBytes, RECORD_MAX } from '../../../shared/timeline/size.ts';
import type { Failover, Intent } from '../../../shared/timeline/timeline.ts';
import { type NodeState, nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { claimOf, START } from '../../support/world.ts';

const step = (n: number, over: Partial<StepDone> = {}): StepDone => ({
  ...{ cell: `rtb-${n} 192.168.255.10/32`, call: 'ReplaceRoute', from: 'eni-b', to: 'eni-a' },
  ...{ result: 'done', attempts: 1, unanswered: 0, sentAtMs: START, doneAtMs: START },
  ...over,
});
const cause = { kind: 'claim', node: 'i-a', why: 'i-a said MASTER', atMs: START } as const;
const outcome = (over: Partial<Failover> = {}): Failover => ({
  ...{
    entry: 'outcome',
    vip: 'web',
    epoch: 7,
    holder: 'me',
    cause,
    outcome: 'switched',
    from: 'i-b',
    to: 'i-a',
  },
  ...{ why: 'newest MASTER is i-a', steps: [], conflicts: [], stages: [], verified: true, notes: [] },
  ...{ claims: {}, splitBrain: [], atMs: START },
  ...over,
});
const many = <T>(count: number, one: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => one(n));

describe('the size of an item', () => {
  it.each([
    ['a name and a text, in UTF-8', { vip: 'wéb→' }, 3 + 7],
    ['a number: a byte for two digits and one more', { n: 12345 }, 1 + 4],
    ['true, false and null', { a: true, b: false, c: null }, 6],
    ['an absent value: nothing', { a: undefined }, 0],
    ['a list: 3, and 1 for each element', { l: ['ab', 'c'] }, 1 + 3 + (1 + 2) + (1 + 1)],
    ['a map: 3, and 1 for each field', { m: { ab: 'cd' } }, 1 + 3 + 1 + 4],
  ])('of %s', (_what, item, bytes) => expect(itemBytes(item)).toBe(bytes));
});

describe('an entry that is too large', () => {
  const refused = { result: 'failed', code: 'UnauthorizedOperation' } as const;

  it('is as it was when it is not: of RECORD_MAX bytes, not of one more', () => {
    const filled = (bytes: number) => {
      const empty = itemBytes(outcome({ notes: [''] }));
      return outcome({ notes: ['x'.repeat(bytes - empty)] });
    };
    const whole = filled(RECORD_MAX);
    expect(itemBytes(whole)).toBe(RECORD_MAX);
    expect(fitted(whole)).toBe(whole);
    expect(fitted(filled(RECORD_MAX + 1)).omitted).toEqual({ texts: true });
  });

  it('lists fifty steps, those that were not done first, and counts the others by what became of them', () => {
    const steps = [
      ...many(3000, (n) => step(n)),
      ...many(30, (n) => step(n, refused)),
      step(1, { result: 'unsent' }),
    ];
    const small = fitted(outcome({ outcome: 'partial', steps }));
    expect(small.steps.map((s) => s.result).slice(0, 32)).toEqual([
      ...many(30, () => 'failed'),
      'unsent',
      'done',
    ]);
    expect(small.omitted).toEqual({ steps: [{ count: 2981, result: 'done' }] });
    expect(small.notes).toEqual(['too large for the record, left out: steps: 2981 done']);
  });

  it('leaves out conflicts, notes and claims only when that does not suffice', () => {
    const long = 'n'.repeat(1000);
    const conflict = { cell: 'rtb-1', found: 'tgw-1', why: 'w'.repeat(100), kind: 'foreign' } as const;
    const nodeState: NodeState = nodeStateFrom(claimOf('i-a'), START);
    const claims = Object.fromEntries(many(60, (n) => [n === 0 ? 'i-a' : `i-${n}`, nodeState]));
    const small = (over: Partial<Failover>) =>
      fitted(outcome({ steps: many(600, (n) => step(n)), claims, ...over }));
    const listed = ({ steps, conflicts, notes, claims: of }: Failover) =>
      [steps, conflicts, notes, Object.keys(of)].map((list) => list.length);
    // The first note says what was left out.
    expect(listed(small({ conflicts: many(2300, () => conflict) }))).toEqual([50, 2300, 1, 60]);
    expect(listed(small({ conflicts: many(4000, () => conflict) }))).toEqual([50, 50, 1, 60]);
    const both = small({ conflicts: many(4000, () => conflict), notes: many(900, () => long) });
    expect(listed(both)).toEqual([50, 50, 51, 60]);
    expect(both.omitted).toEqual({ steps: [{ count: 550, result: 'done' }], conflicts: 3950, notes: 850 });
    const huge = many(60, () => 'n'.repeat(7900));
    expect(listed(small({ notes: huge }))).toEqual([50, 0, 51, 1]);
    expect(omittedText(small({ notes: huge }).omitted!)).toBe('steps: 550 done; 10 notes; 59 nodes’ claims');
  });

  it('is an intent, too, which has no notes', () => {
    const { cell, call, from, to } = step(1);
    const intent: Intent = {
      ...{ entry: 'intent', vip: 'web', epoch: 7, holder: 'me', cause, to: 'i-a', why: 'w', atMs: START },
      steps: many(9000, () => ({ cell, call, from, to })),
    };
    const small = fitted(intent);
    expect([small.steps.length, small.omitted, 'notes' in small]).toEqual([
      50,
      { steps: [{ count: 8950 }] },
      false,
    ]);
  });

  it('is reduced once more for a narrower place, and the counts add up', () => {
    const narrow: Limit = { place: 'the log line', max: 8000, bytes: jsonBytes };
    const once = fitted(outcome({ steps: many(3000, (n) => step(n, refused)) }));
    const twice = fitted(once, narrow);
    expect(once.omitted).toEqual({ steps: [{ count: 2950, ...refused }] });
    expect(twice.omitted!.steps).toEqual([{ count: 2980, ...refused }]);
    expect(jsonBytes(twice)).toBeLessThanOrEqual(8000);
  });

  /** What an entry is filled with; kept small, so that a counterexample can be printed. */
  interface Filling {
    readonly text: string;
    readonly times: number;
    readonly steps: number;
    readonly results: readonly StepDone['result'][];
    readonly conflicts: number;
    readonly notes: number;
    readonly names: number;
  }
  const length = fc.constantFrom(0, 1, 20, 21, 50, 51, 120);
  const fillings: fc.Arbitrary<Filling> = fc.record({
    text: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }),
      fc.constantFrom('\u0000', '→', '"'),
    ),
    times: fc.constantFrom(1, 200, 2000),
    // Many steps with long texts are 30 MB to measure: one draw in six.
    steps: fc.oneof({ weight: 5, arbitrary: length }, { weight: 1, arbitrary: fc.constant(1500) }),
    results: fc.array(fc.constantFrom('done', 'failed', 'unknown', 'unsent'), {
      minLength: 1,
      maxLength: 60,
    }),
    conflicts: length,
    notes: length,
    names: length,
  });
  function filledWith({ results, ...of }: Filling): Failover {
    const text = of.text.repeat(of.times);
    const result = (n: number) => results[n % results.length]!;
    const steps = many(of.steps, (n) => step(n, { from: text, message: text, result: result(n), code: 'C' }));
    const conflicts = many(of.conflicts, () => ({
      cell: 'c',
      found: text,
      why: text,
      kind: 'foreign' as const,
    }));
    const stages = many(10, () => ({ stage: text, atMs: START }));
    const lists = { notes: many(of.notes, () => text), splitBrain: many(of.names, () => text) };
    return outcome({ outcome: 'partial', why: text, from: text, steps, conflicts, stages, ...lists });
  }

  it('always fits in the end, in the record and in a log line, and never loses outcome, cause, epoch and counts', () => {
    const line: Limit = { place: 'the log line', max: 240_000, bytes: jsonBytes };
    fc.assert(
      fc.property(fillings, (filling) => {
        const entry = filledWith(filling);
        for (const limit of [recordLimit, line]) {
          const small = fitted(entry, limit);
          expect(limit.bytes(small)).toBeLessThanOrEqual(limit.max);
          const { vip, epoch, holder, outcome: was, cause: by } = entry;
          expect(small).toMatchObject({ vip, epoch, holder, outcome: was, cause: by, to: 'i-a' });
          const left = small.omitted?.steps?.reduce((all, one) => all + one.count, 0) ?? 0;
          expect(small.steps.length + left).toBe(entry.steps.length);
          expect(small.conflicts.length + (small.omitted?.conflicts ?? 0)).toBe(entry.conflicts.length);
          expect(committed(small)).toBe(committed(entry));
          expect(small.omitted === undefined).toBe(small === entry);
          if (small.omitted !== undefined) expect(small.notes[0]).toMatch(/^too large for /);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('and what DynamoDB adds, the keys of the indexes, has its place', () => {
    const id = '000000000042/2-outcome';
    const node = 'i-0123456789abcdef0';
    const keys = {
      id,
      day: '2026-11-22',
      at: `2026-11-22T14:00:00.000Z ${id}`,
      node,
      expiresAtS: 1_700_000_000,
    };
    expect(RECORD_MAX + itemBytes(keys)).toBeLessThan(ITEM_MAX);
  });
});

describe('faults of the same kind', () => {
  const said = (n: number, over: Partial<StepDone> = {}) =>
    step(n, {
      result: 'failed',
      code: 'Denied',
      message: `Denied at rtb-${n} 10.0.${n}.0/24: no right`,
      ...over,
    });

  it('are one note with their number; the first step keeps the message, all keep the code', () => {
    const { steps, notes } = foldFaults([said(1), said(2), step(3), said(4)]);
    expect(notes).toEqual(['3 × Denied; the first: Denied at rtb-1 10.0.1.0/24: no right']);
    expect(steps.map((s) => [s.code, s.message])).toEqual([
      ['Denied', 'Denied at rtb-1 10.0.1.0/24: no right'],
      ['Denied', undefined],
      [undefined, undefined],
      ['Denied', undefined],
    ]);
  });

  it('differ by code and by words, the commonest come first, and one alone is told, too', () => {
    const { notes } = foldFaults([
      said(1),
      said(2, { message: 'quota' }),
      said(3, { message: 'quota', code: 'Full' }),
      said(4),
    ]);
    expect(notes).toEqual([
      '2 × Denied; the first: Denied at rtb-1 10.0.1.0/24: no right',
      '1 × Denied: quota',
      '1 × Full: quota',
    ]);
  });

  it('of steps that were done after all are no reason, and need no message twice', () => {
    const { steps, notes } = foldFaults([said(1, { result: 'done' }), said(2, { result: 'done' }), said(3)]);
    expect(notes).toEqual(['1 × Denied: Denied at rtb-3 10.0.3.0/24: no right']);
    expect(steps.map((s) => s.message === undefined)).toEqual([false, true, false]);
  });

  it('are told with the commonest first, whichever came first', () => {
    const { notes } = foldFaults([said(1, { message: 'quota' }), said(2), said(3)]);
    expect(notes.map((note) => note.slice(0, 10))).toEqual(['2 × Denied', '1 × Denied']);
  });

  it('say the same when they differ only in words with a digit, wherever in the word it stands', () => {
    const same = ['at a1: no', 'at b1: no', 'at 1a: no', 'at x1abc: no', 'at 7 no'];
    const { notes } = foldFaults(same.map((message, n) => said(n, { message })));
    expect(notes).toEqual(['5 × Denied; the first: at a1: no']);
  });

  it('are an error where they have no code', () => {
    const { code: _code, ...bare } = said(1, { message: 'no' });
    expect(foldFaults([bare]).notes).toEqual(['1 × Error: no']);
  });

  it('are told as bugs where our own code was wrong, also of a step that was done after all', () => {
    const bug = { code: 'TypeError', message: 'no x', fault: 'bug' } as const;
    const { notes } = foldFaults([
      said(1, { ...bug, result: 'done' }),
      said(2, { message: 'no x', code: 'TypeError' }),
    ]);
    expect(notes).toEqual(['1 × TypeError, a bug in vipshift: no x', '1 × TypeError: no x']);
  });

  it('beyond twenty kinds count only where the step was not done after all', () => {
    const kinds = 'abcdefghijklmnopqrst'.split('').map((message, n) => said(n, { message }));
    const { notes } = foldFaults([
      ...kinds,
      said(21, { message: 'u', result: 'done' }),
      said(22, { message: 'v' }),
    ]);
    expect(notes.slice(20)).toEqual(['1 × other reasons: the steps have their codes']);
  });

  it('are told up to twenty kinds: of more there is the number', () => {
    const words = 'abcdefghijklmnopqrstuvwxyz';
    const { steps, notes } = foldFaults(words.split('').map((message, n) => said(n, { message })));
    expect(notes).toHaveLength(21);
    expect(notes.at(-1)).toBe('6 × other reasons: the steps have their codes');
    expect(steps.filter((s) => s.message !== undefined)).toHaveLength(20);
  });
});
