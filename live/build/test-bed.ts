// Site: builds everything of one run, and knows how to remove all of it.
//
// Invariant: whatever `build` was at when it ended, `inventory` finds what it had made.

import type { LiveContext, TestBed } from '../environment.ts';
import { ledgerOf } from '../ledger.ts';
import type { Options } from '../options.ts';
import type { Run } from '../run-id.ts';
import { identityKinds, stageKinds, vipKind } from '../teardown/account-kinds.ts';
import { ec2Kinds, type Kind } from '../teardown/inventory.ts';
import { givenIdentity, makeIdentity } from './identity.ts';
import { makeInstances } from './instances.ts';
import { makeNetwork } from './network.ts';
import { userData } from './user-data.ts';

export interface Building {
  readonly ground: LiveContext;
  readonly run: Run;
  readonly wish: Pick<Options, 'tables' | 'advertS' | 'instanceProfile'>;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

export async function buildSite({ ground, run, wish, signal, say }: Building): Promise<TestBed> {
  const making = { ec2: ground.ec2, run, signal };
  const network = await makeNetwork(making, wish.tables);
  say(`${network.vpcId} with ${wish.tables} labelled route tables`);
  const identity =
    wish.instanceProfile === undefined
      ? await makeIdentity(ground.iam, run, ground, signal)
      : await givenIdentity(ground.iam, wish.instanceProfile);
  const machinery = {
    image: await ground.image(),
    profile: identity.profile,
    userData: (name: Parameters<typeof userData>[0]) => userData(name, wish.advertS),
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
    await ground.service.deploy(run.stage, identity);
  }
  signal.throwIfAborted();
  await ledgerOf(ground.dynamo, run).register(network.vpcId, ground.account);
  say(`the VIP ${run.vip} is registered in stage ${run.stage}`);
  return { run, identity, network, instances };
}

/** In the order of their removal. */
export function inventoryOf({ ec2, iam, dynamo, logs, service }: LiveContext, run: Run): readonly Kind[] {
  const [vpc, ...rest] = ec2Kinds(ec2, run).toReversed();
  const stage = run.ownStage ? stageKinds(service, dynamo, logs, run) : [vipKind(ledgerOf(dynamo, run), run)];
  return [...stage, ...rest.toReversed(), ...identityKinds(iam, run), vpc!];
}
