// The form of what the doctor says: documents by their schema, also where there is nothing to say; which VIP a finding touches; and as
// many calls for 500 VIPs as for one.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { tell } from '../../../../cli/doctor/tell.ts';
import { patterns, SCHEDULE } from '../../../../shared/doctor/service/patterns.ts';
import { functionNames } from '../../../../shared/doctor/service/stack.ts';
import { alarmNames } from '../../../../shared/doctor/service/watch.ts';
import { TIMEOUT_MIN_S } from '../../../../shared/doctor/service/wiring.ts';
import { VERSION } from '../../../../shared/version.ts';
import { look } from './look.ts';
import { REGION, V4 } from './names.ts';
import { rows } from './rows/rows.ts';
import { rightWorld, vip, type World } from './world.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const read = (...path: readonly string[]) => readFile(join(root, ...path), 'utf8');

const tags = ['GetAtt', 'Ref', 'Sub'].map((tag) => ({ tag: `!${tag}`, resolve: (text: string) => text }));
// Lists of conditions are left as they are, without a word about them.
const yaml = (text: string): unknown => parse(text, { customTags: tags, logLevel: 'error' });

/** What is printed with --json. */
async function printed(world: World): Promise<readonly Record<string, unknown>[]> {
  const documents: unknown[] = [];
  const out = { json: true, documents: (values: readonly unknown[]) => documents.push(...values) };
  tell(out as never, await look(world), world.vips.length, { text: (sentence: string) => sentence } as never);
  return JSON.parse(JSON.stringify(documents)) as readonly Record<string, unknown>[];
}

describe('--json', () => {
  let valid: (document: unknown) => boolean;
  beforeAll(async () => {
    valid = new Ajv2020().compile(JSON.parse(await read('docs', 'schemas', 'doctor.schema.json')) as object);
  });

  test('has a summary, also where nothing was found', async () => {
    const documents = await printed(rightWorld());
    const releases = { stack: VERSION, cli: VERSION, shims: [VERSION] };
    expect(documents).toEqual([{ summary: true, vips: 1, faults: 0, warnings: 0, unchecked: 0, releases }]);
    expect(documents.every((one) => valid(one))).toBe(true);
    expect(valid({ ...documents[0], more: 1 }), 'the schema is closed').toBe(false);
  });

  test('keeps to its schema in every row, and the summary counts the lines before it', async () => {
    for (const row of rows) {
      const world = rightWorld();
      row.seed(world);
      const documents = await printed(world);
      expect(
        documents.filter((one) => !valid(one)),
        row.what,
      ).toEqual([]);
      const count = (severity: string) => documents.filter((one) => one.severity === severity).length;
      expect(documents.at(-1), row.what).toMatchObject({
        faults: count('fault'),
        warnings: count('warning'),
      });
    }
  });
});

/** Every command in a remedy, the ones in remarks and sentences, and what a shell is to fill in first. */
const commandsIn = (text: string): readonly string[] => [
  ...[...text.matchAll(/\$\(([^)]*)\)/g)].map(([, inner]) => inner!),
  ...text
    .replace(/\$\([^)]*\)/g, '')
    .split(/(?=\b(?:aws [a-z0-9]+ [a-z]|vipshift (?:vip|timeline|status|doctor) |npm run ))/)
    .filter((part) => /^(?:aws|vipshift|npm) /.test(part)),
];

test('every command names the stage, the Region and the profile that were asked about', async () => {
  const place = { vipshift: /--stage dev\b.*/, npm: /--stage dev\b.*/, aws: /.*/ };
  let count = 0;
  for (const row of rows) {
    const world = rightWorld();
    row.seed(world);
    for (const { remedy } of (await look(world)).findings)
      for (const command of commandsIn(remedy)) {
        count += 1;
        const [program] = command.split(' ') as [keyof typeof place];
        const profile = program === 'npm' ? '--aws-profile' : '--profile';
        const wanted = new RegExp(`${place[program].source} --region ${REGION} ${profile} 'night shift'`);
        expect(command, row.what).toMatch(wanted);
      }
  }
  expect(count).toBeGreaterThan(rows.length);
});

test('a finding names the VIPs that it touches, and no other', async () => {
  const world = rightWorld();
  world.vips.push(vip('dns', { addresses: ['192.168.255.53/32'], eips: [], tableLabels: ['dns'] }));
  world.viewsAtMs.dns = world.viewsAtMs.web;
  const own = world.tables.find((one) => one.RouteTableId === 'rtb-data-a')!;
  own.Tags = [{ Key: 'vipshift:dev', Value: 'dns' }];
  own.Routes!.push({ DestinationCidrBlock: '192.168.255.53/32', NetworkInterfaceId: 'eni-service-a' });
  expect((await look(world)).findings).toEqual([]);
  own.Routes!.pop();
  world.instances[1]!.State = { Name: 'stopped' };
  expect((await look(world)).findings.map(({ check, vips }) => [check, vips])).toEqual([
    ['node-not-running', ['dns', 'web']],
    ['route-missing', ['dns']],
  ]);
});

describe('what it expects of the stack is what the stack makes', () => {
  test('alarms', async () => {
    const { Resources } = yaml(await read('resources', 'alarms.yml')) as {
      Resources: Record<string, { Properties: { AlarmName: string } }>;
    };
    const names = Object.values(Resources).map((one) => one.Properties.AlarmName);
    expect(names.map((name) => name.replace(/^.*}-/, '')).sort()).toEqual([...alarmNames].sort());
  });

  test('how long a function may take', async () => {
    const { provider, functions } = yaml(await read('serverless.yml')) as {
      provider: { timeout: number };
      functions: Record<string, { timeout?: number }>;
    };
    const each = Object.entries(functions).map(([name, { timeout }]) => [name, timeout ?? provider.timeout]);
    expect(each).toEqual(functionNames.map((name) => [name, TIMEOUT_MIN_S]));
  });

  test('patterns of rules, and the schedule', async () => {
    const patternOf = async (file: string, rule: string) => {
      const { Resources } = yaml(await read('resources', file)) as {
        Resources: Record<string, { Properties: { EventPattern: Record<string, unknown> } }>;
      };
      return Resources[rule]!.Properties.EventPattern;
    };
    expect(await patternOf('bus.yml', 'ClaimRule')).toEqual(patterns.claims);
    expect(await patternOf('notices.yml', 'NoticeRule')).toEqual(patterns.notices);
    expect(await patternOf('hints.yml', 'InstanceHints')).toEqual(patterns.instances);
    expect(await patternOf('warnings.yml', 'WarningRule')).toEqual(patterns.warnings);
    expect(await patternOf('warnings.yml', 'HealthRule')).toEqual(patterns.health);
    expect(await patternOf('warnings.yml', 'WarnedRule')).toEqual(patterns.scheduled);
    expect(await patternOf('hints.yml', 'ChangeHints')).toMatchObject(patterns.changes);
    expect(await read('serverless.yml')).toContain(`- schedule:\n          rate: ${SCHEDULE}`);
  });
});

test('asks AWS as often for 500 VIPs as for one, but for the views, which come a hundred at a time', async () => {
  const one = rightWorld();
  const many = rightWorld();
  for (let n = 1; n < 500; n++) {
    const name = `vip-${n}`;
    const address = `172.20.${n >> 8}.${n & 255}/32`;
    many.vips.push(vip(name, { addresses: [address], eips: [] }));
    many.viewsAtMs[name] = many.viewsAtMs.web;
    for (const table of many.tables)
      if (table.Routes!.some((route) => route.DestinationCidrBlock === V4))
        table.Routes!.push({
          DestinationCidrBlock: address,
          NetworkInterfaceId: 'eni-service-a',
          State: 'active',
        });
  }
  const timed = async (world: World) => {
    const began = performance.now();
    const { findings, calls } = await look(world);
    return { findings, calls, ms: Math.round(performance.now() - began) };
  };
  const few = await timed(one);
  const all = await timed(many);
  console.log(
    `1 VIP: ${few.calls.length} calls, ${few.ms} ms; 500 VIPs: ${all.calls.length} calls, ${all.ms} ms`,
  );
  // 500 VIPs on one pair of nodes are more than EC2's budget moves at once, and more than a table's quota of routes.
  expect(new Set(all.findings.map(({ check }) => check))).toEqual(new Set(['bucket', 'table-full']));
  const sorted = (calls: readonly string[]) => calls.filter((call) => call !== 'BatchGetItem').sort();
  expect(sorted(all.calls)).toEqual(sorted(few.calls));
  expect(all.calls.filter((call) => call === 'BatchGetItem')).toHaveLength(5);
  expect(few.calls.length).toBeLessThan(70);
});
