// What the doctor says, before a failover, of the node that the VIP is to go to: the same questions as `vipshift doctor` asks of it.
//
// Invariant: it only tells. That AWS does not answer is no reason to hold a dry run back.

import type { Finding } from '../../shared/doctor/finding.ts';
import { uncheckedFindings } from '../../shared/doctor/unchecked.ts';
import { toleratedFault } from '../../shared/fault.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import type { Session } from '../command/session.ts';
import { doctorSession } from '../doctor/clients.ts';
import { targetFindings } from '../doctor/network.ts';

/** Empty for a VIP that is not registered: there is nothing to look at. */
export async function foundOfTarget(
  session: Session,
  name: string,
  node: string,
): Promise<readonly Finding[]> {
  const all = (await session.ports.vips.list()).filter(isRegistered);
  const vip = all.find((one) => one.name === name);
  if (vip === undefined) return [];
  try {
    return await targetFindings(doctorSession(session), { vip, all, node });
  } catch (error) {
    return uncheckedFindings(vip, [{ what: vip.vpc, why: toleratedFault(error).message }]);
  }
}
