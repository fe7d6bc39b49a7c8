import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, ListRulesCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { livingMembers } from '../../lab/aws/process-group.ts';
import { type Deployment, deployService } from '../../lab/aws/stack/deploy.ts';
import { packagedByOsls, packagedService } from '../../lab/aws/stack/packaged.ts';

const functionsFolder = join(import.meta.dirname, 'fixtures', 'functions');
const soon = { timeout: 90_000, interval: 20 };

interface Note {
  readonly what: 'start' | 'end';
  readonly name: string;
  readonly pid: number;
  readonly leftMs: number;
  readonly version: string;
  readonly ec2: string;
  readonly role: string;
}

let aws: LocalAws;
let dev: Deployment;
let other: Deployment;
let folder: string;
let file: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  file = join(folder, 'notes');
  // What others leave in the folder of temporary files must not reach us: Node and npm read it from every folder above.
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  vi.stubEnv('TMPDIR', folder);
  aws = await startLocalAws();
  const common = { functionsFolder, extraEnv: { VIPSHIFT_TEST_FILE: file }, schedule: false };
  const role = {
    nodeRoleId: 'AROAEXAMPLE000000001',
    nodeRoleArn: `arn:aws:iam::${aws.accountId}:role/nodes`,
  };
  [dev, other] = await Promise.all([
    deployService(aws, { ...common, ...role }),
    deployService(aws, { ...common, stage: 'other', ec2Endpoint: 'http://127.0.0.1:9', schedule: true }),
  ]);
});

afterAll(async () => {
  await aws?.stop();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function client<T>(Client: new (config: object) => T): T {
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  return new Client({ endpoint: aws.endpoint, region: aws.region, credentials });
}

interface Detail {
  readonly name: string;
  readonly ms: number;
  readonly whenBegun?: number;
}

async function claim(deployment: Deployment, ...details: readonly Detail[]): Promise<void> {
  const common = {
    EventBusName: deployment.busName,
    Source: 'vipshift.notify/test',
    DetailType: 'VRRP State Change',
  };
  const Entries = details.map((detail) => ({ ...common, Detail: JSON.stringify(detail) }));
  const answer = await client(EventBridgeClient).send(new PutEventsCommand({ Entries }));
  expect(answer.FailedEntryCount).toBe(0);
}

function notes(prefix: string): Note[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return lines.map((line) => JSON.parse(line) as Note).filter(({ name }) => name.startsWith(prefix));
}

describe('deployService', () => {
  it('names what it deployed, and two stages at once do not meet', () => {
    expect(dev).toEqual({
      outputs: expect.objectContaining({ BusName: 'vipshift-dev' }),
      stage: 'dev',
      busName: 'vipshift-dev',
      busArn: `arn:aws:events:${aws.region}:${aws.accountId}:event-bus/vipshift-dev`,
      vipsTable: 'vipshift-dev-vips',
      timelineTable: 'vipshift-dev-timeline',
      functions: { failover: 'vipshift-dev-failover', reconcile: 'vipshift-dev-reconcile' },
    });
    expect(other.functions.failover).toBe('vipshift-other-failover');
  });

  it('makes the indexes that the timeline is asked by', async () => {
    const dynamo = client(DynamoDBClient);
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: dev.timelineTable }));
    const keys = Table!.GlobalSecondaryIndexes!.map((index) => [
      index.IndexName,
      ...index.KeySchema!.map((key) => key.AttributeName),
    ]);
    expect(new Set(keys)).toEqual(
      new Set([
        ['byDay', 'day', 'at'],
        ['byNode', 'node', 'at'],
        ['byFrom', 'from', 'at'],
      ]),
    );
  });

  it('lets reconcile run by itself only where it is asked to', async () => {
    const { Rules } = await client(EventBridgeClient).send(new ListRulesCommand({}));
    const state = (stage: string) =>
      Rules!.find(({ Name }) => Name!.startsWith(`vipshift-${stage}-Reconcile`))?.State;
    expect([state('dev'), state('other')]).toEqual(['DISABLED', 'ENABLED']);
  });

  it('takes an event from the bus to the function of its stage, on the Node that Lambda has', async () => {
    await claim(dev, { name: 'plain', ms: 0 });
    await claim(other, { name: 'plain-other', ms: 0 });
    await vi.waitFor(() => expect(notes('plain').filter(({ what }) => what === 'end')).toHaveLength(2), soon);
    const [mine, theirs] = ['plain', 'plain-other'].map(
      (name) => notes('plain').find((note) => note.name === name)!,
    );
    expect(mine!.version).toMatch(/^v24\./);
    expect(mine).toMatchObject({ ec2: aws.ec2Endpoint, role: 'AROAEXAMPLE000000001' });
    expect(theirs).toMatchObject({ ec2: 'http://127.0.0.1:9', role: '' });
  });

  it("counts the function's remaining time down from its timeout", async () => {
    await claim(dev, { name: 'time', ms: 200 });
    await vi.waitFor(() => expect(notes('time')).toHaveLength(2), soon);
    const [start, end] = notes('time');
    expect(start!.leftMs).toBeGreaterThan(200_000);
    expect(start!.leftMs).toBeLessThanOrEqual(300_000);
    expect(start!.leftMs - end!.leftMs).toBeGreaterThanOrEqual(195);
  });

  it('runs twenty invocations of one function beside each other, each in a sandbox of its own', async () => {
    // Each ends when the twentieth has begun, so that one that had to wait for another would never begin.
    const whenBegun = notes('').filter(({ what }) => what === 'start').length + 20;
    const details = Array.from({ length: 20 }, (_, i) => ({ name: `many-${i}`, ms: 0, whenBegun }));
    await Promise.all([claim(dev, ...details.slice(0, 10)), claim(dev, ...details.slice(10))]);
    await vi.waitFor(() => expect(notes('many').filter(({ what }) => what === 'end')).toHaveLength(20), soon);
    expect(new Set(notes('many').map(({ pid }) => pid)).size).toBe(20);
  });

  it('says what osls said when it packages nothing', async () => {
    await expect(packagedByOsls({ functionsFolder, stage: 'no spaces', params: {} })).rejects.toThrow(
      /osls package ended with status 1:\n[\s\S]*stage/,
    );
  });

  it('refuses a stage or a parameter that the template does not take', async () => {
    await expect(deployService(aws, { functionsFolder, stage: 'no spaces' })).rejects.toThrow(
      /^Stage is "no spaces", expected \^/,
    );
    const packaged = (params: Readonly<Record<string, string>>) =>
      packagedService({ functionsFolder, stage: 'dev', params });
    await expect(packaged({ nodeIdentity: 'both' })).rejects.toThrow(
      'NodeIdentity is "both", expected source or none',
    );
    await expect(packaged({ nodeRole: 'x' })).rejects.toThrow('no parameter for --param nodeRole');
  });

  it('refuses to deploy anywhere but onto loopback: an account is out of reach from the lab', async () => {
    const env = { ...aws.env, AWS_ENDPOINT_URL: 'https://events.eu-central-1.amazonaws.com' };
    await expect(deployService({ ...aws, env }, { functionsFolder })).rejects.toThrow(
      /local AWS only.*expected 127\.0\.0\.1/,
    );
  });

  it('takes a function that is still running down with the local AWS', async () => {
    await claim(dev, { name: 'hangs', ms: 50_000 });
    await vi.waitFor(() => expect(notes('hangs')).toHaveLength(1), soon);
    const [{ pid }] = notes('hangs') as [Note];
    expect(aws.processGroups.flatMap(livingMembers)).toContain(pid);
    await aws.stop();
    expect(aws.processGroups.flatMap(livingMembers)).toEqual([]);
    expect(existsSync(aws.folder)).toBe(false);
  });
});

it('says at once why a function cannot start, and ends, instead of letting everybody wait', async () => {
  await using own = await startLocalAws();
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const extraEnv = { VIPSHIFT_TEST_FILE: file, NODE_OPTIONS: '--require=/nonexistent/hook.cjs' };
  const { functions } = await deployService(own, { functionsFolder, extraEnv, schedule: false });
  const url = `${own.endpoint}/2015-03-31/functions/${functions.failover}/invocations`;
  const refused = () => expect(fetch(url, { method: 'POST', body: '{}' })).rejects.toThrow('fetch failed');
  await vi.waitFor(refused, soon);
  expect(said.mock.calls.flat().join('\n')).toMatch(
    /the sandbox of vipshift-dev-failover did not start: .*[\s\S]*Cannot find module '\/nonexistent\/hook\.cjs'/,
  );
  said.mockRestore();
});
