// An obstacle between two nodes in words, and what to write against it. The listener is brought to what the sender has.
import type { Obstacle } from '../model/hearing.ts';
import { type Instance, isUnicast } from '../model/instance.ts';
import { holdOf, type List, type Listed } from '../model/statements.ts';
import { adding, removing, replacing, stating } from './edits.ts';
import { globalEdit, versionEdit } from './one-instance.ts';
import type { Side } from './virtual-routers.ts';

export interface Explained {
  readonly found: string;
  readonly edits: readonly string[];
}

export function explained(what: Obstacle, listener: Side, sender: Side): Explained {
  const [mine, theirs] = [listener.instance, sender.instance];
  const [here, there] = [listener.configuration.name, sender.configuration.name];
  const both = (name: string, of: (one: Instance) => string | number | undefined): string =>
    `${name} ${of(mine)} in ${here}, ${of(theirs)} in ${there}`;
  switch (what) {
    case 'router-id':
      return {
        found: both('virtual_router_id', ({ routerId }) => routerId.value),
        edits: [stating(mine.routerId.line, mine.hold, `virtual_router_id ${theirs.routerId.value}`)],
      };
    case 'version': {
      const old = mine.version.value === 2 ? listener : sender;
      return {
        found: both('VRRP version', ({ version }) => version.value),
        edits: [versionEdit(old.configuration, old.instance)],
      };
    }
    case 'advert':
      return {
        found: `${both('advert_int', ({ advertCs }) => advertCs.value! / 100)}, with VRRP version 2`,
        edits: [stating(mine.advertCs.line, mine.hold, `advert_int ${theirs.advertCs.value! / 100}`)],
      };
    case 'authentication':
      return { found: authenticationText(listener, sender), edits: [authenticationEdit(listener, sender)] };
    case 'addresses':
      return addressesExplained(listener, sender);
    case 'family':
      return {
        found: both('addresses of', ({ family }) => `IPv${family}`),
        edits: [
          `give ${mine.hold.title} in ${here} unicast_src_ip, peers and addresses of IPv${theirs.family}`,
        ],
      };
    case 'mode': {
      const alone = isUnicast(mine) ? sender : listener;
      const other = alone === listener ? sender : listener;
      return {
        found: both('VRRP by', (one) => (isUnicast(one) ? 'unicast' : 'multicast')),
        edits: [adding(alone.instance.hold, `unicast_peer { ${other.instance.source.value ?? 'ADDRESS'} }`)],
      };
    }
    case 'group':
      return {
        found: both('multicast group', ({ group }) => group.value),
        edits: [groupEdit(listener, theirs)],
      };
    case 'peer':
      return {
        found: `${there} sends to ${peersText(theirs)}, not to ${mine.source.value}`,
        edits: [peerEdit(sender, mine.source.value!)],
      };
    case 'source':
      return {
        found: `${here} checks where adverts come from, and ${theirs.source.value} is not among its peers`,
        edits: [peerEdit(listener, theirs.source.value!)],
      };
  }
}

const peersText = ({ peers }: Instance): string => peers.listed.map(({ address }) => address).join(', ');

/** Without the passwords. */
function authenticationText(listener: Side, sender: Side): string {
  const [mine, theirs] = [listener, sender].map(({ instance }) => instance.authentication.value!);
  const [here, there] = [listener.configuration.name, sender.configuration.name];
  return mine!.type === theirs!.type
    ? `auth_pass differs between ${here} and ${there}`
    : `authentication ${mine!.type} in ${here}, ${theirs!.type} in ${there}`;
}

/** Strict mode takes none, whatever is there. */
function authenticationEdit(listener: Side, sender: Side): string {
  const [mine, theirs] = [listener.instance, sender.instance];
  const strict = [mine, theirs].find(
    (one) => one.strict.value === true && one.authentication.line !== undefined,
  );
  if (strict?.strict.line !== undefined) return removing(strict.strict.line);
  const from = `${theirs.hold.title} in ${sender.configuration.name}`;
  return `in ${mine.hold.head.at.file}, in the block ${mine.hold.title}, write the authentication of ${from}`;
}

function addressesExplained(listener: Side, sender: Side): Explained {
  const [mine, theirs] = [listener.instance.addresses, sender.instance.addresses];
  const [extra, missing] = [surplus(mine, theirs), surplus(theirs, mine)];
  const [block] = mine.blocks;
  const hold = block === undefined ? listener.instance.hold : holdOf(block);
  const told = (list: readonly Listed[], { configuration }: Side, other: List) =>
    list.map(
      ({ address }) => `${address} ${holds(other, address) ? 'once more' : 'only'} in ${configuration.name}`,
    );
  const pairs = missing.slice(0, extra.length);
  return {
    found: `virtual_ipaddress: ${[...told(extra, listener, theirs), ...told(missing, sender, mine)].join(', ')}`,
    edits: [
      ...pairs.map(({ line }, n) => replacing(extra[n]!.line, line.text)),
      ...missing.slice(extra.length).map(({ line }) => adding(hold, line.text)),
      ...extra.slice(missing.length).map(({ line }) => removing(line)),
    ],
  };
}

const holds = ({ listed }: List, address: string): boolean => listed.some((one) => one.address === address);

/** Those of `one` that `other` has not, or not as often. */
function surplus(one: List, other: List): readonly Listed[] {
  const left = other.listed.map(({ address }) => address);
  return one.listed.filter(({ address }) => {
    const at = left.indexOf(address);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

function groupEdit({ configuration, instance }: Side, { group, family }: Instance): string {
  const { line } = instance.group;
  if (line?.text.startsWith('mcast_dst_ip')) return replacing(line, `mcast_dst_ip ${group.value}`);
  const put = `vrrp_mcast_group${family} ${group.value}`;
  return globalEdit(configuration.globals, configuration.start.file, { line, put });
}

/** A peer that is the only one, and that no node has, was meant for the other node. */
function peerEdit({ instance: { peers, hold }, sources }: Side, address: string): string {
  const [only, ...more] = peers.listed;
  const [block] = peers.blocks;
  if (only !== undefined && more.length === 0 && !sources.has(only.address))
    return replacing(only.line, address);
  return block === undefined ? adding(hold, `unicast_peer { ${address} }`) : adding(holdOf(block), address);
}
