// The doctor on what has the tag, or nearly, and is of no VIP: things outside every VIP's VPC, things that vipshift never reads
// the tag of, Elastic IPs that no VIP lists. None of it keeps a failover from working, so these are warnings.

import {
  type LabelledKind,
  mislabelledElsewhere,
  mislabelledText,
  type NearKey,
  type Survey,
  usersOf,
} from '../network/labels.ts';
import { ownCommand } from '../place.ts';
import type { Vip } from '../vip/vip.ts';
import { type EipFact, type EniFact, type TaggedThing, type Tagging, untagCommand } from './facts.ts';
import { type Finding, warning } from './finding.ts';

export interface StrayFacts extends Tagging {
  /** All VIPs that are registered. */
  readonly all: readonly Vip[];
  readonly survey: Survey;
  readonly everything: {
    readonly eips: readonly EipFact[];
    readonly tagged: readonly TaggedThing[];
  };
}

const checkOf = {
  table: 'table-mislabelled',
  eni: 'eni-mislabelled',
  eip: 'eip-mislabelled',
} as const satisfies Record<LabelledKind, string>;

export function strayFindings(facts: StrayFacts): readonly Finding[] {
  const { tag, all, survey, everything } = facts;
  const away = (id: string) => ({ command: untagCommand(id, facts) });
  return [
    ...mislabelledElsewhere(all, survey).map((one) =>
      warning(checkOf[one.kind], {
        vips: [],
        subject: one.id,
        found: `${mislabelledText(one)}; it is in no VIP’s VPC`,
        expected: 'no tag on what is of no VIP',
        remedy: away(one.id),
      }),
    ),
    ...everything.tagged.map(({ id, kind, value }) =>
      warning('tag-unread', {
        vips: [],
        subject: id,
        found: `the ${kind} has the tag ${tag}=${JSON.stringify(value)}, which nothing reads there`,
        expected: 'the tag on route tables, ENIs and Elastic IPs',
        remedy: { ...away(id), remark: 'and tag the table, ENI or Elastic IP that was meant' },
      }),
    ),
    ...everything.eips.flatMap((eip) => unlisted(eip, facts)),
  ];
}

function unlisted({ eip, found }: EipFact, facts: StrayFacts): readonly Finding[] {
  const { tag, place, all } = facts;
  const label = found?.label;
  if (label === undefined || all.some((vip) => vip.eips.includes(eip))) return [];
  const [user, ...more] = usersOf('eip', label, all);
  if (user === undefined) return [];
  const eips = [...user.eips, eip].join(',');
  return [
    warning('eip-unused', {
      vips: [user, ...more].map((vip) => vip.name),
      subject: eip,
      found: `has the tag ${tag}=${JSON.stringify(label)}, and no VIP lists it: it does not move`,
      expected: 'an Elastic IP that a VIP lists, or no tag',
      remedy:
        more.length === 0
          ? {
              command: ownCommand(`vip set ${user.name} --eip ${eips}`, place),
              remark: `or: ${untagCommand(eip, facts)}`,
            }
          : { command: untagCommand(eip, facts), remark: 'or add it to the VIP that it is for' },
    }),
  ];
}

/** ENIs and Elastic IPs that have a mistyped key instead of the tag. */
export const nearKeysOf = ({
  enis,
  eips,
}: {
  readonly enis: readonly EniFact[];
  readonly eips: readonly EipFact[];
}): readonly NearKey[] => [
  ...enis.flatMap(({ eni: id, label, nearKey }): readonly NearKey[] =>
    label !== undefined || nearKey === undefined ? [] : [{ kind: 'eni', id, ...nearKey }],
  ),
  ...eips.flatMap(({ eip: id, found }): readonly NearKey[] =>
    found?.label !== undefined || found?.nearKey === undefined ? [] : [{ kind: 'eip', id, ...found.nearKey }],
  ),
];
