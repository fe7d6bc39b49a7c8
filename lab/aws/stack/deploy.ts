/**
 * Deploys serverless.yml, as it is, onto a local AWS: osls packages it, and the stack is put from the package as osls does.
 *
 * Invariant: the file is the one that goes to an account. Only the functions' environment differs: it has the
 * emulators' endpoints, and every endpoint off loopback is refused. Any number may run at once. osls's own deployment is what test/deploy/service.long.aws.test.ts and hearing.long.aws.test.ts are about.
 * Limit: a deployment onto the emulators proves that the template hangs together, not that IAM would allow what it does.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
} from '@aws-sdk/client-cloudformation';
import { defined } from '../../../shared/optional.ts';
import type { LocalAws } from '../local-aws.ts';
import { type Packaged, packagedService } from './packaged.ts';
import { poll } from './poll.ts';
import type { ServiceFolderOptions } from './serverless.ts';

export interface DeployOptions extends Pick<ServiceFolderOptions, 'functionsFolder'> {
  /** `dev` by default. */
  readonly stage?: string;
  /** The role that claims must come from; without it the deployment takes any member's word (NodeIdentity none). */
  readonly nodeRoleId?: string;
  readonly nodeRoleArn?: string;
  /** With a function URL on failover; off by default. Who calls it goes by lab/aws/stack/function-url.ts. */
  readonly directPath?: boolean;
  /** Where the functions find EC2; the local AWS's own by default. */
  readonly ec2Endpoint?: string;
  /** Where the functions find everything else. */
  readonly endpoint?: string;
  /** Whether reconcile runs by itself every minute; it does by default. */
  readonly schedule?: boolean;
  readonly extraEnv?: Readonly<Record<string, string>>;
}

export interface Deployment {
  readonly stage: string;
  readonly busName: string;
  readonly busArn: string;
  readonly vipsTable: string;
  readonly timelineTable: string;
  readonly functions: { readonly failover: string; readonly reconcile: string };
  /** All outputs of the stack. */
  readonly outputs: Readonly<Record<string, string>>;
}

export async function deployService(aws: LocalAws, options: DeployOptions = {}): Promise<Deployment> {
  const stage = options.stage ?? 'dev';
  const endpoint = onLoopback(aws.env.AWS_ENDPOINT_URL);
  const packaged = await packagedService({ ...options, stage, params: params(options) });
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  const client = new CloudFormationClient({ endpoint, region: aws.region, credentials });
  try {
    const stack = stackOf(client, `vipshift-${stage}`);
    const { ServerlessDeploymentBucketName: bucket } =
      (await stack.outputs()) ?? (await stack.create(packaged.first));
    const template = templateOf(packaged, functionEnv(aws, options));
    await putCode(aws, `${endpoint}/${bucket}`, { template, functions: packaged.functions });
    return deployment(stage, await stack.update(JSON.stringify(template)));
  } finally {
    client.destroy();
  }
}

export interface ReleasedOptions extends Pick<DeployOptions, 'ec2Endpoint' | 'endpoint' | 'extraEnv'> {
  /** The folder of a release. */
  readonly release: string;
  readonly stage: string;
  /** By the names of the template. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What an operator does with the template and the zips of a release, for a new stack or over one that is there. */
export async function deployReleased(aws: LocalAws, options: ReleasedOptions): Promise<Deployment> {
  const { release, stage, parameters } = options;
  const endpoint = onLoopback(aws.env.AWS_ENDPOINT_URL);
  const bucket = 'vipshift-artefacts';
  const files = await readdir(release);
  const text = await readFile(join(release, files.find((file) => file.endsWith('.template.json'))!), 'utf8');
  const template = JSON.parse(text) as Template & { Parameters: { CodePrefix: { Default: string } } };
  for (const { Properties } of functionsOf(template))
    Object.assign(Properties.Environment.Variables, functionEnv(aws, options));
  await putObject(aws, `${endpoint}/${bucket}`);
  for (const zip of files.filter((file) => file.endsWith('.zip'))) {
    const key = `${template.Parameters.CodePrefix.Default}${zip}`;
    await putObject(aws, `${endpoint}/${bucket}/${key}`, await readFile(join(release, zip)));
  }
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  const client = new CloudFormationClient({ endpoint, region: aws.region, credentials });
  try {
    const stack = stackOf(client, `vipshift-${stage}`, { ...parameters, Stage: stage, CodeBucket: bucket });
    const isThere = (await stack.outputs()) !== undefined;
    const body = JSON.stringify(template);
    return deployment(stage, await (isThere ? stack.update(body) : stack.create(body)));
  } finally {
    client.destroy();
  }
}

function onLoopback(endpoint: string | undefined): string {
  const host = new URL(endpoint ?? 'none:').hostname;
  if (endpoint === undefined || host !== '127.0.0.1')
    throw new Error(
      `lab/aws/stack/deploy.ts deploys onto the local AWS only: AWS_ENDPOINT_URL is on "${host}", expected 127.0.0.1`,
    );
  return endpoint;
}

function params(options: DeployOptions): Record<string, string> {
  const { nodeRoleId, nodeRoleArn, schedule = true, directPath = false } = options;
  return {
    nodeIdentity: nodeRoleId === undefined ? 'none' : 'source',
    ...defined({ nodeRoleId, nodeRoleArn }),
    deletionProtection: 'false',
    directPath: directPath ? 'on' : 'off',
    reconcileSchedule: String(schedule),
  };
}

function functionEnv(
  aws: LocalAws,
  options: Pick<DeployOptions, 'ec2Endpoint' | 'endpoint' | 'extraEnv'>,
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: options.endpoint ?? aws.endpoint,
    AWS_ENDPOINT_URL_EC2: options.ec2Endpoint ?? aws.ec2EndpointForFunctions,
    ...options.extraEnv,
  };
}

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface Resource {
  readonly Type: string;
  readonly Properties: {
    readonly Environment: { readonly Variables: Record<string, unknown> };
    readonly Code: { S3Key: string };
  };
}

const functionsOf = (template: Template): readonly Resource[] =>
  Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');

/** The packaged one; each deployment has its code under keys of its own, and so is one that changes something. */
function templateOf({ template: text }: Packaged, env: Readonly<Record<string, string>>): Template {
  const template = JSON.parse(text) as Template;
  const atMs = Date.now();
  for (const { Properties } of functionsOf(template)) {
    Object.assign(Properties.Environment.Variables, env);
    const [file, _packagedAt, ...folders] = Properties.Code.S3Key.split('/').reverse();
    const deployedAt = `${atMs}-${new Date(atMs).toISOString()}`;
    Properties.Code.S3Key = [...folders.reverse(), deployedAt, file].join('/');
  }
  return template;
}

interface Code {
  readonly template: Template;
  /** The folder of the zips. */
  readonly functions: string;
}

/** The functions' zips, where the template says they are. */
async function putCode(aws: LocalAws, bucket: string, { template, functions }: Code): Promise<void> {
  for (const { Properties } of functionsOf(template)) {
    const path = Properties.Code.S3Key.split('/');
    const body = await readFile(join(functions, path.at(-1)!));
    await putObject(aws, `${bucket}/${path.map(encodeURIComponent).join('/')}`, body);
  }
}

/** Without a body a bucket. */
async function putObject(aws: LocalAws, url: string, body?: Buffer): Promise<void> {
  const scope = `${aws.accountId}/20260101/${aws.region}/s3/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=local`;
  const reply = await fetch(url, { method: 'PUT', headers: { authorization }, ...defined({ body }) });
  if (!reply.ok) throw new Error(`PUT ${url} was answered ${reply.status}: ${await reply.text()}`);
}

type Outputs = Readonly<Record<string, string>>;

function stackOf(client: CloudFormationClient, StackName: string, parameters: Outputs = {}) {
  const Parameters = Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
    ParameterKey,
    ParameterValue,
  }));
  const look = async () =>
    (await client.send(new DescribeStacksCommand({ StackName })).catch(() => undefined))?.Stacks?.[0];
  const outputs = async (): Promise<Outputs | undefined> => {
    const found = await look();
    if (found === undefined) return undefined;
    return Object.fromEntries(
      (found.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]),
    );
  };
  const settled = async (expected: string): Promise<Outputs> => {
    const status = await poll(`the end of the deployment of ${StackName}`, async () => {
      const found = (await look())?.StackStatus;
      return found?.endsWith('_IN_PROGRESS') === false ? found : undefined;
    });
    if (status === expected) return (await outputs())!;
    const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
    const failed = StackEvents.filter(({ ResourceStatus = '' }) => ResourceStatus.endsWith('_FAILED')).map(
      ({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`,
    );
    throw new Error(`the stack ${StackName} is ${status}, expected ${expected}: ${failed.join('; ')}`);
  };
  const Capabilities = ['CAPABILITY_IAM' as const, 'CAPABILITY_NAMED_IAM' as const];
  return {
    /** Undefined where there is no such stack. */
    outputs,
    async create(TemplateBody: string): Promise<Outputs> {
      await client.send(new CreateStackCommand({ StackName, TemplateBody, Parameters, Capabilities }));
      return settled('CREATE_COMPLETE');
    },
    /** By a change set of the name that osls gives it, so that osls can go on from here. */
    async update(TemplateBody: string): Promise<Outputs> {
      const changeSet = { StackName, ChangeSetName: `${StackName}-change-set` };
      // Of the update before; where it cannot be deleted, a new one of its name cannot be created.
      await client.send(new DeleteChangeSetCommand(changeSet)).catch(() => {});
      const content = { ChangeSetType: 'UPDATE' as const, TemplateBody, Parameters, Capabilities };
      await client.send(new CreateChangeSetCommand({ ...changeSet, ...content }));
      await poll(`the change set of ${StackName}`, async () => {
        const { Status } = await client.send(new DescribeChangeSetCommand(changeSet));
        if (Status === 'FAILED') throw new Error(`the change set of ${StackName} is FAILED`);
        return Status === 'CREATE_COMPLETE' ? Status : undefined;
      });
      await client.send(new ExecuteChangeSetCommand(changeSet));
      return settled('UPDATE_COMPLETE');
    },
  };
}

function deployment(stage: string, outputs: Outputs): Deployment {
  const output = (name: string): string => {
    const value = outputs[name];
    if (value === undefined)
      throw new Error(`the stack has no output ${name}, found: ${Object.keys(outputs).join(', ')}`);
    return value;
  };
  return {
    stage,
    busName: output('BusName'),
    busArn: output('BusArn'),
    vipsTable: output('VipsTableName'),
    timelineTable: output('TimelineTableName'),
    functions: { failover: output('FailoverFunctionName'), reconcile: output('ReconcileFunctionName') },
    outputs,
  };
}
