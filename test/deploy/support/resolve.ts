// A CloudFormation template's intrinsic functions as CloudFormation would resolve them, for the few that our policies use.
import type { Template } from './packaged.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
export const PARTITION = 'aws';

/** ARNs of the resources as AWS writes them; a reference to anything else fails. */
function arnOf(template: Template, id: string): string {
  const { Type, Properties } = template.Resources[id] ?? { Type: 'nothing', Properties: {} };
  const at = (service: string, rest: string) => `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${rest}`;
  const name = (key: string) => resolve(template, Properties[key]) as string;
  switch (Type) {
    case 'AWS::DynamoDB::Table':
      return at('dynamodb', `table/${name('TableName')}`);
    case 'AWS::Events::EventBus':
      return at('events', `event-bus/${name('Name')}`);
    case 'AWS::SQS::Queue':
      return at('sqs', name('QueueName'));
    case 'AWS::SNS::Topic':
      return at('sns', name('TopicName'));
    case 'AWS::StepFunctions::StateMachine':
      return at('states', `stateMachine:${name('StateMachineName')}`);
    case 'AWS::Lambda::Function':
      return at('lambda', `function:${name('FunctionName')}`);
    case 'AWS::Events::Rule':
      return at('events', `rule/${id}`);
    default:
      throw new Error(`no ARN is known for ${id} of type ${Type}`);
  }
}

function refOf(template: Template, id: string): unknown {
  const pseudo: Record<string, string> = {
    'AWS::Partition': PARTITION,
    'AWS::Region': REGION,
    'AWS::AccountId': ACCOUNT,
    'AWS::StackName': 'vipshift-prod',
  };
  if (id in pseudo) return pseudo[id];
  if (id in template.Parameters) return template.Parameters[id]!.Default;
  const { Type, Properties } = template.Resources[id] ?? { Type: 'nothing', Properties: {} };
  if (Type === 'AWS::SNS::Topic' || Type === 'AWS::StepFunctions::StateMachine') return arnOf(template, id);
  if (Type === 'AWS::SSM::Document') return resolve(template, Properties.Name);
  if (Type === 'AWS::Lambda::Function') return resolve(template, Properties.FunctionName);
  throw new Error(`nothing is known of Ref ${id} (${Type})`);
}

export function resolve(template: Template, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((v) => resolve(template, v));
  if (typeof value !== 'object' || value === null) return value;
  const [[key, inner] = ['', undefined]] = Object.entries(value);
  if (key === 'Ref') return refOf(template, inner as string);
  if (key === 'Fn::GetAtt') return arnOf(template, (inner as string[])[0]!);
  if (key === 'Fn::Sub') return substituted(template, inner);
  if (key === 'Fn::If') return resolve(template, (inner as unknown[])[1]);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(template, v)]));
}

function substituted(template: Template, given: unknown): string {
  const [text, own] = (Array.isArray(given) ? given : [given, {}]) as [string, Record<string, unknown>];
  return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    return String(name in own ? resolve(template, own[name]) : refOf(template, name));
  });
}
