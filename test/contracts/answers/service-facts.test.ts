// What the doctor reads of the deployed service, through the real SDK: lists to their last page, what is not there as such, what is
// denied as a fault.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import type { AwsCall } from '../../../lab/fault/aws-call.ts';
import { queueOf, tableStateOf } from '../../../shared/aws/service/watch-facts.ts';
import { rulesOf } from '../../../shared/aws/service/wiring-facts.ts';
import { viewTimes } from '../../../shared/aws/view-cache.ts';
import { epochMs } from '../../../shared/time.ts';
import { type Answer, type Endpoint, json, refused, startEndpoint } from '../../support/aws/endpoint.ts';

const { signal } = new AbortController();
let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());
const answering = async (answers: Readonly<Record<string, (call: AwsCall) => Answer>>): Promise<Endpoint> =>
  (endpoint = await startEndpoint((call) =>
    (answers[call.action] ?? (() => refused(call, 'AccessDeniedException')))(call),
  ));

describe('when views were confirmed', () => {
  const at = (n: number) => epochMs(Date.UTC(2026, 10, 22, 14, 0, n));
  const item = (name: string, n: number) =>
    marshall({ vip: `view/${name}`, expiresAtS: at(n) / 1000 + 400 * 86_400 });

  it('a hundred at a time, what DynamoDB leaves out asked for again, and one that is not kept as such', async () => {
    const names = Array.from({ length: 150 }, (_, n) => `v${n}`);
    let left = true;
    const { clients } = await answering({
      BatchGetItem(call) {
        const { Keys } = (call.parameters.RequestItems as Record<string, { Keys: { vip: { S: string } }[] }>)
          .t!;
        const asked = Keys.map(({ vip }) => vip.S.slice('view/'.length));
        const unread = left ? Keys.slice(-1) : [];
        left = false;
        const read = asked.slice(0, asked.length - unread.length).filter((name) => name !== 'v7');
        return json({
          Responses: { t: read.map((name) => item(name, Number(name.slice(1)))) },
          UnprocessedKeys: unread.length === 0 ? {} : { t: { Keys: unread } },
        });
      },
    });
    const table = { client: clients.dynamo, table: 't', signal, retentionDays: 400 };
    const times = await viewTimes(table, names);
    expect([...times.keys()]).toEqual(names);
    expect([times.get('v0'), times.get('v7'), times.get('v99'), times.get('v149')]).toEqual([
      ...[at(0), undefined, at(99), at(149)],
    ]);
    expect(endpoint!.calls).toHaveLength(3);
    expect((endpoint!.calls[0]!.parameters.RequestItems as { t: object }).t).toMatchObject({
      ProjectionExpression: '#vip, #expiresAtS',
    });
  });

  it('that DynamoDB never reads is a fault, after five rounds', async () => {
    const { clients } = await answering({
      BatchGetItem: (call) =>
        json({ Responses: {}, UnprocessedKeys: call.parameters.RequestItems as object }),
    });
    const table = { client: clients.dynamo, table: 't', signal, retentionDays: 400 };
    await expect(viewTimes(table, ['web'])).rejects.toMatchObject({ kind: 'throttled' });
    expect(endpoint!.calls).toHaveLength(5);
  });
});

describe('rules', () => {
  const rule = (part: string, more: object) => ({
    ...{ Name: `vipshift-dev-${part}-X`, EventBusName: 'vipshift-dev', Arn: `arn:${part}`, State: 'ENABLED' },
    ...more,
  });

  it('of both buses, to the last page, each with its targets; what is no rule of the stack is left out', async () => {
    const { clients, config } = await answering({
      ListRules: ({ parameters }) =>
        parameters.EventBusName === 'default'
          ? json({
              Rules: [
                rule('ReconcileEventsRuleSchedule1', {
                  EventBusName: 'default',
                  ScheduleExpression: 'rate(1 minute)',
                  State: 'DISABLED',
                }),
              ],
            })
          : parameters.NextToken === undefined
            ? json({ Rules: [rule('Own', {})], NextToken: 'more' })
            : json({ Rules: [rule('ClaimRule', { EventPattern: '{"a":["b"]}' })] }),
      ListTargetsByRule: ({ parameters }) =>
        json({ Targets: [{ Id: 't', Arn: `to:${String(parameters.Rule)}` }] }),
    });
    const access = {
      ...{ stacks: new CloudFormationClient(config), lambda: new LambdaClient(config) },
      ...{ events: clients.events, stage: 'dev', bus: 'vipshift-dev', signal },
    };
    expect(await rulesOf(access)).toEqual([
      {
        ...{ kind: 'claims', name: 'vipshift-dev-ClaimRule-X', bus: 'vipshift-dev', arn: 'arn:ClaimRule' },
        ...{ enabled: true, pattern: { a: ['b'] }, targets: ['to:vipshift-dev-ClaimRule-X'] },
      },
      {
        ...{ kind: 'reconcile', name: 'vipshift-dev-ReconcileEventsRuleSchedule1-X', bus: 'default' },
        ...{ arn: 'arn:ReconcileEventsRuleSchedule1', enabled: false, schedule: 'rate(1 minute)' },
        targets: ['to:vipshift-dev-ReconcileEventsRuleSchedule1-X'],
      },
    ]);
    expect(endpoint!.calls.find((call) => call.action === 'ListRules')!.parameters.NamePrefix).toBe(
      'vipshift-dev',
    );
  });

  it('without end are a fault: half a list would pass for the whole one', async () => {
    const { clients, config } = await answering({
      ListRules: () => json({ Rules: [rule('Own', {})], NextToken: 'more' }),
    });
    const access = {
      ...{ stacks: new CloudFormationClient(config), lambda: new LambdaClient(config) },
      ...{ events: clients.events, stage: 'dev', bus: 'vipshift-dev', signal },
    };
    await expect(rulesOf(access)).rejects.toMatchObject({ kind: 'refused', code: 'TooManyPages' });
  });
});

describe('a queue and a table', () => {
  it('with what waits in it, in flight and delayed; one that is not there; a fault where it is denied', async () => {
    let answer = (_call: AwsCall): Answer =>
      json({ Attributes: { ApproximateNumberOfMessages: '2', ApproximateNumberOfMessagesNotVisible: '3' } });
    const { url, config } = await answering({ GetQueueAttributes: (call) => answer(call) });
    const sqs = new SQSClient({ ...config, maxAttempts: 1 });
    const queue = { queue: 'q', url: `${url}/1/q` };
    expect(await queueOf(sqs, queue, signal)).toEqual({ ...queue, waiting: 5 });
    answer = (call) => refused(call, 'QueueDoesNotExist');
    expect(await queueOf(sqs, queue, signal)).toEqual(queue);
    answer = (call) => refused(call, 'AccessDenied');
    await expect(queueOf(sqs, queue, signal)).rejects.toMatchObject({ kind: 'denied' });
    sqs.destroy();
  });

  it('a table: TTL only where it is on, or being turned on', async () => {
    let TimeToLiveStatus = 'ENABLING';
    const { clients } = await answering({
      DescribeTable: () => json({ Table: { TableStatus: 'ACTIVE', DeletionProtectionEnabled: true } }),
      DescribeTimeToLive: () =>
        json({ TimeToLiveDescription: { TimeToLiveStatus, AttributeName: 'expiresAtS' } }),
      DescribeContinuousBackups: () =>
        json({
          ContinuousBackupsDescription: {
            PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
          },
        }),
    });
    const found = { status: 'ACTIVE', isProtected: true, recovers: false };
    expect(await tableStateOf(clients.dynamo, 't', signal)).toEqual({
      table: 't',
      found: { ...found, ttl: 'expiresAtS' },
    });
    TimeToLiveStatus = 'DISABLING';
    expect(await tableStateOf(clients.dynamo, 't', signal)).toEqual({ table: 't', found });
  });
});
