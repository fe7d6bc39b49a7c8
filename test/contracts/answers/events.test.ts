// What is said over EventBridge, and what is asked of IAM and of the bus, through the real SDK: what was refused does not pass for
// sent, and lists are read to their last page.
import { IAMClient } from '@aws-sdk/client-iam';
import { afterEach, describe, expect, it } from 'vitest';
import type { AwsCall } from '../../../lab/fault/aws-call.ts';
import { parseClaimEvent } from '../../../shared/aws/events/claim-event.ts';
import { awsPublisher, FAILED, FINISHED, finishedDetail } from '../../../shared/aws/events/publisher.ts';
import { busOf, type IdentityAccess, rolesOf, sendProbe } from '../../../shared/aws/iam/identity-facts.ts';
import { epochMs } from '../../../shared/time.ts';
import { noticeOf } from '../../../shared/timeline/message.ts';
import { milestone } from '../../../shared/timeline/milestone.ts';
import {
  type Answer,
  type Endpoint,
  iamRefused,
  iamReply,
  json,
  refused,
  startEndpoint,
  type Tree,
} from '../../support/aws/endpoint.ts';
import { START } from '../../support/world.ts';
import { outcomeOf } from '../timeline.ts';

const { signal } = new AbortController();
let endpoint: Endpoint | undefined;
const iams: IAMClient[] = [];
afterEach(async () => {
  for (const iam of iams.splice(0)) iam.destroy();
  await endpoint?.stop();
});

interface Sent {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
}
const sent = (): readonly Sent[] =>
  endpoint!.calls.flatMap(({ action, parameters }) =>
    action === 'PutEvents' ? (parameters.Entries as readonly Sent[]) : [],
  );

const accepted = () => json({ FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] });
/** HTTP says 200 all the same (PutEvents API reference). */
const failedEntry = (ErrorCode: string, ErrorMessage?: string) =>
  json({ FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage }] });

describe('an announcement', () => {
  const failover = outcomeOf('web', 7, {
    stages: [
      ...[milestone('bus-accepted', epochMs(START - 900)), milestone('claim-began', START)],
      ...[milestone('last-accepted', epochMs(START + 250)), milestone('read-back', epochMs(START + 400))],
    ],
  });
  async function publisher(answer: (call: AwsCall) => Answer) {
    endpoint = await startEndpoint(answer);
    return awsPublisher({
      client: endpoint.clients.events,
      bus: 'vipshift-dev',
      place: { stage: 'dev' },
      signal,
    });
  }

  it.each([
    ['finished', FINISHED],
    ['failed', FAILED],
  ] as const)(
    'that it %s goes to the bus of the stage, under its own name, with the notice',
    async (what, DetailType) => {
      const bus = await publisher(accepted);
      await bus[what](failover);
      expect(sent()).toEqual([
        {
          EventBusName: 'vipshift-dev',
          Source: 'vipshift.controller',
          DetailType,
          Detail: expect.any(String),
        },
      ]);
      const detail = JSON.parse(sent()[0]!.Detail) as { durationsMs: object };
      expect(detail).toEqual(
        JSON.parse(
          JSON.stringify({ ...finishedDetail(failover), notice: noticeOf(failover, { stage: 'dev' }) }),
        ),
      );
      expect(detail.durationsMs, 'from the controller’s first line').toEqual({
        toLastMutation: 250,
        toReadBack: 400,
      });
    },
  );

  it.each([
    ['ThrottlingException', 'slow down', 'slow down'],
    ['InternalFailure', undefined, 'no reason given'],
  ])(
    'whose entry is refused with %s is a fault, although the request was answered',
    async (code, message, why) => {
      const bus = await publisher(() => failedEntry(code, message));
      for (const what of ['finished', 'failed'] as const)
        await expect(bus[what](failover)).rejects.toMatchObject({
          code,
          message: expect.stringContaining(why),
        });
    },
  );

  it.each([
    ['denied', (call: AwsCall) => refused(call, 'AccessDeniedException')],
    ['refused', (call: AwsCall) => refused(call, 'SomethingNew')],
    ['throttled', (call: AwsCall) => refused(call, 'ThrottlingException')],
    ['unknown', () => undefined],
  ] as const)('that is %s is that fault', async (kind, answer) => {
    const bus = await publisher(answer);
    await expect(bus.finished(failover)).rejects.toMatchObject({ kind });
  });

  it('is sent again by itself after a throttle or a cut connection', async () => {
    let asked = 0;
    const bus = await publisher((call) => {
      asked += 1;
      return asked === 1 ? refused(call, 'ThrottlingException') : asked === 2 ? undefined : accepted();
    });
    await bus.finished(failover);
    expect(sent()).toHaveLength(3);
  });
});

async function identity(
  answers: Readonly<Record<string, (call: AwsCall) => Answer>>,
): Promise<IdentityAccess> {
  endpoint = await startEndpoint((call) =>
    (answers[call.action] ?? (() => iamRefused('NoSuchEntity')))(call),
  );
  const iam = new IAMClient({ ...endpoint.config, maxAttempts: 1 });
  iams.push(iam);
  return { iam, events: endpoint.clients.events, bus: 'vipshift-dev', signal };
}

describe('a probe', () => {
  it('is a claim that the controller reads, to the bus of the stage, in no node’s name', async () => {
    const access = await identity({ PutEvents: accepted });
    expect(await sendProbe(access, 'web', 'i-0123456789abcdef0', START)).toBe('e-1');
    const [entry] = sent();
    expect(entry).toMatchObject({ EventBusName: 'vipshift-dev', Source: 'vipshift.doctor' });
    const parsed = parseClaimEvent({
      ...{ id: 'e-1', source: entry!.Source, time: '2026-11-22T14:00:00Z' },
      ...{ 'detail-type': entry!.DetailType, detail: JSON.parse(entry!.Detail) as object },
    });
    expect(parsed).toMatchObject({
      ok: true,
      claim: { vip: 'web', node: 'i-0123456789abcdef0', kind: 'probe', state: 'BACKUP', atMs: START },
    });
  });

  it.each([
    ['its entry is refused', () => failedEntry('NotAuthorizedForSource', 'no'), 'NotAuthorizedForSource'],
    ['nothing is said of it', () => json({ FailedEntryCount: 0, Entries: [] }), 'undefined'],
    ['the request is denied', (call: AwsCall) => refused(call, 'AccessDeniedException'), 'AccessDenied'],
  ] as const)('fails where %s', async (_what, answer, why) => {
    const access = await identity({ PutEvents: answer });
    await expect(sendProbe(access, 'web', 'i-0123456789abcdef0', START)).rejects.toThrow(why);
  });
});

describe('the bus', () => {
  const policy = { Statement: [{ Effect: 'Deny', Action: 'events:PutEvents' }] };

  it('has its policy, or none, or is not there; what is denied is a fault', async () => {
    const reply = { value: json({ Arn: 'arn:bus', Policy: JSON.stringify(policy) }) as Answer };
    const access = await identity({ DescribeEventBus: () => reply.value });
    expect(await busOf(access)).toEqual({ arn: 'arn:bus', policy });
    expect(endpoint!.calls[0]!.parameters.Name).toBe('vipshift-dev');
    reply.value = json({ Arn: 'arn:bus' });
    expect(await busOf(access)).toEqual({ arn: 'arn:bus' });
    reply.value = refused(endpoint!.calls[0]!, 'ResourceNotFoundException');
    expect(await busOf(access)).toBeUndefined();
    reply.value = refused(endpoint!.calls[0]!, 'AccessDeniedException');
    await expect(busOf(access)).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('the nodes’ roles', () => {
  const encoded = (action: string) =>
    encodeURIComponent(JSON.stringify({ Statement: [{ Effect: 'Allow', Action: action }] }));
  const allowing = (action: string) => ({ Statement: [{ Effect: 'Allow', Action: action }] });
  /** In IAM's words, which hands out a thing a page here, and an empty page. */
  const paged = (list: string, things: readonly Tree[]) => (call: AwsCall) => {
    const pages: (readonly Tree[])[] = things.map((one) => [one]);
    pages.splice(-1, 0, []);
    const at = Number(call.parameters.Marker ?? 0);
    const more = at + 1 < pages.length;
    return iamReply(call, {
      [list]: pages[at] ?? [],
      IsTruncated: more,
      ...(more ? { Marker: String(at + 1) } : {}),
    });
  };
  const iam = {
    GetInstanceProfile: (call: AwsCall) => {
      const name = String(call.parameters.InstanceProfileName);
      if (name === 'gone') return iamRefused('NoSuchEntity');
      return iamReply(call, {
        InstanceProfile: { Roles: name === 'empty' ? [] : [{ RoleName: `role-of-${name}` }] },
      });
    },
    GetRole: (call: AwsCall) =>
      iamReply(call, {
        Role: {
          ...{ Arn: `arn:${String(call.parameters.RoleName)}`, RoleId: 'AROA1', RoleName: 'r' },
          AssumeRolePolicyDocument: encoded('sts:AssumeRole'),
        },
      }),
    ListRolePolicies: paged('PolicyNames', ['in-1', 'in-2', 'in-3']),
    GetRolePolicy: (call: AwsCall) =>
      iamReply(call, { PolicyDocument: encoded(String(call.parameters.PolicyName)) }),
    ListAttachedRolePolicies: paged('AttachedPolicies', [
      { PolicyArn: 'arn:at-1' },
      { PolicyArn: 'arn:at-2' },
    ]),
    GetPolicy: (call: AwsCall) =>
      iamReply(call, { Policy: { DefaultVersionId: 'v3', Arn: String(call.parameters.PolicyArn) } }),
    GetPolicyVersion: (call: AwsCall) =>
      iamReply(call, {
        PolicyVersion: {
          Document: encoded(`${String(call.parameters.PolicyArn)} ${String(call.parameters.VersionId)}`),
        },
      }),
  };
  const policies = ['in-1', 'in-2', 'in-3', 'arn:at-1 v3', 'arn:at-2 v3'].map(allowing);
  const fact = (role: string, nodes: readonly string[]) => ({
    ...{ role, arn: `arn:${role}`, roleId: 'AROA1', nodes, policies, trust: allowing('sts:AssumeRole') },
    places: ['in-1', 'in-2', 'in-3', 'arn:at-1', 'arn:at-2'],
  });
  const profile = (node: string, name: string) => ({
    node,
    profile: `arn:aws:iam::1:instance-profile/path/${name}`,
  });

  it('each with its nodes, and its policies of both kinds to the last page, each in the version in effect', async () => {
    const access = await identity(iam);
    const found = await rolesOf(
      access,
      [
        profile('i-1', 'a'),
        profile('i-2', 'b'),
        profile('i-3', 'a'),
        { node: 'i-4' },
        profile('i-5', 'empty'),
      ],
      undefined,
    );
    expect(found).toEqual({
      roles: [fact('role-of-a', ['i-1', 'i-3']), fact('role-of-b', ['i-2'])],
      without: ['i-4', 'i-5'],
    });
    const asked = endpoint!.calls.filter(({ action }) => action === 'GetInstanceProfile');
    expect(asked, 'of each profile once').toHaveLength(3);
  });

  it('the one that the operator names, whatever the profiles say, also where no node is known', async () => {
    const access = await identity(iam);
    expect((await rolesOf(access, [profile('i-1', 'a'), { node: 'i-2' }], 'named')).roles).toEqual([
      fact('named', ['i-1', 'i-2']),
    ]);
    expect(await rolesOf(access, [], 'named')).toEqual({ roles: [fact('named', [])], without: [] });
  });

  it('a profile or a policy that cannot be read is a fault: half the policies would judge the role', async () => {
    for (const action of [
      'GetRole',
      'ListRolePolicies',
      'GetRolePolicy',
      'ListAttachedRolePolicies',
      'GetPolicyVersion',
    ]) {
      const access = await identity({ ...iam, [action]: () => iamRefused('AccessDenied') });
      await expect(rolesOf(access, [profile('i-1', 'a')], undefined), action).rejects.toMatchObject({
        kind: 'denied',
      });
      await endpoint!.stop();
    }
    const access = await identity(iam);
    await expect(rolesOf(access, [profile('i-1', 'gone')], undefined)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('the instance profile gone'),
    });
  });
});
