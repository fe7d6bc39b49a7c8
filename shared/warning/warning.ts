// A warning: AWS says beforehand that an instance will stop, or may. Read from events of the default bus (aws/events/warning-event.ts)
// and from EC2's list of scheduled events, which has the same warnings for reconcile to find where an event was lost. Pure.
//
// Invariant: what is not understood, or comes too late, is ignored, with its reason; nothing here throws.
// Limit: a spot interruption is in no list that can be polled. Where its event is lost, the node itself asks its metadata service.
import { type Texts, textOf } from '../keyed.ts';
import { type EpochMs, iso } from '../time.ts';

/** EC2 takes a spot instance back: two minutes ahead, or at once where it hibernates. */
export interface Interruption {
  readonly kind: 'interruption';
  readonly node: string;
  readonly action: (typeof interruptionActions)[number];
  /** The event's id. */
  readonly id: string;
  readonly atMs: EpochMs;
}
export const interruptionActions = ['hibernate', 'stop', 'terminate'] as const;

/** A spot instance is more likely than others to be taken back. Advice, no date. */
export interface RebalanceAdvice {
  readonly kind: 'rebalance';
  readonly node: string;
  readonly id: string;
  readonly atMs: EpochMs;
}

/** Work on the instance's host at a date. */
export interface Maintenance {
  readonly kind: 'maintenance';
  readonly node: string;
  /** As AWS spells it: `instance-retirement`, `AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED`. */
  readonly code: string;
  /** The host is failing: it may be unreachable long before the date. */
  readonly degraded: boolean;
  readonly startsAtMs: EpochMs;
  readonly endsAtMs?: EpochMs;
  /** Completed, or cancelled. */
  readonly over: boolean;
  /** An operator has ended the drain for it, and the date is near. */
  readonly again?: true;
}

export type Warning = Interruption | RebalanceAdvice | Maintenance;

/** Why nothing is done about an event. */
export type Ignored =
  /** Its source or its type is none of these. */
  | { readonly key: 'foreign' }
  | { readonly key: 'malformed'; readonly at: readonly string[] }
  /** AWS Health, but no scheduled change of EC2: a zone’s trouble, another service. */
  | { readonly key: 'no-scheduled-change' }
  /** The same event, delivered in a second Region. */
  | { readonly key: 'backup-copy' }
  | { readonly key: 'other-region'; readonly region: string }
  | { readonly key: 'no-instance' }
  | { readonly key: 'unknown-instance'; readonly node: string }
  | { readonly key: 'too-late'; readonly node: string; readonly endedAtMs: EpochMs }
  | { readonly key: 'too-early'; readonly node: string; readonly startsAtMs: EpochMs };

const texts: Texts<Ignored> = {
  foreign: () => 'no warning of AWS: its source or its detail-type is another one',
  malformed: ({ at }) => `not as AWS writes it: ${at.join(', ')}`,
  'no-scheduled-change': () => 'no scheduled change of EC2',
  'backup-copy': () => 'a copy for another Region',
  'other-region': ({ region }) => `it is about ${region}`,
  'no-instance': () => 'it names no instance',
  'unknown-instance': ({ node }) => `${node} is a member of no VIP`,
  'too-late': ({ node, endedAtMs }) => `what was announced for ${node} was over at ${iso(endedAtMs)}`,
  'too-early': ({ node, startsAtMs }) =>
    `what is announced for ${node} begins at ${iso(startsAtMs)}; reconcile finds it when it is time`,
};

export const ignoredText = (reason: Ignored): string => textOf(texts, reason) ?? reason.key;

export function warningText(warning: Warning): string {
  switch (warning.kind) {
    case 'interruption':
      return `spot interruption warning: EC2 will ${warning.action} it`;
    case 'rebalance':
      return 'rebalance recommendation: at risk of a spot interruption';
    case 'maintenance':
      return `${warning.code} from ${iso(warning.startsAtMs)}`;
    default:
      return warning satisfies never;
  }
}

const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;
/** An id, or the ARN of an instance; undefined for anything else. */
export function instanceFrom(text: string): string | undefined {
  const [last = ''] = /[^/]*$/.exec(text) ?? [];
  const bare = last === text || (text.startsWith('arn:') && text.includes(':instance/'));
  return bare && INSTANCE_ID.test(last) ? last : undefined;
}
