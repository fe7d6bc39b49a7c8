// Everything that the doctor finds about some VIPs and about the service that they share.
import { describeNetwork, type Everything, type Once, once } from '../../shared/aws/ec2/network-facts.ts';
import { type Surveyed, surveyed } from '../../shared/aws/ec2/survey.ts';
import { bucketFindings, loadSentence, zoneLoads } from '../../shared/doctor/capacity.ts';
import { diagnose, diagnoseService, type Facts } from '../../shared/doctor/diagnose.ts';
import { type Finding, folded } from '../../shared/doctor/finding.ts';
import { nearKeysOf, strayFindings } from '../../shared/doctor/strays.ts';
import { mislabelled } from '../../shared/network/labels.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { DoctorClients, DoctorOptions, DoctorSession } from './clients.ts';
import { type Hosts, hostsFor, type Identity, identityOf } from './identity.ts';
import { type ServiceSeen, serviceOf } from './service.ts';

export interface DoctorQuery {
  /** Those that are asked about. */
  readonly vips: readonly Vip[];
  /** All that are registered. */
  readonly all: readonly Vip[];
  readonly options: DoctorOptions;
  /** After each VIP. */
  readonly step: () => void;
}

export interface Found {
  readonly findings: readonly Finding[];
  /** What each zone's failure would take, for people. */
  readonly loads: readonly string[];
}

/** Calls depend on the VPCs, the sets of nodes and the pages, not on the number of VIPs. */
export async function findingsFor(
  session: DoctorSession,
  clients: DoctorClients,
  { vips, all, options, step }: DoctorQuery,
): Promise<Found> {
  const { settings, tag, ports, ec2 } = session;
  const hosts = await hostsFor(session, vips);
  const service = await serviceOf(session, clients, vips);
  const identity = await identityOf(session, { clients, options, vips, hosts, service });
  // EC2's Describe bucket is the controller's, too: what is the same for many VIPs is looked up once.
  const remember = once();
  const looked = await surveyed({ ...ec2, tag, clock: ports.clock }, vips);
  const account = accountOf(await session.caller());
  const vpcs = [...new Set(vips.map((vip) => vip.vpc))].sort();
  const known = { all, vpcs, looked, account, options, identity, hosts, service, remember };
  const found: Finding[] = [...diagnoseService(service.facts)];
  let strays: readonly Finding[] | undefined;
  for (const vip of [...vips].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { facts, everything } = await factsOf(session, vip, known);
    found.push(...diagnose(facts));
    strays ??= strayFindings({ tag, all, survey: looked.survey, everything });
    step();
  }
  const loads = zoneLoads(vips.map((vip) => ({ vip, observation: looked.observations.get(vip.name)! })));
  found.push(...(strays ?? []), ...bucketFindings(loads, settings.rates));
  return { findings: folded(found), loads: loads.map((load) => loadSentence(load, settings.rates)) };
}

const accountOf = (arn: string): string | undefined => /^arn:[\w-]+:[\w-]+::(\d{12}):/.exec(arn)?.[1];

/** What is the same for every VIP. */
interface Known {
  /** All VIPs that are registered. */
  readonly all: readonly Vip[];
  /** Of the VIPs that are asked about. */
  readonly vpcs: readonly string[];
  readonly looked: Surveyed;
  readonly account: string | undefined;
  readonly options: DoctorOptions;
  readonly identity: Identity;
  readonly hosts: Hosts;
  readonly service: ServiceSeen;
  readonly remember: Once;
}

async function factsOf(
  session: DoctorSession,
  vip: Vip,
  { all, vpcs, looked, account, options, identity, hosts, service, remember }: Known,
): Promise<{ readonly facts: Facts; readonly everything: Everything }> {
  const { survey, observations } = looked;
  const [network, probes] = await Promise.all([
    describeNetwork(
      session.ec2,
      {
        ...{ vip, seen: observations.get(vip.name)!, tag: session.tag, caller: account },
        vpcs,
      },
      remember,
    ),
    // A node has one shim, whichever VIPs it serves.
    remember(`probes of ${Object.keys(vip.members).sort().join()}`, () => session.log.probes(vip.name, 200)),
  ]);
  const others = all.filter((other) => other.name !== vip.name);
  const { everything } = network;
  const whole = { ...survey, nearKeys: nearKeysOf(everything) };
  const states = ifDefined(hosts.hosts, (known) => new Map(known.map(({ node, state }) => [node, state])));
  const facts: Facts = {
    network: {
      ...network.facts,
      ...{ others, survey, mislabelled: mislabelled(vip, all, whole) },
      ...defined({ hosts: states }),
    },
    ...defined({ identity: identity.facts }),
    shim: { now: session.now(), bus: session.settings.bus, probes },
    ports: options.port ?? [],
    ...defined({ views: service.views }),
    unchecked: [...network.unchecked, ...hosts.unchecked, ...service.unchecked, ...identity.unchecked],
  };
  return { facts, everything };
}
