// --json of every command: one document, or one in each line, as its schema in docs/schemas says, and the same where nothing is
// found. The front door holds every run against the schema; here is at least one run of each command. What `failover`, `approve` and
// `deny` print at the end of a workflow is held against it where there is one (test/e2e/forced-failover).
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyCommand, isHidden, jsonOf, pathOf } from '../../../cli/command/command.ts';
import { program } from '../../../cli/program.ts';
import { documents, run } from '../front-door/command-line.ts';
import { commandOf, schemaNames, shapeProblems } from '../front-door/schemas.ts';
import { type Region, startRegion } from '../region.ts';
import { historyOf } from '../timeline/history.ts';

let region: Region;
let folder: string;
let a: string;
let b: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vipshift-json-'));
  region = await startRegion();
  a = region.vpc.nodes.a.instanceId;
  b = region.vpc.nodes.b.instanceId;
});
afterAll(async () => {
  await region?.stop();
  await rm(folder, { recursive: true, force: true });
});

const ran = new Set<string>();
async function json(line: string, status = 0): Promise<readonly Record<string, unknown>[]> {
  const args = line.split(' ').map((word) => (word === 'A' ? a : word));
  const found = await run([...args, '--json'], region.env);
  expect(found.status, found.stderr).toBe(status);
  ran.add(pathOf(commandOf(args)));
  return documents(found.stdout);
}

const leaves = everyCommand(program()).filter((c) => c.commands.length === 0 && !isHidden(c));

describe('the schemas', () => {
  test('are there for every command but completion, and every one of them is used', () => {
    const without = leaves.filter((c) => jsonOf(c) === undefined).map(pathOf);
    expect(without).toEqual(['completion']);
    const used = leaves.flatMap((c) => jsonOf(c)?.schema ?? []);
    expect([...new Set([...used, 'records'])].toSorted()).toEqual(schemaNames.toSorted());
  });

  test('are named in the help of their command', async () => {
    const { stdout } = await run(['owner', '--help']);
    expect(stdout).toMatch(/^With --json: one document, as docs\/schemas\/owner\.schema\.json says$/m);
  });

  test.each<readonly [string, string, RegExp]>([
    ['owner web', '{"vip":"web"}', /must have required property 'how'/],
    [
      'vip remove web',
      '{"name":"web","removed":true,"epoch":1,"tablesLeft":[],"labelsStay":[],"x":1}',
      /additional/,
    ],
    ['owner web', 'no one', /no JSON/],
    ['owner web', '{}\n{}', /2 documents, expected one/],
    ['timeline', '{"entry":"outcome"}', /must match exactly one schema/],
  ])('catch what is not so: %s %s', (line, stdout, says) => {
    expect(shapeProblems([...line.split(' '), '--json'], stdout).join('\n')).toMatch(says);
  });
});

describe('nothing found', () => {
  test.each(['vip list', 'vip list --names', 'status', 'timeline', 'approve --list'])(
    '%s: no line',
    async (line) => {
      // Approval asks a workflow of an account that has none; without a VIP nothing is asked.
      expect(await json(line)).toEqual([]);
    },
  );
  test('apply and doctor: the summary', async () => {
    const file = join(folder, 'none.yaml');
    await writeFile(file, 'vips: {}\n');
    expect(await json(`apply ${file}`)).toEqual([
      { summary: true, changes: 0, done: 0, failed: [], left: [] },
    ]);
    const last = (await json('doctor --no-probe', 1)).at(-1);
    expect(last).toMatchObject({ summary: true, vips: 0 });
  });
  test.each(['status nope', 'timeline nope', 'explain nope/1', 'owner nope', 'vip show nope'])(
    '%s: nothing on stdout, and the reason on stderr',
    async (line) => {
      const found = await run([...line.split(' '), '--json'], region.env);
      expect(found).toMatchObject({ status: 3, stdout: '' });
      expect(found.stderr).toMatch(/nope.*\n {2}next: /);
    },
  );
});

afterAll(() => {
  // Those of a workflow, and what is held against an exported log, have suites of their own.
  const elsewhere = ['approve', 'audit verify', 'completion', 'deny', 'failover'];
  const missing = leaves.map(pathOf).filter((path) => !ran.has(path) && !elsewhere.includes(path));
  expect(missing, 'commands whose --json is not run here').toEqual([]);
});

describe('something found', () => {
  test('the registry, a failover, orders and the record', async () => {
    const { ipv4, ipv6 } = region.vpc.vip;
    expect(await json(`vip add web -a ${ipv4} -a ${ipv6} --dry-run`)).toMatchObject([{ dryRun: true }]);
    await json(`vip add web -a ${ipv4} -a ${ipv6} -e ${region.vpc.eip.allocationId}`);
    const history = historyOf(region);
    await history.says(b, 'BACKUP');
    await history.says(a, 'MASTER');
    await history.says(b, 'MASTER');
    expect(await json('vip set web --priority first')).toMatchObject([{ priority: 'first' }]);
    expect(await json('vip list')).toHaveLength(1);
    expect(await json('vip list --names')).toEqual([{ name: 'web' }]);
    expect(await json('vip show web')).toMatchObject([{ owner: b, priority: 'first' }]);
    expect(await json('status')).toMatchObject([{ vip: 'web', owner: b }]);
    expect(await json('status web')).toHaveLength(1);
    expect(await json('pin web --to A --reason x')).toMatchObject([{ order: 'pin', node: a }]);
    expect(await json('freeze web --reason x')).toMatchObject([{ order: 'freeze' }]);
    expect(await json('unfreeze web --yes')).toMatchObject([{ order: 'thaw', changed: true }]);
    expect(await json('unpin web --yes')).toMatchObject([{ order: 'unpin' }]);
    expect(await json('unpin web')).toMatchObject([{ changed: false }]);
    expect(await json('drain A --reason x --dry-run')).toMatchObject([{ vip: 'web', nodes: [a] }]);
    expect(await json('drain A --reason x')).toMatchObject([{ owner: b, outlook: { key: 'clear' } }]);
    await json('status web');
    expect(await json('undrain A')).toMatchObject([{ vip: 'web', nodes: [a] }]);
    expect(await json('failover web --to A --reason x --break-glass --dry-run')).toMatchObject([
      { outcome: 'fit' },
    ]);
    const records = await json('timeline web');
    expect(new Set(records.map((record) => record.entry))).toEqual(new Set(['order', 'outcome']));
    expect(await json(`timeline --html ${join(folder, 'page.html')}`)).toMatchObject([{ failovers: 2 }]);
    expect(await json('explain web')).toMatchObject([{ outcome: { epoch: 2 } }]);
    const order = String(records.find((record) => record.entry === 'order')!.id);
    expect(await json(`explain web/${order}`)).toMatchObject([{ entry: 'order' }]);
    expect(await json('owner web')).toMatchObject([{ owner: b }]);
    expect(await json('owner web --at 2020-01-01')).toHaveLength(1);
    await json('doctor web --no-probe', 1);
  });

  test('apply with a difference, adopt, remove', async () => {
    const file = join(folder, 'vips.yaml');
    await writeFile(
      file,
      `vips:\n  dns: { vpc: ${region.vpc.vpcId}, pool: 192.168.250.0/29, tableLabels: [web] }\n`,
    );
    expect(await json(`apply ${file} --dry-run`, 1)).toMatchObject([
      { vip: 'dns', change: 'add', nextOfPool: '192.168.250.1/32' },
      { summary: true, dryRun: true, changes: 1 },
    ]);
    expect(await json(`apply ${file} --yes`)).toMatchObject([{ vip: 'dns' }, { done: 1, failed: [] }]);
    await json(`vip add ntp -a 192.168.250.9 --table-label web --node-label web`);
    expect(await json('vip remove dns ntp --dry-run')).toMatchObject([{ dryRun: true }, { dryRun: true }]);
    expect(await json('vip remove dns ntp')).toMatchObject([{ name: 'dns', removed: true }, { name: 'ntp' }]);
    expect(await json('vip list --removed')).toHaveLength(3);
    expect(await json('vip adopt web --yes')).toMatchObject([{ vip: 'web' }]);
  });

  test('keepalived-config, on stdout and in files', async () => {
    const args = '--node a=10.0.1.10 --node b=10.0.2.10 --address 192.168.255.10';
    expect(await json(`keepalived-config ${args}`)).toHaveLength(1);
    expect(await json(`keepalived-config ${args} --out ${join(folder, 'k')}`)).toHaveLength(1);
  });
});
