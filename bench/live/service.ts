// Service: the vipshift stack of a run, deployed as an operator does it (build/service.ts), from a folder of its own.
import { deploy, remove } from '../../build/service.ts';
import { withServiceFolder } from '../../lab/osls.ts';
import { ifThere } from './absence.ts';
import type { Identity } from './identity.ts';
import { type Signer, send } from './signed.ts';

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
  /** What the local AWS needs besides; see lab/deploy.ts. */
  readonly plugin?: string;
}

const stackOf = (stage: string): string => `vipshift-${stage}`;

export function serviceOf({ signer, cloudFormation, env, plugin }: ServiceInput): Service {
  const region = ['--region', signer.region];
  // What osls says is for people: standard output is for the figures.
  const inFolder = (work: (place: Parameters<typeof deploy>[0]) => Promise<void>) =>
    withServiceFolder(plugin === undefined ? {} : { plugin }, (folder) =>
      work({ folder, env, output: 'stderr' }),
    );
  return {
    deploy: (stage, identity) =>
      inFolder((place) => deploy(place, stage, [...region, ...paramsFor(identity)])),
    remove: (stage) => inFolder((place) => remove(place, stage, region)),
    async isThere(stage) {
      const body = new URLSearchParams({
        Action: 'DescribeStacks',
        Version: '2010-05-15',
        StackName: stackOf(stage),
      });
      const type = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
      const found = await ifThere(() =>
        send(signer, 'cloudformation', cloudFormation, type, body.toString()),
      );
      return found !== undefined && !found.includes('<StackStatus>DELETE_COMPLETE<');
    },
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
