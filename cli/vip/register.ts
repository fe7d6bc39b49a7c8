// Registering a VIP or changing its entry, once prepare.ts has checked it: reserve, record the order, write. One way for `vip add`,
// `vip set`, `apply` and `adopt`.
//
// Invariant: nothing is written before every check has passed; reservations that this run made are given back when the
// rest fails. Limit: EC2 is not changed here, so what an entry no longer names stays in the tables and is told.

import { isFault, toFault } from '../../shared/fault.ts';
import { membersSeen } from '../../shared/network/observation.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import {
  changed,
  differences,
  entryOf,
  isRegistered,
  registered,
  registryFields,
  update,
} from '../../shared/registry/registry.ts';
import { clash } from '../../shared/registry/validate.ts';
import type { EpochMs } from '../../shared/time.ts';
import { type OperatorActionKind, onRecord } from '../../shared/timeline/operator-action.ts';
import type { RegistryEntry, Vip } from '../../shared/vip/vip.ts';
import { refused } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import type { Session } from '../command/session.ts';
import { taken, unknown } from '../command/vip/registered-vip.ts';
import { refuseUnderWay } from '../command/vip/under-way.ts';
import { drawnFrom, usedUp } from './pool.ts';
import { type Prepared, refuse } from './prepare.ts';

/** Reserves, records the order and writes. `order` says what it is; the entry written comes back as an item. */
export async function register(
  session: Session,
  prepared: Prepared,
  order: Extract<OperatorActionKind, 'add' | 'set' | 'adopt'>,
  reason: string,
): Promise<Vip> {
  const fresh: string[] = [];
  const { name } = prepared.entry;
  const giveBack = () => Promise.allSettled(fresh.map((thing) => session.reservations.release(thing, name)));
  try {
    const entry = await reserved(session, prepared, fresh);
    const vip = await written(session, { ...prepared, entry }, order, reason);
    const dropped = [...(prepared.was?.addresses ?? []), ...(prepared.was?.eips ?? [])].filter(
      (thing) => ![...entry.addresses, ...entry.eips].includes(thing),
    );
    await Promise.all(dropped.map((thing) => session.reservations.release(thing, name)));
    return vip;
  } catch (error) {
    if (!mayStand(error)) await giveBack();
    throw error;
  }
}

/** Whether the item may have been written: then the reservations are right, else they run out. */
const mayStand = (error: unknown): boolean =>
  (isFault(error) && error.kind === 'unknown') || toFault(error).kind === 'bug';

/** Each address of a pool that another caller took first costs one more try; each loser sees another's progress. */
const DRAWS_MAX = 512;

async function reserved(session: Session, prepared: Prepared, fresh: string[]): Promise<RegistryEntry> {
  const { entry, pool, next } = prepared;
  const take = async (thing: string): Promise<string> => {
    const { holder, fresh: made } = await session.reservations.reserve(thing, entry.name);
    if (made) fresh.push(thing);
    return holder;
  };
  for (const thing of [...entry.addresses, ...entry.eips]) {
    const holder = await take(thing);
    if (holder !== entry.name) refuse([clash('address or EIP', thing, holder)], entry.name);
  }
  if (pool === undefined) return entry;
  // As it was shown, so that a thousand draws do not list the registry a thousand times.
  if (next !== undefined && (await take(next)) === entry.name)
    return { ...entry, addresses: [...entry.addresses, next] };
  const taken = new Set((await session.ports.vips.list()).filter(isRegistered).flatMap((v) => v.addresses));
  for (let draw = 1; draw <= DRAWS_MAX; draw++) {
    const address = drawnFrom(pool, prepared, taken);
    if (address === undefined) break;
    if ((await take(address)) === entry.name) return { ...entry, addresses: [...entry.addresses, address] };
    taken.add(address);
  }
  throw usedUp(pool, entry.name);
}

/** With the address that the pool would give as things stand: for a rehearsal. */
export function withDraw(prepared: Prepared, others: readonly Vip[]): Prepared {
  const { entry, pool } = prepared;
  if (pool === undefined) return prepared;
  const used = new Set([...entry.addresses, ...others.filter(isRegistered).flatMap((v) => v.addresses)]);
  const address = drawnFrom(pool, prepared, used);
  if (address === undefined) throw usedUp(pool, entry.name);
  return { ...prepared, entry: { ...entry, addresses: [...entry.addresses, address] } };
}

/** Before anything is written; asked again in the write. */
export function refuseEntryUnderWay({ was, entry }: Prepared, now: EpochMs): void {
  if (was !== undefined && movesIt(was, entry)) refuseUnderWay(was, now, 'its entry is not changed');
}

async function written(
  session: Session,
  { entry, seen, was }: Prepared,
  kind: 'add' | 'set' | 'adopt',
  reason: string,
): Promise<Vip> {
  const order = {
    vip: entry.name,
    order: kind,
    by: await session.caller(),
    reason,
    atMs: session.now(),
    ...defined({ before: ifDefined(was, entryOf) }),
    after: entry,
  };
  const vip = await onRecord(session, order, () =>
    update(session.ports.vips, entry.name, (now) => {
      if (was === undefined && isRegistered(now)) throw taken(entry.name);
      if (was !== undefined && !isRegistered(now)) throw unknown(entry.name);
      if (was !== undefined && !sameEntry(now!, was)) throw moved(entry.name);
      if (was !== undefined && movesIt(was, entry))
        refuseUnderWay(now!, session.now(), 'its entry is not changed');
      const members = membersSeen(entry, seen, now?.members ?? {});
      return was === undefined ? registered(now, entry, members) : changed(now!, entry, members);
    }),
  );
  return vip!;
}

const sameEntry = (a: RegistryEntry, b: RegistryEntry): boolean =>
  registryFields.every((field) => JSON.stringify(a[field]) === JSON.stringify(b[field]));

/** Which VIP is served first does not matter to a switch; everything else does. */
const movesIt = (was: RegistryEntry, is: RegistryEntry): boolean =>
  differences(was, is).some(({ field }) => field !== 'priority');

const moved = (name: string) =>
  refused(`someone else changed ${name} meanwhile`, `check it and try again: ${hint(`vip show ${name}`)}`);
