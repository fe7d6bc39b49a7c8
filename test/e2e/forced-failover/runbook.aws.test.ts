// A forced failover, executed: every path of runbook/failover.asl.json on the local AWS, with the nodes played; those via keepalived are in
// via-keepalived.aws.test.ts.
import {
  CreateTagsCommand,
  DeleteTagsCommand,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { poll } from '../../../lab/aws/stack/poll.ts';
import { VIP } from '../../../lab/aws/stack/stack.ts';
import { epochMs } from '../../../shared/time.ts';
import { withFreeze, withPin } from '../../../shared/vip/vip.ts';
import { call, ended, states } from '../stage/aws-json.ts';
import {
  begin,
  change,
  expectOn,
  id,
  inbox,
  input,
  lastName,
  lastReport,
  nodes,
  orders,
  run,
  settled,
  stack,
  stageOrders,
} from '../stage/order-stage.ts';

stageOrders();

describe('forced failover, routes only', () => {
  it('pins and switches under one lease, and reports to a person what was done', async () => {
    const end = await run();
    expect(end.status).toBe('SUCCEEDED');
    await expectOn('b');
    const vip = await settled(id('b'));
    expect(vip.pin).toMatchObject({ node: id('b'), by: input().by, reason: input().reason });
    const outcome = await stack.outcome(vip.epoch);
    expect(outcome).toMatchObject({
      ...{ outcome: 'switched', from: id('a'), to: id('b'), verified: true },
      cause: { kind: 'order', by: input().by, id: lastName() },
    });
    expect(nodes.commands, 'keepalived is left alone').toEqual([]);
    const report = await lastReport();
    expect((await inbox.messages()).filter((m) => m.Message.includes(lastName()))).toHaveLength(1);
    expect(report.Subject).toBe(`vipshift dev: order done: web to ${id('b')} (routes-only)`);
    expect(report.Message).toContain(`moved from ${id('a')} to ${id('b')}`);
    expect(report.Message).toContain(
      'Next: vipshift timeline web --limit 5 --stage dev --region eu-central-1',
    );
  });

  it('is in the record as an order, before the failover', async () => {
    await run();
    const told = {
      order: 'failover',
      by: input().by,
      node: id('b'),
      reason: 'routes-only: maintenance of a',
    };
    expect(await orders()).toContainEqual(expect.objectContaining(told));
  });

  it('is refused where hold is not both: the other node does not have the address', async () => {
    await change((vip) => ({ ...vip, hold: 'master' }));
    const end = await run();
    await change((vip) => ({ ...vip, hold: 'both' }));
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverRefused' });
    expect(end.cause).toContain('hold is "master", expected "both"');
    await expectOn('a');
  });

  it('same name twice: under one execution name does one failover, however often it is started', async () => {
    const before = (await settled(id('a'))).epoch;
    const execution = await begin({}, 'the-same');
    await expect(begin({}, 'the-same')).rejects.toThrow('ExecutionAlreadyExists');
    await ended(stack.aws, execution);
    await expect(begin({}, 'the-same'), 'afterwards, too').rejects.toThrow('ExecutionAlreadyExists');
    expect((await settled(id('b'))).epoch).toBe(before + 1);
  });
});

describe('forced failover, dry run', () => {
  it('ends with the plan as data, and changes nothing', async () => {
    const before = await settled(id('a'));
    const end = await run({ dryRun: true });
    expect(end).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'fit', before: { owner: id('a') } },
    });
    expect(end.output.plan).toHaveLength(9);
    expect(await stack.vips.read(VIP)).toEqual(before);
    await expectOn('a');
  });

  it('that is refused says why, as data', async () => {
    const end = await run({ dryRun: true, to: 'i-0123456789abcdef0' });
    expect(end.status).toBe('SUCCEEDED');
    expect(end.output).toMatchObject({ outcome: 'refused' });
    expect(end.output.reasons).toContain('not fit: i-0123456789abcdef0 is not a member');
  });
});

describe('forced failover, refusal: the preflight refuses', () => {
  const refuses = async (over: object, reason: string) => {
    const before = (await settled(id('a'))).epoch;
    const end = await run(over);
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverRefused' });
    expect(end.cause).toContain(reason);
    expect((await settled(id('a'))).epoch).toBe(before);
    expect((await lastReport()).Message).toContain(reason);
  };
  const until = { untilMs: epochMs(Date.now() + 3_600_000), by: 'someone else', reason: 'hands off' };

  it('what is malformed', () => refuses({ to: undefined, mode: 'by magic' }, 'mode: Invalid option'));
  it('an unknown VIP', () => refuses({ vip: 'absent' }, 'is not in the registry'));
  it('a node that is not a member', () => refuses({ to: 'i-0123456789abcdef0' }, 'is not a member'));
  it('the owner', () => refuses({ to: id('a') }, 'is the owner already'));
  it('an order against keepalived without a pin', () => refuses({ pinMinutes: 0 }, 'without a pin'));

  it('while another operator’s freeze holds: it never fights one', async () => {
    await change((vip) => withFreeze(vip, until));
    await refuses({}, 'frozen until');
  });

  it('while another operator’s pin holds', async () => {
    await change((vip) => withPin(vip, { ...until, node: id('a') }));
    await refuses({}, `pinned to ${id('a')}`);
  });

  it('a target whose source/destination check is on', async () => {
    const check = (Value: boolean) =>
      stack.ec2.send(
        new ModifyNetworkInterfaceAttributeCommand({
          NetworkInterfaceId: stack.vpc.nodes.b.serviceEni,
          SourceDestCheck: { Value },
        }),
      );
    await check(true);
    try {
      await refuses({}, 'source/destination check is on');
    } finally {
      await check(false);
    }
  });
});

describe('forced failover, approval and denial: an approval', () => {
  const asked = (execution: string) =>
    poll('the request for approval', async () => {
      const name = execution.split(':').at(-1);
      return (await stack.entries(`approval/${VIP}`)).find((entry) => entry.execution === name);
    });
  const answer = async (execution: string, decision: object) => {
    const { token } = await asked(execution);
    await call(stack.aws, 'AWSStepFunctions.SendTaskSuccess', {
      taskToken: token,
      output: JSON.stringify(decision),
    });
    return ended(stack.aws, execution);
  };

  it('is waited for, and who gave it is recorded', async () => {
    const execution = await begin({ approval: true });
    expect(await asked(execution)).toMatchObject({ order: { to: id('b') }, plan: expect.any(Array) });
    expect((await states(stack.aws, execution)).at(-1)).toBe('requestApproval');
    await expectOn('a');
    const end = await answer(execution, { approved: true, by: 'arn:aws:iam::1:user/second', reason: 'go' });
    expect(end.status).toBe('SUCCEEDED');
    await expectOn('b');
    expect(await orders()).toContainEqual(
      expect.objectContaining({ order: 'approve', by: 'arn:aws:iam::1:user/second', reason: 'go' }),
    );
    expect((await lastReport()).Message).toContain('Approved by arn:aws:iam::1:user/second');
  });

  it('that is denied ends it, and who did is recorded', async () => {
    const execution = await begin({ approval: true });
    const end = await answer(execution, {
      approved: false,
      by: 'arn:aws:iam::1:user/second',
      reason: 'not now',
    });
    expect(end).toMatchObject({
      status: 'FAILED',
      error: 'FailoverDenied',
      cause: 'denied by arn:aws:iam::1:user/second: not now',
    });
    await expectOn('a');
    expect(await orders()).toContainEqual(expect.objectContaining({ order: 'deny', reason: 'not now' }));
  });

  it('that no one gives in time is a denial', async () => {
    const execution = await begin({ approval: true });
    const { token } = await asked(execution);
    await call(stack.aws, 'AWSStepFunctions.SendTaskFailure', { taskToken: token, error: 'States.Timeout' });
    const end = await ended(stack.aws, execution);
    expect(end).toMatchObject({ error: 'FailoverDenied', cause: 'no one approved it in time' });
    await expectOn('a');
  });

  it('given too late is decided again: what has changed meanwhile refuses it before anything is moved', async () => {
    const execution = await begin({ approval: true });
    await asked(execution);
    // b loses its label while everybody waits: no member any more.
    const labels = [{ Key: stack.vpc.tagKey, Value: VIP }];
    const Resources = [stack.vpc.nodes.b.serviceEni];
    await stack.ec2.send(new DeleteTagsCommand({ Resources, Tags: labels }));
    const end = await answer(execution, { approved: true, by: 'x' });
    await stack.ec2.send(new CreateTagsCommand({ Resources, Tags: labels }));
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverRefused' });
    expect(end.states.slice(-7)).toEqual([
      'lookAgain',
      'isStillFit',
      'refused',
      'report',
      'notify',
      'howItEnded',
      'notCarriedOut',
    ]);
    expect(end.cause).toContain(`EC2 shows no ENI of ${id('b')} in use with the label`);
    expect((await settled(id('a'))).pin).toBeUndefined();
    await expectOn('a');
    expect((await lastReport()).Message).toContain('Approved by x');
  });
});
