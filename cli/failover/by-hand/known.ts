// What is known of a VIP for a move by hand: from the registry, and where that does not answer from the file of `apply`, from
// the command line, or from EC2 alone.
//
// Invariant: the registry is always asked, for REGISTRY_WITHIN_MS at most, and goes before everything else; what contradicts it
// is refused.

import { destinationsSeen, placesOf } from '../../../shared/network/by-hand.ts';
import { membersSeen, type Observation } from '../../../shared/network/observation.ts';
import { viewProblem } from '../../../shared/network/view-cache.ts';
import { shellWord } from '../../../shared/place.ts';
import { isRegistered } from '../../../shared/registry/registry.ts';
import { refusal, vipAddress } from '../../../shared/registry/validate.ts';
import { iso } from '../../../shared/time.ts';
import { newVip, type RegistryEntry, type Vip } from '../../../shared/vip/vip.ts';
import { complaintOf } from '../../command/aws-errors.ts';
import { CliError, refused, status, usage } from '../../command/exit.ts';
import { hint } from '../../command/hint.ts';
import type { Session } from '../../command/session.ts';
import { entriesFrom } from '../../command/vip/manifest-file.ts';
import { registeredNames, unknown } from '../../command/vip/registered-vip.ts';
import type { ByHandOptions } from './options.ts';

/** An operator who asks for this has no time for the SDK's patience. */
const REGISTRY_WITHIN_MS = 8000;

export interface KnownVip {
  /** With the members that EC2 shows. */
  readonly vip: Vip;
  readonly seen: Observation;
  readonly from: 'the registry' | 'the file' | 'the command line' | 'EC2 alone';
  /** Why it is not from the registry. */
  readonly problem?: string;
  /** To be checked by a person. */
  readonly checks: readonly string[];
  /** Elastic IPs that the VIP has only by their tags. */
  readonly isUnsureOfEips: boolean;
}

export async function knownVip(session: Session, name: string, options: ByHandOptions): Promise<KnownVip> {
  const registered = await fromRegistry(session, name);
  if ('vip' in registered) {
    const { vip } = registered;
    refuseOther(vip, await given(name, options), options);
    const { seen, checks } = await observed(session, vip);
    const members = { ...vip.members, ...membersSeen(vip, seen, vip.members) };
    return { vip: { ...vip, members }, seen, from: 'the registry', checks, isUnsureOfEips: false };
  }
  const { problem } = registered;
  const entry = await given(name, options);
  const scope = entry ?? { name, tableLabels: [name], nodeLabels: [name] };
  const seen = await session.ports.ec2.observe(scope);
  const whole = { ...emptyEntry(name), ...scope, ...placeIn(seen, scope.nodeLabels, name, entry?.vpc) };
  const addresses = entry?.addresses ?? inferred(whole, seen, options);
  const eips = eipsFrom(seen, entry?.eips);
  const vip = newVip({ ...whole, addresses, eips });
  return {
    vip: { ...vip, members: membersSeen(vip, seen, {}) },
    seen,
    from:
      options.manifest !== undefined ? 'the file' : entry === undefined ? 'EC2 alone' : 'the command line',
    problem,
    checks: entry === undefined ? addresses.map((one) => inferredText(one, whole)) : [],
    isUnsureOfEips: options.manifest === undefined && options.eip === undefined,
  };
}

async function fromRegistry(
  session: Session,
  name: string,
): Promise<{ readonly vip: Vip } | { readonly problem: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ readonly problem: string }>((resolve) => {
    const problem = `DynamoDB did not answer within ${REGISTRY_WITHIN_MS / 1000} s`;
    timer = setTimeout(() => resolve({ problem }), REGISTRY_WITHIN_MS);
  });
  const reading = session.ports.vips.read(name).then(
    (vip) => ({ read: vip }),
    (error: unknown) => {
      const complaint = complaintOf(error);
      if (complaint === undefined) throw error;
      return { problem: complaint.message };
    },
  );
  try {
    const found = await Promise.race([reading, late]);
    if ('problem' in found) return found;
    if (!isRegistered(found.read)) throw unknown(name, await registeredNames(session));
    return { vip: found.read };
  } finally {
    clearTimeout(timer);
  }
}

/** Where the describes fail, from what reconcile stored. */
async function observed(
  session: Session,
  vip: Vip,
): Promise<{ readonly seen: Observation; readonly checks: readonly string[] }> {
  try {
    return { seen: await session.ports.ec2.observe(vip), checks: [] };
  } catch (error) {
    const complaint = complaintOf(error);
    if (complaint === undefined) throw error;
    const view = await session.ports.views.view(vip.name).catch(() => undefined);
    if (view === undefined || viewProblem(vip, view, session.now()) !== undefined) throw error;
    const when = iso(view.endedAtMs);
    return {
      seen: view,
      checks: [
        `EC2 did not answer (${complaint.message}): tables and ENIs are as reconcile saw them at ${when}`,
      ],
    };
  }
}

type Entry = Pick<RegistryEntry, 'name' | 'addresses' | 'eips' | 'tableLabels' | 'nodeLabels'> & {
  readonly vpc?: string | undefined;
};

/** What the operator gives; undefined where nothing. */
async function given(
  name: string,
  { manifest, address, eip = [] }: ByHandOptions,
): Promise<Entry | undefined> {
  const spelt = (texts: readonly string[]) =>
    texts.map((text) => {
      const found = vipAddress(text, true);
      if (typeof found === 'string') return found;
      throw usage(refusal(found), hint('failover --help'));
    });
  if (manifest === undefined) {
    if (address === undefined) return undefined;
    return { name, addresses: spelt(address), eips: eip, tableLabels: [name], nodeLabels: [name] };
  }
  const entries = await entriesFrom(manifest);
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined)
    throw refused(
      `${manifest} has no VIP ${name}`,
      `it has: ${entries.map((one) => one.name).join(', ') || 'none'}; or name its addresses: --address`,
    );
  const addresses = spelt(entry.addresses);
  if (addresses.length === 0)
    throw refused(`${manifest} has no address of ${name}, only a pool`, 'name its addresses: --address');
  return { ...entry, addresses, eips: [...entry.eips, ...eip] };
}

function refuseOther(vip: Vip, entry: Entry | undefined, { manifest }: ByHandOptions): void {
  if (entry === undefined) return;
  const others = entry.addresses.filter((address) => !vip.addresses.includes(address));
  if (others.length === 0) return;
  throw refused(
    `the registry answers: ${vip.name} has ${vip.addresses.join(', ')}, not ${others.join(', ')}`,
    `leave ${manifest === undefined ? '--address' : '--manifest'} out`,
  );
}

const emptyEntry = (name: string) => ({
  ...{ name, addresses: [] as readonly string[], eips: [] as readonly string[], hold: 'both' as const },
});

function placeIn(
  seen: Observation,
  labels: readonly string[],
  name: string,
  vpc: string | undefined,
): Pick<RegistryEntry, 'vpc' | 'account'> {
  const places = placesOf(seen, labels).filter((place) => vpc === undefined || place.vpc === vpc);
  const [place, ...others] = places;
  if (place === undefined)
    throw refused(
      `EC2 shows no ENI in use with the label ${labels.join(' or ')}${vpc === undefined ? '' : ` in ${vpc}`}`,
      `if ${name} has labels of its own, name the file that has them: --manifest FILE`,
    );
  if (others.length === 0) return place;
  throw refused(
    `ENIs with the label ${labels.join(' or ')} are in ${places.map((one) => one.vpc).join(', ')}`,
    'name the file that says which VPC it is: --manifest FILE',
  );
}

/** One destination only: with two it is not known whether both are of this VIP. */
function inferred(entry: RegistryEntry, seen: Observation, { to }: ByHandOptions): readonly string[] {
  const found = destinationsSeen(entry, seen);
  if (found.length === 1) return found;
  const labels = entry.tableLabels.join(' or ');
  const addresses = found.map((one) => `--address ${shellWord(one)}`).join(' ') || '--address ADDRESS';
  const command = `failover ${entry.name} --to ${shellWord(to)} --print-commands`;
  throw new CliError(
    found.length === 0
      ? `no table with the label ${labels} routes an address to a node: which addresses ${entry.name} has is not known`
      : `tables with the label ${labels} route ${found.join(', ')}: which of them are ${entry.name}’s is not known`,
    `name its addresses: ${hint(`${command} ${addresses}`)}; or the registry’s file, as apply takes it: --manifest FILE`,
    status.refused,
  );
}

const inferredText = (address: string, { name, tableLabels, vpc }: RegistryEntry): string =>
  `${address} is inferred: the only address that tables of ${vpc} with the label ${tableLabels.join(' or ')} route to a node. Is it ${name}’s?`;

/** Allocation ids; a public address is looked up. Without any, all that the tags name. */
function eipsFrom(seen: Observation, named: readonly string[] | undefined): readonly string[] {
  if (named === undefined || named.length === 0) return seen.eips.map(({ eip }) => eip);
  return named.map((text) => seen.eips.find(({ publicAddress }) => publicAddress === text)?.eip ?? text);
}
