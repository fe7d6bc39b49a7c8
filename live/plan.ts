// Plan: the network, the machines and the pace of one run, before anything is made.
//
//   zone a: nodes-a 10.0.1.0/24 ── node a 10.0.1.10      probe 10.0.11.0/24 ── probe 10.0.11.10
//   zone b: nodes-b 10.0.2.0/24 ── node b 10.0.2.10
//
// The probe's subnet has the first labelled table; the other labelled tables belong to no subnet and are only there to be moved. The
// nodes' subnets use one table without a label.
// Invariant: the addresses are those of the lab (lab/netns/sandbox/topology.ts), so that the same plan can be run there.
import type { Options } from './options.ts';

export const CIDR = '10.0.0.0/16';
/** Outside the VPC's CIDR, as a route to an ENI wants it. */
export const VIP_ADDRESS = '192.168.255.10';
export const DESTINATION = `${VIP_ADDRESS}/32`;
export const ECHO_PORT = 9_000;
export const PROBE_EVERY_MS = 2;
/** keepalived's name of the instance. */
export const VRRP_INSTANCE = 'VI_WEB';

export type NodeName = 'a' | 'b';
export type MachineName = NodeName | 'probe';

export interface PlannedMachine {
  readonly name: MachineName;
  readonly cidr: string;
  readonly address: string;
  /** The zone, by its place in the Region's list. */
  readonly zone: 0 | 1;
}

export const machines: readonly PlannedMachine[] = [
  { name: 'a', cidr: '10.0.1.0/24', address: '10.0.1.10', zone: 0 },
  { name: 'b', cidr: '10.0.2.0/24', address: '10.0.2.10', zone: 1 },
  { name: 'probe', cidr: '10.0.11.0/24', address: '10.0.11.10', zone: 0 },
];

export const addressOf = (name: MachineName): string =>
  machines.find((machine) => machine.name === name)!.address;
export const otherOf = (node: NodeName): NodeName => (node === 'a' ? 'b' : 'a');

/** EC2's ReplaceRoute bucket refills so many a second (EC2 developer guide, "Request throttling"). */
const REFILL_PER_S = 5;
/** Beyond STALE_READ, so that no drill begins on an observation that may be old. */
const PAUSE_MIN_S = 5;

/** Between drills, so that each of them meets a full bucket. */
export const pauseS = (tables: number): number => Math.max(PAUSE_MIN_S, Math.ceil(tables / REFILL_PER_S));

export interface Duration {
  readonly buildS: number;
  readonly drillsS: number;
  readonly removeS: number;
}

/** An estimate, for the cost and for the operator who waits. */
export function durationOf({ drills, tables, advertS, stage }: Options): Duration {
  // A command through SSM and back takes about two seconds; there are three of them in a drill.
  const drillS = 4 * advertS + 6 + Math.max(0, tables - 50) / REFILL_PER_S + pauseS(tables);
  return {
    // CloudFormation waits about two minutes for a new instance profile.
    buildS: stage === undefined ? 600 : 180,
    drillsS: Math.ceil(drills * drillS),
    removeS: stage === undefined ? 420 : 180,
  };
}

/** What will be built, one line each. */
export function planLines(options: Options): readonly string[] {
  const { buildS, drillsS, removeS } = durationOf(options);
  const minutes = (seconds: number) => `${Math.max(1, Math.round(seconds / 60))} min`;
  const stage =
    options.stage === undefined
      ? 'the vipshift stack under a stage of its own (Lambda, EventBridge, DynamoDB, Step Functions, alarms, a dashboard)'
      : `nothing of the stack: the stage ${options.stage} is used, and gets one VIP more while the run lasts`;
  return [
    `one VPC ${CIDR} with three subnets in two zones, an internet gateway, a security group, ${options.tables + 1} route tables`,
    'three t4g.nano instances (two nodes, one probe) with a public IPv4 address and an 8 GB volume each',
    ...(options.instanceProfile === undefined ? ['one IAM role with its instance profile'] : []),
    stage,
    `${options.drills} drills (${options.kinds.join(', ')}), VIP ${VIP_ADDRESS}, adverts every ${options.advertS} s, a packet every ${PROBE_EVERY_MS} ms`,
    `about ${minutes(buildS)} to build, ${minutes(drillsS)} of drills, ${minutes(removeS)} to remove`,
  ];
}
