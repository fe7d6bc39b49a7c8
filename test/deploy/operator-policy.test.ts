// resources/policies/operator-policy.json: what the command line needs, no more. The needs are read from its bundle: whichever commands of AWS's
// clients are left in it are what it can send.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { evaluate, type Policy, type PolicyStatement } from './support/policy.ts';

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
};
/** IAM allows it to everybody (STS API reference). */
const FREE = new Set(['sts:GetCallerIdentity']);

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

let policy: Policy;
let statements: readonly PolicyStatement[];
let granted: readonly string[];
beforeAll(async () => {
  const text = await readFile(join(root, 'resources', 'policies', 'operator-policy.json'), 'utf8');
  policy = JSON.parse(text) as Policy;
  statements = policy.Statement;
  granted = [...new Set(statements.flatMap(({ Action }) => Action))].sort();
});

describe('the operator’s policy', () => {
  test('allows exactly the actions that the command line sends: one missing fails at three in the morning', async () => {
    const needed = [...(await actionsOfTheCommandLine())].filter((action) => !FREE.has(action)).sort();
    expect(needed.length).toBeGreaterThan(30);
    expect(granted).toEqual(needed);
  });

  const arn = (type: string) => `arn:aws:ec2:eu-central-1:111122223333:${type}`;
  const bus = 'arn:aws:events:eu-central-1:111122223333:event-bus/vipshift-prod';
  const says = (action: string, resource: string, context: Readonly<Record<string, string>> = {}) =>
    evaluate([policy], { action, resources: [resource], context });

  test('changes EC2 only where the stage’s tag is, and tags with nothing but it', () => {
    const tagged = { 'aws:ResourceTag/vipshift:prod': 'web' };
    expect(says('ec2:ReplaceRoute', arn('route-table/rtb-1'), tagged)).toBe('allowed');
    expect(says('ec2:ReplaceRoute', arn('route-table/rtb-1'))).toBe('denied');
    expect(
      says('ec2:ReplaceRoute', arn('route-table/rtb-1'), { 'aws:ResourceTag/vipshift:dev': 'web' }),
    ).toBe('denied');
    expect(says('ec2:DeleteRoute', arn('route-table/rtb-1'), tagged)).toBe('denied');
    expect(says('ec2:CreateTags', arn('route-table/rtb-1'), { 'aws:TagKeys': 'vipshift:prod' })).toBe(
      'allowed',
    );
    expect(says('ec2:CreateTags', arn('route-table/rtb-1'), { 'aws:TagKeys': 'Name' })).toBe('denied');
    expect(says('ec2:CreateTags', arn('instance/i-1'), { 'aws:TagKeys': 'vipshift:prod' })).toBe('denied');
  });

  test('sends the doctor’s probe to the bus, and neither a claim nor news of a failover', () => {
    const sent = (source: string, type = 'VRRP State Change') =>
      says('events:PutEvents', bus, { 'events:source': source, 'events:detail-type': type });
    expect(sent('vipshift.doctor')).toBe('allowed');
    expect(sent('vipshift.notify/AROA1:i-1')).toBe('denied');
    expect(sent('vipshift.controller', 'VIP Failover Finished')).toBe('denied');
  });

  test('names the stack’s own things wherever IAM knows a resource, so that it can be made for another stage by replacing prod', () => {
    const everything = statements.filter(({ Resource }) => Resource === '*').map((s) => s.Sid);
    expect(everything).toEqual(['Look', 'NodeRole', 'AuditVerify']);
    for (const { Resource } of statements)
      for (const resource of [Resource].flat())
        expect(resource).toMatch(
          /^\*$|vipshift-prod|:ec2:\*:\*:(elastic-ip|network-interface|route-table)\/\*$/,
        );
  });

  test('fits into one managed policy: 6,144 characters without white space (IAM quotas)', () => {
    expect(JSON.stringify(statements).length + 60).toBeLessThan(6144);
  });
});
