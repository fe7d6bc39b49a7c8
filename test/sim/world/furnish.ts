// The things that a story names, as they are before anything happens; and the strangers that must be left alone.
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import type { History, NodeSpec } from '../history/history.ts';
import { bootClock } from '../node/boot-clock.ts';
import type { Machine } from '../node/machine.ts';
import { eipEni, serviceEni } from '../truth/truth.ts';
import { ACCOUNT, type Region, VPC } from './region.ts';
import type { World } from './world.ts';

export function machineOf(history: History, spec: NodeSpec): Machine {
  return {
    id: spec.id,
    zone: spec.zone,
    instances: history.vips.map((vip, n) => ({
      vip: n,
      vipName: vip.name,
      priority: spec.priorities[n]!,
      demoted: false,
      lowered: false,
      state: 'BACKUP',
      sinceUs: 0,
      readUs: 0,
      named: true,
    })),
    alive: true,
    running: true,
    failing: false,
    boot: 1,
    clock: bootClock(spec.upMs === undefined ? -3_600_000 : 0, spec.upMs, spec.driftPpm),
    asleep: false,
    lastSeqUs: 0,
    clockMs: spec.clockMs,
    spool: [],
    unread: undefined,
    starts: 1,
    sending: false,
    retryAtMs: 0,
    backoffMs: 100,
    leaving: undefined,
    direct: spec.direct === true,
    calls: 0,
    directBackoffMs: 100,
    busFailures: 0,
    labelled: true,
  };
}

export function furnish(world: World): void {
  const { story: history, region, net } = world;
  for (const spec of history.nodes) addEnis(world, spec.id, spec.zone, spec.hasEipEni);
  region.setEni({
    ...ENI,
    eni: 'eni-foreign',
    node: 'i-foreign',
    zone: 'zone-a',
    primary: false,
    sourceDestCheck: true,
    privateAddresses: ['10.0.9.9'],
  });
  region.setEni({
    ...ENI,
    vpc: 'vpc-2',
    eni: 'eni-elsewhere',
    node: 'i-elsewhere',
    zone: 'zone-a',
    label: history.vips[0]!.nodeLabel,
    primary: false,
    sourceDestCheck: true,
    privateAddresses: ['10.1.9.9'],
  });
  for (const vip of history.vips) {
    for (let n = 1; n <= vip.tables; n++) addTable(region, `rtb-${vip.name}-${n}`, vip.tableLabel);
    const item: Vip = newVip({
      name: vip.name,
      addresses: vip.addresses,
      eips: vip.eips,
      vpc: VPC,
      account: ACCOUNT,
      tableLabels: [vip.tableLabel],
      nodeLabels: [vip.nodeLabel],
      hold: vip.hold ?? 'both',
    });
    net.vips.items.set(vip.name, item);
    for (const [n, eip] of vip.eips.entries()) {
      region.ec2.eips.set(eip, { eip, publicAddress: `203.0.113.${n + 10}`, label: vip.name });
    }
  }
  addTable(region, 'rtb-unlabelled');
  addTable(region, 'rtb-elsewhere', history.vips[0]!.tableLabel, { vpc: 'vpc-2' });
  addTable(region, 'rtb-edge', history.vips[0]!.tableLabel, { edge: true });
}

const ENI = { vpc: VPC, account: ACCOUNT };

export function addEnis(world: World, node: string, zone: string, hasEipEni: boolean): void {
  const label = world.story.vips[0]!.nodeLabel;
  const index = world.region.ec2.enis.size + 10;
  const base = { ...ENI, zone, node, primary: false, sourceDestCheck: false };
  world.region.setEni({ ...base, eni: serviceEni(node), label, privateAddresses: [`10.0.1.${index}`] });
  if (!hasEipEni) return;
  const privateAddresses = Array.from({ length: 6 }, (_, n) => `10.0.${n + 2}.${index}`);
  world.region.setEni({ ...base, eni: eipEni(node), label: `${label}:eip`, privateAddresses });
}

export function addTable(
  region: Region,
  table: string,
  label?: string,
  { vpc = VPC, edge = false } = {},
): void {
  const routes = { '0.0.0.0/0': { target: 'igw-1', state: 'active' as const, propagated: false } };
  const base = { table, vpc, account: ACCOUNT, edge, routes };
  region.setTable(label === undefined ? base : { ...base, label });
}
