// What the stack's rules match, to be held against the rules that are there.
import type { RuleFact, RuleKind } from './stack.ts';

/** What the stack's rules match; of changes the part that names no role. */
export const patterns: Readonly<Record<Exclude<RuleKind, 'reconcile'>, object>> = {
  claims: { 'detail-type': ['VRRP State Change'], 'replay-name': [{ exists: false }] },
  notices: {
    source: ['vipshift.controller'],
    'detail-type': ['VIP Failover Finished', 'VIP Failover Failed', 'VIP Node Flapping', 'VIP Node Leaving'],
    'replay-name': [{ exists: false }],
    detail: { cause: { kind: ['claim', 'reconcile'] }, flapping: [{ exists: false }] },
  },
  instances: {
    source: ['aws.ec2'],
    'detail-type': ['EC2 Instance State-change Notification'],
    'replay-name': [{ exists: false }],
    detail: { state: ['running', 'stopping', 'stopped', 'shutting-down', 'terminated'] },
  },
  changes: {
    source: ['aws.ec2'],
    'detail-type': ['AWS API Call via CloudTrail'],
    'replay-name': [{ exists: false }],
  },
  warnings: {
    source: ['aws.ec2'],
    'detail-type': ['EC2 Spot Instance Interruption Warning', 'EC2 Instance Rebalance Recommendation'],
    'replay-name': [{ exists: false }],
  },
  health: {
    source: ['aws.health'],
    'detail-type': ['AWS Health Event'],
    'replay-name': [{ exists: false }],
    detail: { service: ['EC2'], eventTypeCategory: ['scheduledChange'] },
  },
  scheduled: {
    source: ['vipshift.controller'],
    'detail-type': ['VIP Node Warned'],
    'replay-name': [{ exists: false }],
  },
};
export const SCHEDULE = 'rate(1 minute)';

/** In what a rule differs from what the stack made of it. */
export function oddities({ kind, schedule, pattern }: RuleFact): readonly string[] {
  if (kind === 'reconcile') return schedule === SCHEDULE ? [] : [`runs by ${schedule ?? 'no schedule'}`];
  const wanted = patterns[kind];
  const found = Object.fromEntries(
    Object.entries(pattern ?? {}).filter(([key]) => kind !== 'changes' || key !== 'detail'),
  );
  return sorted(found) === sorted(wanted) ? [] : [`matches ${JSON.stringify(pattern)}`];
}

/** As text in which the order of keys and of the values of a list does not count. */
const sorted = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(sorted).sort().join()}]`
    : typeof value === 'object' && value !== null
      ? `{${Object.entries(value)
          .map(([key, inner]) => `${key}:${sorted(inner)}`)
          .sort()
          .join()}}`
      : JSON.stringify(value);
