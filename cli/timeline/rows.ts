// The rows of `vipshift timeline`: one record of the audit, one line. The simulation prints its histories with them.

import { durationText, momentText } from '../../shared/instants.ts';
import { type Nodes, shortName, withShortNames } from '../../shared/network/node-facts.ts';
import type { StepDone } from '../../shared/network/step.ts';
import { decisionText } from '../../shared/timeline/decision.ts';
import { actionText } from '../../shared/timeline/operator-action.ts';
import { type AuditRecord, newsAge, took } from '../../shared/timeline/query.ts';
import type { Failover, Outcome } from '../../shared/timeline/timeline.ts';
import type { Cell, Paint } from '../command/output.ts';

export const timelineHead: readonly string[] = [
  'time',
  'id',
  'what',
  'from',
  'to',
  'took',
  'report delay',
  'why',
];

export const outcomePaint: Readonly<Record<Outcome, Paint>> = {
  switched: 'good',
  unchanged: 'dim',
  superseded: 'warn',
  partial: 'bad',
  failed: 'bad',
  rejected: 'warn',
  abandoned: 'bad',
};

/** `-` where nothing was to be measured. */
export const millis = (duration: number | undefined): string =>
  duration === undefined ? '-' : `${duration} ms`;

/** A claim that was late by hours need not be read in milliseconds. */
export const ageText = (age: number | undefined): string =>
  age === undefined || age < 10_000 ? millis(age) : durationText(age);

/** Why a step was not done, as far as its record says. */
export const stepWhy = ({ code = '', message = '', fault }: StepDone): string =>
  `${fault === 'bug' ? 'a bug in vipshift, ' : ''}${code} ${message}`;

/** It was there, and EC2 or what was known of it was not trusted. */
const againText = ({ from, to, outcome }: Failover): string =>
  outcome === 'switched' && from === to ? '; set again where it was' : '';

/** Records of one storm are known by it. */
const dampedText = ({ flapping = [] }: Failover): string =>
  flapping.length === 0 ? '' : `; damped: ${flapping.join(' ')}`;

export interface RowForm {
  readonly zone: string;
  /** For a terminal. Without year and milliseconds, which `explain` has. */
  readonly isShort?: boolean;
  /** Those whose names are known; the others are shown by their ids. */
  readonly nodes?: Nodes;
}

export function rowOf(
  record: AuditRecord,
  { zone, isShort = false, nodes = new Map() }: RowForm,
): readonly Cell[] {
  const named = (node: string | undefined) => (node === undefined ? '-' : shortName(node, nodes));
  const whole = momentText(record.atMs, zone);
  const at = isShort ? whole.slice(5, 19).replace('T', ' ') : whole;
  switch (record.entry) {
    case 'outcome': {
      const what = { text: record.outcome, paint: outcomePaint[record.outcome] };
      const id = `${record.vip}/${record.epoch}`;
      return [
        at,
        id,
        what,
        named(record.from),
        named(record.to),
        millis(took(record)),
        ageText(newsAge(record)),
        withShortNames(
          `${record.cause.why}; ${decisionText(record)}${againText(record)}${dampedText(record)}`,
          nodes,
        ),
      ];
    }
    case 'order': {
      const until = record.untilMs === undefined ? '' : ` until ${momentText(record.untilMs, zone)}`;
      const why = `${record.by}: ${record.reason || record.why || 'no reason given'}${until}`;
      const id = `${record.vip}/${record.id.split('/').slice(0, 2).join('/')}`;
      return [
        at,
        id,
        { text: actionText(record.order), paint: 'strong' },
        '-',
        named(record.node),
        '-',
        '-',
        withShortNames(why, nodes),
      ];
    }
    case 'rejected': {
      const what = { text: 'rejected', paint: 'warn' } as const;
      const why = `${record.reason}, ${record.count} in the hour: ${record.message}`;
      const id = `${record.vip}/rejected/${record.hour}/${record.node}/${record.reason}`;
      return [at, id, what, named(record.node), '-', '-', '-', withShortNames(why, nodes)];
    }
    default:
      return record satisfies never;
  }
}
