// resources/policies/operators/: what the command line needs, by what a person does with it. The needs are read from its bundle: whichever
// commands of AWS's clients are left in it are what it can send. What each may not do is asked in test/deploy/judges/.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Policy, PolicyStatement } from './support/policy.ts';

const root = join(import.meta.dirname, '..', '..');

/** Client by package → IAM's prefix. */
const prefixes: Readonly<Record<string, string>> = {
  dynamodb: 'dynamodb',
  ec2: 'ec2',
  eventbridge: 'events',
  iam: 'iam',
  sfn: 'states',
  sts: 'sts',
  'cloudwatch-logs': 'logs',
  cloudformation: 'cloudformation',
  cloudwatch: 'cloudwatch',
  lambda: 'lambda',
  sns: 'sns',
  sqs: 'sqs',
};
/** IAM allows it to everybody (STS API reference). */
const FREE = new Set(['sts:GetCallerIdentity']);

/** Without it the completion offers no stages, and nothing else is missing. */
const forCompletion = new Set(['dynamodb:ListTables']);

/** Not sent by the command line: docs/operations.md and docs/troubleshooting.md have the commands. */
const byHand = [
  ...['cloudtrail:LookupEvents', 'events:DescribeRule'],
  ...['sqs:DeleteMessage', 'sqs:ReceiveMessage'],
  ...['ssm:SendCommand', 'states:ListExecutions', 'states:SendTaskFailure', 'sts:DecodeAuthorizationMessage'],
];

async function actionsOfTheCommandLine(): Promise<Set<string>> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'cli', 'vipshift.ts')],
    bundle: true,
    write: false,
    outdir: 'none',
    splitting: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  const actions = new Set<string>();
  for (const { text } of outputFiles) {
    const statics = text.matchAll(/import\s*\{([^}]*)\}\s*from\s*"@aws-sdk\/client-([a-z0-9-]+)"/g);
    const dynamics = text.matchAll(/\{([^{}]*)\}\s*=\s*await import\("@aws-sdk\/client-([a-z0-9-]+)"\)/g);
    for (const [, names, client] of [...statics, ...dynamics])
      for (const action of names!.split(',').flatMap(actionOf)) actions.add(`${prefixOf(client!)}:${action}`);
  }
  return actions;
}

/** `GetItemCommand`, `paginateScan as paginateScan2`: the action; other names are none. */
function actionOf(name: string): readonly string[] {
  const [, paginated, command] =
    /^\s*(?:paginate(\w+?)|(\w+)Command)(?:\s|$)/.exec(name.replace(/[:]/g, ' ')) ?? [];
  return [paginated ?? command ?? []].flat();
}

function prefixOf(client: string): string {
  const prefix = prefixes[client];
  if (prefix === undefined)
    throw new Error(`client-${client} is new to the command line: name its prefix here`);
  return prefix;
}

const names = ['registry-owner', 'on-call', 'approver', 'auditor'] as const;
const folder = join(root, 'resources', 'policies', 'operators');
const statementsOf = async (name: string): Promise<readonly PolicyStatement[]> =>
  (JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as Policy).Statement;
const actionsOf = (statements: readonly PolicyStatement[]): readonly string[] =>
  [...new Set(statements.flatMap(({ Action }) => Action))].sort();

let all: Readonly<Record<(typeof names)[number], readonly PolicyStatement[]>>;
beforeAll(async () => {
  const each = await Promise.all(names.map(async (name) => [name, await statementsOf(name)] as const));
  all = Object.fromEntries(each) as typeof all;
});

describe('the operators’ policies', () => {
  test('are these four', async () => {
    expect((await readdir(folder)).sort()).toEqual(names.map((name) => `${name}.json`).sort());
  });

  test('together allow every action that the command line sends: one missing fails at three in the morning', async () => {
    const needed = [...(await actionsOfTheCommandLine())]
      .filter((action) => !FREE.has(action) && !forCompletion.has(action))
      .sort();
    expect(needed.length).toBeGreaterThan(30);
    const granted = new Set(Object.values(all).flatMap(actionsOf));
    expect(needed.filter((action) => !granted.has(action))).toEqual([]);
    // What else they allow is run by hand, as the docs say, or looked at.
    expect([...granted].filter((action) => !needed.includes(action)).sort()).toEqual([...byHand].sort());
  });

  test('keep the second person a second person: who orders does not approve, who approves does not order', () => {
    const answers = ['states:SendTaskFailure', 'states:SendTaskSuccess'];
    for (const name of names)
      expect(
        answers.filter((action) => actionsOf(all[name]).includes(action)),
        name,
      ).toEqual(name === 'approver' ? answers : []);
    expect(names.filter((name) => actionsOf(all[name]).includes('states:StartExecution'))).toEqual([
      'on-call',
    ]);
  });

  test('change EC2 only in the VPC that is named, an EIP only by name or by its tag', () => {
    const changing = Object.values(all)
      .flat()
      .filter(({ Action }) => [Action].flat().some((action) => /^ec2:(?!Describe|Get)/.test(action)));
    expect(changing.map(({ Sid }) => Sid)).toEqual([
      ...['AdoptInTheVpc', 'AdoptEip', 'BreakGlassInTheVpc', 'BreakGlassEip'],
    ]);
    for (const { Sid, Condition, Resource } of changing)
      if (Sid!.endsWith('InTheVpc'))
        expect(Condition, Sid).toMatchObject({ ArnLike: { 'ec2:Vpc': 'arn:aws:ec2:*:*:vpc/VPC_ID' } });
      else expect(String(Resource), Sid).toContain(':elastic-ip/');
  });

  test('name the stack’s own things wherever IAM knows a resource, so that they can be made for another stage by replacing prod', () => {
    const wide = Object.values(all)
      .flat()
      .filter(({ Resource }) => Resource === '*')
      .map((s) => s.Sid!);
    expect(new Set(wide)).toEqual(
      new Set(['Look', 'NodeRole', 'WhoMayDoBoth', 'LogGroups', 'Trail', 'Rules', 'Refusals', 'LeftBehind']),
    );
    for (const { Resource } of Object.values(all).flat())
      for (const resource of [Resource].flat())
        expect(resource).toMatch(
          /^\*$|vipshift-prod|:ec2:\*:\*:(elastic-ip|network-interface|route-table|instance)\/(\*|ALLOCATION_ID)$/,
        );
  });

  test.each(names)(
    '%s fits into one managed policy: 6,144 characters without white space (IAM quotas)',
    (name) => {
      expect(JSON.stringify(all[name]).length + 60).toBeLessThan(6144);
    },
  );

  test('on call may run every `aws` command that the pages for the night name', async () => {
    const commands = await documentedCommands(forTheNight);
    expect(commands.length).toBeGreaterThan(5);
    const granted = actionsOf(all['on-call']);
    expect(commands.filter((action) => !granted.includes(action) && !FREE.has(action))).toEqual([]);
  });
});

/** The AWS CLI's name of a service → IAM's prefix, where they differ. */
const cliPrefixes: Readonly<Record<string, string>> = { stepfunctions: 'states' };

const forTheNight = ['operations.md', 'failover.md', 'troubleshooting.md'];

async function documentedCommands(pages: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(pages.map((page) => readFile(join(root, 'docs', page), 'utf8')));
  const found = texts
    .join('\n')
    .replace(/\s+/g, ' ')
    .matchAll(/\baws ([a-z]+) ([a-z]+(?:-[a-z]+)+)/g);
  return [...found].map(([, service, verb]) => {
    const action = verb!.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return `${cliPrefixes[service!] ?? service}:${action}`;
  });
}
