// One look at a whole stage for a person who asks: what each VIP would observe, and besides it what the tags of the VIPs'
// VPCs get wrong. Four lists in parallel, however many VIPs there are.
//
// Limit: of ENIs and EIPs only those with the tag are seen; one with a mistyped key is not.

import { paginateDescribeRouteTables, type RouteTable } from '@aws-sdk/client-ec2';
import { isNearKey, type Survey, type TableSurveyed } from '../../network/labels.ts';
import type { Observation } from '../../network/observation.ts';
import { defined, ifDefined } from '../../optional.ts';
import type { RegistryEntry } from '../../vip/vip.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import { filter } from './access.ts';
import { TABLES_PER_PAGE, tableFrom } from './observe.ts';
import { divided, type Looking, labelledThings } from './observe-all.ts';

export interface Surveyed {
  /** By the VIP's name: what `observe` would have given it. */
  readonly observations: ReadonlyMap<string, Observation>;
  readonly survey: Survey;
}

export async function surveyed(access: Looking, entries: readonly RegistryEntry[]): Promise<Surveyed> {
  const beganAtMs = access.clock.now();
  const vpcs = [...new Set(entries.map((entry) => entry.vpc))].sort();
  try {
    const [things, tables] = await Promise.all([
      labelledThings(access),
      vpcs.length === 0 ? [] : tablesOf(access, vpcs),
    ]);
    const times = { source: 'ec2' as const, beganAtMs, endedAtMs: access.clock.now() };
    const survey = {
      tag: access.tag,
      tables: [
        ...tables.map((table) => surveyedTable(table, access.tag)),
        ...things.tables.flatMap(({ thing }) => (vpcs.includes(thing.vpc) ? [] : [thing])),
      ],
      enis: things.enis.map(({ label, thing: { eni, vpc, account } }) => ({ eni, vpc, account, label })),
      eips: things.eips.map(({ label, thing }) => ({ eip: thing.eip, label })),
    };
    return { observations: divided(things, entries, times), survey };
  } catch (error) {
    throw faultFromSdkError(error, `observing ${entries.length} VIPs`);
  }
}

const tablesOf = (access: Looking, vpcs: readonly string[]) =>
  collect(
    paginateDescribeRouteTables(
      { client: access.reader, pageSize: TABLES_PER_PAGE },
      { Filters: filter('vpc-id', vpcs) },
      { abortSignal: access.signal },
    ),
    (page) => page.RouteTables,
  );

function surveyedTable(table: RouteTable, tag: string): TableSurveyed {
  const { vpc, account, routes } = tableFrom(table, tag);
  const tags = table.Tags ?? [];
  const label = tags.find((t) => t.Key === tag)?.Value;
  const near = tags.find((t) => isNearKey(t.Key ?? '', tag));
  return {
    table: table.RouteTableId!,
    vpc,
    account,
    ...defined({ label }),
    ...defined({ nearKey: ifDefined(near, ({ Key, Value = '' }) => ({ key: Key!, value: Value })) }),
    routes,
  };
}
