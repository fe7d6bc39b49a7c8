// The record against the log: the lines that the functions print, read back by the verifier's own reader.
import { createHash } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withLog } from '../../../shared/aws/lambda/logged-timeline.ts';
import { lineFrom } from '../../../shared/aws/logs/digest-lines.ts';
import { memoryTimeline } from '../../../shared/memory/timeline.ts';
import { durationMs, type EpochMs, minus, minutes, plus } from '../../../shared/time.ts';
import { digest } from '../../../shared/timeline/integrity.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { compare, type EntryKeys, type LogLine, unloggedEntries } from '../../../shared/timeline/verify.ts';
import { intentOf, outcomeOf } from '../../contracts/timeline.ts';
import { START } from '../../support/world.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const recorded = (failover: Failover) => ({ failover, digest: digest(failover, sha256) });
/** Long after: every line is there that will be. */
const LATER = plus(START, minutes(60));

let printed: string[];
beforeEach(() => {
  printed = [];
  for (const how of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, how).mockImplementation((line: string) => void printed.push(line));
  vi.stubEnv('POWERTOOLS_DEV', 'true');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** The lines of a function that puts these. */
async function linesOf(...entries: readonly Parameters<ReturnType<typeof memoryTimeline>['put']>[0][]) {
  const logger = new Logger({ serviceName: 'vipshift', logLevel: 'INFO' });
  const metrics = new Metrics({ namespace: 'n', serviceName: 's' });
  const timeline = withLog(memoryTimeline(), { logger, metrics, byVip: true });
  for (const entry of entries) await timeline.put(entry);
  return printed.flatMap((line) => lineFrom(line, LATER) ?? []);
}
const kinds = (records: readonly Failover[], lines: readonly LogLine[], now: EpochMs = LATER) =>
  compare(records.map(recorded), lines, now).map(
    ({ kind, id, bad }) => `${kind} ${id} ${bad ? 'bad' : 'ok'}`,
  );

/** One that a log line cannot hold whole. */
const large = (): Failover => {
  const [step] = outcomeOf('web', 1).steps;
  return outcomeOf('web', 1, {
    steps: Array.from({ length: 900 }, (_, n) => ({ ...step!, cell: `${'x'.repeat(250)} ${n}` })),
  });
};

describe('an untouched record agrees with its line', () => {
  it.each([
    ['an ordinary one', outcomeOf('web', 1)],
    ['one that a line does not hold whole', large()],
    ['an abandoned one', outcomeOf('web', 1, { outcome: 'abandoned' })],
  ])('%s', async (_what, failover) => {
    const lines = await linesOf(intentOf('web', 1), failover);
    expect(
      lines.map(({ vip, epoch, atMs }) => [vip, epoch, atMs]),
      'an intent has none',
    ).toEqual([['web', 1, START]]);
    expect(kinds([failover], lines)).toEqual([]);
  });

  it('also where another holder had put it before, who may not have lived to print it', async () => {
    const first = outcomeOf('web', 1, { holder: 'first' });
    const lines = await linesOf(first, outcomeOf('web', 1, { holder: 'second', outcome: 'failed' }));
    expect(lines).toHaveLength(2);
    expect(kinds([first], lines)).toEqual([]);
  });

  it('whatever order its fields come back in', async () => {
    const failover = outcomeOf('web', 1);
    const turned = Object.fromEntries(Object.entries(failover).toReversed()) as unknown as Failover;
    expect(kinds([turned], await linesOf(failover))).toEqual([]);
  });
});

describe('what differs is found', () => {
  const failover = outcomeOf('web', 1, { splitBrain: ['i-b'], verified: false });
  const edits: readonly (readonly [string, Partial<Failover>])[] = (
    Object.keys(failover) as (keyof Failover)[]
  )
    .filter((field) => field !== 'vip' && field !== 'epoch' && field !== 'entry')
    .map((field) => [field, { [field]: Array.isArray(failover[field]) ? [] : 'edited' }]);

  it.each(edits)('an edited %s', async (_field, over) => {
    expect(kinds([{ ...failover, ...over }], await linesOf(failover))).toEqual(['edited web/1 bad']);
  });

  it('a deleted one, and one that no function wrote', async () => {
    const lines = await linesOf(failover, outcomeOf('db', 1));
    expect(kinds([outcomeOf('db', 1), outcomeOf('db', 2)], lines)).toEqual([
      'unlogged db/2 bad',
      'deleted web/1 bad',
    ]);
  });

  it('in the order of time', async () => {
    const at = (epoch: number, ms: number) => outcomeOf('web', epoch, { atMs: plus(START, durationMs(ms)) });
    const lines = await linesOf(at(1, 9), at(2, 1));
    expect(kinds([at(3, 5)], lines)).toEqual([
      'deleted web/2 bad',
      'unlogged web/3 bad',
      'deleted web/1 bad',
    ]);
  });

  it('but not what the functions’ way of working explains: a line that may still come, a move without a function', () => {
    const LAG = minutes(2);
    expect(kinds([failover], [], plus(minus(START, durationMs(1)), LAG))).toEqual(['unlogged web/1 ok']);
    expect(kinds([failover], [], plus(START, LAG))).toEqual(['unlogged web/1 bad']);
    const byHand = outcomeOf('web', 1, { cause: { ...failover.cause, kind: 'order', id: 'order/2026/x' } });
    expect(kinds([byHand], [])).toEqual(['unlogged web/1 ok']);
  });
});

describe('an entry that only the workflow writes', () => {
  const entry = (id: string, atMs: EpochMs = START): EntryKeys => ({ vip: 'web', id, atMs });
  const unlogged = (entries: readonly EntryKeys[], now: EpochMs = LATER, sinceMs: EpochMs = START) =>
    unloggedEntries(entries, { proofs: [entry('order/1')], sinceMs, now });

  it('with a line is none of those without one, whatever VIP has the same id', () => {
    expect(unlogged([entry('order/1')])).toEqual([]);
    expect(unlogged([{ ...entry('order/1'), vip: 'db' }])).toMatchObject([{ id: 'db/order/1', bad: true }]);
  });

  it('is told by its key, oldest first, and is bad once its line cannot be on its way any more', () => {
    const found = unlogged([entry('order/3', plus(START, durationMs(1))), entry('order/2')]);
    expect(found.map(({ kind, id, bad }) => [kind, id, bad])).toEqual([
      ['unlogged', 'web/order/2', true],
      ['unlogged', 'web/order/3', true],
    ]);
    const bad = (ageMs: number) => unlogged([entry('order/2')], plus(START, durationMs(ageMs)))[0]!.bad;
    expect([bad(119_999), bad(120_000)]).toEqual([false, true]);
  });

  it('is not judged where it is older than the log’s first line of that kind', () => {
    expect(unlogged([entry('order/2')], LATER, plus(START, durationMs(1)))).toEqual([]);
    expect(unlogged([entry('order/2')], LATER, START)).toHaveLength(1);
  });
});
