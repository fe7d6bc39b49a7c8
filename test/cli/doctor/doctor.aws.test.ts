// The doctor from its front door: a right set-up is found right, each fault of a list is seeded, found by name with its
// remedy, and taken back.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateManagedPrefixListCommand } from '@aws-sdk/client-ec2';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keepalivedConfig } from '../../../cli/keepalived-config/config.ts';
import { keepalivedDefaults } from '../../../cli/keepalived-config/input.ts';
import { vrrp } from '../../../lab/aws/stack/vpc.ts';
import { startSts } from '../../../lab/aws/sts.ts';
import { ROLE } from '../../../lab/aws/whole/policies.ts';
import { VERSION } from '../../../shared/version.ts';
import { documents, type Ran, run } from '../front-door/command-line.ts';
import { tables } from '../region.ts';
import { listed } from './listed/listed.ts';
import { carryOut } from './remedy.ts';
import { identityFaults } from './seeds/identity-seeds.ts';
import { labelFaults } from './seeds/label-seeds.ts';
import { memberFaults } from './seeds/member-seeds.ts';
import { networkFaults } from './seeds/network-seeds.ts';
import { eniFaults } from './seeds/seeds.ts';
import { serviceFaults } from './seeds/service-seeds.ts';
import { tableFaults } from './seeds/table-seeds.ts';
import { rightSetup, type Setup } from './setup.ts';
import { pastes } from './words.ts';

let setup: Setup;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'vipshift-doctor-'));
  setup = await rightSetup();
});
afterAll(async () => {
  await setup?.stop();
  await rm(scratch, { recursive: true, force: true });
});

// On a busy machine the suite outlasts the doctor's patience with a silent node.
beforeEach(() => setup.heard());

const doctor = (...args: readonly string[]): Promise<Ran> =>
  run(['doctor', 'web', '--node-role', ROLE, '--port', '443', ...args], setup.env);

/** Without the summary, which is last. */
const findings = (stdout: string) => documents(stdout).filter((one) => one.check !== undefined);

describe('a right set-up', () => {
  test('has no fault and no warning, also end to end over the bus', async () => {
    const ran = await doctor();
    expect(ran.stdout).toBe(
      `releases: stack ${VERSION}, vipshift ${VERSION}, shims unknown\nif eu-central-1a fails: 1 VIP, 9 calls, done in 1 s\n1 VIP: no fault, 0 warnings\n`,
    );
    expect(ran).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('a right set-up that names its peers by a prefix list', () => {
  test('has no fault: the list is looked into', async () => {
    const { PrefixList } = await setup.send<{ PrefixList: { PrefixListId: string } }>(
      new CreateManagedPrefixListCommand({
        PrefixListName: 'nodes',
        MaxEntries: 2,
        AddressFamily: 'IPv4',
        Entries: [{ Cidr: '10.0.1.0/24' }, { Cidr: '10.0.2.0/24' }],
      }),
    );
    const { IpProtocol, FromPort, ToPort } = vrrp;
    const byList = {
      IpProtocol,
      FromPort,
      ToPort,
      PrefixListIds: [{ PrefixListId: PrefixList.PrefixListId }],
    };
    await setup.revoke(vrrp);
    try {
      expect(findings((await doctor('--json', '--no-probe')).stdout)).toMatchObject([
        { check: 'group-vrrp' },
      ]);
      await setup.allow(byList);
      expect((await doctor('--no-probe')).stdout).toMatch(/no fault, 0 warnings/);
      await setup.revoke(byList);
    } finally {
      await setup.allow(vrrp);
    }
  });
});

/** Carries the remedies out, and looks again. */
async function repaired(check: string, remedies: readonly string[]): Promise<void> {
  const ready = [...new Set(remedies)].filter(pastes);
  if (ready.length === 0) return;
  for (const remedy of ready) await carryOut(setup, remedy);
  const again = await doctor('--json', '--no-probe');
  expect(findings(again.stdout).filter((f) => f.check === check)).toEqual([]);
}

describe('a seeded fault', () => {
  const seeds = [
    ...[...eniFaults, ...memberFaults, ...networkFaults],
    ...[...tableFaults, ...labelFaults, ...identityFaults, ...serviceFaults],
  ];
  test.each(seeds.map((s) => [s.fault, s] as const))(
    '%s is named with its remedy, which repairs it where it can be pasted as it stands',
    async (_fault, seed) => {
      const { subject, ...seeded } = await seed.seed(setup);
      try {
        const ran = await doctor('--json', ...(seed.probe === true ? [] : ['--no-probe']));
        const all = findings(ran.stdout);
        const found = all.filter((f) => f.check === seed.check);
        expect(found.flatMap((f) => String(f.subject).split(', '))).toContain(subject);
        expect(found.find((f) => String(f.subject).includes(subject))!.remedy).toMatch(seed.remedy);
        expect(ran.status).toBe(all.some((f) => f.severity === 'fault') ? 1 : 0);
        await repaired(
          seed.check,
          found.map((f) => String(f.remedy)),
        );
      } finally {
        await seeded.undo();
      }
    },
  );

  test('of the list of 76 is here under the name that the list has', () => {
    const names = new Set(seeds.map(({ fault }) => fault));
    expect(listed.flatMap(({ seed }) => (seed === undefined || names.has(seed) ? [] : [seed]))).toEqual([]);
  });

  test('leaves nothing behind when it is taken back', async () => {
    expect((await doctor('--no-probe')).stdout).toMatch(/no fault, 0 warnings/);
  });

  test('a node without a role is named', async () => {
    const ran = await run(['doctor', 'web', '--no-probe'], setup.env);
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(
      /fault role-put-events web node-\w \(i-\w+\)\n {2}found {5}the instance has no role/,
    );
  });

  test('a VPC that another account shares is refused by name', async () => {
    const sts = await startSts({ userIdOf: () => 'AROAOTHER:session', accountId: '999988887777' });
    try {
      const env = { ...setup.env, AWS_ENDPOINT_URL_STS: sts.url };
      const ran = await run(['doctor', 'web', '--no-probe', '--json', '--node-role', ROLE], env);
      expect(findings(ran.stdout)[0]).toMatchObject({
        check: 'shared-vpc',
        severity: 'fault',
        found: `shared by account ${setup.stack.aws.accountId}; this is 999988887777`,
      });
    } finally {
      await sts.stop();
    }
  });

  test('a bus that does not exist is found out, though PutEvents to it answers as if all were well', async () => {
    const ran = await run(['doctor', 'web', '--json', '--node-role', ROLE], {
      ...setup.env,
      VIPSHIFT_BUS: 'nosuch',
    });
    expect(findings(ran.stdout).map((f) => f.check)).toContain('bus-probe');
  });

  test('a shim that is too old is named by its self-test', async () => {
    const { instanceId } = setup.stack.vpc.nodes.a;
    const probe = {
      vip: 'probe/web',
      id: `${new Date().toISOString()}/x`,
      node: instanceId,
      atMs: 1,
      shim: '0.9.1',
    };
    const client = new DynamoDBClient({
      region: setup.stack.aws.region,
      endpoint: setup.stack.aws.endpoint,
      credentials: { accessKeyId: setup.stack.aws.accountId, secretAccessKey: 'local' },
    });
    await client.send(new PutItemCommand({ TableName: tables.timeline, Item: marshall(probe) }));
    const ran = await doctor('--no-probe', '--json');
    expect(findings(ran.stdout)).toMatchObject([
      { check: 'shim-old', subject: instanceId, found: 'shim 0.9.1' },
    ]);
  });
});

describe('keepalived’s files', () => {
  const config = keepalivedConfig({
    ...keepalivedDefaults,
    nodes: [
      { name: 'a', address: '10.0.1.10', interface: 'ens5' },
      { name: 'b', address: '10.0.2.10', interface: 'ens5' },
    ],
    addresses: ['192.168.255.10'],
  });
  const judged = async (one: string, two: string) => {
    await writeFile(join(scratch, 'a.conf'), one);
    await writeFile(join(scratch, 'b.conf'), two);
    const files = ['--keepalived', join(scratch, 'a.conf'), '--keepalived', join(scratch, 'b.conf')];
    const ran = await doctor('--no-probe', '--json', ...files);
    return findings(ran.stdout)
      .map((f) => f.check as string)
      .filter((check) => check.startsWith('keepalived'));
  };

  test('two right ones are found right, and two that make two masters are found', async () => {
    expect(await judged(config.a!, config.b!)).toEqual([]);
    const other = config.b!.replace('virtual_router_id 51', 'virtual_router_id 52');
    expect(await judged(config.a!, other)).toEqual(['keepalived-two-masters']);
  });

  test('a file that is not there is refused by name', async () => {
    const ran = await doctor('--keepalived', '/nonexistent/k.conf');
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(/k\.conf/);
  });
});
