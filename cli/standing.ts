// A VIP that stands in the ledger, or the complaint that says what to do instead.
import { stands } from '../shared/ledger.ts';
import type { Vip } from '../shared/vip.ts';
import { refused } from './exit.ts';
import type { Session } from './session.ts';

export const unknown = (name: string) =>
  refused(`there is no VIP ${name} in the ledger`, 'vipshift vip list shows those there are');

export const taken = (name: string) =>
  refused(
    `${name} is in the ledger already`,
    `vipshift vip show ${name}, or change it: vipshift vip set ${name} …`,
  );

export async function standing(session: Session, name: string): Promise<Vip> {
  const vip = await session.wire.vips.read(name);
  if (!stands(vip)) throw unknown(name);
  return vip;
}
