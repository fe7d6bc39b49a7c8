// Each of the four policies at work: what `vipshift` sends for each command that docs/install.md gives to a person, recorded on the deployed
// service on the local AWS, is what that person may do. The local AWS evaluates no policies, so they are evaluated here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childEnv } from '../../../lab/aws/local-aws.ts';
import { poll } from '../../../lab/aws/stack/poll.ts';
import { STAGE, VIP } from '../../../lab/aws/stack/stack.ts';
import { documents, type Ran, run } from '../../cli/front-door/command-line.ts';
import { id, stack, stageOrders } from '../../e2e/stage/order-stage.ts';
import { evaluate, type Policy } from '../support/policy.ts';
import { isFree, questionOf } from './asked.ts';
import { type Recorder, startRecorder } from './recorder.ts';

stageOrders();

type Person = 'registry-owner' | 'on-call' | 'approver' | 'auditor';
const root = join(import.meta.dirname, '..', '..', '..');
const policies = join(root, 'resources', 'policies', 'operators');
let recorders: readonly Recorder[] = [];
let env: NodeJS.ProcessEnv;
/** Over all tests: the actions, and the commands. */
const sent = new Set<string>();
const ran = new Set<string>();

beforeAll(async () => {
  const [all, ec2] = await Promise.all([
    startRecorder(stack.aws.endpoint),
    startRecorder(stack.aws.ec2Endpoint),
  ]);
  recorders = [all, ec2];
  const urls = { AWS_ENDPOINT_URL: all.url, AWS_ENDPOINT_URL_EC2: ec2.url };
  env = { ...childEnv(stack.aws), ...urls, VIPSHIFT_STAGE: STAGE };
  const iam = new IAMClient({
    ...{ region: stack.aws.region, endpoint: stack.aws.endpoint },
    credentials: { accessKeyId: stack.aws.accountId, secretAccessKey: 'local' },
  });
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [] });
  const RoleName = 'nodes';
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: PolicyDocument }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument }));
  const { Policy: made } = await iam.send(new CreatePolicyCommand({ PolicyName: 'managed', PolicyDocument }));
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: made!.Arn! }));
  iam.destroy();
});
afterAll(() => Promise.all(recorders.map((recorder) => recorder.stop())));

const policyOf = (person: Person): Policy =>
  JSON.parse(
    readFileSync(join(policies, `${person}.json`), 'utf8')
      .replaceAll('prod', STAGE)
      .replaceAll('VPC_ID', stack.vpc.vpcId)
      .replaceAll('ALLOCATION_ID', stack.vpc.eip.allocationId),
  ) as Policy;

/** Runs it and says what of it the person may not do. */
async function as(
  person: Person,
  ...args: readonly string[]
): Promise<Ran & { readonly denied: readonly string[] }> {
  for (const recorder of recorders) recorder.taken();
  ran.add(args[0]!);
  const done = await run(args, env);
  const calls = recorders.flatMap((recorder) => recorder.taken()).filter((call) => !isFree(call));
  const place = { stage: STAGE, vpc: stack.vpc.vpcId };
  const policy = policyOf(person);
  const questions = calls.map((call) => questionOf(call, place));
  for (const { action } of questions) sent.add(action);
  const denied = questions
    .filter((question) => evaluate([policy], question) !== 'allowed')
    .map(({ action, resources }) => `${action} on ${resources.join(' and ')}`);
  return { ...done, denied: [...new Set(denied)] };
}
/** 0, or 1 where a command that looks found something. */
const may = async (person: Person, ...args: readonly string[]): Promise<Ran> => {
  const { denied, ...done } = await as(person, ...args);
  expect(denied, `${person}: ${args.join(' ')}`).toEqual([]);
  expect([0, 1], `${args.join(' ')}: ${done.stderr}`).toContain(done.status);
  return done;
};

const named = (args: readonly string[]) => [args.join(' '), args] as const;
const reading = [
  ['timeline'],
  ['timeline', VIP, '--limit', '5'],
  ['timeline', '--kind', 'rejected', '--since', '15m'],
  ['explain', VIP],
  ['owner', VIP, '--at', new Date().toISOString()],
  ['audit', 'verify', '--since', '2h'],
];

describe('who registers VIPs', () => {
  test.each(
    [
      ['status'],
      ['status', VIP],
      ['doctor', '--node-role', 'nodes'],
      ['vip', 'list'],
      ['vip', 'show', VIP],
      ['vip', 'add', 'extra', '--address', '192.168.255.77', '--table-label', VIP, '--node-label', VIP],
      ['vip', 'set', 'extra', '--hold', 'master', '--yes'],
      ['vip', 'remove', 'extra', '--reason', 'over'],
      ['vip', 'adopt', VIP, '--dry-run'],
    ].map(named),
  )('%s', async (_title, args) => {
    await may('registry-owner', ...args);
  });
});

describe('who is on call', () => {
  test.each(
    [
      ...reading,
      ['status'],
      ['status', VIP],
      ['doctor', VIP, '--node-role', 'nodes'],
      ['freeze', VIP, '--reason', 'look'],
      ['unfreeze', VIP, '--yes'],
      ['pin', VIP, '--to', 'a', '--reason', 'stay'],
      ['unpin', VIP, '--yes'],
      ['drain', 'a', '--reason', 'reboot', '--dry-run'],
      ['drain', 'b', '--reason', 'reboot'],
      ['undrain', 'b', '--yes'],
    ].map(named),
  )('%s', async (_title, args) => {
    await may('on-call', ...args.map((arg) => (arg === 'a' || arg === 'b' ? id(arg) : arg)));
  });

  test('moves it, by the workflow and past it', async () => {
    const to = (node: 'a' | 'b') => ['failover', VIP, '--to', id(node), '--reason', 'patching'];
    await may('on-call', ...to('b'), '--dry-run');
    const { stderr } = await may('on-call', ...to('b'));
    const [name] = /web-\d{8}T\d{6}Z-\w{8}/.exec(stderr) ?? [];
    await may('on-call', 'failover', '--follow', name!);
    await may('on-call', ...to('a'), '--break-glass', '--dry-run');
    await may('on-call', ...to('a'), '--break-glass');
    await may('on-call', 'unpin', VIP, '--yes');
  });
});

describe('the second person', () => {
  test.each(['approve', 'deny'])('%s', async (answer) => {
    const order = run(
      ['failover', VIP, '--to', id('b'), '--reason', 'p', '--approval'],
      childEnv({ env: { ...stack.aws.env, VIPSHIFT_STAGE: STAGE } }),
    );
    const [waiting] = await poll('the request', async () => {
      const { stdout } = await may('approver', 'approve', '--list', '--json');
      const found = documents(stdout);
      return found.length > 0 ? found : undefined;
    });
    await may('approver', answer, VIP, '--execution', String(waiting!.execution), '--reason', 'agreed');
    expect((await order).status).toBe(answer === 'approve' ? 0 : 3);
  });
});

describe('who asks afterwards', () => {
  test.each(reading.map(named))('%s', async (_title, args) => {
    await may('auditor', ...args);
  });

  test('changes nothing: what it may not is found', async () => {
    expect((await as('auditor', 'freeze', VIP, '--reason', 'look')).denied).toEqual([
      expect.stringMatching(/^dynamodb:PutItem on .*timeline$/),
      expect.stringMatching(/^dynamodb:UpdateItem on .*vips$/),
    ]);
  });
});

describe('together', () => {
  test('they have sent nearly all that the policies allow; the rest is by hand or needs what is not there', () => {
    const people = ['registry-owner', 'on-call', 'approver', 'auditor'] as const;
    const allowed = people.flatMap((person) => policyOf(person).Statement.flatMap(({ Action }) => Action));
    expect([...new Set(allowed)].filter((action) => !sent.has(action)).sort()).toEqual([
      'cloudtrail:LookupEvents',
      // A route that is missing, tables to adopt, a prefix list, a check that is on.
      ...['ec2:CreateRoute', 'ec2:CreateTags', 'ec2:GetManagedPrefixListEntries'],
      'ec2:ModifyNetworkInterfaceAttribute',
      'events:DescribeRule',
      // The emulated instances have no profile.
      'iam:GetInstanceProfile',
      // The client goes to the queue's URL, past the recorder.
      ...['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
      ...['ssm:SendCommand', 'states:ListExecutions', 'states:SendTaskFailure'],
      'sts:DecodeAuthorizationMessage',
    ]);
  });

  test('they have run every `vipshift` command that the pages for the night name', () => {
    const text = ['operations.md', 'failover.md', 'troubleshooting.md']
      .map((page) => readFileSync(join(root, 'docs', page), 'utf8'))
      .join('\n');
    const named = new Set([...text.matchAll(/(?:`|npx |^)vipshift ([a-z-]+)/gm)].map(([, name]) => name!));
    expect(named.size).toBeGreaterThan(5);
    // On the operator's own machine, without AWS.
    const offline = ['keepalived-config'];
    expect([...named].filter((name) => !ran.has(name)).sort()).toEqual(offline);
  });
});
