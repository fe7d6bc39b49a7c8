// The doctor on what is kept: the two tables, and the view of each VIP that serves when EC2 does not answer.
import { awsCommand } from '../../place.ts';
import { type EpochMs, minutes } from '../../time.ts';
import type { Vip } from '../../vip/vip.ts';
import { type Finding, fault, warning } from '../finding.ts';
import { type ServiceFacts, serviceFault, serviceWarning, type TableStateFact } from './stack.ts';

/** The attribute by which records run out (resources/tables.yml). */
const TTL_ATTRIBUTE = 'expiresAtS';

export const tableStateFindings = (facts: ServiceFacts): readonly Finding[] =>
  (facts.tables ?? []).flatMap(({ table, found }) =>
    found === undefined
      ? [
          serviceFault('storage-missing', {
            subject: table,
            found: 'there is no such table',
            expected: 'as the stack made it',
            remedy: { sentence: 'restore it: docs/upgrade.md, Restoring' },
          }),
        ]
      : protection(facts, table, found),
  );

function protection(
  { names, place }: ServiceFacts,
  table: string,
  found: NonNullable<TableStateFact['found']>,
): readonly Finding[] {
  const all: Finding[] = [];
  if (!found.isProtected)
    all.push(
      serviceWarning('storage-protection', {
        subject: table,
        found: 'deletion protection is off',
        expected: 'on: the table is the registry or the record',
        remedy: {
          command: awsCommand(
            `dynamodb update-table --table-name ${table} --deletion-protection-enabled`,
            place,
          ),
        },
      }),
    );
  if (!found.recovers)
    all.push(
      serviceWarning('storage-recovery', {
        subject: table,
        found: 'point-in-time recovery is off',
        expected: 'on: there is no other backup',
        remedy: {
          command: awsCommand(
            `dynamodb update-continuous-backups --table-name ${table} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`,
            place,
          ),
        },
      }),
    );
  if (table === names.timelineTable && found.ttl !== TTL_ATTRIBUTE)
    all.push(
      serviceWarning('storage-ttl', {
        subject: table,
        found:
          found.ttl === undefined
            ? 'nothing runs out: the table only grows'
            : `items run out by ${found.ttl}`,
        expected: `by ${TTL_ATTRIBUTE}`,
        remedy: {
          command: awsCommand(
            `dynamodb update-time-to-live --table-name ${table} --time-to-live-specification Enabled=true,AttributeName=${TTL_ATTRIBUTE}`,
            place,
          ),
        },
      }),
    );
  if (table !== names.timelineTable && found.ttl !== undefined)
    all.push(
      serviceWarning('storage-ttl', {
        subject: table,
        found: `items run out by ${found.ttl}`,
        expected: 'never: a removed VIP leaves a tombstone, so that its epoch does not start again',
        remedy: {
          command: awsCommand(
            `dynamodb update-time-to-live --table-name ${table} --time-to-live-specification Enabled=false,AttributeName=${found.ttl}`,
            place,
          ),
        },
      }),
    );
  if (found.status !== 'ACTIVE')
    all.push(
      serviceFault('storage-missing', {
        subject: table,
        found: `is ${found.status}`,
        expected: 'ACTIVE',
        remedy: { sentence: 'wait until it is ACTIVE' },
      }),
    );
  return all;
}

/** A view that holds is confirmed every 30 minutes: this is one that was missed, with time to spare. */
export const VIEW_FRESH = minutes(45);

/** When the view of a VIP was last confirmed; undefined where none is kept. */
export type ViewTimes = ReadonlyMap<string, EpochMs | undefined>;

export function viewFindings(
  { name, owner }: Vip,
  views: ViewTimes | undefined,
  now: EpochMs,
): readonly Finding[] {
  if (views === undefined || owner === undefined) return [];
  const at = views.get(name);
  if (at !== undefined && now - at <= VIEW_FRESH) return [];
  return [
    (at === undefined ? warning : fault)('view-old', {
      vips: [name],
      subject: name,
      found:
        at === undefined
          ? 'no view of its network is kept'
          : `the view of its network is ${Math.round((now - at) / 60_000)} minutes old`,
      expected: `at most ${VIEW_FRESH / 60_000} minutes: reconcile confirms it, and a failover plans from it when EC2 does not answer`,
      remedy: { sentence: 'see whether the schedule of reconcile is enabled, and the log of its function' },
    }),
  ];
}
