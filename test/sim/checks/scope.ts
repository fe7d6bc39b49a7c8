// Guarantee 7: only a labelled table of the VIP's VPC and account, only the route to exactly one of its addresses, only
// towards a member's ENI; and nothing is taken from a foreign, living target that the sender could have seen.

import type { VipSpec } from '../history/history.ts';
import type { Sent } from '../truth/log.ts';
import { eipEni, serviceEni } from '../truth/truth.ts';
import type { Violation } from '../violation.ts';
import { ACCOUNT, VPC } from '../world/region.ts';
import type { World } from '../world/world.ts';

export function scope(world: World): readonly Violation[] {
  const found: Violation[] = [];
  const service = new Set(world.everMembers.map(serviceEni));
  const forEips = new Set([...world.everMembers.map(eipEni), ...service]);
  for (const sent of world.log.sends) {
    const spec = world.story.vips.find((v) => v.name === sent.vip)!;
    const what = outside(world, sent, spec, { service, forEips });
    if (what !== undefined) found.push({ guarantee: 'scope', vip: sent.vip, atMs: sent.atMs, what });
  }
  return [...found, ...taken(world)];
}

/** Of everybody who ever was a member: what routes may lead to, and where EIPs may lie. */
interface MemberEnis {
  readonly service: ReadonlySet<string>;
  readonly forEips: ReadonlySet<string>;
}

function outside(
  world: World,
  { step, by }: Sent,
  spec: VipSpec,
  { service, forEips }: MemberEnis,
): string | undefined {
  if (step.call === 'AssociateAddress') {
    if (!spec.eips.includes(step.eip)) return `${by.name} moves ${step.eip}, which is not the VIP's`;
    return forEips.has(step.eni) ? undefined : `${by.name} moves ${step.eip} to ${step.eni}, no member's ENI`;
  }
  if (!service.has(step.eni)) return `${by.name} sets ${step.cell} to ${step.eni}, no member's ENI`;
  if (step.call === 'ModifyNetworkInterfaceAttribute') return undefined;
  const table = world.region.ec2.tables.get(step.table);
  if (table?.label !== spec.tableLabel)
    return `${by.name} touches ${step.table}, which has no label of the VIP`;
  if (table.vpc !== VPC || table.account !== ACCOUNT)
    return `${by.name} touches ${step.table} in ${table.vpc}`;
  if (table.edge) return `${by.name} touches the gateway table ${step.table}`;
  return spec.addresses.includes(step.destination)
    ? undefined
    : `${by.name} sets a route to ${step.destination}`;
}

/** What was a stranger's before the sender last looked, and alive, is not to be taken. */
function taken(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const change of world.region.changes) {
    if (change.by === undefined || !change.wasAlive || change.was === change.is) continue;
    if (change.was !== 'eni-foreign' && change.was !== 'pcx-foreign') continue;
    const sent = world.log.sends[change.by]!;
    const since = world.region.changesOf(change.cell).findLast((c) => c.atMs < change.atMs)?.atMs ?? 0;
    if (since >= sent.knewAtMs) continue;
    const what = `${sent.by.name} took ${change.cell} from ${change.was}, which lives and is none of this VIP`;
    found.push({ guarantee: 'scope', vip: sent.vip, atMs: change.atMs, what });
  }
  return found;
}
