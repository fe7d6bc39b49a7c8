// What the doctor knows of the deployed service: its stack, rules, functions, queues, alarms and tables. It is one for all
// VIPs, so its findings name no VIP.
//
// Limit: what a deployment made is compared with what this release deploys; what was changed by hand shows, and so does a
// stack of another release where the two differ.
import { awsCommand, deployCommand, type Place } from '../../place.ts';
import { type Finding, fault, type Particulars, warning } from '../finding.ts';
import type { Policy } from './iam-policy.ts';

export interface StackFact {
  /** CloudFormation's name of its state. */
  readonly status: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** The eight rules, by what they are for. */
export type RuleKind =
  | 'claims'
  | 'notices'
  | 'instances'
  | 'changes'
  | 'reconcile'
  | 'warnings'
  | 'health'
  | 'scheduled';

export interface RuleFact {
  readonly kind: RuleKind;
  readonly name: string;
  readonly arn: string;
  readonly bus: string;
  /** Undefined where it has none: a schedule. */
  readonly pattern?: unknown;
  readonly schedule?: string;
  readonly enabled: boolean;
  /** ARNs. */
  readonly targets: readonly string[];
  /** A target gets something else than the event, by an input of its own. */
  readonly rewrites?: true;
}

export const functionNames = ['failover', 'reconcile', 'runbook'] as const;
export type FunctionName = (typeof functionNames)[number];

export interface FunctionFact {
  readonly name: FunctionName;
  /** Undefined where there is no such function. */
  readonly found?: {
    readonly arn: string;
    /** Lambda's names: `Active`; `Successful`. */
    readonly state: string;
    readonly lastUpdate: string;
    readonly timeoutS: number;
    readonly environment: Readonly<Record<string, string>>;
    /** Undefined: it has none of its own. */
    readonly reserved?: number;
    /** ARNs from which EventBridge may invoke it. */
    readonly invokers: readonly string[];
    /** Its own; undefined where it has none. */
    readonly policy?: Policy;
  };
}

export interface QueueFact {
  readonly queue: string;
  readonly url: string;
  /** Messages that wait; undefined where there is no such queue. */
  readonly waiting?: number;
}

export interface AlarmFact {
  readonly alarm: string;
  /** CloudWatch's name: `OK`, `ALARM`, `INSUFFICIENT_DATA`. */
  readonly state: string;
  readonly actionsEnabled: boolean;
  readonly actions: readonly string[];
}

export interface TopicFact {
  readonly arn: string;
  readonly confirmed: number;
  readonly pending: number;
}

export interface TableStateFact {
  readonly table: string;
  /** Undefined where there is no such table. */
  readonly found?: {
    readonly status: string;
    readonly isProtected: boolean;
    /** Point-in-time recovery. */
    readonly recovers: boolean;
    /** The attribute by which items run out; undefined where they do not. */
    readonly ttl?: string;
  };
}

/** Each part is undefined where it could not be looked up. */
export interface ServiceFacts {
  readonly place: Place;
  /** The names that the command line itself uses. */
  readonly names: { readonly bus: string; readonly vipsTable: string; readonly timelineTable: string };
  /** `stack` is undefined where there is none. */
  readonly stack?: { readonly stack: StackFact | undefined } | undefined;
  readonly rules?: readonly RuleFact[] | undefined;
  readonly functions?: readonly FunctionFact[] | undefined;
  /** Of failover; `url` is undefined where there is none. */
  readonly url?: { readonly url: { readonly authType: string } | undefined } | undefined;
  readonly queues?: readonly QueueFact[] | undefined;
  readonly alarms?: readonly AlarmFact[] | undefined;
  readonly topic?: TopicFact | undefined;
  readonly tables?: readonly TableStateFact[] | undefined;
}

/** Made again by a deployment, whatever was done to it. */
export const deployedAgain = ({ place }: ServiceFacts): { readonly command: string } => ({
  command: deployCommand(place),
});

type Said = Omit<Particulars, 'vips'>;
type Name = Parameters<typeof fault>[0];
export const serviceFault = (check: Name, said: Said): Finding => fault(check, { vips: [], ...said });
export const serviceWarning = (check: Name, said: Said): Finding => warning(check, { vips: [], ...said });

export function stackFindings(facts: ServiceFacts): readonly Finding[] {
  const { place, stack } = facts;
  if (stack === undefined) return [];
  const subject = `vipshift-${place.stage}`;
  if (stack.stack === undefined)
    return [
      serviceFault('stack-state', {
        subject,
        found: 'there is no such stack',
        expected: 'the deployed service',
        remedy: { ...deployedAgain(facts), remark: 'or ask for another --stage or --region' },
      }),
    ];
  const { status } = stack.stack;
  if (/^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE$/.test(status)) return [];
  return [
    serviceWarning('stack-state', {
      subject,
      found: `is ${status}`,
      expected: 'CREATE_COMPLETE or UPDATE_COMPLETE',
      remedy: {
        sentence: `see what CloudFormation waits for: ${awsCommand(`cloudformation describe-stack-events --stack-name ${subject}`, place)}; then deploy again`,
      },
    }),
  ];
}
