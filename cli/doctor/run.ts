// What `vipshift doctor` does: looks everything up, judges, and says what to do about it.

import { readFile } from 'node:fs/promises';
import { type Host, hostsOf } from '../../shared/aws/ec2/hosts.ts';
import { describeNetwork, type Everything, type Once, once } from '../../shared/aws/ec2/network-facts.ts';
import type { Surveyed } from '../../shared/aws/ec2/survey.ts';
import { DETAIL_TYPE } from '../../shared/aws/events/claim-event.ts';
import { bucketFindings, loadSentence, zoneLoads } from '../../shared/doctor/capacity.ts';
import { diagnose, type Facts } from '../../shared/doctor/diagnose.ts';
import { type Finding, folded } from '../../shared/doctor/finding.ts';
import { keepalivedFindings } from '../../shared/doctor/keepalived.ts';
import type { ServicePort } from '../../shared/doctor/packets/rules.ts';
import type { IdentityFacts } from '../../shared/doctor/service/identity.ts';
import { nearKeysOf, strayFindings } from '../../shared/doctor/strays.ts';
import { toleratedFault } from '../../shared/fault.ts';
import { mislabelled } from '../../shared/network/labels.ts';
import type { Observation } from '../../shared/network/observation.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { refused, type Status, status } from '../command/exit.ts';
import type { Output } from '../command/output.ts';
import { type Session, surveyFor } from '../command/session.ts';
import { requireVip } from '../command/vip/registered-vip.ts';
import { probed } from './probe.ts';

export async function look({ args, options, out, session }: CommandContext<DoctorOptions>): Promise<Status> {
  const files = await filesOf(options.keepalived ?? []);
  const listed = (await session.ports.vips.list()).filter(isRegistered);
  const vips = args[0] === undefined ? listed : [await requireVip(session, args[0])];
  // The list may lag behind what was read.
  const all = [...listed.filter((vip) => !vips.some((v) => v.name === vip.name)), ...vips];
  const by = await session.caller();
  const hosts = await hostsFor(session, vips);
  const identity = await identityOf(session, { options, vips, hosts });
  // EC2's Describe bucket is the controller's, too: what is the same for many VIPs is looked up once.
  const remember = once();
  const looked = await surveyFor(session, vips);
  const account = accountOf(by);
  const seen: { vip: Vip; observation: Observation }[] = [];
  const findings: Finding[] = [...keepalivedFindings(files)];
  const vpcs = [...new Set(vips.map((vip) => vip.vpc))].sort();
  const known = { all, vpcs, looked, account, options, identity, hosts, remember };
  let strays: readonly Finding[] | undefined;
  for (const vip of [...vips].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    seen.push({ vip, observation: looked.observations.get(vip.name)! });
    const { facts, everything } = await factsOf(session, vip, known);
    findings.push(...diagnose(facts));
    strays ??= strayFindings({ tag: session.tag, all, survey: looked.survey, everything });
  }
  findings.push(...(strays ?? []));
  const loads = zoneLoads(seen);
  const { rates } = session.settings;
  findings.push(...bucketFindings(loads, rates));
  const told = folded(findings);
  if (out.json) out.documents(told.map(documentOf));
  else
    tell(
      out,
      told,
      vips.length,
      loads.map((load) => loadSentence(load, rates)),
    );
  const bad = findings.some((f) => f.severity === 'fault' || options.strict === true);
  return bad ? status.bad : status.ok;
}

const accountOf = (arn: string): string | undefined => /^arn:[\w-]+:[\w-]+::(\d{12}):/.exec(arn)?.[1];

async function filesOf(names: readonly string[]) {
  return Promise.all(
    names.map(async (file) => {
      try {
        return { file, text: await readFile(file, 'utf8') };
      } catch (error) {
        throw refused((error as Error).message, 'name a file that can be read: --keepalived FILE');
      }
    }),
  );
}

interface Identity {
  readonly facts?: IdentityFacts;
  readonly unchecked: Facts['unchecked'];
}

/** All nodes of the VIPs; undefined where EC2 does not tell. */
interface Hosts {
  readonly hosts?: readonly Host[];
  readonly unchecked: Facts['unchecked'];
}

async function hostsFor({ ec2 }: Session, vips: readonly Vip[]): Promise<Hosts> {
  const nodes = [...new Set(vips.flatMap((vip) => Object.keys(vip.members)))].sort();
  try {
    return { hosts: await hostsOf(ec2, nodes), unchecked: [] };
  } catch (error) {
    return { unchecked: [{ what: 'instances', why: toleratedFault(error).message }] };
  }
}

interface IdentityQuery {
  readonly options: DoctorOptions;
  readonly vips: readonly Vip[];
  readonly hosts: Hosts;
}

async function identityOf(session: Session, { options, vips, hosts }: IdentityQuery): Promise<Identity> {
  const { busOf, rolesOf } = await import('../../shared/aws/iam/identity-facts.ts');
  const { principalsOf } = await import('../../shared/aws/iam/principals.ts');
  const { IAMClient } = await import('@aws-sdk/client-iam');
  const { settings, environment: box, signal } = session;
  const access = {
    iam: new IAMClient({ maxAttempts: 3 }),
    events: box.clients.events,
    bus: settings.bus,
    signal,
  };
  const unchecked: { what: string; why: string }[] = [];
  const tried = async <T>(what: string, look: () => Promise<T>, without: T): Promise<T> => {
    try {
      return await look();
    } catch (error) {
      unchecked.push({ what, why: toleratedFault(error).message });
      return without;
    }
  };
  const bus = await tried('the bus', () => busOf(access), undefined);
  if (bus === undefined && unchecked.length > 0) return { unchecked };
  const { roles, without } = await tried(
    'the nodes’ role',
    async () => rolesOf(access, hosts.hosts ?? [], options.nodeRole),
    { roles: [], without: [] },
  );
  const approvers =
    bus === undefined
      ? undefined
      : await tried(
          'who may order and approve',
          async () => ({
            workflow: workflowOf(bus.arn, settings.stage),
            principals: await principalsOf(access),
          }),
          undefined,
        );
  const [first] = vips;
  const probe =
    options.probe === false || bus === undefined || first === undefined
      ? undefined
      : await tried('the way of an event', () => probed(session, access, first), undefined);
  const facts: IdentityFacts = {
    stage: settings.stage,
    detailType: DETAIL_TYPE,
    busName: settings.bus,
    ...defined({ bus }),
    roles,
    without,
    ...defined({ approvers, probe }),
  };
  return { facts, unchecked };
}

/** In the same partition, Region and account as the bus. */
function workflowOf(bus: string, stage: string): string {
  const [, partition, , region, account] = bus.split(':');
  return `arn:${partition}:states:${region}:${account}:stateMachine:vipshift-${stage}-failover`;
}

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
  readonly remember: Once;
}

async function factsOf(
  session: Session,
  vip: Vip,
  { all, vpcs, looked, account, options, identity, hosts, remember }: Known,
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
    session.log.probes(vip.name, 200),
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
    unchecked: [...network.unchecked, ...hosts.unchecked, ...identity.unchecked],
  };
  return { facts, everything };
}

/** `vip` is the first one that it touches. */
const documentOf = (finding: Finding) => ({ ...finding, ...defined({ vip: finding.vips[0] }) });

const touched = ({ vips }: Finding): string =>
  vips.length > 1 ? `${vips.length} VIPs ` : vips.length === 1 ? `${vips[0]} ` : '';

function tell(out: Output, findings: readonly Finding[], vips: number, loads: readonly string[]): void {
  for (const f of findings) {
    const severity = out.paint(f.severity === 'fault' ? 'bad' : 'warn', f.severity);
    out.line(`${severity} ${out.paint('strong', f.check)} ${touched(f)}${f.subject}`);
    out.line(`  found     ${f.found}`);
    out.line(`  expected  ${f.wanted}`);
    out.line(`  remedy    ${f.remedy}`);
  }
  for (const load of loads) out.line(load);
  const faults = findings.filter((f) => f.severity === 'fault').length;
  const warnings = findings.length - faults;
  out.line(
    `${vips} ${vips === 1 ? 'VIP' : 'VIPs'}: ${faults === 0 ? out.paint('good', 'no fault') : out.paint('bad', `${faults} fault${faults === 1 ? '' : 's'}`)}, ${warnings} warning${warnings === 1 ? '' : 's'}`,
  );
}

export interface DoctorOptions {
  readonly keepalived?: readonly string[];
  readonly port?: readonly ServicePort[];
  readonly nodeRole?: string;
  readonly probe?: boolean;
  readonly strict?: boolean;
}
