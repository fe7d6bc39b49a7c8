// An operator's forced failover: runbook/failover.asl.json, state by state, as Step Functions would run it. The states that
// run code are invocations like all others: killed, paused, repeated; what happens next is the file's to say.
//
// Limit: knows the kinds of states, choices and paths that the file has, and throws at any other. Lambda's own errors, after
// which a step is repeated though it may have run, are one fault (`step repeated`).
import asl from '../../../runbook/failover.asl.json' with { type: 'json' };
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import type { Preflight } from '../../../shared/forced-failover/preflight.ts';
import { type ForcedFailoverPorts, type StepName, steps } from '../../../shared/forced-failover/steps.ts';
import { type Chance, chance } from '../history/random.ts';
import { settleLater } from '../node/vrrp.ts';
import { strikeBeside } from '../world/beside.ts';
import { struck, type World } from '../world/world.ts';
import type { Execution, Forced } from './execution.ts';
import type { Ended } from './lambda.ts';

export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly (Rule & { readonly Next: string })[];
  readonly Result?: unknown;
  readonly ResultPath?: string;
  readonly Parameters?: unknown;
  readonly TimeoutSeconds?: number;
  readonly Catch?: readonly { ErrorEquals: readonly string[]; ResultPath: string; Next: string }[];
}
interface Rule {
  readonly Variable?: string;
  readonly And?: readonly Rule[];
  readonly StringEquals?: string;
  readonly BooleanEquals?: boolean;
  readonly IsPresent?: boolean;
  readonly NumericLessThan?: number;
}

const states: Readonly<Record<string, State>> = asl.States;
/** More than any way through the file. */
const STATES_MAX = 60;
const REPEATS_MAX = 3;

export function force(world: World, act: Forced): void {
  const { sched, executions } = world;
  const name = `execution-${executions.length + 1}`;
  const node = targetOf(world, act);
  const order: FailoverOrder = {
    vip: world.story.vips[act.vip]!.name,
    to: node,
    mode: act.mode,
    reason: `because of ${name}`,
    by: 'operator',
    dryRun: false,
    approval: act.approved !== undefined,
    pinMinutes: act.pinMinutes,
    claimWaitSeconds: act.claimWaitSeconds,
  };
  world.known.order(order.vip, node);
  const execution: Execution = {
    name,
    vip: act.vip,
    act,
    order,
    path: [],
    enteredAtMs: [],
    demoted: undefined,
    data: {},
    beganAtMs: sched.now(),
    answeredAtMs: new Map(),
    endedAtMs: undefined,
  };
  executions.push(execution);
  enter(world, execution, asl.StartAt);
}

/** No one orders a VIP to where it is, but by mistake. */
function targetOf(world: World, act: Forced): string {
  const owner = world.net.vips.items.get(world.story.vips[act.vip]!.name)?.owner;
  const wanted = world.machines[act.node]!.id;
  const mistaken = chance(world.story.seed, `force ${act.atMs}`).odds(0.1);
  if (wanted !== owner || mistaken) return wanted;
  return world.machines[(act.node + 1) % world.machines.length]!.id;
}

function enter(world: World, execution: Execution, name: string | undefined): void {
  const state = states[name!]!;
  execution.path.push(name!);
  execution.enteredAtMs.push(world.sched.now());
  strikeBeside(world, execution, name!);
  if (execution.path.length > STATES_MAX)
    throw new Error(`${execution.name} runs in circles: ${execution.path.join(', ')}`);
  if (state.Type === 'Task') {
    task(world, execution, name!, (how) => answered(world, execution, state, how));
  } else if (state.Type === 'Choice') {
    const chosen = state.Choices!.find((rule) => holds(rule, execution.data))?.Next;
    enter(world, execution, chosen ?? state.Default);
  } else if (state.Type === 'Pass') {
    if (state.Result !== undefined) keep(execution, state.ResultPath!, state.Result);
    enter(world, execution, state.Next);
  } else if (state.Type === 'Succeed' || state.Type === 'Fail') end(world, execution);
  else throw new Error(`${name}: a state of type ${state.Type} is not known here`);
}

function answered(world: World, execution: Execution, state: State, how: Ended<unknown>): void {
  if (how.is === 'answered') {
    if (state.ResultPath !== undefined) keep(execution, state.ResultPath, how.answer);
    enter(world, execution, state.Next);
    return;
  }
  const timedOut = how.is === 'threw' && how.error === TIMEOUT;
  const error = how.is === 'died' ? 'Sandbox.Timedout' : timedOut ? TIMEOUT : 'Error';
  const caught = state.Catch?.find((c) => c.ErrorEquals.some((e) => e === 'States.ALL' || e === error));
  if (caught === undefined) {
    end(world, execution);
    return;
  }
  keep(execution, caught.ResultPath, {
    Error: error,
    Cause: how.is === 'threw' ? String(how.error) : 'killed',
  });
  enter(world, execution, caught.Next);
}

function end(world: World, execution: Execution): void {
  execution.endedAtMs = world.sched.now();
  world.troubleUntilMs = Math.max(world.troubleUntilMs, world.sched.now());
}

/** `$.a` only: the answer of a state is put next to the others. */
function keep(execution: Execution, path: string, value: unknown): void {
  const field = /^\$\.(\w+)$/.exec(path)?.[1];
  if (field === undefined) throw new Error(`ResultPath ${path} is not known here`);
  execution.data = { ...execution.data, [field]: value };
}

function at(data: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((field) => field !== '')
    .slice(1)
    .reduce<unknown>((value, field) => (value as Record<string, unknown> | undefined)?.[field], data);
}

export function holds(rule: Rule, data: object): boolean {
  if (rule.And !== undefined) return rule.And.every((one) => holds(one, data));
  const value = at(data, rule.Variable!);
  if (rule.IsPresent !== undefined) return (value !== undefined) === rule.IsPresent;
  if (rule.StringEquals !== undefined) return value === rule.StringEquals;
  if (rule.BooleanEquals !== undefined) return value === rule.BooleanEquals;
  if (rule.NumericLessThan !== undefined) return Number(value) < rule.NumericLessThan;
  throw new Error(`a choice of ${Object.keys(rule).join(', ')} is not known here`);
}

type Then = (how: Ended<unknown>) => void;

function task(world: World, execution: Execution, name: string, then: Then): void {
  const resource = states[name]!.Resource!;
  const luck = chance(world.story.seed, `${execution.name} ${name}`);
  if (resource.includes('ssm:sendCommand')) command(world, execution, name, then);
  else if (resource.includes('sns:publish')) {
    world.sched.after(luck.between(20, 100), () => then(ok({})));
  } else {
    invoke(world, execution, { name, time: 1 }, (how) => {
      if (how.is === 'answered') execution.answeredAtMs.set(name, world.sched.now());
      const asked = how.is === 'answered' && resource.includes('waitForTaskToken');
      if (asked) decide(world, execution, luck, then);
      else then(how);
    });
  }
}

/** The second person answers, or no one does in time. */
function decide(world: World, { act }: Execution, luck: Chance, then: Then): void {
  const waitMs = act.approvalMs ?? luck.log(1000, 30_000);
  const timeoutMs = states.requestApproval!.TimeoutSeconds! * 1000;
  // Who answers by hand may send anything.
  const approved = act.approved === 'malformed' ? 'true' : act.approved === true;
  const answer = ok({ approved, by: 'second', reason: 'looked at it' });
  if (waitMs < timeoutMs) world.sched.after(waitMs, () => then(answer));
  else world.sched.after(timeoutMs, () => then({ is: 'threw', error: TIMEOUT }));
}

const TIMEOUT = 'States.Timeout';
const ok = (answer: unknown): Ended<unknown> => ({ is: 'answered', answer });

/** The state, and the how-manyth time it is invoked. */
interface Turn {
  readonly name: string;
  readonly time: number;
}

function invoke(world: World, execution: Execution, { name, time }: Turn, done: Then): void {
  const { sched, functions, cloud } = world;
  const step = (ports: ForcedFailoverPorts) => run(ports, name, execution);
  const luck = chance(cloud.seed, `${execution.name} ${name} ${time} repeated`);
  sched.after(20, () => {
    functions.step(`${execution.name} ${name} ${time}`, step, (how) => {
      const again = time < REPEATS_MAX && how.is !== 'died' && cloud.odds('step repeated', luck);
      if (again) {
        struck(world, 'step repeated', sched.now());
        sched.after(1000 * time, () => invoke(world, execution, { name, time: time + 1 }, done));
      } else sched.after(20, () => done(how));
    });
  });
}

async function run(
  ports: ForcedFailoverPorts,
  name: string,
  { data, order, name: execution }: Execution,
): Promise<unknown> {
  const asked = { execution, stage: 'sim', story: data, token: 'token' };
  if (name !== 'preflight') return steps[name as StepName](ports, asked);
  const seeded = { ...asked, story: { preflight: { order } as Preflight & { order: FailoverOrder } } };
  return { ...(await steps.preflight(ports, seeded)), order };
}

/** SSM takes the command at once; the node carries it out a little later, if it lives. */
function command(world: World, execution: Execution, name: string, then: Then): void {
  const { Parameters } = states[name]!.Parameters as { Parameters: { Demoted: readonly string[] } };
  const demoted = Parameters.Demoted[0] === '1';
  const owner = execution.data.preflight?.before.owner;
  const machine = world.machines.find((m) => m.id === owner);
  if (demoted) execution.demoted = owner;
  const luck = chance(world.story.seed, `${execution.name} ${name}`);
  if (machine === undefined || luck.odds(0.05)) {
    const error = new Error(`InvalidInstanceId: ${owner}`);
    world.sched.after(luck.between(50, 500), () => then({ is: 'threw', error }));
    return;
  }
  const { boot } = machine;
  world.sched.after(luck.between(300, 5000), () => {
    if (!machine.alive || machine.boot !== boot) return;
    machine.instances[execution.vip]!.demoted = demoted;
    settleLater(world.groups[execution.vip]!, world.road);
  });
  world.sched.after(luck.between(50, 500), () => then(ok({ commandId: `command of ${name}` })));
}
