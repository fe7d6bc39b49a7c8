// A CloudFormation template's intrinsic functions as CloudFormation would resolve them, for the few that our policies use.
import type { Template } from './template.ts';

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
    case 'AWS::IAM::Role':
      return roleArn(`vipshift-prod-${id}-EXAMPLE`);
    default:
      throw new Error(`no ARN is known for ${id} of type ${Type}`);
  }
}

/** CloudFormation makes a role's name of the stack, the logical id and chance. */
export const roleArn = (name: string): string => `arn:${PARTITION}:iam::${ACCOUNT}:role/${name}`;

/** The template as it is deployed with other parameters. */
export const withParameters = (template: Template, values: Readonly<Record<string, string>>): Template => ({
  ...template,
  Parameters: {
    ...template.Parameters,
    ...Object.fromEntries(
      Object.entries(values).map(([name, Default]) => [name, { ...template.Parameters[name], Default }]),
    ),
  },
});

const NO_VALUE = Symbol('AWS::NoValue');

function refOf(template: Template, id: string): unknown {
  if (id === 'AWS::NoValue') return NO_VALUE;
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
  if (Array.isArray(value)) return value.map((v) => resolve(template, v)).filter((v) => v !== NO_VALUE);
  if (typeof value !== 'object' || value === null) return value;
  const [[key, inner] = ['', undefined]] = Object.entries(value);
  if (key === 'Ref') return refOf(template, inner as string);
  if (key === 'Fn::GetAtt') return arnOf(template, (inner as string[])[0]!);
  if (key === 'Fn::Sub') return substituted(template, inner);
  if (key === 'Fn::If') {
    const [condition, yes, no] = inner as [string, unknown, unknown];
    return resolve(template, conditionHolds(template, template.Conditions[condition]) ? yes : no);
  }
  const resolved = Object.entries(value).map(([k, v]) => [k, resolve(template, v)] as const);
  return Object.fromEntries(resolved.filter(([, v]) => v !== NO_VALUE));
}

/** Of the functions for conditions only those that resources/parameters.yml uses. */
export function conditionHolds(template: Template, condition: unknown): boolean {
  const [[key, inner] = ['', undefined]] = Object.entries(condition as object);
  if (key === 'Fn::Not') return !conditionHolds(template, (inner as unknown[])[0]);
  if (key !== 'Fn::Equals') throw new Error(`the function ${key} of a condition is not known here`);
  const [a, b] = (inner as unknown[]).map((one) => String(resolve(template, one)));
  return a === b;
}

function substituted(template: Template, given: unknown): string {
  const [text, own] = (Array.isArray(given) ? given : [given, {}]) as [string, Record<string, unknown>];
  return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    return String(name in own ? resolve(template, own[name]) : refOf(template, name));
  });
}
