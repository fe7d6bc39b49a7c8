/**
 * Lab: the whole of it, opened once for all scenarios: namespaces, router, local AWS with the deployed service, two nodes.
 *
 * Invariant: it runs inside the sandbox, so whatever is not closed in order goes with the sandbox.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Cloud, type CloudInput, openCloud } from '../cloud/cloud.ts';
import { LabNode } from '../node/node.ts';
import { Machine } from './machine.ts';
import { Router } from './router.ts';
import { buildTopology, type NodeLabel, VIP } from './topology.ts';
import { Translation } from './translation.ts';

export interface Lab {
  readonly nodes: Readonly<Record<NodeLabel, LabNode>>;
  readonly router: Router;
  readonly cloud: Cloud;
  close(): Promise<void>;
}

/** The machines' files, on the sandbox's own tmpfs. */
const MACHINES = '/run/machines';

export type LabInput = Pick<CloudInput, 'logFolder' | 'busGate' | 'direct' | 'say'>;

export async function openLab({ logFolder, busGate, direct = false, say }: LabInput): Promise<Lab> {
  mkdirSync(logFolder, { recursive: true });
  buildTopology();
  const router = await Router.start([VIP]);
  const translation = new Translation();
  say('namespaces are up');
  const cloud = await openCloud({ router, translation, logFolder, busGate, direct, say });
  const node = (label: NodeLabel) =>
    new LabNode(
      new Machine(label, join(MACHINES, label), join(logFolder, `node-${label}.log`)),
      cloud.instanceIds[label],
    );
  const nodes = { a: node('a'), b: node('b') };
  cloud.agents.attach([nodes.a, nodes.b]);
  return {
    nodes,
    router,
    cloud,
    async close() {
      await Promise.all([nodes.a.machine.kill(), nodes.b.machine.kill()]);
      await cloud.close();
      router.close();
    },
  };
}
