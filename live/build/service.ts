// Service: the vipshift stack of a run, deployed as an operator does it (build/service.ts), from a folder of its own.
//
// Invariant: a stack is removed only when CloudFormation is not at work on it: who interrupts a deployment, interrupts an update.

import { deploy, remove } from '../../build/service.ts';
import { withServiceFolder } from '../../lab/aws/stack/serverless.ts';
import { defined } from '../../shared/optional.ts';
import type { Stacks } from '../aws/stacks.ts';
import type { Identity } from './node-role.ts';

export interface Service {
  deploy(stage: string, identity: Identity): Promise<void>;
  remove(stage: string): Promise<void>;
  /** Whether CloudFormation knows the stack, in whatever state. */
  isThere(stage: string): Promise<boolean>;
}

export interface ServiceInput {
  readonly region: string;
  readonly stacks: Stacks;
  readonly env: NodeJS.ProcessEnv;
  /** What the local AWS needs besides; see lab/aws/stack/deploy.ts. */
  readonly plugin?: string;
}

const stackOf = (stage: string): string => `vipshift-${stage}`;

export function serviceOf({ region: name, stacks, env, plugin }: ServiceInput): Service {
  const region = ['--region', name];
  // What osls says is for people: standard output is for the figures.
  const inFolder = (work: (place: Parameters<typeof deploy>[0]) => Promise<void>) =>
    withServiceFolder(defined({ plugin }), (folder) => work({ folder, env, output: 'stderr' }));
  return {
    deploy: (stage, identity) =>
      inFolder((place) => deploy(place, stage, [...region, ...paramsFor(identity)])),
    async remove(stage) {
      if ((await stacks.settled(stackOf(stage))) === undefined) return;
      await inFolder((place) => remove(place, stage, region));
    },
    isThere: async (stage) => (await stacks.find(stackOf(stage))) !== undefined,
  };
}

function paramsFor({ roleId, roleArn }: Identity): readonly string[] {
  // Tables and logs are to go with the run.
  const values = {
    nodeRoleId: roleId,
    nodeRoleArn: roleArn,
    deletionProtection: 'false',
    retentionDays: '1',
    logRetentionDays: '1',
  };
  return Object.entries(values).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
}
