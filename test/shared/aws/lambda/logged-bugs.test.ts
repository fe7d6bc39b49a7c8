// A mistake in our own code, as the operator of a function sees it: one line with the stack and one metric, whatever goes on
// after it.
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { InvocationPorts } from '../../../../shared/aws/invocation.ts';
import { lambda } from '../../../../shared/aws/lambda/handler.ts';
import { withBugLog } from '../../../../shared/aws/lambda/logged-bugs.ts';
import {
  logAnswer,
  logBug,
  logReconcileAll,
  metricsNamespace,
  type Telemetry,
} from '../../../../shared/aws/lambda/telemetry.ts';
import { reconcileAll } from '../../../../shared/controller/reconcile-all.ts';
import { Fault, toFault } from '../../../../shared/fault.ts';
import { claimOf, item, type World, world } from '../../../support/world.ts';

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  const note = (line: string) => void (line.startsWith('{') && lines.push(JSON.parse(line) as never));
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

const telemetry = (): Telemetry => ({
  logger: new Logger({ serviceName: 'vipshift', logLevel: 'INFO' }),
  metrics: new Metrics({ namespace: metricsNamespace('prod'), serviceName: 'vipshift' }),
  byVip: true,
});
const counted = () => lines.filter((line) => 'Bugs' in line).map((line) => [line.where, line.Bugs]);
interface BugLine {
  readonly level: string;
  readonly where: string;
  readonly why: string;
  /** Powertools splits it in development. */
  readonly error: { readonly name: string; readonly stack: string | readonly string[] };
}
const told = () =>
  lines.filter((l) => l.message === 'bug in vipshift: please report it') as unknown as BugLine[];
const broken = () => new TypeError('Cannot read properties of undefined');

const portsOf = (w: World, over: Partial<InvocationPorts> = {}): InvocationPorts => ({
  ...w.ports,
  orders: { put: () => Promise.resolve() },
  approvals: { ask: () => Promise.resolve(), pending: () => Promise.resolve([]) },
  ...over,
});

describe('a bug', () => {
  it('has a line with the stack of the place that threw it, and a metric', () => {
    const bug = broken();
    expect(logBug(telemetry(), toFault(bug), 'ec2.apply')).toBe(true);
    const [line] = told();
    expect(line).toMatchObject({
      ...{ level: 'ERROR', where: 'ec2.apply', why: 'Cannot read properties of undefined' },
      error: { name: 'TypeError' },
    });
    expect([line!.error.stack].flat().join('\n')).toContain('logged-bugs.test.ts');
    expect(counted()).toEqual([['ec2.apply', 1]]);
  });

  it('is told once, however many meet it on its way up, and two are told twice', () => {
    const bug = broken();
    const bare = new Fault('bug', 'Odd', 'no cause');
    for (const error of [bug, toFault(bug), bare, bare]) logBug(telemetry(), error, 'here');
    expect(told().map((l) => l.why)).toEqual(['Cannot read properties of undefined', 'no cause']);
    expect(counted()).toHaveLength(2);
  });

  it('is no fault of AWS, and the other way round', () => {
    for (const error of [new Fault('denied', 'AccessDenied', 'no'), new Error('x'), 'a string'])
      expect(logBug(telemetry(), error, 'here')).toBe(false);
    expect(lines).toEqual([]);
  });
});

describe('ports that tell their bugs', () => {
  it('tell where, hand the error on, and leave everything else as it is', async () => {
    const w = world();
    const bug = broken();
    const denied = new Fault('denied', 'AccessDenied', 'no');
    const views = { ...w.ports.views, keepView: () => Promise.reject(denied) };
    const changes = { ...w.ports.changes, since: () => Promise.reject(bug) };
    const ports = withBugLog(portsOf(w, { views, changes }), telemetry());
    await expect(ports.changes.since('web', w.clock.now())).rejects.toBe(bug);
    await expect(ports.views.keepView('web', await ports.ec2.observe(item(w)))).rejects.toBe(denied);
    expect(await ports.vips.read('web')).toBe(item(w));
    expect(told().map((l) => l.where)).toEqual(['changes.since']);
    expect(ports.sharedBucket, 'a port that is not there stays away').toBeUndefined();
    expect(ports.clock).toBe(w.clock);
  });

  it('also tell one that is thrown before there is a promise', async () => {
    const w = world();
    const finished = () => {
      throw broken();
    };
    const ports = withBugLog(portsOf(w, { bus: { ...w.ports.bus, finished } }), telemetry());
    await expect(ports.bus.finished({} as never)).rejects.toThrow('Cannot read');
    expect(told().map((l) => l.where)).toEqual(['bus.finished']);
  });
});

describe('a function', () => {
  const context = { getRemainingTimeInMillis: () => 30_000 } as Context;
  const run = (w: World, work: (ports: InvocationPorts) => Promise<unknown>) =>
    lambda(
      { settings: { stage: 'prod', identity: { mode: 'none' } } },
      () => portsOf(w),
      (_event, { ports }) => work(ports),
    )({}, context, {} as never);

  it('tells a bug of its handler, and is delivered again', async () => {
    const bug = broken();
    await expect(run(world(), () => Promise.reject(bug))).rejects.toBe(bug);
    expect(told().map((l) => l.where)).toEqual(['the handler']);
  });

  it('tells a bug of a port after which its caller goes on: reconcile keeps no view, and answers', async () => {
    const w = world();
    w.ports.views.keepView = () => Promise.reject(broken());
    const answer = await run(w, async (ports) => (await reconcileAll(ports)).failures);
    expect(answer).toEqual([]);
    expect(told().map((l) => l.where)).toEqual(['views.keepView']);
    expect(counted()).toEqual([['views.keepView', 1]]);
  });
});

describe('what the domain returns', () => {
  it('of a switch: bugs have their own line, other faults the line of a thing next to the switch', () => {
    const faults = [toFault(broken()), new Fault('denied', 'AccessDenied', 'no')];
    const vip = item(world());
    logAnswer(telemetry(), { answer: 'switched', vip, failovers: [], faults }, claimOf('i-a'));
    expect(told().map((l) => l.where)).toEqual(['the switch of web']);
    expect(lines.filter((l) => l.message === 'the VIP was moved, but a follow-up step failed')).toHaveLength(
      1,
    );
  });

  it('of a sweep: the VIP whose reconcile met a bug has failed, the others are done, and the bug is counted', async () => {
    const failures = [
      { vip: 'web', fault: toFault(broken()) },
      { vip: 'db', fault: new Fault('denied', 'AccessDenied', 'no') },
    ];
    logReconcileAll(telemetry(), { reports: [], failures, left: [] });
    expect(told().map((l) => l.where)).toEqual(['reconcile of web']);
    expect(lines.filter((l) => l.message === 'reconcile failed')).toHaveLength(2);
  });
});
