// One description of everything with a label of this stage, divided among the VIPs. Reconciling a thousand VIPs takes as
// many calls as there are pages; describing each VIP would take three calls a VIP and use up EC2's Describe budget.
//
// Invariant: each VIP gets what `observe` would have given it. Limit: pages are read one after the other, so parts of an
// observation may be seconds apart; `beganAtMs` is the beginning of the first.
import {
  DescribeAddressesCommand,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  type Tag,
} from '@aws-sdk/client-ec2';
import type { EipSeen, EniSeen, Observation, TableSeen } from '../../network/observation.ts';
import { EIP_SUFFIX } from '../../vip/member.ts';
import type { Scope } from '../../vip/vip.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import type { Ec2Access } from './access.ts';
import { ENIS_PER_PAGE, eipFrom, eniFrom, TABLES_PER_PAGE, tableFrom } from './observe.ts';

/** 20,000 tables: a hundred full VPCs. */
const PAGES_MAX = 200;

/** What a look needs: it never changes anything. */
export type Looking = Omit<Ec2Access, 'writer'>;

export async function observeAll(
  access: Looking,
  scopes: readonly Scope[],
): Promise<ReadonlyMap<string, Observation>> {
  const beganAtMs = access.clock.now();
  try {
    const things = await labelledThings(access);
    return divided(things, scopes, { source: 'ec2', beganAtMs, endedAtMs: access.clock.now() });
  } catch (error) {
    throw faultFromSdkError(error, `observing ${scopes.length} VIPs`);
  }
}

export interface LabelledThings {
  readonly tables: readonly Labelled<TableSeen>[];
  readonly enis: readonly Labelled<EniSeen>[];
  readonly eips: readonly Labelled<EipSeen>[];
}

/** Everything that has the tag, whatever its value. */
export async function labelledThings(access: Looking): Promise<LabelledThings> {
  const [tables, enis, eips] = await Promise.all([tablesOf(access), enisOf(access), eipsOf(access)]);
  const seen = eips.map((eip) => eip.thing);
  const eniSeen = enis.map(({ label, thing }) => ({ label, thing: eniFrom(thing, access.tag, seen) }));
  return { tables, enis: eniSeen, eips };
}

/** Each VIP's part of it. */
export function divided(
  { tables, enis, eips }: LabelledThings,
  scopes: readonly Scope[],
  times: Pick<Observation, 'source' | 'beganAtMs' | 'endedAtMs'>,
): ReadonlyMap<string, Observation> {
  const by = { tables: byLabel(tables), enis: byLabel(enis), eips: byLabel(eips) };
  return new Map(
    scopes.map((scope) => {
      const nodeLabels = [...scope.nodeLabels, ...scope.nodeLabels.map((label) => label + EIP_SUFFIX)];
      const own = {
        tables: labelled(by.tables, scope.tableLabels),
        enis: labelled(by.enis, nodeLabels),
        eips: labelled(by.eips, [scope.name, ...nodeLabels]),
      };
      return [scope.name, { ...times, ...own }];
    }),
  );
}

interface Labelled<Thing> {
  readonly label: string;
  readonly thing: Thing;
}

const labelOf = (access: Looking, tags: readonly Tag[] | undefined): string =>
  tags?.find((tag) => tag.Key === access.tag)?.Value ?? '';

const byTagKey = (access: Looking) => ({ Filters: [{ Name: 'tag-key', Values: [access.tag] }] });

/** Only what is kept of a table: the pages themselves, with all their routes, are let go one by one. */
const tablesOf = (access: Looking) =>
  collect(
    paginateDescribeRouteTables({ client: access.reader, pageSize: TABLES_PER_PAGE }, byTagKey(access), {
      abortSignal: access.signal,
    }),
    (page) =>
      page.RouteTables?.map((table) => ({
        label: labelOf(access, table.Tags),
        thing: tableFrom(table, access.tag),
      })),
    PAGES_MAX,
  );

const enisOf = (access: Looking) =>
  collect(
    paginateDescribeNetworkInterfaces({ client: access.reader, pageSize: ENIS_PER_PAGE }, byTagKey(access), {
      abortSignal: access.signal,
    }),
    (page) => page.NetworkInterfaces?.map((eni) => ({ label: labelOf(access, eni.TagSet), thing: eni })),
    PAGES_MAX,
  );

/** DescribeAddresses knows no pages. */
async function eipsOf(access: Looking) {
  const command = new DescribeAddressesCommand(byTagKey(access));
  const reply = await access.reader.send(command, { abortSignal: access.signal });
  return (reply.Addresses ?? []).map((address) => ({
    label: labelOf(access, address.Tags),
    thing: eipFrom(address),
  }));
}

function byLabel<Thing>(things: readonly Labelled<Thing>[]): ReadonlyMap<string, readonly Thing[]> {
  const groups = new Map<string, Thing[]>();
  for (const { label, thing } of things) {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [thing]);
    else group.push(thing);
  }
  return groups;
}

const labelled = <Thing>(groups: ReadonlyMap<string, readonly Thing[]>, labels: readonly string[]): Thing[] =>
  [...new Set(labels)].flatMap((label) => groups.get(label) ?? []);
