// Step Functions and CloudWatch Logs through the real SDK: what they say is not there, is over or goes on on another page.
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, it } from 'vitest';
import type { AwsCall } from '../../../lab/fault/aws-call.ts';
import { firstProof, type Logs, lineFrom, linesOf } from '../../../shared/aws/logs/digest-lines.ts';
import { awsWorkflow } from '../../../shared/aws/step-functions/workflow.ts';
import { type EpochMs, epochMs } from '../../../shared/time.ts';
import { type Answer, type Endpoint, json, refused, startEndpoint } from '../../support/aws/endpoint.ts';
import { START } from '../../support/world.ts';

const { signal } = new AbortController();
let endpoint: Endpoint | undefined;
const clients: { destroy(): void }[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await endpoint?.stop();
});

const MACHINE = 'arn:aws:states:eu-central-1:111122223333:stateMachine:vipshift-dev-failover';
const execution = (name: string) =>
  `arn:aws:states:eu-central-1:111122223333:execution:vipshift-dev-failover:${name}`;

async function workflow(answer: (call: AwsCall) => Answer) {
  endpoint = await startEndpoint(answer);
  const client = new SFNClient({ ...endpoint.config, maxAttempts: 1 });
  clients.push(client);
  return awsWorkflow({ client, machineArn: MACHINE, signal });
}
const always = (code: string) => (call: AwsCall) => refused(call, code);

describe('an execution of the workflow', () => {
  it('is started under its name, once: one that is there is no fault, and never started again', async () => {
    let there = false;
    const flow = await workflow((call) =>
      there ? refused(call, 'ExecutionAlreadyExists') : json({ executionArn: 'a', startDate: 1 }),
    );
    expect(await flow.start('run-1', { vip: 'web' })).toBe('started');
    there = true;
    expect(await flow.start('run-1', { vip: 'web' })).toBe('there');
    expect(endpoint!.calls.map(({ action, parameters }) => [action, parameters])).toEqual(
      Array(2).fill(['StartExecution', { stateMachineArn: MACHINE, name: 'run-1', input: '{"vip":"web"}' }]),
    );
  });

  it.each([
    ['StateMachineDoesNotExist', 'refused'],
    ['AccessDeniedException', 'denied'],
    ['ThrottlingException', 'throttled'],
  ])('that cannot be started for %s is that fault', async (code, kind) => {
    const flow = await workflow(always(code));
    await expect(flow.start('run-1', {})).rejects.toMatchObject({ kind, code });
    await expect(flow.describe('run-1')).rejects.toMatchObject({ kind, code });
    await expect(flow.happenings('run-1', 0)).rejects.toMatchObject({ kind, code });
    await expect(flow.reported('run-1')).rejects.toMatchObject({ kind, code });
    await expect(flow.answer('t', { approved: true, by: 'ann' })).rejects.toMatchObject({ kind, code });
  });

  it.each([
    ['RUNNING', 'running'],
    ['SUCCEEDED', 'succeeded'],
    ['FAILED', 'failed'],
    ['TIMED_OUT', 'timed out'],
    ['ABORTED', 'stopped'],
    ['PENDING_REDRIVE', 'running'],
  ] as const)('that is %s is described as %s, with all that it says of itself', async (status, state) => {
    const said = { error: 'FailoverRefused', cause: 'frozen', output: '{"b":2}' };
    const flow = await workflow(() => json({ status, startDate: START / 1000, input: '{"a":1}', ...said }));
    expect(await flow.describe('run-1')).toEqual({
      ...{ name: 'run-1', state, input: { a: 1 }, output: { b: 2 }, startedAtMs: START },
      ...{ error: 'FailoverRefused', cause: 'frozen' },
    });
    expect(endpoint!.calls[0]!.parameters).toEqual({ executionArn: execution('run-1') });
  });

  it('that there is not is undefined, and one whose data are too long to be shown has none', async () => {
    expect(await (await workflow(always('ExecutionDoesNotExist'))).describe('run-1')).toBeUndefined();
    await endpoint!.stop();
    const flow = await workflow(() =>
      json({ status: 'SUCCEEDED', startDate: 1, input: '{"cut', output: '{"cut' }),
    );
    expect(await flow.describe('run-1')).toEqual({
      name: 'run-1',
      state: 'succeeded',
      input: {},
      startedAtMs: 1000,
    });
  });

  it('did what its pages say, an empty one among them: states, and attempts of every kind that failed', async () => {
    const at = (id: number, more: object) => ({ id, timestamp: (START + id) / 1000, type: 'x', ...more });
    const failed = { error: 'States.Timeout', cause: 'why' };
    const events = [
      at(1, { executionStartedEventDetails: {} }),
      at(2, { stateEnteredEventDetails: { name: 'preflight' } }),
      at(3, { taskFailedEventDetails: failed }),
      at(4, { lambdaFunctionFailedEventDetails: { error: 'Lambda.Unknown' } }),
      at(5, { taskTimedOutEventDetails: { error: 'States.Timeout' } }),
      at(6, { lambdaFunctionTimedOutEventDetails: { cause: 'cause alone' } }),
      at(7, { stateExitedEventDetails: { name: 'preflight' } }),
      at(8, { stateEnteredEventDetails: { name: 'report' } }),
    ];
    const flow = await workflow(({ parameters }) => {
      const page = Number(parameters.nextToken ?? 0);
      const more = page < 4 ? { nextToken: String(page + 1) } : {};
      return json({
        events: [events.slice(0, 3), [], events.slice(3, 6), [], events.slice(6)][page],
        ...more,
      });
    });
    const all = [
      { id: 2, atMs: START + 2, entered: 'preflight' },
      { id: 3, atMs: START + 3, fault: 'States.Timeout: why' },
      { id: 4, atMs: START + 4, fault: 'Lambda.Unknown' },
      { id: 5, atMs: START + 5, fault: 'States.Timeout' },
      { id: 6, atMs: START + 6, fault: 'cause alone' },
      { id: 8, atMs: START + 8, entered: 'report' },
    ];
    expect(await flow.happenings('run-1', 0)).toEqual(all);
    expect(await flow.happenings('run-1', 3), 'after the one of this id').toEqual(all.slice(2));
    expect(await flow.happenings('run-1', 8)).toEqual([]);
    expect(endpoint!.calls[0]!.parameters).toMatchObject({
      executionArn: execution('run-1'),
      includeExecutionData: false,
    });
  });

  it('reported what its state of that name left last, seen from the end', async () => {
    const left = (name: string, output: string | undefined) => ({
      ...{ id: 1, timestamp: 1, type: 'x' },
      stateExitedEventDetails: { name, output },
    });
    const events = [
      left('preflight', '{"n":1}'),
      left('report', '{"n":2}'),
      left('report', '{"n":3}'),
      left('notify', '{"n":4}'),
    ];
    const flow = await workflow(({ parameters }) =>
      json({ events: parameters.reverseOrder === true ? events.toReversed() : events }),
    );
    expect(await flow.reported('run-1')).toEqual({ n: 3 });
    await endpoint!.stop();
    expect(
      await (await workflow(() => json({ events: [left('preflight', '{}')] }))).reported('run-1'),
    ).toBeUndefined();
  });

  it('takes the answer of a person, or is over', async () => {
    const decision = { approved: false, by: 'ann', reason: 'not today' };
    const flow = await workflow(() => json({}));
    expect(await flow.answer('token', decision)).toBe('taken');
    expect(endpoint!.calls[0]).toMatchObject({
      action: 'SendTaskSuccess',
      parameters: { taskToken: 'token', output: JSON.stringify(decision) },
    });
    for (const code of ['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']) {
      await endpoint!.stop();
      expect(await (await workflow(always(code))).answer('token', decision), code).toBe('over');
    }
  });
});

describe('the log', () => {
  const NOW = epochMs(START + 100 * 86_400_000);
  const window = { sinceMs: START, untilMs: epochMs(START + 3_600_000) };
  const line = (epoch: number, more: object = {}) =>
    JSON.stringify({ vip: 'web', epoch, digest: `d-${epoch}`, ...more });
  interface Group {
    readonly logGroupName: string;
    readonly creationTime?: number;
    readonly retentionInDays?: number;
  }

  /** Groups in their order, one a page; lines of each group, one a page with an empty one among them. */
  async function logsOf(
    groups: readonly Group[],
    lines: Readonly<Record<string, readonly object[]>>,
    asked: readonly string[],
  ): Promise<Logs> {
    endpoint = await startEndpoint((call) => {
      const { logGroupNamePrefix, logGroupName, nextToken, filterPattern, startTime, endTime } =
        call.parameters;
      const page = Number(nextToken ?? 0);
      const more = (pages: number) => (page + 1 < pages ? { nextToken: String(page + 1) } : {});
      if (call.action === 'DescribeLogGroups') {
        const found = groups.filter((g) => g.logGroupName.startsWith(String(logGroupNamePrefix)));
        return json({ logGroups: found.slice(page, page + 1), ...more(found.length) });
      }
      const all = (lines[String(logGroupName)] ?? []) as readonly { message: string; timestamp: number }[];
      const within = all.filter(
        ({ timestamp, message }) =>
          timestamp >= Number(startTime) &&
          timestamp <= Number(endTime) &&
          (filterPattern === undefined || message.includes('digest')),
      );
      const pages: (readonly object[])[] = within.map((one) => [one]);
      pages.splice(-1, 0, []);
      return json({ events: pages[page] ?? [], ...more(pages.length) });
    });
    const client = new CloudWatchLogsClient({ ...endpoint.config, maxAttempts: 1 });
    clients.push(client);
    return { client, groups: asked, signal };
  }
  const logs = async (...words: Parameters<typeof logsOf>) => linesOf(await logsOf(...words), window, NOW);

  it('has its first digest of an operator’s action in whichever group, read no further than there', async () => {
    const proof = (id: string) => JSON.stringify({ vip: 'web', id, digest: 'd' });
    const at = (ms: number, message: string) => ({ timestamp: START + ms, message });
    const asked = await logsOf(
      [{ logGroupName: 'a' }, { logGroupName: 'b' }],
      {
        a: [at(0, line(1)), at(5, proof('order/1')), at(6, proof('order/2')), at(7, line(2))],
        b: [at(3, proof('order/3'))],
      },
      ['a', 'b', 'none'],
    );
    expect(await firstProof(asked, window)).toBe(START + 3);
    const pagesOfA = endpoint!.calls.filter(({ parameters }) => parameters.logGroupName === 'a');
    expect(pagesOfA).toHaveLength(2);
  });

  it('has none where only outcomes have a digest', async () => {
    const asked = await logsOf([{ logGroupName: 'a' }], { a: [{ timestamp: START, message: line(1) }] }, [
      'a',
    ]);
    expect(await firstProof(asked, window)).toBeUndefined();
  });

  it('has the lines of every group and page that carry a digest, within the window, by the record’s own time', async () => {
    const at = (timestamp: number, message: string) => ({ timestamp, message });
    const found = await logs(
      [
        { logGroupName: 'a', creationTime: 5 },
        { logGroupName: 'b', creationTime: 7 },
      ],
      {
        a: [
          ...[
            at(START - 1, line(0)),
            at(START, `2026-11-22 INFO ${line(1, { atMs: START - 20 })}`),
            at(START + 1, line(2)),
          ],
          ...[
            at(START + 2, '{"message":"no"}'),
            at(START + 3, '{"digest": broken'),
            at(window.untilMs + 1, line(9)),
          ],
        ],
        b: [at(START + 4, line(3))],
      },
      ['a', 'b'],
    );
    expect(found.lines).toEqual([
      { vip: 'web', epoch: 1, digest: 'd-1', atMs: START - 20 },
      { vip: 'web', epoch: 2, digest: 'd-2', atMs: START + 1 },
      { vip: 'web', epoch: 3, digest: 'd-3', atMs: START + 4 },
    ]);
    const filtered = endpoint!.calls.filter(({ action }) => action === 'FilterLogEvents');
    expect(
      new Set(filtered.map(({ parameters }) => parameters.filterPattern)),
      'AWS leaves out the rest',
    ).toEqual(new Set(['{ $.digest = * }']));
  });

  it('knows nothing before the youngest group was made, or before what the shortest retention keeps', async () => {
    const DAY = 86_400_000;
    const from = async (...groups: readonly Omit<Group, 'logGroupName'>[]): Promise<EpochMs> => {
      const named = groups.map((group, n) => ({ ...group, logGroupName: `g${n}` }));
      const { fromMs } = await logs(
        named,
        {},
        named.map(({ logGroupName }) => logGroupName),
      );
      await endpoint!.stop();
      return fromMs;
    };
    expect(await from({ creationTime: START })).toBe(START);
    expect(
      await from({ creationTime: START }, { creationTime: START + 1 }, { creationTime: START - 1 }),
    ).toBe(START + 1);
    expect(await from({ creationTime: START, retentionInDays: 30 })).toBe(NOW - 30 * DAY);
    expect(await from({ creationTime: START, retentionInDays: 400 })).toBe(START);
    expect(await from({ creationTime: START }, { creationTime: 0, retentionInDays: 7 })).toBe(NOW - 7 * DAY);
  });

  it('names a group that is missing, and takes no group of a longer name for it', async () => {
    const others = ['f-0', 'f-1', 'f-2'].map((logGroupName) => ({ logGroupName, creationTime: START }));
    const found = await logs(others, { 'f-0': [{ timestamp: START, message: line(1) }] }, ['f', 'f-2']);
    expect(found).toEqual({ lines: [], proofs: [], fromMs: START, missing: ['f'] });
    await endpoint!.stop();
    const last = await logs([...others, { logGroupName: 'f', creationTime: START + 1 }], {}, ['f']);
    expect(last, 'however late it comes in the list').toMatchObject({ fromMs: START + 1, missing: [] });
  });

  it('a line without a record, of another kind or cut off is none', () => {
    for (const text of [
      '',
      'START',
      '{"a":1}',
      line(1, { digest: 5 }),
      line(1, { vip: 1 }),
      line(1).slice(0, -1),
    ])
      expect(lineFrom(text, START)).toBeUndefined();
  });
});
