// The commands around a deployment, on the local AWS: deploy, upgrade, roll back, restore the registry, remove.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deploy, remove } from '../../build/service.ts';
import { verdictOn } from '../../build/template-check.ts';
import { childEnv, type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { quickMonitoring, withServiceFolder } from '../../lab/aws/stack/serverless.ts';
import { invoke } from '../../lab/aws/stack/stack.ts';
import { restore } from '../../runbook/restore.ts';
import { awsTimeline } from '../../shared/aws/dynamodb/timeline.ts';
import { awsVips } from '../../shared/aws/dynamodb/vip-store.ts';
import { epochMs } from '../../shared/time.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import { newVip, type Vip } from '../../shared/vip/vip.ts';
import { entry } from '../support/world.ts';

const plugin = join(import.meta.dirname, '..', '..', 'lab', 'aws', 'stack', 'serverless-local.cjs');
const stage = 'ops';
const tables = { vips: `vipshift-${stage}-vips`, timeline: `vipshift-${stage}-timeline` };

// Each deployment is packaged and validated each time.
vi.setConfig({ testTimeout: 240_000 });

let aws: LocalAws;
let dynamo: DynamoDBClient;
let folder: string;
beforeAll(async () => {
  aws = await startLocalAws();
  const access = {
    region: aws.region,
    credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
  };
  dynamo = new DynamoDBClient({ ...access, endpoint: aws.endpoint });
  folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  // The restore command finds AWS as an operator's shell would have it.
  Object.assign(process.env, aws.env);
});
afterAll(async () => {
  dynamo?.destroy();
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const inServiceFolder = (work: (place: { folder: string; env: NodeJS.ProcessEnv }) => Promise<void>) =>
  withServiceFolder({ plugin }, (place) =>
    work({
      folder: place,
      env: {
        ...childEnv(aws),
        ...quickMonitoring,
        VIPSHIFT_LAB_OUTPUTS: join(folder, 'outputs.json'),
      },
    }),
  );
const params = (values: Record<string, string>) =>
  Object.entries({
    nodeIdentity: 'none',
    deletionProtection: 'false',
    reconcileSchedule: 'false',
    ...values,
  }).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
const { signal } = new AbortController();
const vips = () => awsVips({ client: dynamo, table: tables.vips, signal, nonce: () => crypto.randomUUID() });
const items = async (TableName: string) => (await dynamo.send(new ScanCommand({ TableName }))).Items ?? [];

describe('a deployment', () => {
  it('is packaged, validated, and deployed as it was validated', () =>
    inServiceFolder(async (place) => {
      await deploy(place, stage, params({}));
      expect(await items(tables.vips)).toEqual([]);
    }));

  it('of a template with a finding stops before anything is changed', () => {
    const file = join(folder, 'template.json');
    const Properties = { BillingMode: 'SOMETIMES', KeySchema: [] };
    writeFileSync(file, JSON.stringify({ Resources: { T: { Type: 'AWS::DynamoDB::Table', Properties } } }));
    expect(verdictOn(file).stops.length).toBeGreaterThan(0);
  });

  it('whose claims are to be bound to a role that no one named stops, too, and says what to do', () =>
    inServiceFolder(async (place) => {
      const before = readFileSync(join(folder, 'outputs.json'), 'utf8');
      const asked = deploy(place, stage, params({ nodeIdentity: 'source', retentionDays: '1' }));
      await expect(asked).rejects.toThrow('nodeRoleId, nodeRoleArn are empty: name the nodes’ role');
      expect(readFileSync(join(folder, 'outputs.json'), 'utf8')).toBe(before);
    }));

  it.each([
    ['deploy', []],
    ['remove', ['--region', 'eu-central-1']],
    ['destroy', ['--stage', 'prod']],
  ])('%s %j: without a stage, or of a task that there is not, nothing is done', (task, more) => {
    const service = join(import.meta.dirname, '..', '..', 'build', 'service.ts');
    const { status, stderr } = spawnSync(process.execPath, [service, task, ...more], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('want: npm run deploy -- --stage NAME, or npm run remove -- --stage NAME'),
    ]);
  });

  it('keeps registry and record over an upgrade and the way back', async () => {
    await vips().write(undefined, newVip(entry));
    const before = await items(tables.vips);
    // Forth to a service with other settings, and back to the one before.
    for (const values of [{ retentionDays: '30', metricsByVip: 'false' }, {}])
      await inServiceFolder((place) => deploy(place, stage, params(values)));
    expect(await items(tables.vips)).toEqual(before);
  });
});

describe('restoring the registry', () => {
  const backup = 'vipshift-ops-vips-restored';
  const told: string[] = [];
  const how = { stage, from: backup, vipsTable: tables.vips, timelineTable: tables.timeline, only: [] };

  it('says what it would do, and does nothing without a yes', async () => {
    await dynamo.send(
      new CreateTableCommand({
        ...{ TableName: backup, BillingMode: 'PAY_PER_REQUEST' },
        AttributeDefinitions: [{ AttributeName: 'vip', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'vip', KeyType: 'HASH' }],
      }),
    );
    const [old] = await items(tables.vips);
    await dynamo.send(
      new PutItemCommand({
        TableName: backup,
        Item: {
          ...old!,
          epoch: { N: '7' },
          owner: { S: 'i-old' },
          lease: { M: { holder: { S: 'h' }, expiresAtMs: { N: '1' }, cause: { M: {} } } },
        },
      }),
    );
    await awsTimeline({ client: dynamo, table: tables.timeline, signal, retentionDays: 1 }).put({
      ...{ entry: 'outcome', vip: 'web', epoch: 42, holder: 'h', outcome: 'switched', why: 'w', steps: [] },
      ...{
        conflicts: [],
        stages: [],
        verified: true,
        notes: [],
        claims: {},
        splitBrain: [],
        atMs: epochMs(1),
      },
      cause: { kind: 'order', why: 'w', atMs: epochMs(1) },
    } as Failover);
    const before = await vips().read('web');
    await restore({ ...how, yes: false }, (line) => told.push(line));
    expect(told).toEqual([
      `would restore web: ${entry.addresses.join(', ')}, epoch 1042`,
      'nothing was written; add --yes',
    ]);
    expect(await vips().read('web')).toEqual(before);
  });

  it('raises the epoch over every one that was given, and forgets lease, claims and owner', async () => {
    const present = (await vips().read('web'))!;
    const told = { ...present, owner: 'i-new', wrote: ['eni-new'] } as Vip;
    await vips().write(present, told);
    await restore({ ...how, yes: true }, () => {});
    const after = (await vips().read('web'))!;
    expect(after).toMatchObject({ epoch: 1042, claims: {}, open: {}, addresses: entry.addresses });
    expect([after.owner, after.lease]).toEqual([undefined, undefined]);
    expect(after.wrote).toEqual(['eni-new']);
    expect(after.rev).toBeGreaterThan(present.rev);
  });

  it('names the table that has no such VIP', async () => {
    await expect(restore({ ...how, only: ['absent'], yes: true }, () => {})).rejects.toThrow(
      `${backup} has no VIP absent`,
    );
  });
});

describe('removing', () => {
  // That the tables stay is in the template (DeletionPolicy, see template.test.ts); the emulator does not know it.
  it('takes the stack away', async () => {
    const reconciler = `vipshift-${stage}-reconcile`;
    expect(await invoke(aws, reconciler, {})).toBeDefined();
    await inServiceFolder((place) => remove(place, stage, params({})));
    await expect(invoke(aws, reconciler, {})).rejects.toThrow(reconciler);
  });
});
