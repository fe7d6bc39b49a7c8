// Least privilege, evaluated: the roles as they stand in the packaged template, against what the code needs and against what must not be.
import { beforeAll, describe, expect, it } from 'vitest';
import { type FunctionName, needs, used } from '../../resources/roles/roles.ts';
import { packaged } from './support/packaged.ts';
import { evaluate, type Policy } from './support/policy.ts';
import { actionsByMethod, methodsCalledIn } from './support/ports.ts';
import { ACCOUNT, REGION, resolve, withParameters } from './support/resolve.ts';
import { statements, type Template } from './support/template.ts';

const NODE_ROLE = `arn:aws:iam::${ACCOUNT}:role/vipshift-node`;
const ROLE_ID = 'AROAEXAMPLE000000001';
const BUS = `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/vipshift-prod`;
const functions: readonly FunctionName[] = ['failover', 'reconcile', 'runbook'];

let prod: Template;
beforeAll(async () => {
  prod = JSON.parse(await packaged('prod', { nodeRoleId: ROLE_ID, nodeRoleArn: NODE_ROLE })) as Template;
});

const roleOf = (name: FunctionName) => `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;
const policyOf = (role: string): Policy => resolve(prod, { Statement: statements(prod, role) }) as Policy;

describe('what the code needs', () => {
  it.each(functions)(
    '%s: its role is written for exactly the port methods that its bundle calls',
    async (name) => {
      expect([...(await methodsCalledIn(name))].sort()).toEqual([...used[name]].sort());
    },
  );

  it('every port method sends exactly the actions that are written next to it', async () => {
    const written = new Map<string, Set<string>>();
    for (const { action, for: methods } of needs())
      for (const method of methods) written.set(method, (written.get(method) ?? new Set()).add(action));
    expect(await actionsByMethod()).toEqual(
      new Map([...(await actionsByMethod()).keys()].map((method) => [method, written.get(method)])),
    );
  });

  it.each(functions)('%s: the packaged role has those actions, and Lambda’s own, and no other', (name) => {
    const lambdaItself = ['logs:CreateLogStream', 'logs:PutLogEvents'];
    // What starts it waits for its answer, so nothing of it fails unseen.
    if (name !== 'runbook') lambdaItself.push('sqs:SendMessage');
    const wanted = needs()
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
  const asIs = () => resolve(prod, prod.Resources.Bus!.Properties.Policy) as Policy;
  const put = (stack: Template, arn: string) =>
    evaluate([anything, resolve(stack, stack.Resources.Bus!.Properties.Policy) as Policy], {
      action: 'events:PutEvents',
      resources: [BUS],
      context: {
        ...{ 'aws:PrincipalArn': arn, 'aws:userid': 'AROAX:ci' },
        ...{ 'events:source': 'vipshift.notify/AROAX:ci', 'events:detail-type': 'VRRP State Change' },
      },
    });
  const anything: Policy = { Statement: [{ Effect: 'Allow', Action: 'events:*', Resource: '*' }] };

  it('without the nodes’ role anybody with events:* could: the denies for it are what holds', () => {
    const ci = `arn:aws:iam::${ACCOUNT}:role/ci`;
    expect(put(prod, ci)).toBe('denied explicitly');
    expect(put(withParameters(prod, { NodeRoleArn: '' }), ci)).toBe('allowed');
  });

  it('only denies, so that it lets in no one whom no other policy lets in', () => {
    expect(new Set(asIs().Statement.map(({ Effect }) => Effect))).toEqual(new Set(['Deny']));
  });

  it('fits: a bus’s policy has 10,240 characters at most (AWS::Events::EventBusPolicy)', () => {
    for (const InstanceCredentials of ['instance-arn', 'instance-vpc']) {
      const stack = withParameters(prod, { InstanceCredentials });
      expect(JSON.stringify(resolve(stack, stack.Resources.Bus!.Properties.Policy)).length).toBeLessThan(
        10_240,
      );
    }
  });

  it('takes no pattern for the nodes’ role: ArnNotEquals would match it', () => {
    const allowed = new RegExp(prod.Parameters.NodeRoleArn!.AllowedPattern!);
    for (const name of ['keepalived-node', 'path/of/keepalived-node', 'x+=,.@-_'])
      expect(allowed.test(`arn:aws:iam::${ACCOUNT}:role/${name}`), name).toBe(true);
    expect(allowed.test('')).toBe(true);
    for (const name of ['*', 'keepalived-*', 'keepalived-nod?', '${aws:username}'])
      expect(allowed.test(`arn:aws:iam::${ACCOUNT}:role/${name}`), name).toBe(false);
  });
});

describe('the trust policies', () => {
  const trust = (stack: Template) =>
    Object.entries(stack.Resources)
      .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
      .flatMap(
        ([, { Properties }]) => (resolve(stack, Properties.AssumeRolePolicyDocument) as Policy).Statement,
      );

  it('name a service and nothing else, and its account where that was seen to work', () => {
    expect(trust(prod)).toHaveLength(10);
    for (const { Condition } of trust(prod)) expect(Condition).toBeUndefined();
    for (const { Principal, Condition } of trust(withParameters(prod, { TrustSourceAccount: 'on' }))) {
      expect(Object.keys(Principal as object)).toEqual(['Service']);
      expect(Condition).toEqual({ StringEquals: { 'aws:SourceAccount': ACCOUNT } });
    }
  });
});

describe('what only AWS can show', () => {
  it('is off by default: no honest party is shut out by what was only thought through', () => {
    const defaults = ['InstanceCredentials', 'EniAttributeCondition', 'TrustSourceAccount'].map(
      (name) => prod.Parameters[name]!.Default,
    );
    expect(defaults).toEqual(['any', 'off', 'off']);
  });
});

describe('the workflows', () => {
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
