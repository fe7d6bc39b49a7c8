/**
 * Planned stops: the master is rebooted, powered off or its keepalived stopped, over and over, each time that of the node which is the master
 * by then, while a client asks the VIP. Each time the node's resolver is another one.
 *
 * The delays are those of lab/netns/cloud/delays.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cloud } from '../netns/cloud/cloud.ts';
import { ROUTE_MS } from '../netns/cloud/delays.ts';
import { Client, type Outage, outageOf } from '../netns/node/client.ts';
import { type NodeLabel, VIP } from '../netns/sandbox/topology.ts';
import { monotonicMs } from '../netns/scenario/moment.ts';
import { isSettled } from '../netns/scenario/scenario-context.ts';
import type { BootedNode } from './booted-node.ts';
import { type Resolver, resolverNames } from './node-files.ts';

export const stopKinds = ['reboot', 'poweroff', 'stop'] as const;
export type StopKind = (typeof stopKinds)[number];

export interface PlannedStop {
  readonly kind: StopKind;
  readonly master: NodeLabel;
  readonly resolver: Resolver;
  /** Claims of the master's STOP that the bus accepted before it was up again. */
  readonly stops: number;
  readonly refused: number;
  readonly lost: number;
  readonly cut: number;
  readonly outageMs: number;
  /** Until the record said that the other node owns the VIP; undefined: not within the patience. */
  readonly movedMs: number | undefined;
  /** Whether at the boot keepalived was started after the service; undefined where nothing booted. */
  readonly isServingFirst: boolean | undefined;
}

const SETTLED_MAX_MS = 40_000;
/** Past the backup's startup delay (1 s) and one round of adverts. */
const QUIET_MS = 1_500;
/** In which a connection that was asked for ends, one way or another. */
const CLIENT_PATIENCE_MS = 1_000;
const AFTER_MS = ROUTE_MS + 2 * CLIENT_PATIENCE_MS;
const LOOK_AGAIN_MS = 50;

export interface Stage {
  readonly nodes: Readonly<Record<NodeLabel, BootedNode>>;
  readonly cloud: Cloud;
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = monotonicMs() + SETTLED_MAX_MS;
  while (!(await holds())) {
    if (monotonicMs() > untilMs) throw new Error(`waited ${SETTLED_MAX_MS} ms for ${what}`);
    await delay(LOOK_AGAIN_MS);
  }
}

/** Resolves with the master when the record and its own keepalived agree on it. */
export async function master({ nodes, cloud }: Stage): Promise<NodeLabel> {
  let found: NodeLabel | undefined;
  await until('a master', async () => {
    for (const node of [nodes.a, nodes.b])
      if ((await isSettled(cloud, node.instanceId)) && (await node.isMaster())) found = node.label;
    return found !== undefined;
  });
  return found!;
}

export async function runPlannedStop(stage: Stage, kind: StopKind, run: number): Promise<PlannedStop> {
  const { nodes, cloud } = stage;
  const label = await master(stage);
  const [leaving, staying] = [nodes[label], nodes[label === 'a' ? 'b' : 'a']];
  const resolver = resolverNames[run % resolverNames.length]!;
  await leaving.resolveBy(resolver);
  const client = new Client('client', VIP, 80);
  try {
    await client.answerFrom(monotonicMs(), SETTLED_MAX_MS, label);
    await delay(QUIET_MS);
    await cloud.calm();
    cloud.forget();
    const beganMs = monotonicMs();
    await begin(leaving, kind);
    const movedMs = await until('the VIP to move', () => isSettled(cloud, staying.instanceId)).then(
      () => monotonicMs() - beganMs,
      () => undefined,
    );
    await delay(AFTER_MS);
    const outage = outageOf(client.answers, beganMs, monotonicMs() - CLIENT_PATIENCE_MS);
    const stops = claimsOf(cloud, leaving, 'STOP').length;
    const isServingFirst = await comeBack(leaving, kind);
    await until('the node to be a backup', () =>
      claimsOf(cloud, leaving, 'BACKUP').some(({ atMs }) => atMs > beganMs),
    );
    return { kind, master: label, resolver, stops, ...counts(outage), movedMs, isServingFirst };
  } finally {
    await client.close();
  }
}

const counts = ({ refused, lost, cut, outageMs }: Outage) => ({ refused, lost, cut, outageMs });

/** Its transitions to this state that the bus has accepted. */
export const claimsOf = (cloud: Cloud, { instanceId }: BootedNode, wanted: string) =>
  cloud
    .claims()
    .filter(({ node, state, kind }) => node === instanceId && state === wanted && kind === 'transition');

async function begin({ machine }: BootedNode, kind: StopKind): Promise<void> {
  if (kind === 'stop') await machine.run('systemctl', 'stop', 'keepalived');
  else await machine.begin(kind);
}

/** Whether the node served before it claimed; undefined where it was not booted. */
async function comeBack(node: BootedNode, kind: StopKind): Promise<boolean | undefined> {
  const { machine } = node;
  switch (kind) {
    case 'stop':
      await machine.run('systemctl', 'start', 'keepalived');
      return undefined;
    case 'poweroff':
      await machine.off();
      await machine.powerOn();
      break;
    case 'reboot':
      await machine.rebooted();
      break;
    default:
      kind satisfies never;
  }
  return node.claimedAfterService();
}
