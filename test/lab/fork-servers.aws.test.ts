import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { CreateVpcCommand, DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FORK_SERVERS, forkServerOf } from '../../lab/aws/fork-servers.ts';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { livingMembers } from '../../lab/aws/process-group.ts';

const program = join(import.meta.dirname, 'fixtures', 'programs', 'fork-and-end.ts');
const soon = { timeout: 60_000, interval: 20 };

afterEach(() => vi.unstubAllEnvs());

function clients(aws: LocalAws): { ec2: EC2Client; dynamo: DynamoDBClient } {
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  const access = { region: aws.region, credentials };
  return {
    ec2: new EC2Client({ ...access, endpoint: aws.ec2Endpoint }),
    dynamo: new DynamoDBClient({ ...access, endpoint: aws.endpoint }),
  };
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
const threadsOf = (pid: number): number => readdirSync(`/proc/${pid}/task`).length;

describe('a local AWS that is forked', () => {
  it('begins empty, meets no other, and makes ids of its own', async () => {
    await using one = await startLocalAws();
    await using other = await startLocalAws();
    expect(one.processGroups.map(parentOf)).toEqual(other.processGroups.map(parentOf));
    expect(one.processGroups.map(parentOf)).not.toContain(process.pid);
    const made = await Promise.all(
      [one, other].map((aws) => clients(aws).ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))),
    );
    expect(new Set(made.map(({ Vpc }) => Vpc!.VpcId)).size).toBe(2);
    await clients(one).dynamo.send(
      new CreateTableCommand({
        TableName: 'of-one',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );
    await using later = await startLocalAws();
    for (const aws of [other, later])
      expect((await clients(aws).dynamo.send(new ListTablesCommand({}))).TableNames).toEqual([]);
    const vpcs = await Promise.all(
      [one, other, later].map((aws) => clients(aws).ec2.send(new DescribeVpcsCommand({}))),
    );
    expect(vpcs.map(({ Vpcs }) => Vpcs!.length)).toEqual([2, 2, 1]);
  });

  it('is the one that loads its code itself: it knows its own port and folder, and has the same threads', async () => {
    await using forked = await startLocalAws();
    vi.stubEnv(FORK_SERVERS, undefined);
    await using loaded = await startLocalAws();
    expect(loaded.processGroups.map(parentOf)).toEqual([process.pid, process.pid]);
    for (const aws of [forked, loaded]) {
      const asked = { QueueName: 'of-its-own' };
      const answer = await fetch(aws.endpoint, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'AmazonSQS.CreateQueue',
          authorization: `AWS4-HMAC-SHA256 Credential=${aws.accountId}/20260101/${aws.region}/sqs/aws4_request`,
        },
        body: JSON.stringify(asked),
      });
      const { QueueUrl } = (await answer.json()) as { QueueUrl: string };
      expect(new URL(QueueUrl).host).toBe(new URL(aws.endpoint).host);
      expect(aws.processGroups.map((pid) => readlinkSync(`/proc/${pid}/cwd`))).toEqual(
        ['ministack', 'moto'].map((service) => join(aws.folder, service)),
      );
    }
    // A thread that has served a request ends a moment after its answer.
    const threads = () => [forked, loaded].map(({ processGroups }) => processGroups.map(threadsOf).join(' '));
    await expect.poll(threads).toSatisfy(([one, other]) => one === other);
  });

  it('lives as long as the process that asked for it, not as the servers', async () => {
    const starter = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(starter.stdout, 'data')) as [Buffer];
    const { folder, pids } = JSON.parse(String(line)) as { folder: string; pids: number[] };
    vi.stubEnv(FORK_SERVERS, folder);
    await using aws = await startLocalAws();
    expect(aws.processGroups.map(parentOf)).toEqual(pids);
    starter.kill('SIGKILL');
    await vi.waitFor(() => expect(pids.flatMap(livingMembers)).toEqual([]), soon);
    expect(existsSync(folder), 'the folder of the sockets').toBe(false);
    expect((await clients(aws).dynamo.send(new ListTablesCommand({}))).TableNames).toEqual([]);
  });

  it('is not to be had in other namespaces than those of the servers: there it would be on another loopback', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
    const own = readFileSync(join(process.env[FORK_SERVERS]!, 'namespaces'), 'utf8');
    vi.stubEnv(FORK_SERVERS, folder);
    writeFileSync(join(folder, 'namespaces'), own);
    expect(forkServerOf('moto')).toBe(join(folder, 'moto.socket'));
    writeFileSync(join(folder, 'namespaces'), own.replace(/net:\[\d+\]/, 'net:[1]'));
    expect(forkServerOf('moto')).toBeUndefined();
    rmSync(folder, { recursive: true });
  });
});
