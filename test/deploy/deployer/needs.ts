// What a deployment needs of IAM: for each resource of the packaged template what CloudFormation's handlers do with it, by the deployer's
// credentials, without the features that the template does not use.
//
// Limit: AWS says for a type which actions its handlers may need, not for which property. What is left out below is our reading of that.

import type { Question } from '../support/policy.ts';
import { ACCOUNT, PARTITION, REGION, resolve, roleArn } from '../support/resolve.ts';
import type { Resource, Template } from '../support/template.ts';

/**
 * `Type action` of what writes, and why a deployment of ours does not need it. What only reads the stack's own things stays: a handler reads
 * its resource as a whole.
 */
export const unused: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/ kms:/, 'no key of the customer’s'],
  [
    / (kinesis|firehose|s3tables|s3files|elasticfilesystem|ec2):/,
    'no stream, file system or VPC is attached',
  ],
  [/(SSM::Document|StateMachine) s3:|DynamoDB::Table (s3|logs):/, 'nothing is read from S3'],
  [/DynamoDB::Table dynamodb:(ImportTable|DescribeImport)/, 'no import'],
  [/DynamoDB::Table (dynamodb:(\w*TableReplica|Scan|Query|\w+Item)|iam:)/, 'no global table'],
  [
    /dynamodb:(Enable|Disable|Update)KinesisStreamingDestination|dynamodb:UpdateContributorInsights/,
    'not set',
  ],
  [/dynamodb:(Put|Delete)ResourcePolicy/, 'the tables have no policy of their own'],
  [/IAM::ManagedPolicy iam:(Attach|Detach)/, 'the operator attaches it'],
  [/IAM::Role iam:((Attach|Detach)RolePolicy|\w+PermissionsBoundary)/, 'inline policies alone'],
  [
    /lambda:(Put|Delete)Function(CodeSigning|Recursion|Scaling)Config|lambda:PutRuntimeManagementConfig/,
    'not set',
  ],
  [
    /lambda:(PassCapacityProvider|GetLayerVersion|AssociateRuntimeAlias|GetCodeSigningConfig)/,
    'there is none',
  ],
  [/lambda:PublishVersion/, 'versionFunctions is false'],
  [
    /logs:(Put|Delete)(DataProtection|Index|Resource)Policy|logs:(A|Disa)ssociateKmsKey|logs:CreateLogDelivery/,
    'not set',
  ],
  [/logs:Put(BearerTokenAuthentication|LogGroupDeletionProtection)/, 'not set'],
  [/logs:DeleteRetentionPolicy|s3:REST/, 'the retention is always set'],
  [/sns:PutDataProtectionPolicy/, 'not set'],
  [/SNS::Topic sns:(Subscribe|Unsubscribe)/, 'the subscription is a resource of its own'],
  [/SNS::\w+ iam:/, 'no delivery by a role'],
  [/S3::Bucket (iam:|s3:DeleteObject$)/, 'CloudFormation leaves the objects to osls'],
  [
    /S3::Bucket s3:(?!Get|List|CreateBucket$|DeleteBucket$|Put(BucketTagging|EncryptionConfiguration|BucketPublicAccessBlock)$|(Tag|Untag)Resource$)/,
    'not set',
  ],
];

/** What osls itself and `npm run deploy` do besides; the long test records it. The resource is the stack, the bucket, a function. */
export const ownCalls = {
  stack: [
    ...['CreateChangeSet', 'DeleteChangeSet', 'DeleteStack', 'DescribeChangeSet', 'DescribeStackEvents'],
    ...['DescribeStackResource', 'DescribeStacks', 'ExecuteChangeSet', 'GetTemplate', 'ListStackResources'],
  ].map((action) => `cloudformation:${action}`),
  /** Left out on the local AWS, which does not know its TemplateURL. */
  validation: ['cloudformation:ValidateTemplate'],
  bucket: ['s3:ListBucket'],
  /** The packages. CloudFormation and Lambda read them with the deployer's credentials. */
  objects: ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
  functions: ['lambda:GetFunction'],
  /** Whether a node is heard. */
  vips: ['dynamodb:Scan'],
} as const;

export const BUCKET = `arn:${PARTITION}:s3:::vipshift-prod-serverlessdeploymentbucket-example`;
export const STACK = at('cloudformation', 'stack/vipshift-prod/0a1b2c3d');

function at(service: string, rest: string): string {
  return `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${rest}`;
}

/** As AWS, or CloudFormation where the template names nothing, calls the resource. */
function arnOf(template: Template, id: string): string {
  const { Type, Properties } = template.Resources[id]!;
  const name = (key: string) => resolve(template, Properties[key]) as string;
  const made = `vipshift-prod-${id}-EXAMPLE`;
  switch (Type) {
    case 'AWS::CloudWatch::Alarm':
      return at('cloudwatch', `alarm:${name('AlarmName')}`);
    case 'AWS::CloudWatch::Dashboard':
      return `arn:${PARTITION}:cloudwatch::${ACCOUNT}:dashboard/${name('DashboardName')}`;
    case 'AWS::DynamoDB::Table':
      return at('dynamodb', `table/${name('TableName')}`);
    case 'AWS::Events::Archive':
      return at('events', `archive/${name('ArchiveName')}`);
    case 'AWS::Events::EventBus':
      return at('events', `event-bus/${name('Name')}`);
    case 'AWS::Events::Rule':
      return at('events', `rule/${Properties.EventBusName === undefined ? '' : 'vipshift-prod/'}${made}`);
    case 'AWS::IAM::ManagedPolicy':
      return `arn:${PARTITION}:iam::${ACCOUNT}:policy/${made}`;
    case 'AWS::IAM::Role':
      return roleArn(made);
    case 'AWS::Lambda::Function':
      return at('lambda', `function:${name('FunctionName')}`);
    case 'AWS::Lambda::EventInvokeConfig':
    case 'AWS::Lambda::Permission':
    case 'AWS::Lambda::Url':
      return at('lambda', `function:vipshift-prod-failover`);
    case 'AWS::Logs::LogGroup':
      return at('logs', `log-group:${name('LogGroupName')}`);
    case 'AWS::S3::Bucket':
    case 'AWS::S3::BucketPolicy':
      return BUCKET;
    case 'AWS::SNS::Topic':
    case 'AWS::SNS::TopicPolicy':
    case 'AWS::SNS::Subscription':
      return at('sns', 'vipshift-prod-notices');
    case 'AWS::SQS::Queue':
      return at('sqs', name('QueueName'));
    case 'AWS::SQS::QueuePolicy':
      return at('sqs', 'vipshift-prod-function-failures');
    case 'AWS::SSM::Document':
      return at('ssm', `document/${name('Name')}`);
    case 'AWS::StepFunctions::StateMachine':
      return at('states', `stateMachine:${name('StateMachineName')}`);
    default:
      throw new Error(`no ARN is known for ${id} of type ${Type}`);
  }
}

const PASSED_TO: Readonly<Record<string, string>> = {
  'AWS::Lambda::Function': 'lambda.amazonaws.com',
  'AWS::StepFunctions::StateMachine': 'states.amazonaws.com',
  'AWS::Events::Rule': 'events.amazonaws.com',
};

/** The roles of the stack that a resource is given. */
function rolesIn(template: Template, { Properties }: Resource): readonly string[] {
  const named = [...JSON.stringify(Properties).matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g)].map(
    ([, id]) => id!,
  );
  return named
    .filter((id) => template.Resources[id]?.Type === 'AWS::IAM::Role')
    .map((id) => arnOf(template, id));
}

function questionsOf(template: Template, id: string, action: string): readonly Question[] {
  const resource = template.Resources[id]!;
  if (action === 'iam:PassRole') {
    const context = { 'iam:PassedToService': PASSED_TO[resource.Type] ?? 'none.amazonaws.com' };
    return rolesIn(template, resource).map((role) => ({ action, resources: [role], context }));
  }
  if (action === 's3:GetObject' || action === 's3:GetObjectVersion')
    return [{ action, resources: [`${BUCKET}/serverless/vipshift/prod/1/failover.zip`] }];
  const own = arnOf(template, id);
  return [{ action, resources: [own] }];
}

/** Everything that a deployment of this template asks IAM, each once. */
export function needs(
  template: Template,
  handlers: Readonly<Record<string, readonly string[]>>,
): readonly Question[] {
  const ofStack = Object.entries(template.Resources).flatMap(([id, { Type }]) =>
    handlers[Type]!.filter(
      (action) => !unused.some(([pattern]) => pattern.test(`${Type} ${action}`)),
    ).flatMap((action) => questionsOf(template, id, action)),
  );
  const on = (actions: readonly string[], arn: string): readonly Question[] =>
    actions.map((action) => ({ action, resources: [arn] }));
  const own = [
    ...on(ownCalls.stack, STACK),
    ...on(ownCalls.validation, '*'),
    ...on(ownCalls.bucket, BUCKET),
    ...on(ownCalls.objects, `${BUCKET}/serverless/vipshift/prod/1/failover.zip`),
    ...on(ownCalls.functions, at('lambda', 'function:vipshift-prod-failover')),
    ...on(ownCalls.vips, at('dynamodb', 'table/vipshift-prod-vips')),
  ];
  const all = [...ofStack, ...own];
  return [...new Map(all.map((question) => [JSON.stringify(question), question])).values()];
}
