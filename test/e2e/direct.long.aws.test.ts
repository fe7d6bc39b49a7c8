// The second way to the controller on the deployed service: nodes call the function URL, signed, alone or together with the bus.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, type FunctionUrl, startFunctionUrl } from '../../lab/aws/stack/function-url.ts';
import { poll } from '../../lab/aws/stack/poll.ts';
import { NODE_ROLE_ID, type Stack, startStack, VIP } from '../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../lab/aws/stack/vpc-view.ts';
import { signedCall } from '../lab/aws/signed-call.ts';
import { type Words, wordsOf } from './stage/words.ts';

type Name = 'a' | 'b';

let stack: Stack;
let front: FunctionUrl;
const callers = new Map<string, Caller>();
beforeAll(async () => {
  stack = await startStack({ schedule: false, directPath: true });
  front = await startFunctionUrl({
    endpoint: stack.aws.endpoint,
    region: stack.aws.region,
    accountId: stack.aws.accountId,
    functionName: stack.deployment.functions.failover,
    callerOf: (key) => callers.get(key),
  });
});
afterAll(async () => {
  await front?.stop();
  await stack?.stop();
});

const idOf = (name: Name): string => stack.vpc.nodes[name].instanceId;

/** A session of a role, as Lambda would say it. */
function session(role: string, roleId: string, name: string, accountId = stack.aws.accountId): Caller {
  const accessKeyId = `ASIA${callers.size}`;
  const caller: Caller = {
    ...{ accessKeyId, secretAccessKey: `secret of ${accessKeyId}`, sessionToken: `token of ${accessKeyId}` },
    ...{ accountId, userId: `${roleId}:${name}` },
    userArn: `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`,
  };
  callers.set(accessKeyId, caller);
  return caller;
}
const nodeSession = (name: Name): Caller => session('vipshift-node', NODE_ROLE_ID, idOf(name));

const calls = (name: Name, words: Words, caller = nodeSession(name)) =>
  signedCall(front.url, caller, wordsOf(idOf(name), words));

async function expectOn(name: Name): Promise<void> {
  const { tables, eip } = await describeVpc(stack.ec2, stack.vpc);
  const { serviceEni, eipEni } = stack.vpc.nodes[name];
  const own = tables.filter(({ labelled }) => labelled);
  expect(own.map(({ ipv4, ipv6 }) => [ipv4, ipv6])).toEqual(own.map(() => [serviceEni, serviceEni]));
  expect(eip.eni).toBe(eipEni);
}
const epochs = async () =>
  (await stack.entries(VIP)).filter(({ entry }) => entry === 'outcome').map(({ epoch }) => epoch);

it('has a URL among its outputs', () => {
  expect(stack.deployment.outputs.DirectUrl).toMatch(
    /^https:\/\/[\w-]+\.lambda-url\.eu-central-1\.on\.aws\/$/,
  );
});

describe('a transition', () => {
  it('by the URL alone moves the VIP, and the record says by which way it came', async () => {
    expect(await calls('a', { atS: 0 })).toEqual({ status: 200, body: { answer: 'switched' } });
    const outcome = await stack.outcome(1);
    expect(outcome).toMatchObject({ outcome: 'switched', to: idOf('a'), verified: true });
    await expectOn('a');
    expect((await stack.vips.read(VIP))!.claims[idOf('a')]).toMatchObject({
      state: 'MASTER',
      ways: 'direct',
    });
  });

  it('by both ways at once makes one epoch', async () => {
    const words = wordsOf(idOf('b'), { atS: 10 });
    const [answered, eventId] = await Promise.all([
      signedCall(front.url, nodeSession('b'), words),
      stack.publish(words),
    ]);
    expect(answered.status).toBe(200);
    await stack.answered(eventId);
    await stack.until('both ways are noted', (vip) => vip.claims[idOf('b')]?.ways === 'both');
    await stack.until('the lease is free', ({ lease }) => lease === undefined);
    expect(await stack.outcome(2)).toMatchObject({ outcome: 'switched', to: idOf('b'), verified: true });
    expect(await epochs()).toEqual([1, 2]);
    await expectOn('b');
  });
});

describe('who is no node, or speaks for another', () => {
  const rejection = (reason: string) =>
    poll(`the rejection as ${reason}`, async () =>
      (await stack.entries(`rejected/${VIP}`)).find((entry) => entry.reason === reason),
    );

  const roleOf = ({ userId }: Caller): string => userId.split(':')[0]!;
  const nameOf = ({ userId }: Caller): string => userId.split(':')[1]!;

  it.each<[string, string, () => Caller, (own: Caller) => string]>([
    [
      'another role of the account',
      'foreign-role',
      () => session('app', 'AROAOTHER0000000001', idOf('a')),
      roleOf,
    ],
    ['another node', 'foreign-node', () => nodeSession('b'), nameOf],
    [
      'a session of which ARN and account do not agree',
      'foreign-source',
      () => ({ ...nodeSession('a'), accountId: '999999999999' }),
      ({ userArn }) => userArn,
    ],
  ])('%s is refused and recorded, and nothing moves', async (...[, reason, caller, whose]) => {
    const own = caller();
    callers.set(own.accessKeyId, own);
    const answered = await calls('a', { atS: 20 }, own);
    expect(answered).toEqual({ status: 403, body: { answer: 'rejected', reason } });
    expect(await rejection(reason)).toMatchObject({
      node: idOf('a'),
      message: expect.stringContaining(whose(own)),
    });
    expect(await epochs()).toEqual([1, 2]);
    await expectOn('b');
  });

  it('without a valid signature never reaches the function', async () => {
    const forged = { ...nodeSession('a'), secretAccessKey: 'guessed' };
    expect((await calls('a', { atS: 20 }, forged)).status).toBe(403);
    expect((await signedCall(front.url, undefined, wordsOf(idOf('a'), { atS: 20 }))).status).toBe(403);
    await expectOn('b');
  });
});
