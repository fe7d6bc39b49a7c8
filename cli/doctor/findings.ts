// Everything that the doctor finds about some VIPs and about the service that they share.
import type { Everything } from '../../shared/aws/ec2/network-facts.ts';
import { bucketFindings, loadSentence, zoneLoads } from '../../shared/doctor/capacity.ts';
import { diagnose, diagnoseService, type Facts } from '../../shared/doctor/diagnose.ts';
import { type Finding, folded } from '../../shared/doctor/finding.ts';
import { type Releases, releaseFindings, stackRelease } from '../../shared/doctor/service/release.ts';
import { strayFindings } from '../../shared/doctor/strays.ts';
import { defined } from '../../shared/optional.ts';
import { VERSION } from '../../shared/version.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { DoctorClients, DoctorOptions, DoctorSession } from './clients.ts';
import { hostsFor, type Identity, identityOf } from './identity.ts';
import { type Around, aroundOf, networkOf } from './network.ts';
import { scheduledFindings, scheduledFor } from './scheduled.ts';
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
  readonly releases: Releases;
  /** What each zone's failure would take, for people. */
  readonly loads: readonly string[];
}

/** Calls depend on the VPCs, the sets of nodes and the pages, not on the number of VIPs. */
export async function findingsFor(
  session: DoctorSession,
  clients: DoctorClients,
  { vips, all, options, step }: DoctorQuery,
): Promise<Found> {
  const { settings, tag, place } = session;
  const hosts = await hostsFor(session, vips);
  const service = await serviceOf(session, clients, vips);
  const identity = await identityOf(session, { clients, options, vips, hosts, service });
  const around = await aroundOf(session, { vips, all, hosts });
  const { looked } = around;
  const scheduled = await scheduledFor(session);
  const known = { ...around, options, identity, service };
  const found: Finding[] = [...diagnoseService(service.facts), ...releaseFindings(service.facts, VERSION)];
  const shims = new Set<string>();
  let strays: readonly Finding[] | undefined;
  for (const vip of [...vips].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { facts, everything } = await factsOf(session, vip, known);
    found.push(...diagnose(facts), ...scheduledFindings(session, vip, scheduled));
    for (const { shim } of facts.shim.probes) if (shim !== undefined) shims.add(shim);
    strays ??= strayFindings({ tag, place, all, survey: looked.survey, everything });
    step();
  }
  const loads = zoneLoads(vips.map((vip) => ({ vip, observation: looked.observations.get(vip.name)! })));
  found.push(...(strays ?? []), ...bucketFindings(loads, settings.rates));
  const releases = {
    cli: VERSION,
    ...defined({ stack: stackRelease(service.facts) }),
    shims: [...shims].sort(),
  };
  return {
    findings: folded(found),
    releases,
    loads: loads.map((load) => loadSentence(load, settings.rates)),
  };
}

/** What is the same for every VIP. */
interface Known extends Around {
  readonly options: DoctorOptions;
  readonly identity: Identity;
  readonly service: ServiceSeen;
}

async function factsOf(
  session: DoctorSession,
  vip: Vip,
  known: Known,
): Promise<{ readonly facts: Facts; readonly everything: Everything }> {
  const { options, identity, service, remember } = known;
  const [network, probes] = await Promise.all([
    networkOf(session, vip, known),
    // A node has one shim, whichever VIPs it serves.
    remember(`probes of ${Object.keys(vip.members).sort().join()}`, () => session.log.probes(vip.name, 200)),
  ]);
  const facts: Facts = {
    network: network.facts,
    ...defined({ identity: identity.facts }),
    shim: {
      now: session.now(),
      bus: session.settings.bus,
      ...defined({ release: stackRelease(service.facts) }),
      probes,
    },
    ports: options.port ?? [],
    ...defined({ views: service.views }),
    unchecked: [...network.unchecked, ...service.unchecked, ...identity.unchecked],
  };
  return { facts, everything: network.everything };
}
