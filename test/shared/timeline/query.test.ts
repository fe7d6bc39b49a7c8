// What answers a question of the record, at the edges of its time; the stores' contract suite asks the same of a table.
import { describe, expect, it, test } from 'vitest';
import { type EpochMs, epochMs } from '../../../shared/time.ts';
import { canonical } from '../../../shared/timeline/integrity.ts';
import { lastMilestoneAt, milestone, milestoneAt } from '../../../shared/timeline/milestone.ts';
import { type AuditRecord, answers, daysOf, nodesOf, type Question } from '../../../shared/timeline/query.ts';

const at = (text: string): EpochMs => epochMs(Date.parse(text));
const since = at('2026-11-22T14:30:00Z');
const until = at('2026-11-22T16:00:00Z');
const question: Question = {
  ...{ sinceMs: since, untilMs: until, limit: 10 },
  kinds: ['outcome', 'order', 'rejected'],
};
const outcome = (atMs: number, over: object = {}) =>
  ({
    entry: 'outcome',
    vip: 'web',
    from: 'i-a',
    to: 'i-b',
    cause: { node: 'i-c' },
    atMs,
    ...over,
  }) as unknown as AuditRecord;
const rejected = (atMs: number) => ({ entry: 'rejected', vip: 'web', node: 'i-a', atMs }) as AuditRecord;

describe('a record answers a question', () => {
  it('from the first instant of its time on, and not at its end', () => {
    const isIn = (atMs: number) => answers(question, outcome(atMs));
    expect([since - 1, since, until - 1, until].map(isIn)).toEqual([false, true, true, false]);
  });

  it('of rejections from the beginning of the first hour on: a count speaks of its whole hour', () => {
    const hour = at('2026-11-22T14:00:00Z');
    const isIn = (atMs: number) => answers(question, rejected(atMs));
    expect([hour - 1, hour, until].map(isIn)).toEqual([false, true, false]);
  });

  it('about a node that it went from or to, or that was its cause', () => {
    expect(nodesOf(outcome(since))).toEqual(['i-a', 'i-b', 'i-c']);
    expect(nodesOf(outcome(since, { to: 'i-a', cause: {} }))).toEqual(['i-a']);
    expect(answers({ ...question, node: 'i-c' }, outcome(since))).toBe(true);
    expect(answers({ ...question, node: 'i-d' }, outcome(since))).toBe(false);
  });

  it('of its VIP, its kind and its outcome only', () => {
    const one = outcome(since, { outcome: 'failed' });
    expect(answers({ ...question, vip: 'db' }, one)).toBe(false);
    expect(answers({ ...question, kinds: ['order'] }, one)).toBe(false);
    expect(answers({ ...question, outcomes: ['failed'] }, one)).toBe(true);
    expect(answers({ ...question, outcomes: ['switched'] }, one)).toBe(false);
    expect(answers({ ...question, outcomes: ['failed'] }, rejected(since))).toBe(false);
  });
});

test.each([
  ['2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z', ['2026-11-22']],
  ['2026-11-22T23:59:59.999Z', '2026-11-23T00:00:00.001Z', ['2026-11-23', '2026-11-22']],
  ['2026-11-22T12:00:00Z', '2026-11-22T12:00:00Z', []],
])('the days from %s to before %s, newest first: %j', (from, to, days) => {
  expect(daysOf({ sinceMs: at(from), untilMs: at(to) })).toEqual(days);
});

test('of an instant that came twice the first and the last are told apart', () => {
  const twice = [
    milestone('first-sent', since),
    milestone('read-back', since),
    milestone('first-sent', until),
  ];
  expect([milestoneAt(twice, 'first-sent'), lastMilestoneAt(twice, 'first-sent')]).toEqual([since, until]);
});

test('a field that is not there and one that is undefined are the same to a digest, in whatever order the fields are', () => {
  expect(canonical({ b: [undefined, 1], a: undefined })).toBe('{"b":[null,1]}');
  expect(canonical({ b: 1, a: { d: 1, c: 2 } })).toBe(canonical({ a: { c: 2, d: 1 }, b: 1 }));
});
