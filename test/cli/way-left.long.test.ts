// What is said when a part of AWS is unreachable, throttles or denies: the way that is left, as a command that can be pasted.
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, describe, expect, test } from 'vitest';
import type { Session } from '../../cli/command/session.ts';
import { follow } from '../../cli/failover/progress.ts';
import type { AwsCall } from '../../lab/fault/aws-call.ts';
import type { Workflow } from '../../shared/aws/step-functions/workflow.ts';
import { newVip } from '../../shared/vip/vip.ts';
import {
  type Answer,
  type Endpoint,
  ec2Reply,
  json,
  refused,
  startEndpoint,
} from '../support/aws/endpoint.ts';
import { entry } from '../support/world.ts';
import { commandsOf } from './by-hand/shell.ts';
import { run, withoutAws } from './front-door/command-line.ts';

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());

const NODE = 'i-0123456789abcdef0';
const web = () => {
  const { name, open: _open, heard: _heard, ...rest } = newVip({ ...entry, eips: [] });
  const members = { [NODE]: { node: NODE, eni: 'eni-1', zone: 'z' } };
  return marshall({ vip: name, openEpoch: {}, openCause: {}, ...rest, members });
};

/** An AWS that answers but for these calls. */
async function ran(args: readonly string[], down: (call: AwsCall) => Answer, env: NodeJS.ProcessEnv = {}) {
  const failing = (call: AwsCall): Answer => {
    if (call.action === 'GetItem') return down(call) ?? json({ Item: web() });
    if (call.action === 'Scan') return down(call) ?? json({ Items: [web()] });
    if (call.action.startsWith('Describe') && call.action !== 'DescribeExecution') return ec2Reply(call, {});
    if (call.action === 'GetCallerIdentity') return refused(call, 'AccessDenied', 'no', 403);
    return down(call) ?? refused(call, 'ValidationException');
  };
  endpoint = await startEndpoint(failing);
  const place = ['--stage', 'prod', '--region', 'eu-west-1'];
  return run([...args, ...place], {
    ...withoutAws(),
    ...{ AWS_ENDPOINT_URL: endpoint.url, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    VIPSHIFT_FAILOVER_MACHINE: 'arn:aws:states:eu-west-1:111122223333:stateMachine:m',
    ...env,
  });
}

const of =
  (...actions: readonly string[]) =>
  (answer: (call: AwsCall) => Answer) =>
  (call: AwsCall) =>
    actions.includes(call.action) ? answer(call) : undefined;
const order = ['failover', 'web', '--to', NODE, '--reason', `it's down`];
const breakGlass = [
  ...['vipshift', 'failover', 'web', '--to', NODE, '--break-glass', '--reason', `it's down`],
  ...['--stage', 'prod', '--region', 'eu-west-1'],
];
/** The command at the end of what is suggested, as a shell reads it. */
const suggested = (stderr: string) => commandsOf(stderr.slice(stderr.lastIndexOf('vipshift ')))[0];

describe('without Step Functions', () => {
  const states = of('StartExecution', 'DescribeExecution', 'GetExecutionHistory');
  test.each<[string, (call: AwsCall) => Answer, NodeJS.ProcessEnv]>([
    ['cannot be reached', () => undefined, { AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:9' }],
    ['throttles', states((call) => refused(call, 'ThrottlingException')), {}],
    ['denies', states((call) => refused(call, 'AccessDeniedException')), {}],
  ])('that %s a failover names break-glass', async (_what, down, env) => {
    const told = await ran(order, down, env);
    expect(told).toMatchObject({ status: 4, stdout: '' });
    expect(told.stderr).toMatch(
      /from this machine, without Step Functions, Lambda and EventBridge: vipshift/,
    );
    expect(suggested(told.stderr)).toEqual(breakGlass);
  });
});

describe('without DynamoDB', () => {
  const dynamo = of('GetItem', 'Scan', 'PutItem', 'BatchGetItem', 'Query');
  const byHand = (to: string, vip = 'web') => [
    ...['vipshift', 'failover', vip, '--to', to, '--print-commands'],
    ...['--stage', 'prod', '--region', 'eu-west-1'],
  ];
  const denied = dynamo((call) => refused(call, 'AccessDeniedException'));
  test.each<[string, (call: AwsCall) => Answer, NodeJS.ProcessEnv]>([
    ['cannot be reached', () => undefined, { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' }],
    ['throttles', dynamo((call) => refused(call, 'ThrottlingException')), {}],
    ['denies', denied, {}],
  ])('that %s a failover names the move by hand', async (_what, down, env) => {
    const told = await ran(order, down, env);
    expect(told).toMatchObject({ status: 4, stdout: '' });
    expect(suggested(told.stderr)).toEqual(byHand(NODE));
  });

  test.each([
    ['break-glass', [...order, '--break-glass'], byHand(NODE)],
    ['a pin', ['pin', 'web', '--to', 'node a', '--reason', 'x'], byHand('node a')],
    ['a freeze of all', ['freeze', '--all', '--reason', 'x'], byHand('NODE', 'VIP')],
    ['the status', ['status', 'web'], byHand('NODE')],
  ])('%s names it, too', async (_what, args, command) => {
    const told = await ran(args, denied);
    expect(told).toMatchObject({ status: 4, stdout: '' });
    expect(suggested(told.stderr)).toEqual(command);
  });
});

test('a workflow that makes no progress, as without Lambda, names break-glass once; one that waits for a person does not', async () => {
  const followed = async (state: string) => {
    let now = 0;
    const input = { vip: 'web', to: NODE, reason: `it's down` };
    let looks = 0;
    const workflow = {
      describe: async () => ({
        name: 'r',
        state: ++looks < 4 ? 'running' : 'succeeded',
        input,
        startedAtMs: 0,
      }),
      happenings: async (_name: string, after: number) =>
        after === 0 ? [{ id: 1, atMs: 0, entered: state }] : [],
    };
    const notes: string[] = [];
    const names = { text: (sentence: string) => sentence };
    const session = { names, now: () => (now += 20_000) } as unknown as Session;
    await follow(
      session,
      workflow as unknown as Workflow,
      { note: (t: string) => notes.push(t) } as never,
      'r',
    );
    return notes.filter((note) => note.startsWith('no progress'));
  };
  const [told, ...more] = await followed('preflight');
  expect(more).toEqual([]);
  expect(told).toMatch(/^no progress for 30 s; if Lambda does not answer: from this machine/);
  expect(await followed('requestApproval')).toEqual([]);
});
