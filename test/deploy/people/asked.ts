// What IAM is asked for a call: the action, the things that it touches, and the keys that the request has.

import type { Question } from '../support/policy.ts';
import { ACCOUNT, REGION } from '../support/resolve.ts';
import type { Recorded } from './recorder.ts';

const at = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const text = (value: unknown): string => String(value);

interface Place {
  readonly stage: string;
  readonly vpc: string;
}

/** IAM allows it to everybody (STS API reference). */
export const isFree = ({ service }: Recorded): boolean => service === 'sts';

export function questionOf(call: Recorded, place: Place): Question {
  const { service, action, parameters } = call;
  const asked = { action: `${service === 'monitoring' ? 'cloudwatch' : service}:${action}` };
  const only = (resource: string, context: Question['context'] = {}): Question => ({
    ...asked,
    resources: [resource],
    context,
  });
  switch (service) {
    case 'cloudformation':
      return only(at('cloudformation', `stack/${text(parameters.StackName)}/1`));
    case 'monitoring':
      return only(at('cloudwatch', `alarm:vipshift-${place.stage}-dead-man`));
    case 'lambda':
      return only(at('lambda', `function:${text(parameters.FunctionName)}`));
    case 'sns':
      return only(at('sns', text(parameters.TopicArn).split(':').at(-1)!));
    case 'sqs':
      return only(at('sqs', text(parameters.QueueUrl).split('/').at(-1)!));
    case 'dynamodb': {
      if (action === 'BatchGetItem')
        return {
          ...asked,
          resources: Object.keys(parameters.RequestItems as object).map((name) =>
            at('dynamodb', `table/${name}`),
          ),
        };
      const index = parameters.IndexName === undefined ? '' : `/index/${text(parameters.IndexName)}`;
      return only(at('dynamodb', `table/${text(parameters.TableName)}${index}`), keysOf(parameters));
    }
    case 'ec2':
      return ec2Question(call, place);
    case 'events': {
      if (action === 'ListRules') return only('*');
      if (action === 'ListTargetsByRule') {
        const { EventBusName: bus, Rule: rule } = parameters;
        const own = bus === undefined || bus === 'default' ? '' : `${text(bus).split('/').at(-1)}/`;
        return only(at('events', `rule/${own}${text(rule)}`));
      }
      const [entry] = (parameters.Entries as readonly Readonly<Record<string, string>>[] | undefined) ?? [];
      const told = entry && { 'events:source': entry.Source!, 'events:detail-type': entry.DetailType! };
      return only(at('events', `event-bus/${entry?.EventBusName ?? text(parameters.Name)}`), told);
    }
    case 'states':
      return only(
        text(
          parameters.stateMachineArn ??
            parameters.executionArn ??
            at('states', `stateMachine:vipshift-${place.stage}-failover`),
        ).replace(/:\w+-\w+-\d:\d{12}:/, `:${REGION}:${ACCOUNT}:`),
      );
    case 'logs':
      return only(
        parameters.logGroupName === undefined
          ? '*'
          : at('logs', `log-group:${text(parameters.logGroupName)}`),
      );
    case 'iam':
      return only('*');
    default:
      throw new Error(`no resource is known for ${service}:${action}`);
  }
}

/** The partition key of a call of DynamoDB. */
function keysOf(parameters: Recorded['parameters']): Question['context'] {
  type Value = Readonly<Record<'S', string>> | undefined;
  const item = (parameters.Key ?? parameters.Item) as Readonly<Record<string, Value>> | undefined;
  const values = parameters.ExpressionAttributeValues as Readonly<Record<string, Value>> | undefined;
  const [, name] = /^\S+ = (:\w+)/.exec(text(parameters.KeyConditionExpression ?? '')) ?? [];
  const key = item?.vip?.S ?? (name === undefined ? undefined : values?.[name]?.S);
  return key === undefined ? {} : { 'dynamodb:LeadingKeys': [key] };
}

const kinds = {
  RouteTableId: 'route-table',
  NetworkInterfaceId: 'network-interface',
  AllocationId: 'elastic-ip',
} as const;

/** Everything that is changed has the stage's tag and is in the VPC. */
function ec2Question({ action, parameters }: Recorded, { stage, vpc }: Place): Question {
  const asked = { action: `ec2:${action}` };
  if (/^(Describe|Get)/.test(action)) return { ...asked, resources: ['*'] };
  const touched = Object.entries(kinds)
    // A route's target is no resource of the call.
    .filter(
      ([name]) => name in parameters && !(name === 'NetworkInterfaceId' && 'RouteTableId' in parameters),
    )
    .map(([name, kind]) => at('ec2', `${kind}/${text(parameters[name])}`));
  const keys = { [`aws:ResourceTag/vipshift:${stage}`]: 'web', 'ec2:Vpc': at('ec2', `vpc/${vpc}`) };
  return { ...asked, resources: touched, of: Object.fromEntries(touched.map((arn) => [arn, keys])) };
}
