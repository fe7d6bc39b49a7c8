/**
 * Context: everything a scenario can do to the lab and see of it.
 *
 * Invariant: whatever a scenario breaks on the wires (network faults, gates of the taps) is repaired by `restore`, so no scenario
 * inherits another's faults; the nodes are rebooted for each.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Cloud, pass } from '../cloud/cloud.ts';
import type { Hold } from '../node/keepalived.ts';
import type { LabNode } from '../node/node.ts';
import type { Router } from '../sandbox/router.ts';
import type { NodeLabel } from '../sandbox/topology.ts';
import { monotonicMs } from './moment.ts';

const LOOK_AGAIN_MS = 40;
/** Above the probe's timeout, so that every connection of the scenario has come to its end as well. */
const CALM_MS = 1_500;

/** `master`: whichever node is keepalived's master by then. */
export type Owner = NodeLabel | 'master';

export interface ScenarioContext {
  readonly nodes: Readonly<Record<NodeLabel, LabNode>>;
  readonly router: Router;
  readonly cloud: Cloud;
  readonly hold: Hold;
  /** When things went wrong; an outage's parts are computed from the last of these before it ended. */
  readonly faultsMs: readonly number[];
  /** Now something goes wrong, or begins to heal. */
  fault(): void;
  /** The node's host is gone in one instant: no packet leaves it any more, no process of it lives. */
  hostDies(node: NodeLabel): Promise<void>;
  boot(node: NodeLabel): Promise<void>;
  /** Resolves when the record says that this node owns the VIP and no lease is held. */
  settled(owner: NodeLabel, withinMs: number): Promise<void>;
  /**
   * As `settled`, and so for CALM_MS on end: an owner that was right before the scenario's claims have even arrived is no ending.
   */
  calm(owner: Owner, withinMs: number): Promise<void>;
  /** Asks again every few milliseconds until it holds. */
  until(what: string, holds: () => boolean | Promise<boolean>, withinMs: number): Promise<void>;
  pause(forMs: number): Promise<void>;
}

export interface ScenarioInput {
  readonly nodes: Readonly<Record<NodeLabel, LabNode>>;
  readonly router: Router;
  readonly cloud: Cloud;
  readonly hold: Hold;
  /** More lines of the shims' configuration. */
  readonly shim?: readonly string[];
}

export function scenarioContext({ nodes, router, cloud, hold, shim = [] }: ScenarioInput): ScenarioContext {
  const faultsMs: number[] = [];
  const silenced = new Map<NodeLabel, () => Promise<void>>();
  const context: ScenarioContext = {
    nodes,
    router,
    cloud,
    hold,
    faultsMs,
    fault() {
      faultsMs.push(monotonicMs());
    },
    async hostDies(node) {
      context.fault();
      silenced.set(node, await router.silence(node));
      await nodes[node].machine.kill();
    },
    async boot(node) {
      await silenced.get(node)?.();
      silenced.delete(node);
      const notifyConf = `${cloud.notifyConf}${shim.map((line) => `${line}\n`).join('')}`;
      await nodes[node].boot({ hold, notifyConf });
    },
    settled: (owner, withinMs) =>
      context.until(
        `node ${owner} to own the VIP`,
        () => isSettled(cloud, nodes[owner].instanceId),
        withinMs,
      ),
    async calm(owner, withinMs) {
      let sinceMs = monotonicMs();
      await context.until(
        `node ${owner} to own the VIP for ${CALM_MS} ms on end`,
        async () => {
          const node = owner === 'master' ? [nodes.a, nodes.b].find((one) => one.isMaster) : nodes[owner];
          if (node === undefined || !(await isSettled(cloud, node.instanceId))) sinceMs = monotonicMs();
          return monotonicMs() - sinceMs >= CALM_MS && cloud.mirror.isUpToDate;
        },
        withinMs + CALM_MS,
      );
    },
    async until(what, holds, withinMs) {
      const untilMs = monotonicMs() + withinMs;
      while (!(await holds())) {
        if (monotonicMs() > untilMs) throw new Error(`waited ${withinMs} ms for ${what}`);
        await delay(LOOK_AGAIN_MS);
      }
    },
    pause: (forMs) => delay(forMs),
  };
  return context;
}

/** This node owns the VIP, and nothing is under way. */
export async function isSettled(cloud: Cloud, owner: string): Promise<boolean> {
  const vip = await cloud.vip();
  return vip.owner === owner && vip.lease === undefined && Object.keys(vip.open).length === 0;
}

/** Ends all faults, delays and warnings, and pulls both plugs: what the next scenario finds. */
export async function restore({ nodes, router, cloud }: Omit<ScenarioInput, 'hold'>): Promise<void> {
  cloud.ec2.answered = (exchange) => cloud.mirror.follow(exchange);
  for (const tap of [cloud.ec2, cloud.store, ...(cloud.direct ? [cloud.direct.tap] : [])]) tap.gate = pass;
  cloud.bus.gate = cloud.busGate;
  cloud.store.answered = () => {};
  await cloud.limitFailover(undefined);
  await Promise.all([nodes.a.machine.kill(), nodes.b.machine.kill()]);
  await router.heal();
  await cloud.warnings.takeBack();
}
