// Faults of identities, the bus and the nodes' shim, seeded for the doctor.
import { DisableRuleCommand, EnableRuleCommand, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { ROLE, trust } from '../../../../lab/aws/whole/policies.ts';
import { nodePolicy } from '../../../../lab/aws/whole/whole.ts';
import type { Setup } from '../setup.ts';
import { item, type Seed } from './seeds.ts';

const trusting = (s: Setup, ...services: string[]) =>
  s.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: ROLE, PolicyDocument: trust(...services) }));

export const identityFaults: readonly Seed[] = [
  {
    fault: 'a node role that cannot PutEvents',
    check: 'role-put-events',
    remedy: /attach-role-policy --role-name vipshift-node --policy-arn arn:aws:iam::/,
    async seed(s) {
      await s.iam.send(new DeleteRolePolicyCommand({ RoleName: ROLE, PolicyName: 'vipshift' }));
      const PolicyArn = s.stack.deployment.outputs.NodePolicyArn!;
      return {
        subject: ROLE,
        async undo() {
          await s.iam.send(new DetachRolePolicyCommand({ RoleName: ROLE, PolicyArn }));
          await s.iam.send(nodePolicy(s.stack.deployment.busArn));
        },
      };
    },
  },
  {
    fault: 'a trust policy that is open to others',
    check: 'role-trust',
    remedy: /update-assume-role-policy/,
    async seed(s) {
      await trusting(s, 'ec2.amazonaws.com', 'lambda.amazonaws.com');
      return { subject: ROLE, undo: () => trusting(s, 'ec2.amazonaws.com') };
    },
  },
  {
    fault: 'a bus policy without the Deny',
    check: 'bus-policy',
    remedy:
      /npm run deploy -- --stage dev --region eu-central-1 --param nodeRoleId=A\w+ --param nodeRoleArn=arn:aws:iam::\d+:role\/vipshift-node/,
    async seed(s) {
      const was = s.front.policy!;
      s.front.policy = was.replaceAll('"Deny"', '"Allow"');
      return {
        subject: s.stack.deployment.busName,
        undo: async () => {
          s.front.policy = was;
        },
      };
    },
  },
  {
    fault: 'nodes under another role than the bus knows',
    check: 'bus-policy',
    remedy:
      /npm run deploy -- --stage dev --region eu-central-1 --param nodeRoleId=A\w+ --param nodeRoleArn=arn:aws:iam::\d+:role\/vipshift-node/,
    async seed(s) {
      const was = s.front.policy!;
      s.front.policy = was.replaceAll(`role/${ROLE}`, 'role/another');
      return {
        subject: ROLE,
        undo: async () => {
          s.front.policy = was;
        },
      };
    },
  },
  {
    fault: 'a role that may order a failover and approve it',
    check: 'approver-orders',
    remedy: /detach .*on-call\.json or approver\.json/,
    async seed(s) {
      const RoleName = 'both';
      await s.iam.send(
        new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust('ec2.amazonaws.com') }),
      );
      const rights = ['states:StartExecution', 'states:SendTaskSuccess'];
      for (const Action of rights) {
        const Statement = {
          Effect: 'Allow',
          Action,
          Resource: 'arn:aws:states:*:*:stateMachine:vipshift-dev-failover',
        };
        const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
        await s.iam.send(
          new PutRolePolicyCommand({ RoleName, PolicyName: Action.split(':')[1]!, PolicyDocument }),
        );
      }
      return {
        subject: 'vipshift-dev-failover',
        undo: async () => {
          for (const Action of rights)
            await s.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: Action.split(':')[1]! }));
          await s.iam.send(new DeleteRoleCommand({ RoleName }));
        },
      };
    },
  },
  {
    fault: 'a role that may invoke failover',
    check: 'failover-invokers',
    remedy: /take lambda:InvokeFunction on it away .*sample-scp\.json/,
    async seed(s) {
      const [RoleName, PolicyName] = ['ci', 'invoke'];
      await s.iam.send(
        new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust('ec2.amazonaws.com') }),
      );
      const Statement = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' };
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      await s.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
      return {
        subject: 'vipshift-dev-failover',
        undo: async () => {
          await s.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
          await s.iam.send(new DeleteRoleCommand({ RoleName }));
        },
      };
    },
  },
  {
    fault: 'a bus that leads nowhere',
    check: 'bus-probe',
    remedy: /list-rules --event-bus-name/,
    probe: true,
    async seed(s) {
      const EventBusName = s.stack.deployment.busName;
      const { Rules } = await s.events.send(new ListRulesCommand({ EventBusName }));
      const Name = Rules![0]!.Name!;
      await s.events.send(new DisableRuleCommand({ EventBusName, Name }));
      return {
        subject: EventBusName,
        undo: () => s.events.send(new EnableRuleCommand({ EventBusName, Name })),
      };
    },
  },
  {
    fault: 'a node that is silent',
    check: 'shim-silent',
    remedy: /systemctl status vipshift-notify/,
    seed(s) {
      const { instanceId } = s.stack.vpc.nodes.b;
      return item(s, instanceId, (vip) => ({
        claims: {
          ...vip.claims,
          [instanceId]: { ...vip.claims[instanceId]!, seenMs: Date.now() - 600_000 },
        },
      }));
    },
  },
];
