// A VIP that stands in the ledger, or the complaint that says what to do instead.
import { stands } from '../shared/ledger.ts';
import { similar } from '../shared/similar.ts';
import type { Vip } from '../shared/vip.ts';
import { refused } from './exit.ts';
import type { Session } from './session.ts';

/** `names`: those there are, where they are known, so that a slip of the finger is told. */
export function unknown(name: string, names: readonly string[] = []) {
  const meant = similar(name, names);
  const next = 'vipshift vip list shows those there are';
  return refused(
    `there is no VIP ${name} in the ledger`,
    meant.length === 0 ? next : `did you mean ${meant.join(' or ')}? ${next}`,
  );
}

export async function standingNames(session: Session): Promise<readonly string[]> {
  return (await session.wire.vips.list()).filter(stands).map((vip) => vip.name);
}

export const taken = (name: string) =>
  refused(
    `${name} is in the ledger already`,
    `vipshift vip show ${name}, or change it: vipshift vip set ${name} …`,
  );

export async function standing(session: Session, name: string): Promise<Vip> {
  const vip = await session.wire.vips.read(name);
  if (!stands(vip)) throw unknown(name, await standingNames(session));
  return vip;
}
