// The packaged template with what a deployment's stage and sizes are settled by put in: names and numbers as they stand on AWS, and a policy
// that the template has as text as the object that it is. What stays open: the parameters that decide who may speak, and references.

import { conditionHolds } from './resolve.ts';
import type { Template } from './template.ts';

/** Parameters that only name or size something. */
const settling = [
  ...['Stage', 'VipsTableName', 'TimelineTableName', 'DeletionProtection', 'RetentionDays', 'ArchiveDays'],
  ...['LogRetentionDays', 'ReconcileSchedule', 'MetricsByVip', 'HandOverFolder'],
];
const settlingConditions = [
  ...['HasVipsTableName', 'HasTimelineTableName', 'HasDeletionProtection', 'HasReconcileSchedule'],
];

export function settled(template: Template): Template {
  const Resources = settle(template, template.Resources) as Template['Resources'];
  return { ...template, Resources, Outputs: settle(template, template.Outputs) as Template['Outputs'] };
}

function settle(template: Template, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => settle(template, one));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: id, 'Fn::If': choice, 'Fn::Sub': text, 'Fn::Join': joined } = value as Record<string, unknown>;
  if (typeof id === 'string' && settling.includes(id)) return defaultOf(template, id);
  if (text !== undefined) return settleText(template, text);
  if (Array.isArray(choice) && settlingConditions.includes(choice[0] as string)) {
    const [condition, yes, no] = choice as [string, unknown, unknown];
    return settle(template, conditionHolds(template, template.Conditions[condition]) ? yes : no);
  }
  if (Array.isArray(joined)) {
    const [between, parts] = settle(template, joined) as [string, readonly unknown[]];
    if (parts.every((part) => typeof part === 'string')) return parts.join(between);
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, settle(template, one)]));
}

function defaultOf({ Parameters }: Template, name: string): string | number {
  const { Type, Default } = Parameters[name] as { Type?: string; Default: string | number };
  return Type === 'Number' ? Number(Default) : Default;
}

function settleText(template: Template, given: unknown): unknown {
  const [text, variables] = (Array.isArray(given) ? given : [given, {}]) as [string, Record<string, unknown>];
  const named = text.replace(/\$\{(\w+)\}/g, (whole, name: string) =>
    settling.includes(name) ? String(defaultOf(template, name)) : whole,
  );
  if (/^\{"/.test(named)) return policyOf(template, named, variables);
  if (!named.includes('${')) return named;
  return { 'Fn::Sub': Array.isArray(given) ? [named, variables] : named };
}

/** A policy's text, or the part of one that hangs on a condition. */
function policyOf(template: Template, text: string, variables: Record<string, unknown>): unknown {
  const bare = text.replace(/(?<!")\$\{(Either\d+)\}(?!")/g, '{"Either":"$1"}');
  return JSON.parse(bare, (_key, value: unknown) => {
    if (typeof value === 'string') return referenceOf(value);
    const { Either: name } = (value ?? {}) as { Either?: string };
    return name === undefined ? value : settle(template, variables[name]);
  });
}

function referenceOf(text: string): unknown {
  const [, id, attribute] = /^\$\{(\w+)(?:\.(\w+))?\}$/.exec(text) ?? [];
  if (id !== undefined) return attribute === undefined ? { Ref: id } : { 'Fn::GetAtt': [id, attribute] };
  return text.includes('${') ? { 'Fn::Sub': text } : text;
}
