// What the doctor reads of the stack, its rules and its functions.
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  type EventBridgeClient,
  ListRulesCommand,
  type ListRulesResponse,
  ListTargetsByRuleCommand,
  type Rule,
  type Target,
} from '@aws-sdk/client-eventbridge';
import {
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { type Policy, policyFrom, sourceArns, statements } from '../../doctor/service/iam-policy.ts';
import {
  type FunctionFact,
  type FunctionName,
  functionNames,
  type RuleFact,
  type RuleKind,
  type ServiceFacts,
} from '../../doctor/service/stack.ts';
import { defined } from '../../optional.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';

export interface WiringAccess {
  readonly stacks: CloudFormationClient;
  readonly events: EventBridgeClient;
  readonly lambda: LambdaClient;
  readonly stage: string;
  readonly bus: string;
  readonly signal: AbortSignal;
}

const nameOf = (stage: string): string => `vipshift-${stage}`;

export async function stackOf({ stacks, stage, signal }: WiringAccess): Promise<ServiceFacts['stack']> {
  const StackName = nameOf(stage);
  try {
    const { Stacks = [] } = await stacks.send(new DescribeStacksCommand({ StackName }), {
      abortSignal: signal,
    });
    const [found] = Stacks;
    if (found === undefined) return { stack: undefined };
    return {
      stack: {
        status: found.StackStatus ?? 'unknown',
        parameters: pairs(found.Parameters, (p) => [p.ParameterKey, p.ParameterValue]),
        outputs: pairs(found.Outputs, (o) => [o.OutputKey, o.OutputValue]),
      },
    };
  } catch (error) {
    if (isNoStack(error)) return { stack: undefined };
    throw faultFromSdkError(error, `looking up the stack ${StackName}`);
  }
}

/** CloudFormation has no code of its own for it; the name is well formed, so nothing else is wrong with the request. */
const isNoStack = (error: unknown): boolean => (error as Error).name === 'ValidationError';

const pairs = <T>(
  list: readonly T[] | undefined,
  of: (one: T) => readonly [string | undefined, string | undefined],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (list ?? []).map(of).flatMap(([key, value]) => (key === undefined ? [] : [[key, value ?? '']])),
  );

/** By CloudFormation's names of the stack's rules: `vipshift-dev-ClaimRule-…`. */
const kinds: readonly (readonly [string, RuleKind])[] = [
  ['ClaimRule', 'claims'],
  ['NoticeRule', 'notices'],
  ['InstanceHints', 'instances'],
  ['ChangeHints', 'changes'],
  ['ReconcileEventsRule', 'reconcile'],
  ['WarningRule', 'warnings'],
  ['HealthRule', 'health'],
  ['WarnedRule', 'scheduled'],
];

export async function rulesOf(access: WiringAccess): Promise<readonly RuleFact[]> {
  try {
    const found = await Promise.all([rulesOn(access, access.bus), rulesOn(access, 'default')]);
    return (await Promise.all(found.flat().map((rule) => ruleFact(access, rule)))).flat();
  } catch (error) {
    throw faultFromSdkError(error, 'looking up rules');
  }
}

const rulesOn = (access: WiringAccess, bus: string): Promise<Rule[]> =>
  collect(rulePages(access, bus), ({ Rules }) => Rules);

/** The SDK has no paginator for it. */
async function* rulePages({ events, stage, signal }: WiringAccess, EventBusName: string) {
  const NamePrefix = nameOf(stage);
  let NextToken: string | undefined;
  do {
    const page: ListRulesResponse = await events.send(
      new ListRulesCommand({ EventBusName, NamePrefix, ...defined({ NextToken }) }),
      { abortSignal: signal },
    );
    yield page;
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
}

async function ruleFact({ events, signal }: WiringAccess, rule: Rule): Promise<readonly RuleFact[]> {
  const name = rule.Name ?? '';
  const kind = kinds.find(([part]) => name.includes(part))?.[1];
  if (kind === undefined) return [];
  const bus = rule.EventBusName ?? 'default';
  const { Targets = [] } = await events.send(
    new ListTargetsByRuleCommand({ Rule: name, EventBusName: bus }),
    { abortSignal: signal },
  );
  return [
    {
      ...{ kind, name, bus, arn: rule.Arn ?? '', enabled: rule.State !== 'DISABLED' },
      ...defined({ pattern: patternOf(rule.EventPattern), schedule: rule.ScheduleExpression || undefined }),
      targets: Targets.flatMap(({ Arn }) => Arn ?? []),
      ...(Targets.some(isRewritten) ? { rewrites: true as const } : {}),
    },
  ];
}

const isRewritten = ({ Input, InputPath, InputTransformer }: Target): boolean =>
  Boolean(Input) || Boolean(InputPath) || InputTransformer !== undefined;

const patternOf = (text: string | undefined): unknown =>
  text === undefined || text === '' ? undefined : (JSON.parse(text) as unknown);

export const functionsOf = (access: WiringAccess): Promise<readonly FunctionFact[]> =>
  Promise.all(functionNames.map((name) => functionFact(access, name)));

async function functionFact(access: WiringAccess, name: FunctionName): Promise<FunctionFact> {
  const { lambda, stage, signal } = access;
  const FunctionName = `${nameOf(stage)}-${name}`;
  const abort = { abortSignal: signal };
  try {
    const [config, { ReservedConcurrentExecutions }, policy] = await Promise.all([
      lambda.send(new GetFunctionConfigurationCommand({ FunctionName }), abort),
      lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }), abort),
      policyOf(access, FunctionName),
    ]);
    return {
      name,
      found: {
        arn: config.FunctionArn ?? '',
        state: config.State ?? 'Active',
        lastUpdate: config.LastUpdateStatus ?? 'Successful',
        timeoutS: config.Timeout ?? 0,
        environment: config.Environment?.Variables ?? {},
        ...defined({ reserved: ReservedConcurrentExecutions, policy }),
        invokers: invokersIn(policy),
      },
    };
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up the function ${FunctionName}`);
    if (fault.kind === 'gone') return { name };
    throw fault;
  }
}

/** The function's own; undefined where it has none. */
async function policyOf({ lambda, signal }: WiringAccess, FunctionName: string): Promise<Policy | undefined> {
  try {
    const reply = await lambda.send(new GetPolicyCommand({ FunctionName }), { abortSignal: signal });
    return policyFrom(reply.Policy);
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up who may invoke ${FunctionName}`);
    if (fault.kind === 'gone') return undefined;
    throw fault;
  }
}

/** The sources from which EventBridge may invoke it; without a condition, any. */
const invokersIn = (policy: Policy | undefined): readonly string[] =>
  statements(policy)
    .filter(
      ({ Effect, Principal }) =>
        Effect === 'Allow' && JSON.stringify(Principal).includes('events.amazonaws.com'),
    )
    .flatMap((statement) => {
      const sources = sourceArns(statement);
      return sources.length === 0 ? ['*'] : sources;
    });

/** The function URL of failover. */
export async function urlOf({ lambda, stage, signal }: WiringAccess): Promise<ServiceFacts['url']> {
  const FunctionName = `${nameOf(stage)}-failover`;
  try {
    const { AuthType } = await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName }), {
      abortSignal: signal,
    });
    return { url: { authType: AuthType ?? 'none' } };
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up the function URL of ${FunctionName}`);
    if (fault.kind === 'gone') return { url: undefined };
    throw fault;
  }
}
