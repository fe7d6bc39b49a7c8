// A registered VIP, or the error that says what to do instead.
import { isRegistered } from '../../../shared/registry/registry.ts';
import { similar } from '../../../shared/suggest.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { refused } from '../exit.ts';
import { hint } from '../hint.ts';
import type { Session } from '../session.ts';

/** `names`: the registered ones, where they are known, to suggest one for a typing error. */
export function unknown(name: string, names: readonly string[] = []) {
  const meant = similar(name, names);
  const next = `${hint('vip list')} shows those there are`;
  return refused(
    `there is no VIP ${name} in the registry`,
    meant.length === 0 ? next : `did you mean ${meant.join(' or ')}? ${next}`,
  );
}

export async function registeredNames(session: Session): Promise<readonly string[]> {
  return (await session.ports.vips.list()).filter(isRegistered).map((vip) => vip.name);
}

export const taken = (name: string) =>
  refused(
    `${name} is already registered`,
    `${hint(`vip show ${name}`)}, or change it: ${hint(`vip set ${name} …`)}`,
  );

export async function requireVip(session: Session, name: string): Promise<Vip> {
  const vip = await session.ports.vips.read(name);
  if (!isRegistered(vip)) throw unknown(name, await registeredNames(session));
  return vip;
}
