// Whether one node takes another's adverts: what VRRP and keepalived compare before they believe one.
//
// Limit: whether the packets get there at all is the network's; security groups and network ACLs have checks of their own.
import { type Instance, isUnicast } from './instance.ts';
import type { Value } from './statements.ts';

/** What differs, or what is missing at the sender (`peer`) or the listener (`source`). */
export type Obstacle =
  | 'router-id'
  | 'version'
  | 'advert'
  | 'authentication'
  | 'addresses'
  | 'family'
  | 'mode'
  | 'group'
  | 'peer'
  | 'source';

/** Why `listener` takes no advert of `sender`; empty where it does. What is not known is no obstacle. */
export function obstaclesBetween(listener: Instance, sender: Instance): readonly Obstacle[] {
  const found: Obstacle[] = [];
  if (differ(listener.routerId, sender.routerId)) found.push('router-id');
  if (listener.family !== sender.family) return [...found, 'family'];
  if (differ(listener.version, sender.version)) found.push('version');
  else if (listener.version.value === 2) {
    if (differ(listener.advertCs, sender.advertCs)) found.push('advert');
    if (authenticationDiffers(listener, sender)) found.push('authentication');
  }
  if (addressesDiffer(listener, sender)) found.push('addresses');
  return [...found, ...wayObstacles(listener, sender)];
}

const differ = <T>(one: Value<T>, other: Value<T>): boolean =>
  one.value !== undefined && other.value !== undefined && one.value !== other.value;

function authenticationDiffers(listener: Instance, sender: Instance): boolean {
  const [one, other] = [listener.authentication.value, sender.authentication.value];
  if (one === undefined || other === undefined) return false;
  return one.type !== other.type || one.pass !== other.pass;
}

/** As many as in the advert, and each of them in it; in any order. */
function addressesDiffer({ addresses: mine }: Instance, { addresses: theirs }: Instance): boolean {
  if (mine.isPartial || theirs.isPartial) return false;
  const sent = new Set(theirs.listed.map(({ address }) => address));
  return mine.listed.length !== theirs.listed.length || mine.listed.some(({ address }) => !sent.has(address));
}

const lists = ({ peers }: Instance, address: string): boolean =>
  peers.listed.some((peer) => peer.address === address);

function wayObstacles(listener: Instance, sender: Instance): readonly Obstacle[] {
  if (listener.peers.isPartial || sender.peers.isPartial) return [];
  if (isUnicast(listener) !== isUnicast(sender)) return ['mode'];
  if (!isUnicast(listener)) return differ(listener.group, sender.group) ? ['group'] : [];
  const found: Obstacle[] = [];
  if (listener.source.value !== undefined && !lists(sender, listener.source.value)) found.push('peer');
  const isChecked = listener.checksSource.value === true && sender.source.value !== undefined;
  if (isChecked && !lists(listener, sender.source.value!)) found.push('source');
  return found;
}
