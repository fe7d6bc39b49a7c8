// Events of AWS that warn of an instance's end, by `detail` alone: `resources` may be absent, and what stands there differs from
// sample to sample. Shapes: EC2 user guide, "Spot Instance interruption notices" and "EC2 instance rebalance recommendations"; AWS
// Health user guide, "AWS Health events Amazon EventBridge schema". Also what reconcile itself has found in EC2's list, from our bus.
//
// Invariant: total. Any JSON is a warning or is ignored, with the reason. One event of AWS Health may name several instances.
import * as z from 'zod/mini';
import { defined, ifDefined } from '../../optional.ts';
import { type EpochMs, epochMs } from '../../time.ts';
import { type ScheduledEvent, scheduledWarning } from '../../warning/scheduled.ts';
import {
  type Ignored,
  instanceFrom,
  interruptionActions,
  type Maintenance,
  type Warning,
} from '../../warning/warning.ts';
import { CONTROLLER_SOURCE, WARNED } from './publisher.ts';

export type WarningEvent =
  | { readonly is: 'warnings'; readonly by: 'aws.ec2' | 'aws.health'; readonly warnings: readonly Warning[] }
  | { readonly is: 'ignored'; readonly reason: Ignored };

const text = z.string().check(z.minLength(1), z.maxLength(2048));
const instance = z.string().check(z.regex(/^i-[0-9a-f]{8,17}$/));
/** In the name of an execution. */
const id = z.string().check(z.regex(/^[0-9A-Za-z-]{1,36}$/));
const envelope = { id, time: z.iso.datetime(), region: text };

const interruption = z.object({
  ...envelope,
  detail: z.object({ 'instance-id': instance, 'instance-action': z.enum(interruptionActions) }),
});
const rebalance = z.object({ ...envelope, detail: z.object({ 'instance-id': instance }) });

/** `Thu, 27 Aug 2026 13:19:03 GMT`. */
const date = z.string().check(
  z.regex(/^\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d GMT$/),
  z.refine((given) => !Number.isNaN(Date.parse(given))),
);
const health = z.object({
  region: text,
  detail: z.object({
    service: text,
    eventTypeCode: z.string().check(z.regex(/^[A-Z0-9_]{1,100}$/)),
    eventTypeCategory: text,
    statusCode: z.optional(z.enum(['open', 'closed', 'upcoming'])),
    eventRegion: z.optional(text),
    backupEvent: z.optional(text),
    startTime: z.optional(z.string()),
    endTime: z.optional(z.string()),
    affectedEntities: z.optional(
      z.array(z.looseObject({ entityValue: z.optional(z.string().check(z.maxLength(2048))) })),
    ),
  }),
});
const dates = z.object({ startTime: date, endTime: z.optional(date) });

const instant = z.int().check(z.minimum(0), z.maximum(8.64e15));
const listed = z.object({
  detail: z.object({
    node: instance,
    code: text,
    description: z.string().check(z.maxLength(2048)),
    notBeforeMs: instant,
    notAfterMs: z.optional(instant),
    again: z.optional(z.literal(true)),
  }),
});

const head = z.looseObject({ source: z.string(), 'detail-type': z.string() });

/** By source and detail-type. */
const readers: Readonly<Record<string, (event: unknown) => WarningEvent>> = {
  'aws.ec2/EC2 Spot Instance Interruption Warning': (event) =>
    read(interruption, event, ({ id: eventId, time, detail }) => {
      const { 'instance-id': node, 'instance-action': action } = detail;
      return ofEc2([{ kind: 'interruption', node, action, id: eventId, atMs: instantOf(time) }]);
    }),
  'aws.ec2/EC2 Instance Rebalance Recommendation': (event) =>
    read(rebalance, event, ({ id: eventId, time, detail }) =>
      ofEc2([{ kind: 'rebalance', node: detail['instance-id'], id: eventId, atMs: instantOf(time) }]),
    ),
  'aws.health/AWS Health Event': (event) => read(health, event, ofHealth),
  [`${CONTROLLER_SOURCE}/${WARNED}`]: (event) =>
    read(listed, event, ({ detail }) => {
      const warning = scheduledWarning(detail as ScheduledEvent);
      return warning === undefined ? ignored({ key: 'foreign' }) : ofEc2([warning]);
    }),
};

export function warningsFrom(event: unknown): WarningEvent {
  const known = head.safeParse(event);
  if (!known.success) return ignored({ key: 'foreign' });
  const kind = `${known.data.source}/${known.data['detail-type']}`;
  return Object.hasOwn(readers, kind) ? readers[kind]!(event) : ignored({ key: 'foreign' });
}

const ignored = (reason: Ignored): WarningEvent => ({ is: 'ignored', reason });
const ofEc2 = (warnings: readonly Warning[]): WarningEvent => ({ is: 'warnings', by: 'aws.ec2', warnings });
const instantOf = (given: string): EpochMs => epochMs(Date.parse(given));

function read<T>(schema: z.ZodMiniType<T>, event: unknown, then: (found: T) => WarningEvent): WarningEvent {
  const parsed = schema.safeParse(event);
  if (parsed.success) return then(parsed.data);
  const at = parsed.error.issues.map(({ path }) => path.join('.'));
  return ignored({ key: 'malformed', at: [...new Set(at)] });
}

/** Retirement, stop and termination are for hosts that fail. */
const DEGRADED = /_(?:RETIREMENT|STOP|TERMINATION)_SCHEDULED$/;

function ofHealth({ region, detail }: z.infer<typeof health>): WarningEvent {
  const { service, eventTypeCode: code, eventTypeCategory, eventRegion = region, statusCode } = detail;
  if (service !== 'EC2' || eventTypeCategory !== 'scheduledChange')
    return ignored({ key: 'no-scheduled-change' });
  if (detail.backupEvent === 'true') return ignored({ key: 'backup-copy' });
  if (eventRegion !== region) return ignored({ key: 'other-region', region: eventRegion });
  const values = (detail.affectedEntities ?? []).flatMap(({ entityValue }) => entityValue ?? []);
  const nodes = new Set(values.flatMap((value) => instanceFrom(value) ?? []));
  if (nodes.size === 0) return ignored({ key: 'no-instance' });
  const when = dates.safeParse(detail);
  if (!when.success) return ignored({ key: 'malformed', at: ['detail.startTime, detail.endTime'] });
  const { startTime, endTime } = when.data;
  const warnings = [...nodes].map(
    (node): Maintenance => ({
      ...{ kind: 'maintenance', node, code, degraded: DEGRADED.test(code) },
      startsAtMs: instantOf(startTime),
      ...defined({ endsAtMs: ifDefined(endTime, instantOf) }),
      over: statusCode === 'closed',
    }),
  );
  return { is: 'warnings', by: 'aws.health', warnings };
}
