// People are told at once of a node that is about to go and keeps a VIP: it is frozen there, or no other node is eligible. AWS leaves
// two minutes, and the node's own report may be all that says it.
//
// Invariant: one notice for each leaving, however many reports, copies and callers: the one whose write notes it in the item sends it.
// Limit: a caller that dies between that write and the notice sends none, nor does one whose bus does not take it; the alarm and
// reconcile's `trouble` report it all the same.
import { toFault, toleratedFault } from '../../fault.ts';
import type { Ports } from '../../switch/switch-vip.ts';
import type { EpochMs } from '../../time.ts';
import type { Claim } from '../../vip/claim.ts';
import { compareAndSet } from '../../vip/store.ts';
import type { Stranded, Vip } from '../../vip/vip.ts';
import { leavingOf } from '../../vip/vip.ts';
import { strandedOf } from '../drained.ts';

const RACES_MAX = 10;

/** What an answer says beside what became of the claim. */
export interface NotedLeaving {
  /** The owner is about to go with the VIP, which was not known before. */
  readonly stranded?: Stranded;
}

/** `item`: as it is after a claim. Throws only a mistake of ours: delivered again the claim would not be more useful. */
export async function noteLeaving(ports: Ports, item: Vip, claim: Claim): Promise<NotedLeaving> {
  const noteBy = (by: string) => (was: Vip) =>
    withToldLeavings(was, { by, isMasterAgain: becameMaster(was, claim) }, ports.clock.now());
  if (noteBy('')(item) === item) return {};
  const by = ports.nonce();
  try {
    const is = await noted(ports, item, noteBy(by));
    const stranded = is && strandedOf(is, ports.clock.now());
    if (stranded === undefined || is?.strandedTold?.[stranded.node]?.by !== by) return {};
    // What the bus does not take is in the log and the alarm all the same.
    await ports.bus.leaving(item.name, stranded).catch((error: unknown) => void toleratedFault(error));
    return { stranded };
  } catch (error) {
    toleratedFault(error);
    return {};
  }
}

/** The owner is about to go, its keepalived gave the VIP away, and no other one took it. A claim that comes late says nothing of now. */
function becameMaster({ owner, claims }: Vip, claim: Claim): boolean {
  const { node, kind, state, leaving } = claim;
  if (node !== owner || kind !== 'transition' || state !== 'MASTER' || leaving === undefined) return false;
  const is = claims[node];
  return is?.bootId === claim.bootId && is.since === claim.since && is.state === 'MASTER';
}

/** Where the reply to the write was lost it is tried once more: `by` shows whether the first one was carried out. */
async function noted({ vips }: Ports, item: Vip, note: (was: Vip) => Vip): Promise<Vip | undefined> {
  const write = async (from: Vip | undefined) => {
    const told = (was: Vip | undefined) => was && note(was);
    return (await compareAndSet(vips, { name: item.name, from, racesMax: RACES_MAX }, told)).item;
  };
  try {
    return await write(item);
  } catch (error) {
    if (toFault(error).kind !== 'unknown') throw error;
    return write(await vips.read(item.name));
  }
}

interface Teller {
  readonly by: string;
  readonly isMasterAgain: boolean;
}

/** With the owner that is stranded, and without nodes that stay; the same object when nothing is to be changed. */
export function withToldLeavings(vip: Vip, teller: Teller, now: EpochMs): Vip {
  const { by, isMasterAgain } = teller;
  const { strandedTold = {}, ...rest } = vip;
  const told = Object.entries(strandedTold).filter(([node]) => leavingOf(vip, node) !== undefined);
  const stranded = strandedOf(vip, now, isMasterAgain);
  const isNews = stranded !== undefined && strandedTold[stranded.node]?.cause !== stranded.cause;
  if (!isNews && told.length === Object.keys(strandedTold).length) return vip;
  const all = Object.fromEntries(told);
  if (isNews) all[stranded.node] = { cause: stranded.cause, by, key: stranded.key };
  return Object.keys(all).length === 0 ? rest : { ...rest, strandedTold: all };
}
