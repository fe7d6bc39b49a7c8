// Least privilege, evaluated: the roles as they stand in the packaged template, against what the code needs and against what must not be.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FunctionName, needs, used } from '../../resources/roles/roles.ts';
import { packaged, statements, type Template } from './support/packaged.ts';
import { evaluate, type Policy } from './support/policy.ts';
import { actionsByMethod, methodsCalledIn } from './support/ports.ts';
import { ACCOUNT, REGION, resolve } from './support/resolve.ts';

const root = join(import.meta.dirname, '..', '..');
const NODE_ROLE = `arn:aws:iam::${ACCOUNT}:role/vipshift-node`;
const ROLE_ID = 'AROAEXAMPLE000000001';
const INSTANCE = 'i-0a1b2c3d4e5f60718';
const BUS = `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/vipshift-prod`;
const functions: readonly FunctionName[] = ['failover', 'reconcile', 'runbook'];

let prod: Template;
beforeAll(async () => {
  prod = JSON.parse(await packaged('prod', { nodeRoleId: ROLE_ID, nodeRoleArn: NODE_ROLE })) as Template;
});

const roleOf = (name: FunctionName) => `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;
const policyOf = (role: string): Policy => resolve(prod, { Statement: statements(prod, role) }) as Policy;
const managed = (id: string): Policy =>
  resolve(prod, prod.Resources[id]!.Properties.PolicyDocument) as Policy;
const busPolicy = (): Policy => resolve(prod, prod.Resources.Bus!.Properties.Policy) as Policy;

describe('what the code needs', () => {
  it.each(functions)(
    '%s: its role is written for exactly the port methods that its bundle calls',
    async (name) => {
      expect([...(await methodsCalledIn(name))].sort()).toEqual([...used[name]].sort());
    },
  );

  it('every port method sends exactly the actions that are written next to it', async () => {
    const written = new Map<string, Set<string>>();
    for (const { action, for: methods } of needs('prod'))
      for (const method of methods) written.set(method, (written.get(method) ?? new Set()).add(action));
    expect(await actionsByMethod()).toEqual(
      new Map([...(await actionsByMethod()).keys()].map((method) => [method, written.get(method)])),
    );
  });

  it.each(functions)('%s: the packaged role has those actions, and Lambda’s own, and no other', (name) => {
    const lambdaItself = ['logs:CreateLogStream', 'logs:PutLogEvents'];
    // What starts it waits for its answer, so nothing of it fails unseen.
    if (name !== 'runbook') lambdaItself.push('sqs:SendMessage');
    const wanted = needs('prod')
      .filter(({ for: methods }) => methods.some((m) => (used[name] as readonly string[]).includes(m)))
      .map(({ action }) => action);
    const found = statements(prod, roleOf(name)).map(({ Action }) => Action);
    expect(found.toSorted()).toEqual([...wanted, ...lambdaItself].toSorted());
  });
});

const ec2 = (type: string, id: string, account = ACCOUNT) => `arn:aws:ec2:${REGION}:${account}:${type}/${id}`;
const TABLE = ec2('route-table', 'rtb-1');
const ENI = ec2('network-interface', 'eni-1');
const EIP = ec2('elastic-ip', 'eipalloc-1');
const tag = (stage: string) => ({ [`aws:ResourceTag/vipshift:${stage}`]: 'web' });

describe.each(functions)('the role of %s', (name) => {
  const ask = (action: string, ...resources: readonly [string, Record<string, string>?][]) =>
    evaluate([policyOf(roleOf(name))], {
      action,
      resources: resources.map(([arn]) => arn),
      of: Object.fromEntries(resources.map(([arn, tags = {}]) => [arn, tags])),
    });

  it.each(['ec2:ReplaceRoute', 'ec2:CreateRoute'])(
    '%s: only on a table that has the tag of the stage',
    (action) => {
      expect(ask(action, [TABLE, tag('prod')])).toBe('allowed');
      expect(ask(action, [TABLE])).toBe('denied');
      expect(ask(action, [TABLE, tag('dev')]), 'another stage’s').toBe('denied');
      expect(
        ask(action, [ec2('route-table', 'rtb-1', '999999999999'), tag('prod')]),
        'another account’s',
      ).toBe('denied');
    },
  );

  it('AssociateAddress: only where EIP and ENI both have it', () => {
    expect(ask('ec2:AssociateAddress', [EIP, tag('prod')], [ENI, tag('prod')])).toBe('allowed');
    expect(ask('ec2:AssociateAddress', [EIP], [ENI, tag('prod')]), 'an EIP without it').toBe('denied');
    expect(ask('ec2:AssociateAddress', [EIP, tag('prod')], [ENI]), 'an ENI that is not a member').toBe(
      'denied',
    );
  });

  it('ModifyNetworkInterfaceAttribute: only on an ENI that has it', () => {
    expect(ask('ec2:ModifyNetworkInterfaceAttribute', [ENI, tag('prod')])).toBe('allowed');
    expect(ask('ec2:ModifyNetworkInterfaceAttribute', [ENI])).toBe('denied');
  });

  it.each([
    ['ec2:DeleteRoute', TABLE],
    ['ec2:CreateTags', TABLE],
    ['ec2:DeleteTags', ENI],
    ['ec2:DisassociateAddress', EIP],
    ['ec2:ReleaseAddress', EIP],
    ['ec2:DetachNetworkInterface', ENI],
    ['dynamodb:DeleteItem', `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/vipshift-prod-vips`],
    ['dynamodb:PutItem', `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/vipshift-prod-vips`],
    ['dynamodb:GetItem', `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/vipshift-dev-vips`],
    ['dynamodb:GetItem', `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/customers`],
    ['dynamodb:DeleteItem', `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/vipshift-prod-timeline`],
    ['iam:PassRole', NODE_ROLE],
  ])('may not %s, tagged or not', (action, resource) => {
    expect(ask(action, [resource, tag('prod')])).toBe('denied');
  });

  it('cannot change a record of a failover: at most a counter of rejected claims', () => {
    const update = (key: string) =>
      evaluate([policyOf(roleOf(name))], {
        action: 'dynamodb:UpdateItem',
        resources: [`arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/vipshift-prod-timeline`],
        context: { 'dynamodb:LeadingKeys': [key] },
      });
    expect(update('web')).toBe('denied');
    expect(update('rejected/web')).toBe(name === 'failover' ? 'allowed' : 'denied');
  });

  it('cannot read the record, either: reconcile asks who changed what, and nothing else', () => {
    const query = (key: string) =>
      evaluate([policyOf(roleOf(name))], {
        action: 'dynamodb:Query',
        resources: [`arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/vipshift-prod-timeline`],
        context: { 'dynamodb:LeadingKeys': [key] },
      });
    expect([query('web'), query('approval/web')]).toEqual(['denied', 'denied']);
    expect(query('change/web')).toBe(name === 'reconcile' ? 'allowed' : 'denied');
  });
});

describe('who may speak as a node', () => {
  const put = (
    policies: readonly Policy[],
    who: { arn: string; userid: string },
    over: Record<string, string> = {},
  ) =>
    evaluate(policies, {
      action: 'events:PutEvents',
      resources: [BUS],
      context: {
        'aws:PrincipalArn': who.arn,
        'aws:userid': who.userid,
        'events:source': `vipshift.notify/${ROLE_ID}:${INSTANCE}`,
        'events:detail-type': 'VRRP State Change',
        ...over,
      },
    });
  const node = { arn: NODE_ROLE, userid: `${ROLE_ID}:${INSTANCE}` };
  const anything: Policy = { Statement: [{ Effect: 'Allow', Action: 'events:*', Resource: '*' }] };

  it('lets the instance itself say its state', () => {
    expect(put([managed('NodePolicy'), busPolicy()], node)).toBe('allowed');
  });

  it('denies it to a principal with events:* on *, also with a session that is called like the instance', () => {
    const impostor = { arn: `arn:aws:iam::${ACCOUNT}:role/ci`, userid: `AROASOMEBODYELSE0001:${INSTANCE}` };
    expect(put([anything, busPolicy()], impostor)).toBe('denied explicitly');
    expect(put([managed('NodePolicy')], impostor), 'and the node policy would not let it, either').toBe(
      'denied',
    );
  });

  it('denies one node the source of another, another detail-type, and the controller’s own word', () => {
    const policies = [managed('NodePolicy'), busPolicy()];
    const other = { 'events:source': `vipshift.notify/${ROLE_ID}:i-0ffeeddccbbaa9988` };
    expect(put(policies, node, other)).toBe('denied');
    expect(put(policies, node, { 'events:detail-type': 'VIP Failover Finished' })).toBe('denied');
    expect(put(policies, node, { 'events:source': 'vipshift.controller' })).toBe('denied');
  });

  it('denies the functions themselves the word of a node', () => {
    const role = {
      arn: `arn:aws:iam::${ACCOUNT}:role/vipshift-prod-FailoverRole-X`,
      userid: 'AROAFUNCTION00000001:f',
    };
    expect(put([policyOf('FailoverRole'), busPolicy()], role)).toBe('denied explicitly');
    const finished = {
      'events:source': 'vipshift.controller',
      'events:detail-type': 'VIP Failover Finished',
    };
    expect(put([policyOf('FailoverRole'), busPolicy()], role, finished)).toBe('allowed');
  });

  it('without the bus’s policy anybody with events:* could: the deny is what holds', () => {
    expect(put([anything], { arn: `arn:aws:iam::${ACCOUNT}:role/ci`, userid: 'AROAX:ci' })).toBe('allowed');
  });
});

describe('the workflows', () => {
  const send = (document: string, tags: Record<string, string>) =>
    evaluate([policyOf('FailoverMachineRole')], {
      action: 'ssm:SendCommand',
      resources: [`arn:aws:ssm:${REGION}:${ACCOUNT}:document/${document}`, ec2('instance', INSTANCE)],
      of: { [ec2('instance', INSTANCE)]: tags },
    });

  it('send commands with our document only, and to instances of the stage only', () => {
    expect(send('vipshift-prod-hand-over', { 'ssm:resourceTag/vipshift:prod': 'web' })).toBe('allowed');
    expect(send('AWS-RunShellScript', { 'ssm:resourceTag/vipshift:prod': 'web' })).toBe('denied');
    expect(send('vipshift-prod-hand-over', {})).toBe('denied');
  });

  it('may do what their states do, and nothing else', () => {
    const actions = (role: string) => new Set(statements(prod, role).map(({ Action }) => Action));
    expect(actions('FailoverMachineRole')).toEqual(
      new Set(['lambda:InvokeFunction', 'ssm:SendCommand', 'sns:Publish']),
    );
    expect(actions('NoticeMachineRole')).toEqual(new Set(['sns:Publish']));
    expect(actions('RedriveMachineRole')).toEqual(
      new Set(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'lambda:InvokeFunction', 'states:StartExecution']),
    );
  });
});

describe('the sample SCP', () => {
  const scp = () =>
    JSON.parse(readFileSync(join(root, 'resources', 'policies', 'sample-scp.json'), 'utf8')) as Policy;
  const everything: Policy = { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const retag = (role: string, key: string) =>
    evaluate([everything, scp()], {
      action: 'ec2:CreateTags',
      resources: [TABLE],
      context: { 'aws:TagKeys': ['Name', key], 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/${role}` },
    });

  const untagAll = (role: string, resource: Record<string, string>) =>
    evaluate([everything, scp()], {
      action: 'ec2:DeleteTags',
      resources: [TABLE],
      of: { [TABLE]: resource },
      context: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/${role}` },
    });

  it('keeps them from a principal that deletes all tags of a thing without naming any', () => {
    expect(untagAll('developer', { 'aws:ResourceTag/vipshift:prod': 'web' })).toBe('denied explicitly');
    expect(untagAll('network-admin', { 'aws:ResourceTag/vipshift:prod': 'web' })).toBe('allowed');
    expect(untagAll('developer', {}), 'what has none is not ours to protect').toBe('allowed');
  });

  it('keeps the labels from everybody but those it names, and other tags free', () => {
    expect(retag('developer', 'vipshift:prod')).toBe('denied explicitly');
    expect(retag('network-admin', 'vipshift:prod')).toBe('allowed');
    expect(retag('developer', 'team')).toBe('allowed');
  });
});
