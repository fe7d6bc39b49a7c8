// The doctor on EC2's request budget: how long the last VIP waits when a whole zone fails.
//
// EC2 developer guide, "Request throttling": ReplaceRoute and AssociateAddress have a bucket of 50 each, refilled with 5
// a second, per account and Region, shared with all other callers; an account may have been granted more.

import { type Observation, tablesOf } from '../network/observation.ts';
import type { Rate, Rates } from '../rate-limit/local-bucket.ts';
import type { Vip } from '../vip/vip.ts';
import { type Finding, warning } from './finding.ts';

type Sizes = Pick<Rates, 'ReplaceRoute' | 'AssociateAddress'>;
const defaults: Sizes = {
  ReplaceRoute: { burst: 50, perSecond: 5 },
  AssociateAddress: { burst: 50, perSecond: 5 },
};

export interface ZoneLoad {
  readonly zone: string;
  /** Those whose owner is there. */
  readonly vips: readonly string[];
  readonly routes: number;
  readonly eips: number;
}

/** What each zone's failure would make the controller do: every VIP whose owner is there moves. */
export function zoneLoads(
  seen: readonly { readonly vip: Vip; readonly observation: Observation }[],
): readonly ZoneLoad[] {
  const loads = new Map<string, ZoneLoad>();
  for (const { vip, observation } of seen) {
    const zone = vip.owner === undefined ? undefined : vip.members[vip.owner]?.zone;
    if (zone === undefined) continue;
    const was = loads.get(zone) ?? { zone, vips: [], routes: 0, eips: 0 };
    loads.set(zone, {
      zone,
      vips: [...was.vips, vip.name],
      routes: was.routes + tablesOf(vip, observation).length * vip.addresses.length,
      eips: was.eips + vip.eips.length,
    });
  }
  return [...loads.values()].sort((a, b) => (a.zone < b.zone ? -1 : 1));
}

/** Routes and EIPs have buckets of their own and move beside each other. */
export const secondsFor = ({ routes, eips }: ZoneLoad, sizes: Sizes = defaults): number => {
  const waits = (count: number, { burst, perSecond }: Rate) => Math.ceil((count - burst) / perSecond);
  return Math.max(0, waits(routes, sizes.ReplaceRoute), waits(eips, sizes.AssociateAddress));
};

export const loadSentence = (load: ZoneLoad, sizes?: Sizes): string =>
  `if ${load.zone} fails: ${load.vips.length} ${load.vips.length === 1 ? 'VIP' : 'VIPs'}, ${load.routes + load.eips} calls, done in ${Math.max(1, secondsFor(load, sizes))} s`;

export const bucketFindings = (loads: readonly ZoneLoad[], sizes: Sizes = defaults): readonly Finding[] =>
  loads
    .filter((load) => secondsFor(load, sizes) > 0)
    .map((load) =>
      warning('bucket', {
        vips: load.vips,
        subject: load.zone,
        found: loadSentence(load, sizes),
        expected: `at most ${sizes.ReplaceRoute.burst} routes and ${sizes.AssociateAddress.burst} EIPs at once, or the patience for more`,
        remedy: {
          sentence:
            'fewer tables or addresses per VIP (a prefix list is one route), owners spread over zones, or a higher limit from AWS Support, told to the stack as --param ec2Rates=ReplaceRoute=100/10 and here as VIPSHIFT_EC2_RATES',
        },
      }),
    );
