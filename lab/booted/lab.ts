/**
 * The lab on machines that boot: the same network, local AWS and deployed service as for the scenarios, with booted nodes.
 *
 * Invariant: it runs inside the sandbox (lab/netns/sandbox/sandbox.ts), so whatever is not closed in order goes with it; the nodes' control
 * groups are below that of the caller outside.
 */
import { mkdirSync } from 'node:fs';
import { defined } from '../../shared/optional.ts';
import { type Cloud, openCloud, pass } from '../netns/cloud/cloud.ts';
import { Router } from '../netns/sandbox/router.ts';
import { buildTopology, type NodeLabel, VIP } from '../netns/sandbox/topology.ts';
import { Translation } from '../netns/sandbox/translation.ts';
import { BootedNode } from './booted-node.ts';

/** Names the control group that the caller outside has made. */
export const CGROUP_VARIABLE = 'VIPSHIFT_LAB_CGROUP';

export type BootedNodes = Readonly<Record<NodeLabel, BootedNode>>;

export interface BootedLab {
  readonly cloud: Cloud;
  /** Boots both nodes afresh. */
  bootNodes(folders?: Readonly<Record<string, string>>): Promise<BootedNodes>;
  close(): Promise<void>;
}

/** `release`: the folder of a release, whose template is deployed instead of the checkout. */
export async function openBootedLab(
  logFolder: string,
  say: (what: string) => void,
  release?: string,
): Promise<BootedLab> {
  mkdirSync(logFolder, { recursive: true });
  buildTopology();
  const router = await Router.start([VIP]);
  const network = { router, translation: new Translation() };
  const cloud = await openCloud({ ...network, logFolder, busGate: pass, say, ...defined({ release }) });
  let nodes: BootedNodes | undefined;
  const stopNodes = async () => {
    await Promise.all([nodes?.a.machine.stop(), nodes?.b.machine.stop()]);
  };
  return {
    cloud,
    async bootNodes(folders = {}) {
      await stopNodes();
      const boot = (label: NodeLabel) =>
        BootedNode.boot({
          label,
          instanceId: cloud.instanceIds[label],
          hold: 'both',
          cgroup: `${process.env[CGROUP_VARIABLE]}/${label}`,
          folders,
        });
      const [a, b] = await Promise.all([boot('a'), boot('b')]);
      nodes = { a, b };
      return nodes;
    },
    async close() {
      await stopNodes();
      await cloud.close();
      router.close();
    },
  };
}
