// `audit verify` from its front door: what was edited or deleted behind the controller's back is found, against lines in
// CloudWatch Logs on the local AWS and against exported ones.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { awsApprovals } from '../../../shared/aws/dynamodb/approvals.ts';
import { awsOperatorActions } from '../../../shared/aws/dynamodb/operator-actions.ts';
import { epochKey } from '../../../shared/aws/dynamodb/timeline.ts';
import { withProofs } from '../../../shared/aws/lambda/logged-actions.ts';
import { epochMs, iso } from '../../../shared/time.ts';
import { canonical, digest } from '../../../shared/timeline/integrity.ts';
import { operatorAction } from '../../../shared/timeline/operator-action.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { NO_MEMBER, UNREGISTERED } from '../../../shared/vip/admission.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { documents, type Ran } from '../front-door/command-line.ts';
import { type Region, startRegion, tables } from '../region.ts';
import { failoverOf } from './records.ts';

let region: Region;
let folder: string;
const GROUP = '/aws/lambda/vipshift-dev-failover';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** Old enough to have a line for sure, and all on one day or two. */
const began = Date.now() - 3_600_000;
const failovers: readonly Failover[] = [1, 2, 3, 4, 5, 6].map((epoch) =>
  failoverOf(epoch, { atMs: epochMs(began + epoch * 1000), outcome: epoch === 6 ? 'abandoned' : 'switched' }),
);
let recent: readonly Failover[];
const lineOf = (failover: Failover) => {
  const { claims: _claims, ...told } = failover;
  return JSON.stringify({
    level: 'INFO',
    message: 'failover switched',
    ...told,
    digest: digest(failover, sha256),
  });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vipshift-audit-'));
  region = await startRegion();
  for (const failover of failovers) await region.timeline.put(failover);
  await writeFile(join(folder, 'exported.jsonl'), failovers.map((f) => `${lineOf(f)}\n`).join(''));
  const logs = new CloudWatchLogsClient({
    region: region.aws.region,
    endpoint: region.aws.endpoint,
    credentials: { accessKeyId: region.aws.accountId, secretAccessKey: 'local' },
  });
  await logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
  const stream = { logGroupName: GROUP, logStreamName: 'one' };
  await logs.send(new CreateLogStreamCommand(stream));
  // The group is only now made, so it has only these.
  recent = [20, 21].map((epoch) => failoverOf(epoch, { vip: 'db', atMs: epochMs(Date.now() + epoch) }));
  for (const failover of recent) await region.timeline.put(failover);
  const logEvents = [
    { timestamp: Date.now(), message: 'START RequestId: 1' },
    ...recent.map((f) => ({ timestamp: f.atMs + 20, message: lineOf(f) })),
    { timestamp: Date.now() + 90, message: '{"level":"INFO","message":"claim recorded","vip":"web"}' },
  ];
  await logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
});
afterAll(async () => {
  await region?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const key = (epoch: number) => ({ vip: { S: 'web' }, id: { S: `${epochKey(epoch)}/2-outcome` } });
const verify = (...args: readonly string[]) => region.vipshift('audit', 'verify', '--since', '2h', ...args);
/** Before the log group was made. */
const until = new Date(began + 60_000).toISOString();
const exported = () => ['--until', until, '--log-file', join(folder, 'exported.jsonl')];

test('an untouched record agrees with its log, in CloudWatch and exported', async () => {
  const ran = await verify(...exported());
  expect(ran.stdout).toMatch(/^6 records, 6 log lines: 0 edited, 0 deleted, 0 without a line\n/);
  expect(ran.stdout).toMatch(/verified back to .*Z: the log has nothing older/);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
});

describe('what the workflow has recorded of operators', () => {
  const at = epochMs(began + 20_000);
  const action = operatorAction(
    { vip: 'web', order: 'failover', by: 'ann', reason: 'patching', node: 'i-0ffeeddccbbaa9988', atMs: at },
    'nonce',
  );
  const order = { vip: 'web', to: 'i-0ffeeddccbbaa9988', by: 'ann', reason: 'patching', mode: 'routes-only' };
  const request = { vip: 'web', execution: 'web-1', token: 't', order, plan: [], atMs: at, untilMs: at };
  const table = () => ({
    client: region.dynamo,
    table: tables.timeline,
    signal: new AbortController().signal,
    retentionDays: 400,
  });
  const log = () => join(folder, 'with-actions.jsonl');
  const asked = () =>
    verify('--until', until, '--log-file', join(folder, 'exported.jsonl'), '--log-file', log());
  const keyOf = (vip: string, id: string) => ({ vip: { S: vip }, id: { S: id } });

  beforeAll(async () => {
    await awsOperatorActions(table()).put(action);
    await awsApprovals(table()).ask(request as never);
    // As the functions write them.
    const lines: string[] = [];
    const told = vi
      .spyOn(console, 'info')
      .mockImplementation((line: string) => void lines.push(JSON.stringify(JSON.parse(line))));
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    const telemetry = { logger: new Logger({ logLevel: 'INFO' }), metrics: new Metrics(), byVip: false };
    const done = { put: async () => {}, ask: async () => {}, pending: async () => [] };
    const stores = withProofs({ orders: done, approvals: done }, telemetry);
    await stores.orders.put(action);
    await stores.approvals.ask(request as never);
    told.mockRestore();
    vi.unstubAllEnvs();
    await writeFile(log(), lines.join('\n'));
  });
  afterAll(async () => {
    for (const Key of [keyOf('web', action.id), keyOf('approval/web', 'web-1/request')])
      await region.dynamo.send(new DeleteItemCommand({ TableName: tables.timeline, Key }));
  });

  test('agrees with the log, and is not counted as uncovered', async () => {
    const ran = await asked();
    expect(ran.stdout).toContain('and 2 of the workflow’s operator actions and requests for approval');
    expect(ran.stdout).toMatch(
      /^not covered: 0 operator actions, 0 rejections, 0 intents, 0 requests for approval;/m,
    );
    expect(ran.status).toBe(0);
  });

  test('has a line: what was added and has none was not written by the workflow, in the index by day or out of it', async () => {
    const later = epochMs(at + 1000);
    const forged = (order: 'approve' | 'failover' | 'pin', atMs = later) =>
      operatorAction({ vip: 'web', order, by: 'mallory', reason: 'forged', atMs }, order);
    const [approval, failover] = [forged('approve'), forged('failover')];
    await awsOperatorActions(table()).put(approval);
    // Shown by `timeline web` all the same.
    await region.dynamo.send(new PutItemCommand({ TableName: tables.timeline, Item: marshall(failover) }));
    const asking = { ...request, execution: 'web-2', atMs: later };
    await awsApprovals(table()).ask(asking as never);
    // These have none by nature: the command line's own, and what is older than the log's first such line.
    const own = [forged('pin'), forged('approve', epochMs(at - 1000))];
    for (const action of own) await awsOperatorActions(table()).put(action);
    const keys = [
      ...[approval, failover, ...own].map(({ id }) => keyOf('web', id)),
      keyOf('approval/web', 'web-2/request'),
    ];
    try {
      const ran = await asked();
      for (const id of [`web/${approval.id}`, `web/${failover.id}`, 'approval/web/web-2/request'])
        expect(ran.stdout).toMatch(
          new RegExp(`^unlogged {2}${id} .*the log has no digest of it: the workflow did not write it$`, 'm'),
        );
      expect(ran.stdout).toMatch(/0 edited, 0 deleted, 3 without a line$/m);
      expect(ran.stdout).toMatch(/^not covered: 2 operator actions, 0 rejections, 0 intents, 0 requests /m);
      expect(ran.status).toBe(1);
    } finally {
      for (const Key of keys)
        await region.dynamo.send(new DeleteItemCommand({ TableName: tables.timeline, Key }));
    }
  });

  test('is found when it is overwritten, which every function has the right to do, and when it is deleted', async () => {
    const Item = marshall({ ...action, by: 'mallory', day: iso(at).slice(0, 10), at: `${iso(at)} x` });
    await region.dynamo.send(new PutItemCommand({ TableName: tables.timeline, Item }));
    const Key = keyOf('approval/web', 'web-1/request');
    await region.dynamo.send(new DeleteItemCommand({ TableName: tables.timeline, Key }));
    const ran = await asked();
    expect(ran.stdout).toMatch(
      new RegExp(`^edited {2}web/${action.id} .*its digest is \\w+, the log says`, 'm'),
    );
    expect(ran.stdout).toMatch(/^deleted {2}approval\/web\/web-1\/request .*the record does not$/m);
    expect(ran.status).toBe(1);
  });
});

describe('what no digest covers', () => {
  const at = epochMs(began + 30_000);
  const of = (ran: Ran) => documents(ran.stdout).at(-1)!.notCovered;

  test('is counted, in text, in JSON and by kind, and named in the help', async () => {
    const none = { orders: 0, rejections: 0, intents: 0, approvals: 0, atLeast: false };
    expect(of(await verify('--json', ...exported()))).toEqual(none);
    const item = (kind: object) =>
      region.dynamo.send(
        new PutItemCommand({
          TableName: tables.timeline,
          Item: marshall({ day: iso(at).slice(0, 10), at: `${iso(at)} x`, atMs: at, ...kind }),
        }),
      );
    for (const nonce of ['a', 'b'])
      await item({
        vip: 'web',
        id: `order/${iso(at)}/${nonce}`,
        entry: 'order',
        order: 'pin',
        at: `${iso(at)} ${nonce}`,
      });
    await region.timeline.reject({
      vip: UNREGISTERED,
      node: NO_MEMBER,
      reason: 'malformed',
      message: 'm',
      example: '{}',
      atMs: at,
    });
    // As a version before stored it: in the indexes, under whatever name came.
    const older = { ofVip: 'wbe', node: 'i-1', reason: 'unknown-vip', hour: iso(at).slice(0, 13), count: 1 };
    await item({
      ...{ vip: 'rejected/wbe', id: `${older.hour}/i-1/unknown-vip`, entry: 'rejected', ...older },
      ...{ message: 'm', example: '{}', at: `${older.hour}:00:00.000Z x` },
    });
    const { vip, epoch, holder, cause, why } = failovers[2]!;
    await region.timeline.put({
      entry: 'intent',
      vip,
      epoch,
      holder,
      cause,
      to: 'i-2',
      why,
      steps: [],
      atMs: at,
    });
    const labels = { tableLabels: ['web'], nodeLabels: ['web'] };
    const entry = { name: 'web', addresses: [], eips: [], vpc: 'vpc-0a', account: '111122223333', ...labels };
    await region.vips.write(undefined, newVip({ ...entry, hold: 'both' }));
    await region.dynamo.send(
      new PutItemCommand({
        TableName: tables.timeline,
        Item: marshall({ vip: 'approval/web', id: 'one/request', entry: 'approval', atMs: at }),
      }),
    );
    expect(of(await verify('--json', ...exported()))).toEqual({
      ...{ orders: 2, rejections: 2, intents: 1, approvals: 1 },
      atLeast: false,
    });
    expect((await verify(...exported())).stdout).toMatch(
      /^not covered: 2 operator actions, 2 rejections, 1 intent, 1 request for approval; they have no digest in the log, anyone with write access to the table can change them unnoticed$/m,
    );
    const help = await region.vipshift('audit', 'verify', '--help');
    expect(help.stdout).toMatch(/have no digest in the log: they are counted as not covered/);
  });

  test('an order that is forged or deleted is not found out: so much is said, and no more', async () => {
    const Key = { vip: { S: 'web' }, id: { S: `order/${iso(at)}/a` } };
    await region.dynamo.send(new DeleteItemCommand({ TableName: tables.timeline, Key }));
    const ran = await verify(...exported());
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/^not covered: 1 operator action, /m);
  });
});

test('against CloudWatch Logs: as far back as the group goes, edited and deleted ones are found', async () => {
  const well = await verify();
  expect(well.stderr).toMatch(/no such log group: \/aws\/lambda\/vipshift-dev-reconcile/);
  expect(well.stdout).toMatch(/^2 records, 2 log lines: 0 edited, 0 deleted, 0 without a line\n/);
  expect(well.stdout).toMatch(/verified back to .*Z: the log has nothing older/);
  expect(well.status).toBe(0);
  const TableName = tables.timeline;
  const drop = (epoch: number) =>
    region.dynamo.send(new DeleteItemCommand({ TableName, Key: { ...key(epoch), vip: { S: 'db' } } }));
  await drop(20);
  await drop(21);
  await region.timeline.put({ ...recent[1]!, to: 'i-0cccccccccccccccc' });
  const ran = await verify('--json');
  expect(ran.status).toBe(1);
  expect(documents(ran.stdout)).toMatchObject([
    { kind: 'deleted', id: 'db/20' },
    { kind: 'edited', id: 'db/21' },
    { verified: 1, lines: 2 },
  ]);
  await drop(21);
});

test('an edited record is found', async () => {
  const update = (reason: string) =>
    region.dynamo.send(
      new UpdateItemCommand({
        TableName: tables.timeline,
        Key: key(2),
        UpdateExpression: 'SET #why = :why',
        ExpressionAttributeNames: { '#why': 'why' },
        ExpressionAttributeValues: { ':why': { S: reason } },
      }),
    );
  await update('it was someone else');
  const ran = await verify(...exported());
  expect(ran.status).toBe(1);
  expect(ran.stdout).toMatch(/^edited {2}web\/2 {2}.*its digest is \w{16}, the log says \w{16}\n/);
  await update(failovers[1]!.why);
  expect((await verify(...exported())).status).toBe(0);
});

test('a deleted record is found', async () => {
  await region.dynamo.send(new DeleteItemCommand({ TableName: tables.timeline, Key: key(4) }));
  const ran = await verify('--json', ...exported());
  expect(ran.status).toBe(1);
  expect(documents(ran.stdout)).toMatchObject([
    { kind: 'deleted', id: 'web/4', bad: true },
    { verified: 5, lines: 6 },
  ]);
  await region.timeline.put(failovers[3]!);
});

test('a record that was moved to another day is found, though the index has lost it', async () => {
  await region.dynamo.send(
    new UpdateItemCommand({
      TableName: tables.timeline,
      Key: key(5),
      UpdateExpression: 'SET #day = :day',
      ExpressionAttributeNames: { '#day': 'day' },
      ExpressionAttributeValues: { ':day': { S: '1999-01-01' } },
    }),
  );
  const ran = await verify('--json', ...exported());
  expect(documents(ran.stdout)[0]).toMatchObject({ kind: 'edited', id: 'web/5', why: /gone from the index/ });
  await region.dynamo.send(new DeleteItemCommand({ TableName: tables.timeline, Key: key(5) }));
  await region.timeline.put(failovers[4]!);
});

test('a record that the functions never wrote is found', async () => {
  await region.timeline.put(failoverOf(7, { atMs: epochMs(began + 7000) }));
  const ran = await verify(...exported());
  expect(ran.status).toBe(1);
  expect(ran.stdout).toMatch(/unlogged {2}web\/7 .*not written by the functions/);
});

test('a file that is not there and a stage without logs are refused', async () => {
  expect((await verify('--log-file', '/nonexistent')).status).toBe(2);
  const foreign = await verify('--log-file', 'package.json');
  expect(foreign).toMatchObject({ status: 2, stdout: '' });
  expect(foreign.stderr).toMatch(/package\.json: no line of the functions’ log with a digest/);
  const ran = await region.vipshift('audit', 'verify', '--stage', 'nosuch');
  expect(ran.status).toBe(3);
  expect(ran.stderr).toMatch(/there are no log groups/);
});

test('the canonical form does not depend on the order of keys, nor on what is absent', () => {
  const one = { b: 1, a: { d: undefined, c: [1, { z: 'ä', y: null }] } };
  const two = { a: { c: [1, { y: null, z: 'ä' }] }, b: 1 };
  expect(canonical(one)).toBe('{"a":{"c":[1,{"y":null,"z":"ä"}]},"b":1}');
  expect(canonical(two)).toBe(canonical(one));
});
