import { createHash } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withLog } from '../../../../shared/aws/lambda/logged-timeline.ts';
import {
  logAnswer,
  logFailover,
  logReconcileAll,
  metricsNamespace,
  type Telemetry,
} from '../../../../shared/aws/lambda/telemetry.ts';
import { Fault } from '../../../../shared/fault.ts';
import { memoryTimeline } from '../../../../shared/memory/timeline.ts';
import { epochMs } from '../../../../shared/time.ts';
import { digest } from '../../../../shared/timeline/integrity.ts';
import type { Failover } from '../../../../shared/timeline/timeline.ts';
import { newVip } from '../../../../shared/vip/vip.ts';
import { claimOf, entry } from '../../../support/world.ts';

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  const note = (line: string) =>
    void (line.startsWith('{') && lines.push(JSON.parse(line) as Record<string, unknown>));
  for (const how of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, how).mockImplementation(note);
  // Powertools has a console of its own unless it is told that this is development.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const journal = (byVip: boolean): Telemetry => ({
  logger: new Logger({ serviceName: 'vipshift', logLevel: 'SILENT' }),
  metrics: new Metrics({ namespace: metricsNamespace('prod'), serviceName: 'vipshift' }),
  byVip,
});
const failover = (over: Partial<Failover>): Failover => ({
  ...{
    entry: 'outcome',
    vip: 'web',
    epoch: 1,
    holder: 'h',
    outcome: 'switched',
    to: 'i-b',
    why: 'w',
    steps: [],
  },
  ...{ conflicts: [], verified: true, notes: [], claims: {}, splitBrain: [], atMs: epochMs(9) },
  cause: { kind: 'claim', why: 'w', atMs: epochMs(0) },
  stages: [
    { stage: 'controller began', atMs: epochMs(100) },
    { stage: 'last mutation accepted', atMs: epochMs(350) },
  ],
  ...over,
});

interface Emitted {
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly value: unknown;
  readonly vip: unknown;
}
/** As CloudWatch reads them from the log. */
const emitted = (): readonly Emitted[] =>
  lines.flatMap((line) => {
    type Directive = { Metrics: { Name: string }[]; Dimensions: string[][] };
    const [directive] =
      (line._aws as { CloudWatchMetrics: Directive[] } | undefined)?.CloudWatchMetrics ?? [];
    return (directive?.Metrics ?? []).map(({ Name: name }) => ({
      ...{ name, dimensions: directive!.Dimensions.flat().sort() },
      ...{ value: line[name], vip: line.vip },
    }));
  });
const names = (dimension: 'service' | 'vip') =>
  emitted()
    .filter((m) => m.dimensions.includes('vip') === (dimension === 'vip'))
    .map((m) => m.name);

describe('metrics of a failover', () => {
  it('are kept by VIP and over all; over all the VIP is a property', () => {
    logFailover(journal(true), failover({}));
    expect(names('vip')).toEqual(['FailoverDuration', 'FailoverOutcome']);
    expect(names('service')).toEqual(['FailoverDuration', 'FailoverOutcome']);
    expect(emitted().map((m) => m.vip)).toEqual(['web', 'web', 'web', 'web']);
    expect(emitted()[0]!.value).toBe(250);
  });

  it('are not kept by VIP where that is switched off: four metrics for each of a large fleet', () => {
    logFailover(journal(false), failover({ outcome: 'failed', splitBrain: ['i-a', 'i-b'] }));
    expect(names('vip')).toEqual([]);
    expect(names('service')).toEqual(['FailoverOutcome', 'SplitBrain', 'FailoverTrouble']);
  });

  it.each([
    ['unchanged', []],
    ['superseded', ['FailoverOutcome']],
    ['partial', ['FailoverOutcome', 'FailoverTrouble']],
    ['abandoned', ['FailoverOutcome', 'FailoverTrouble']],
  ] as const)('%s: %j', (outcome, wanted) => {
    logFailover(journal(false), failover({ outcome }));
    expect(names('service')).toEqual(wanted);
  });
});

describe('a record that is put', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const loud = (): Telemetry => ({
    ...journal(false),
    logger: new Logger({ serviceName: 'vipshift', logLevel: 'INFO' }),
  });
  /** Lines of the log that prove a record, as epoch, outcome and whether the digest is that of the record. */
  const proofs = (record: Failover) =>
    lines.flatMap((l) =>
      'digest' in l ? [[l.epoch, l.outcome, l.digest === digest(record, sha256)] as const] : [],
    );
  const abandoned = failover({ outcome: 'abandoned', holder: 'next', atMs: epochMs(99) });

  it.each([
    ['abandoned', 'claim'],
    ['switched', 'order'],
    ['switched', 'reconcile'],
  ] as const)('has its line, whatever put it: %s by a %s', async (outcome, kind) => {
    const record = failover({ outcome, cause: { kind, why: 'w', atMs: epochMs(0) } });
    await withLog(memoryTimeline(), loud()).put(record);
    expect(proofs(record)).toEqual([[1, outcome, true]]);
  });

  it('has its line also when the reply to the put was lost: what is found there is our own', async () => {
    const timeline = memoryTimeline();
    await timeline.put(failover({}));
    await withLog(timeline, loud()).put(failover({}));
    expect(proofs(failover({}))).toEqual([[1, 'switched', true]]);
    expect(names('service')).toEqual(['FailoverDuration', 'FailoverOutcome']);
  });

  it('that was there before is logged as it is, without counting it twice: its writer may have died before the line', async () => {
    const timeline = memoryTimeline();
    await timeline.put(abandoned);
    await withLog(timeline, loud()).put(failover({}));
    expect(proofs(abandoned)).toEqual([[1, 'abandoned', true]]);
    expect(emitted()).toEqual([]);
  });

  it('has none when it could not be put, but what was done is told: the epoch is closed by the next holder', async () => {
    const broken = {
      ...memoryTimeline(),
      put: () => Promise.reject(new Fault('unknown', 'Timeout', 'no reply')),
    };
    await expect(withLog(broken, loud()).put(failover({}))).rejects.toThrow('no reply');
    expect(proofs(failover({}))).toEqual([]);
    expect(lines).toMatchObject([{ message: 'failover switched, not recorded', epoch: 1 }]);
  });
});

describe('a sweep', () => {
  const told = (sweep: Parameters<typeof logReconcileAll>[1]) => {
    const j = journal(false);
    logReconcileAll(j, sweep);
    j.metrics.publishStoredMetrics();
    return names('service');
  };

  it('that failed nowhere keeps the dead man quiet, also when there is no VIP yet', () => {
    expect(told({ reports: [], failures: [], left: [] })).toEqual(['VipsUnheard', 'Reconciled']);
    expect(emitted().map((m) => m.value)).toEqual([0, 1]);
  });

  it('in which one VIP failed does not: no one repairs that one', () => {
    const fault = new Fault('denied', 'AccessDenied', 'no');
    expect(told({ reports: [], failures: [{ vip: 'web', fault }], left: [] })).toEqual([]);
  });

  it('that ran out of time does not, and names what it left', () => {
    const j = { ...journal(false), logger: new Logger({ serviceName: 'vipshift', logLevel: 'INFO' }) };
    logReconcileAll(j, { reports: [], failures: [], left: ['web', 'api'] });
    expect(j.metrics.hasStoredMetrics()).toBe(false);
    expect(lines.at(-1)).toMatchObject({ level: 'WARN', left: 2, vips: ['web', 'api'] });
  });

  it('for a hint does not: it was not over all VIPs', () => {
    const hint = { kind: 'node', node: 'i-a', state: 'running', atMs: epochMs(1) } as const;
    expect(told({ hint, reports: [], failures: [], left: [] })).not.toContain('Reconciled');
  });
});

describe('a claim that contradicts what its node said', () => {
  const vip = { ...newVip(entry), rev: 7 };

  it('is alarmed, recorded or not, and the line says what contradicts what', () => {
    const told = journal(true);
    const answer = { answer: 'recorded', vip, news: false, contradiction: 'a node is not up twice' } as const;
    logAnswer(told, answer, claimOf('i-a'));
    told.metrics.publishStoredMetrics();
    expect(emitted().map((m) => [m.name, m.value])).toEqual([['ClaimsContradicted', 1]]);
    expect(lines.find((line) => line._aws !== undefined)).toMatchObject({ contradicted: 'web i-a' });
  });

  it('is no alarm where nothing does', () => {
    const told = journal(true);
    logAnswer(told, { answer: 'recorded', vip, news: true }, claimOf('i-a'));
    told.metrics.publishStoredMetrics();
    expect(emitted()).toEqual([]);
  });
});

it('a storm is counted where it begins, and by each reconcile that finds its node damped: the alarm node-flapping', () => {
  const storm = { node: 'i-a', sinceMs: epochMs(1), untilMs: epochMs(2), transitions: 6 };
  const told = journal(true);
  logAnswer(told, { answer: 'recorded', vip: newVip(entry), news: true, storm }, claimOf('i-a'));
  told.metrics.publishStoredMetrics();
  expect(emitted().map((m) => [m.name, m.value])).toEqual([['NodeFlapping', 1]]);
  expect(lines.find((line) => line._aws !== undefined)).toMatchObject({ flapping: 'web i-a' });
});

it('an owner that is about to go with the VIP counts for the alarm unhealthy', () => {
  const stranded = { key: 'frozen', node: 'i-a', cause: 'spot-terminate' } as const;
  const told = journal(false);
  logAnswer(told, { answer: 'recorded', vip: newVip(entry), news: true, stranded }, claimOf('i-a'));
  expect(emitted().map((m) => [m.name, m.value])).toEqual([['Unhealthy', 1]]);
  expect(lines.find((line) => line._aws !== undefined)).toMatchObject({ vip: 'web' });
});

it('a sweep that could not read what EC2 has scheduled counts for the alarm warnings-unread', () => {
  const sweep = { reports: [], failures: [], left: [] };
  const unasked = new Fault('denied', 'UnauthorizedOperation', 'no');
  for (const [one, times] of [
    [{ ...sweep, unasked }, 1],
    [sweep, 0],
  ] as const) {
    lines.length = 0;
    const told = journal(false);
    logReconcileAll(told, one);
    told.metrics.publishStoredMetrics();
    expect(emitted().filter(({ name }) => name === 'WarningsUnread')).toHaveLength(times);
  }
});
