// What the doctor looks up of a VIP's network: for all of its questions, and for those about one node before a failover to it.
import { describeNetwork, type Everything, type Once, once } from '../../shared/aws/ec2/network-facts.ts';
import { type Surveyed, surveyed } from '../../shared/aws/ec2/survey.ts';
import type { Facts } from '../../shared/doctor/diagnose.ts';
import type { NetworkFacts, StrayRoute } from '../../shared/doctor/facts.ts';
import type { Finding } from '../../shared/doctor/finding.ts';
import { addresslessRoutes } from '../../shared/doctor/labels.ts';
import { nextOwnerFindings } from '../../shared/doctor/next-owner.ts';
import { nearKeysOf } from '../../shared/doctor/strays.ts';
import { uncheckedFindings } from '../../shared/doctor/unchecked.ts';
import { mislabelled } from '../../shared/network/labels.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { DoctorSession } from './clients.ts';
import { type Hosts, hostsFor } from './identity.ts';

/** What is the same for every VIP. */
export interface Around {
  /** All VIPs that are registered. */
  readonly all: readonly Vip[];
  /** Of the VIPs that are asked about. */
  readonly vpcs: readonly string[];
  readonly looked: Surveyed;
  readonly strayRoutes: readonly StrayRoute[];
  /** The account that asks, where it is known. */
  readonly account: string | undefined;
  readonly hosts: Hosts;
  readonly remember: Once;
}

export interface NetworkSeen {
  readonly facts: NetworkFacts;
  readonly everything: Everything;
  readonly unchecked: Facts['unchecked'];
}

export async function aroundOf(
  session: DoctorSession,
  {
    vips,
    all,
    hosts,
  }: { readonly vips: readonly Vip[]; readonly all: readonly Vip[]; readonly hosts: Hosts },
): Promise<Around> {
  const { tag, ports, ec2 } = session;
  const looked = await surveyed({ ...ec2, tag, clock: ports.clock }, vips);
  const account = accountOf(await session.caller());
  const vpcs = [...new Set(vips.map((vip) => vip.vpc))].sort();
  // EC2's Describe bucket is the controller's, too: what is the same for many VIPs is looked up once.
  const strayRoutes = addresslessRoutes(looked.survey, all);
  return { all, vpcs, looked, strayRoutes, account, hosts, remember: once() };
}

const accountOf = (arn: string): string | undefined => /^arn:[\w-]+:[\w-]+::(\d{12}):/.exec(arn)?.[1];

export async function networkOf(
  { ec2, tag, place }: DoctorSession,
  vip: Vip,
  { all, vpcs, looked, strayRoutes, account, hosts, remember }: Around,
): Promise<NetworkSeen> {
  const { survey, observations } = looked;
  const seen = observations.get(vip.name)!;
  const network = await describeNetwork(ec2, { vip, seen, tag, caller: account, vpcs }, remember);
  const others = all.filter((other) => other.name !== vip.name);
  const { everything } = network;
  const whole = { ...survey, nearKeys: nearKeysOf(everything) };
  const states = ifDefined(hosts.hosts, (known) => new Map(known.map(({ node, state }) => [node, state])));
  return {
    facts: {
      ...network.facts,
      ...{ place, others, survey, mislabelled: mislabelled(vip, all, whole), strayRoutes },
      ...defined({ hosts: states }),
    },
    everything,
    unchecked: [...network.unchecked, ...hosts.unchecked],
  };
}

/** The doctor's questions about the node as the next owner; what could not be looked up is among the answers. */
export async function targetFindings(
  session: DoctorSession,
  { vip, all, node }: { readonly vip: Vip; readonly all: readonly Vip[]; readonly node: string },
): Promise<readonly Finding[]> {
  const hosts = await hostsFor(session, [vip]);
  const { facts, unchecked } = await networkOf(
    session,
    vip,
    await aroundOf(session, { vips: [vip], all, hosts }),
  );
  return [...nextOwnerFindings(facts, [node], []), ...uncheckedFindings(vip, unchecked)];
}
