// Before a VIP is registered or its entry changed: everything is looked up, and checked against the registry and the VPC.
// Nothing is written here.
import type { Observation } from '../../shared/network/observation.ts';
import { ifDefined } from '../../shared/optional.ts';
import { awsCommand } from '../../shared/place.ts';
import type { Range } from '../../shared/registry/ip-range.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import {
  clashes,
  insideRefused,
  nameRefused,
  poolInside,
  type Refused,
  refusal,
  type VpcSeen,
  vipAddress,
  wordsRefused,
} from '../../shared/registry/validate.ts';
import type { Hold, RegistryEntry, Vip } from '../../shared/vip/vip.ts';
import { refused, usage } from '../command/exit.ts';
import { hint, placeHere } from '../command/hint.ts';
import type { Session } from '../command/session.ts';
import type { Lookups } from './lookups.ts';
import { type Drawing, poolOf } from './pool.ts';
import { listsAround } from './prefix-lists.ts';

/** What was asked for; what is absent keeps its value, or gets the default of a new VIP. */
export interface Wanted {
  readonly name: string;
  readonly addresses?: readonly string[] | undefined;
  /** A further address out of this range. */
  readonly pool?: string | undefined;
  /** Allocation ids or public addresses. */
  readonly eips?: readonly string[] | undefined;
  readonly vpc?: string | undefined;
  readonly tableLabels?: readonly string[] | undefined;
  readonly nodeLabels?: readonly string[] | undefined;
  readonly hold?: Hold | undefined;
  readonly priority?: 'first' | 'normal' | undefined;
  readonly allowPublic?: boolean | undefined;
}

export interface Prepared extends Drawing {
  readonly was: Vip | undefined;
  readonly entry: RegistryEntry;
  readonly pool?: Range;
  /** What the pool would give as things stand. */
  readonly next?: string;
  readonly seen: Observation;
  /** What an operator should know; nothing that forbids it. */
  readonly remarks: readonly string[];
}

/** Whose registry it is, and how to look at EC2. */
export interface Asking {
  readonly session: Session;
  readonly look: Lookups;
}

/** Looks everything up and checks it against the registry and the VPC. Throws a CliError that names every conflict. */
export async function prepare(
  { session, look }: Asking,
  wanted: Wanted,
  was: Vip | undefined,
  others: readonly Vip[],
): Promise<Prepared> {
  const allowPublic = wanted.allowPublic === true;
  refuseWords(nameRefused(wanted.name), wanted.name);
  const addresses = parsed(wanted.addresses, allowPublic) ?? was?.addresses ?? [];
  const pool = wanted.pool === undefined ? undefined : poolOf(wanted.pool, allowPublic);
  const labels = {
    tableLabels: wanted.tableLabels ?? was?.tableLabels ?? [wanted.name],
    nodeLabels: wanted.nodeLabels ?? was?.nodeLabels ?? [wanted.name],
  };
  const seen = await look.observe({ name: wanted.name, ...labels });
  const vpc = await vpcOf({ session, look }, wanted, was, seen);
  const { eips, remarks } = await eipsOf({ session, look }, wanted, was, labels.nodeLabels);
  const entry: RegistryEntry = {
    name: wanted.name,
    addresses,
    eips,
    vpc: vpc.vpc,
    account: vpc.account,
    ...labels,
    hold: wanted.hold ?? was?.hold ?? 'both',
    ...((wanted.priority ?? was?.priority) === 'first' ? { priority: 'first' as const } : {}),
  };
  const standing = others.filter((vip) => isRegistered(vip) && vip.name !== wanted.name);
  const lists = await listsAround(look, entry, { vpc, others: standing, allowPublic });
  refuseWords(wordsRefused(entry, pool === undefined ? 0 : 1), wanted.name);
  const problems = [
    ...entry.addresses.flatMap((address) => insideRefused(address, vpc)),
    ...(pool === undefined ? [] : poolInside(pool, vpc)),
    ...lists.problems,
    ...clashes(entry, standing),
  ];
  refuse(problems, wanted.name);
  const drawn = ifDefined(pool, (range) => ({ pool: range, closed: lists.closed }));
  return { was, entry, ...drawn, vpc, seen, remarks };
}

/** What is wrong whatever the registry and the VPC are. */
function refuseWords(problems: readonly Refused[], found: string): void {
  if (problems.length > 0)
    throw usage(`${found}: ${problems.map(refusal).join('\n')}`, 'vipshift vip add --help');
}

export function refuse(problems: readonly Refused[], name: string): void {
  if (problems.length === 0) return;
  const lines = problems.map(refusal);
  throw refused(
    `${name} is refused:\n${lines.join('\n')}`,
    `change what is named above; ${hint('vip list')} shows what is taken`,
  );
}

function parsed(texts: readonly string[] | undefined, allowPublic: boolean): readonly string[] | undefined {
  if (texts === undefined) return undefined;
  const results = texts.map((text) => vipAddress(text, allowPublic));
  refuseWords(
    results.filter((r) => typeof r !== 'string'),
    texts.join(', '),
  );
  return results.filter((r) => typeof r === 'string');
}

async function vpcOf(
  { session, look }: Asking,
  wanted: Wanted,
  was: Vip | undefined,
  seen: Observation,
): Promise<VpcSeen> {
  const inferred = [...new Set([...seen.tables, ...seen.enis].map((t) => t.vpc))];
  const id = wanted.vpc ?? was?.vpc ?? (inferred.length === 1 ? inferred[0] : undefined);
  if (id === undefined) {
    const found =
      inferred.length === 0 ? 'nothing has its label yet' : `labelled things lie in ${inferred.join(', ')}`;
    throw usage(`which VPC? ${found}`, `name it: --vpc vpc-…`);
  }
  const vpc = await look.vpc(id);
  if (vpc === undefined) {
    throw refused(
      `there is no ${id} in ${session.region}`,
      `${awsCommand('ec2 describe-vpcs', placeHere())}, or another --region`,
    );
  }
  const account = await session.account();
  if (account !== undefined && account !== vpc.account) {
    throw refused(
      `${id} is shared by account ${vpc.account}, and you are ${account}: a participant cannot change its route tables`,
      `deploy vipshift in account ${vpc.account}, and register the VIP there`,
    );
  }
  return vpc;
}

async function eipsOf(
  { session, look }: Asking,
  wanted: Wanted,
  was: Vip | undefined,
  nodeLabels: readonly string[],
): Promise<{ eips: readonly string[]; remarks: readonly string[] }> {
  if (wanted.eips === undefined) return { eips: was?.eips ?? [], remarks: [] };
  const found = await look.eips(wanted.eips);
  const missing = wanted.eips.filter((_, i) => found[i] === undefined);
  if (missing.length > 0) {
    throw refused(
      `not an Elastic IP of this account and Region: ${missing.join(', ')}`,
      awsCommand('ec2 describe-addresses', placeHere()),
    );
  }
  const labels = [wanted.name, ...nodeLabels];
  const untagged = found.filter((e) => !labels.includes(e!.label ?? ''));
  const remarks = untagged.map(
    (e) =>
      `${e!.eip} does not have the tag yet, so it will not move: ${awsCommand(`ec2 create-tags --resources ${e!.eip} --tags Key=${session.tag},Value=${wanted.name}`, placeHere())}`,
  );
  return { eips: found.map((e) => e!.eip), remarks };
}
