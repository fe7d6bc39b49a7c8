// The doctor on what starts what: rules, their targets, and the functions with their places and settings.
import { awsCommand } from '../../place.ts';
import type { Finding } from '../finding.ts';
import { oddities } from './patterns.ts';
import {
  deployedAgain,
  type FunctionFact,
  type FunctionName,
  functionNames,
  type RuleFact,
  type RuleKind,
  type ServiceFacts,
  serviceFault,
  serviceWarning,
} from './stack.ts';

interface RuleSpec {
  readonly what: string;
  /** Without it … */
  readonly loss: string;
  /** Whether the next failover, or word of its failure, depends on it. */
  readonly vital: boolean;
  /** The function it starts, or the output of the stack that names the workflow. */
  readonly starts: FunctionName | { readonly workflow: 'NoticeMachineArn' | 'WarningMachineArn' };
}

const warningWorkflow = { workflow: 'WarningMachineArn' } as const;

export const rules: Readonly<Record<RuleKind, RuleSpec>> = {
  claims: {
    ...{ what: 'the rule that takes claims to the function failover', vital: true, starts: 'failover' },
    loss: 'no claim moves a VIP before the next reconcile, and none is recorded',
  },
  reconcile: {
    ...{ what: 'the schedule of the function reconcile', vital: true, starts: 'reconcile' },
    loss: 'missed claims, dead holders and drift are not repaired',
  },
  notices: {
    ...{ what: 'the rule that tells the operators of failovers', vital: true },
    starts: { workflow: 'NoticeMachineArn' },
    loss: 'no notice of a failover, or of its failure, is sent',
  },
  instances: {
    ...{ what: 'the rule for instances that stop', vital: false, starts: 'reconcile' },
    loss: 'a stopped instance is noticed by the next reconcile only',
  },
  changes: {
    ...{ what: 'the rule for changes by others', vital: false, starts: 'reconcile' },
    loss: 'a change by others is repaired by the next reconcile only',
  },
  warnings: {
    ...{ what: 'the rule for spot interruption warnings', vital: false, starts: warningWorkflow },
    loss: 'a spot instance is not emptied before it stops, unless the node itself does so',
  },
  health: {
    ...{ what: 'the rule for changes that AWS Health has scheduled', vital: false, starts: warningWorkflow },
    loss: 'scheduled maintenance is noticed by reconcile only',
  },
  scheduled: {
    ...{ what: 'the rule for scheduled events that reconcile finds', vital: false, starts: warningWorkflow },
    loss: 'a node leaves before its maintenance only where AWS Health’s event arrives',
  },
};

export function ruleFindings(facts: ServiceFacts): readonly Finding[] {
  if (facts.rules === undefined) return [];
  return (Object.keys(rules) as RuleKind[]).flatMap((kind) => {
    const own = facts.rules!.filter((rule) => rule.kind === kind);
    return own.length === 0 ? [missingRule(facts, kind)] : own.flatMap((rule) => judgedRule(facts, rule));
  });
}

const say = (kind: RuleKind) => (rules[kind].vital ? serviceFault : serviceWarning);

const missingRule = (facts: ServiceFacts, kind: RuleKind): Finding =>
  say(kind)('rule-missing', {
    subject: kind,
    found: `${rules[kind].what} is not there: ${rules[kind].loss}`,
    expected: 'as the stack made it',
    remedy: deployedAgain(facts),
  });

function judgedRule(facts: ServiceFacts, rule: RuleFact): readonly Finding[] {
  const { what, loss, starts } = rules[rule.kind];
  const at = rule.bus === 'default' ? '' : ` --event-bus-name ${rule.bus}`;
  const found: Finding[] = [];
  if (!rule.enabled)
    found.push(
      say(rule.kind)('rule-disabled', {
        subject: rule.name,
        found: `${what} is disabled: ${loss}`,
        expected: 'enabled',
        remedy: { command: awsCommand(`events enable-rule --name ${rule.name}${at}`, facts.place) },
      }),
    );
  const isWorkflow = typeof starts === 'object';
  const target = isWorkflow ? facts.stack?.stack?.outputs[starts.workflow] : arnOf(facts, starts);
  if (target !== undefined && !rule.targets.includes(target))
    found.push(
      say(rule.kind)('rule-target', {
        subject: rule.name,
        found: `${what} ${rule.targets.length === 0 ? 'has no target' : `leads to ${rule.targets.join(', ')}`}: ${loss}`,
        expected: target,
        remedy: isWorkflow
          ? deployedAgain(facts)
          : {
              command: awsCommand(
                `events put-targets --rule ${rule.name}${at} --targets Id=${starts},Arn=${target}`,
                facts.place,
              ),
              remark: 'a deployment gives it its retries and dead-letter queue back',
            },
      }),
    );
  if (rule.rewrites === true)
    found.push(
      say(rule.kind)('rule-target', {
        subject: rule.name,
        found: `${what} hands its target something else than the event: ${loss}`,
        expected: 'the event as it is',
        remedy: deployedAgain(facts),
      }),
    );
  const [odd] = oddities(rule);
  if (odd !== undefined)
    found.push(
      say(rule.kind)('rule-pattern', {
        subject: rule.name,
        found: `${what} ${odd}`,
        expected: 'what the stack made: it matches other events now',
        remedy: deployedAgain(facts),
      }),
    );
  return found;
}

const arnOf = ({ functions }: ServiceFacts, name: FunctionName): string | undefined =>
  functions?.find((one) => one.name === name)?.found?.arn;

/** The longest that a function may take (serverless.yml): EC2's budget lets 400 calls through in 72 s. */
export const TIMEOUT_MIN_S = 300;

export function functionFindings(facts: ServiceFacts): readonly Finding[] {
  if (facts.functions === undefined) return [];
  return functionNames.flatMap((name) => {
    const { found } = facts.functions!.find((one) => one.name === name) ?? { name };
    const subject = `vipshift-${facts.place.stage}-${name}`;
    if (found === undefined)
      return [
        serviceFault('function-state', {
          subject,
          found: 'there is no such function',
          expected: 'as the stack made it',
          remedy: deployedAgain(facts),
        }),
      ];
    return [
      ...stateFindings(facts, subject, found),
      ...settingFindings(facts, subject, found),
      ...invokerFindings(facts, name, found),
    ];
  });
}

type Found = NonNullable<FunctionFact['found']>;

function stateFindings(facts: ServiceFacts, subject: string, found: Found): readonly Finding[] {
  const all: Finding[] = [];
  if (found.reserved === 0) {
    const wanted = Number(facts.stack?.stack?.parameters.ReservedConcurrency ?? '0');
    const own = subject.endsWith('-failover') && wanted > 0;
    all.push(
      serviceFault('function-concurrency', {
        subject,
        found: 'its reserved concurrency is 0: it is never run',
        expected: own ? String(wanted) : 'none of its own, or more than 0',
        remedy: {
          command: own
            ? awsCommand(
                `lambda put-function-concurrency --function-name ${subject} --reserved-concurrent-executions ${wanted}`,
                facts.place,
              )
            : awsCommand(`lambda delete-function-concurrency --function-name ${subject}`, facts.place),
        },
      }),
    );
  }
  const runs = ['Active', 'Inactive'].includes(found.state);
  // After an update that failed the code before it goes on.
  if (!runs || found.lastUpdate === 'Failed')
    all.push(
      (runs ? serviceWarning : serviceFault)('function-state', {
        subject,
        found: `is ${found.state}, its last update ${found.lastUpdate}`,
        expected: 'Active, Successful',
        remedy: deployedAgain(facts),
      }),
    );
  return all;
}

function settingFindings(facts: ServiceFacts, subject: string, found: Found): readonly Finding[] {
  const { names, place } = facts;
  const expected = {
    VIPSHIFT_STAGE: place.stage,
    VIPSHIFT_VIPS_TABLE: names.vipsTable,
    VIPSHIFT_TIMELINE_TABLE: names.timelineTable,
    VIPSHIFT_BUS: names.bus,
  };
  const wrong = Object.entries(expected)
    .filter(([name, value]) => found.environment[name] !== value)
    .map(([name]) => `${name}=${found.environment[name] ?? ''}`);
  if (found.timeoutS < TIMEOUT_MIN_S) wrong.push(`a timeout of ${found.timeoutS} s`);
  if (wrong.length === 0) return [];
  return [
    serviceFault('function-settings', {
      subject,
      found: `has ${wrong.join(', ')}`,
      expected: `${Object.entries(expected)
        .map(([name, value]) => `${name}=${value}`)
        .join(', ')}, ${TIMEOUT_MIN_S} s`,
      remedy: deployedAgain(facts),
    }),
  ];
}

function invokerFindings(facts: ServiceFacts, name: FunctionName, found: Found): readonly Finding[] {
  return (facts.rules ?? [])
    .filter(
      (rule) => rules[rule.kind].starts === name && !found.invokers.some((from) => covers(from, rule.arn)),
    )
    .map((rule) =>
      say(rule.kind)('function-permission', {
        subject: `vipshift-${facts.place.stage}-${name}`,
        found: `EventBridge may not invoke it for ${rules[rule.kind].what}: ${rules[rule.kind].loss}`,
        expected: `lambda:InvokeFunction for events.amazonaws.com from ${rule.arn}`,
        remedy: {
          command: awsCommand(
            `lambda add-permission --function-name vipshift-${facts.place.stage}-${name} --statement-id vipshift-${rule.kind} --action lambda:InvokeFunction --principal events.amazonaws.com --source-arn ${rule.arn}`,
            facts.place,
          ),
        },
      }),
    );
}

/** A source ARN may end in a wildcard. */
const covers = (from: string, arn: string): boolean =>
  from === arn || from === '*' || (from.endsWith('*') && arn.startsWith(from.slice(0, -1)));
