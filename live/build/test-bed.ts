// Site: builds everything of one run, and knows how to remove all of it.
//
// Invariant: whatever `build` was at when it ended, `inventory` finds what it had made.

import type { LiveContext, TestBed } from '../environment.ts';
import type { Options } from '../options.ts';
import { registryOf } from '../registry.ts';
import type { Run } from '../run-id.ts';
import { identityKinds, stageKinds, vipKind } from '../teardown/account-kinds.ts';
import { ec2Kinds, type Kind } from '../teardown/inventory.ts';
import { givenIdentity, makeIdentity } from './identity.ts';
import { makeInstances } from './instances.ts';
import { makeNetwork } from './network.ts';
import { userData } from './user-data.ts';

export interface Building {
  readonly context: LiveContext;
  readonly run: Run;
  readonly options: Pick<Options, 'tables' | 'advertS' | 'instanceProfile'>;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

export async function buildTestBed({ context, run, options, signal, say }: Building): Promise<TestBed> {
  const making = { ec2: context.ec2, run, signal };
  const network = await makeNetwork(making, options.tables);
  say(`${network.vpcId} with ${options.tables} labelled route tables`);
  const identity =
    options.instanceProfile === undefined
      ? await makeIdentity(context.iam, run, context, signal)
      : await givenIdentity(context.iam, options.instanceProfile);
  const machinery = {
    image: await context.image(),
    profile: identity.profile,
    userData: (name: Parameters<typeof userData>[0]) => userData(name, options.advertS),
  };
  const instances = await makeInstances(making, network, machinery);
  say(
    `instances ${Object.values(instances)
      .map((i) => i.instanceId)
      .join(', ')}`,
  );
  signal.throwIfAborted();
  if (run.ownStage) {
    say(`deploying the stage ${run.stage}`);
    await context.service.deploy(run.stage, identity);
  }
  signal.throwIfAborted();
  await registryOf(context.dynamo, run).register(network.vpcId, context.account);
  say(`the VIP ${run.vip} is registered in stage ${run.stage}`);
  return { run, identity, network, instances };
}

/** In the order of their removal. */
export function inventoryOf({ ec2, iam, dynamo, logs, service }: LiveContext, run: Run): readonly Kind[] {
  const [vpc, ...rest] = ec2Kinds(ec2, run).toReversed();
  const stage = run.ownStage
    ? stageKinds(service, dynamo, logs, run)
    : [vipKind(registryOf(dynamo, run), run)];
  return [...stage, ...rest.toReversed(), ...identityKinds(iam, run), vpc!];
}
