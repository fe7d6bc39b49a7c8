// Service: the vipshift stack of a run, deployed as an operator does it (build/service.ts), from a folder of its own.
//
// Invariant: a stack is removed only when CloudFormation is not at work on it, since it refuses that (who interrupts a deployment, interrupts
// an update). Limit: it waits for 15 minutes at most.

import { setTimeout as delay } from 'node:timers/promises';
import { deploy, remove } from '../../build/service.ts';
import { withServiceFolder } from '../../lab/aws/stack/serverless.ts';
import { defined } from '../../shared/optional.ts';
import { type Signer, send } from '../aws/signed.ts';
import { ifThere } from '../teardown/absence.ts';
import type { Identity } from './identity.ts';

export interface Service {
  deploy(stage: string, identity: Identity): Promise<void>;
  remove(stage: string): Promise<void>;
  /** Whether CloudFormation knows the stack, in whatever state. */
  isThere(stage: string): Promise<boolean>;
}

export interface ServiceInput {
  readonly signer: Signer;
  readonly cloudFormation: string;
  readonly env: NodeJS.ProcessEnv;
  /** What the local AWS needs besides; see lab/aws/stack/deploy.ts. */
  readonly plugin?: string;
}

const stackOf = (stage: string): string => `vipshift-${stage}`;

export function serviceOf({ signer, cloudFormation, env, plugin }: ServiceInput): Service {
  const region = ['--region', signer.region];
  // What osls says is for people: standard output is for the figures.
  const inFolder = (work: (place: Parameters<typeof deploy>[0]) => Promise<void>) =>
    withServiceFolder(defined({ plugin }), (folder) => work({ folder, env, output: 'stderr' }));
  const status = async (stage: string): Promise<string | undefined> => {
    const body = new URLSearchParams({
      Action: 'DescribeStacks',
      Version: '2010-05-15',
      StackName: stackOf(stage),
    });
    const found = await ifThere(() =>
      send(signer, {
        service: 'cloudformation',
        endpoint: cloudFormation,
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: body.toString(),
      }),
    );
    const said = /<StackStatus>(\w+)</.exec(found ?? '')?.[1];
    return said === 'DELETE_COMPLETE' ? undefined : said;
  };
  return {
    deploy: (stage, identity) =>
      inFolder((place) => deploy(place, stage, [...region, ...paramsFor(identity)])),
    async remove(stage) {
      if ((await untilStill(() => status(stage), STILL_LOOK_MS)) === undefined) return;
      await inFolder((place) => remove(place, stage, region));
    },
    isThere: async (stage) => (await status(stage)) !== undefined,
  };
}

const STILL_LOOK_MS = 5_000;
const STILL_ATTEMPTS = 180;

/** The status once nothing is in progress any more; undefined when the stack is gone. */
export async function untilStill(
  status: () => Promise<string | undefined>,
  pauseMs: number,
  attempts = STILL_ATTEMPTS,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const found = await status();
    if (found === undefined || !found.endsWith('_IN_PROGRESS')) return found;
    if (attempt === attempts) throw new Error(`CloudFormation has not finished: ${found}`);
    await delay(pauseMs);
  }
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
