/**
 * Deploys serverless.yml, as it is, onto a local AWS with osls.
 *
 * Invariant: the file is the one that goes to an account; what the local AWS needs besides comes from one plugin (serverless-local.cjs), and
 * that refuses every endpoint off loopback. Any number may run at once.
 * Limit: a deployment onto the emulators proves that the template hangs together, not that IAM would allow what it does.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../../shared/optional.ts';
import { childEnv, type LocalAws } from '../local-aws.ts';
import { quickMonitoring, runOsls, type ServiceFolderOptions, withServiceFolder } from './serverless.ts';

const plugin = join(import.meta.dirname, 'serverless-local.cjs');

export interface DeployOptions extends Pick<ServiceFolderOptions, 'functionsFolder'> {
  /** `dev` by default. */
  readonly stage?: string;
  /** The role that claims must come from; without it the deployment takes any member's word (NodeIdentity none). */
  readonly nodeRoleId?: string;
  readonly nodeRoleArn?: string;
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

export function deployService(aws: LocalAws, options: DeployOptions = {}): Promise<Deployment> {
  const stage = options.stage ?? 'dev';
  // In the local AWS's own folder, which goes with it whatever becomes of this process.
  return withServiceFolder({ ...options, plugin, parent: aws.folder }, async (folder) => {
    const outputs = join(folder, 'outputs.json');
    await runOsls(['deploy', '--stage', stage, ...params(options)], folder, {
      ...childEnv(aws),
      ...quickMonitoring,
      VIPSHIFT_LAB_OUTPUTS: outputs,
      VIPSHIFT_LAB_FUNCTION_ENV: JSON.stringify(functionEnv(aws, options)),
    });
    return deployment(stage, JSON.parse(await readFile(outputs, 'utf8')) as Record<string, string>);
  });
}

function params(options: DeployOptions): string[] {
  const { nodeRoleId, nodeRoleArn, schedule = true } = options;
  const values = {
    nodeIdentity: nodeRoleId === undefined ? 'none' : 'source',
    ...defined({ nodeRoleId, nodeRoleArn }),
    deletionProtection: 'false',
    reconcileSchedule: String(schedule),
  };
  return Object.entries(values).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
}

function functionEnv(aws: LocalAws, options: DeployOptions): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: options.endpoint ?? aws.endpoint,
    AWS_ENDPOINT_URL_EC2: options.ec2Endpoint ?? aws.ec2EndpointForFunctions,
    ...options.extraEnv,
  };
}

function deployment(stage: string, outputs: Record<string, string>): Deployment {
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
