// The workflows `warning` and `departure` as Step Functions would run them: the states, waits, choices and retries are those of
// runbook/departure.asl.json, the steps are invocations of the function `reconcile` like all others.
//
// Limit: of `warning` only its step and its retries; what comes after that is one start for each departure, by its name.
import departureAsl from '../../../runbook/departure.asl.json' with { type: 'json' };
import warningAsl from '../../../runbook/warning.asl.json' with { type: 'json' };
import type { InvocationPorts } from '../../../shared/aws/invocation.ts';
import {
  type DepartureReport,
  leaveNode,
  type Round,
  reportDeparture,
} from '../../../shared/departure/leave.ts';
import type { Warned } from '../../../shared/departure/warned.ts';
import { chance } from '../history/random.ts';
import { struck, type World } from '../world/world.ts';
import type { DepartureRun, WarningRun } from './departure-run.ts';
import type { Ended } from './lambda.ts';
import { readWarningOf } from './read-warning.ts';
import { force, holds, type State } from './workflow.ts';

interface Retry {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly MaxAttempts: number;
  readonly BackoffRate: number;
}
type Retried = State & { readonly Retry?: readonly Retry[]; readonly Seconds?: number };

const states: Readonly<Record<string, Retried>> = departureAsl.States as never;
const reading: Retried = warningAsl.States.readWarning as never;

/** The event has come: a workflow of its own reads it. */
export function warn(world: World, event: unknown): void {
  const name = `warning-${world.warnings.length + 1}`;
  const run: WarningRun = { name, beganAtMs: world.sched.now(), read: undefined, endedAtMs: undefined };
  world.warnings.push(run);
  const work = (ports: InvocationPorts) => readWarningOf(world, ports, event);
  invoke(world, { name: `${name} readWarning`, state: reading, work }, (how) => {
    run.endedAtMs = world.sched.now();
    if (how.is !== 'answered') return;
    run.read = how.answer;
    for (const one of how.answer.departures) depart(world, one);
  });
}

/** An execution that exists is success. */
function depart(world: World, { name, input }: Warned['departures'][number]): void {
  if (world.departures.some((one) => one.name === name)) return;
  const now = world.sched.now();
  const dueAtMs = Date.parse(input.dueAt) - world.epochAt;
  const run: DepartureRun = {
    ...{ name, input, beganAtMs: now, dueAtMs, path: [], rounds: [], data: { input } },
    endedAtMs: undefined,
  };
  world.departures.push(run);
  enter(world, run, departureAsl.StartAt);
}

function enter(world: World, run: DepartureRun, name: string): void {
  const { sched } = world;
  const state = states[name]!;
  run.path.push(name);
  const next = () => enter(world, run, state.Next!);
  switch (state.Type) {
    case 'Pass':
      next();
      break;
    case 'Wait':
      if (state.Seconds === undefined) sched.at(run.dueAtMs, next);
      else sched.after(state.Seconds * 1000, next);
      break;
    case 'Choice':
      enter(world, run, state.Choices!.find((rule) => holds(rule, run.data))?.Next ?? state.Default!);
      break;
    case 'Map':
      for (const { name: of, input } of run.data.left!.demotions) demote(world, of, input as Order);
      sched.after(50, next);
      break;
    case 'Task':
      task(world, run, name);
      break;
    case 'Succeed':
    case 'Fail':
      run.endedAtMs = sched.now();
      world.troubleUntilMs = Math.max(world.troubleUntilMs, sched.now());
      break;
    default:
      throw new Error(`${name}: a state of type ${state.Type} is not known here`);
  }
}

function task(world: World, run: DepartureRun, name: string): void {
  const state = states[name]!;
  if (state.Resource!.includes('sns:publish')) {
    world.sched.after(40, () => enter(world, run, state.Next!));
    return;
  }
  const asked = () => ({ execution: run.name, stage: 'sim', story: run.data });
  const work = async (ports: InvocationPorts): Promise<Round | DepartureReport> =>
    name === 'leaveNode' ? leaveNode(ports, asked()) : reportDeparture(asked());
  const times = run.path.filter((one) => one === name).length;
  invoke(world, { name: `${run.name} ${name} ${times}`, state, work }, (how) => {
    if (how.is === 'answered') {
      run.data = { ...run.data, [name === 'leaveNode' ? 'left' : 'report']: how.answer };
      if (name === 'leaveNode') run.rounds.push({ atMs: world.sched.now(), round: how.answer as Round });
      enter(world, run, state.Next!);
      return;
    }
    run.data = { ...run.data, error: how };
    enter(world, run, state.Catch!.find(({ ErrorEquals }) => matches(ErrorEquals, how))!.Next);
  });
}

interface Step<T> {
  readonly name: string;
  readonly state: Retried;
  readonly work: (ports: InvocationPorts) => Promise<T>;
}

const REPEATS_MAX = 3;

/** With the retries that the file asks for; Lambda's own errors, after which a step may have run, are `step repeated`. */
function invoke<T>(
  world: World,
  { name, state, work }: Step<T>,
  done: (how: Ended<T>) => void,
  time = 1,
): void {
  const { sched, functions, cloud } = world;
  sched.after(20, () =>
    functions.step(`${name} ${time}`, work, (how) => {
      const again = () => invoke(world, { name, state, work }, done, time + 1);
      const luck = chance(cloud.seed, `${name} ${time} repeated`);
      const retry = how.is === 'answered' ? undefined : retryOf(state, how);
      if (retry !== undefined && time <= retry.MaxAttempts)
        sched.after(retry.IntervalSeconds * 1000 * retry.BackoffRate ** (time - 1), again);
      else if (how.is !== 'died' && time < REPEATS_MAX && cloud.odds('step repeated', luck)) {
        struck(world, 'step repeated', sched.now());
        sched.after(1000 * time, again);
      } else sched.after(20, () => done(how));
    }),
  );
}

const retryOf = ({ Retry = [] }: Retried, how: Ended<unknown>): Retry | undefined =>
  Retry.find(({ ErrorEquals }) => matches(ErrorEquals, how));

const matches = (errors: readonly string[], how: Ended<unknown>): boolean =>
  errors.some(
    (error) => error === 'States.ALL' || error === (how.is === 'died' ? 'Sandbox.Timedout' : 'Error'),
  );

interface Order {
  readonly vip: string;
  readonly to: string;
}

function demote(world: World, name: string, { vip, to }: Order): void {
  if (world.demotions.has(name)) return;
  world.demotions.add(name);
  const node = world.machines.findIndex(({ id }) => id === to);
  const how = { mode: 'via-keepalived', pinMinutes: 0, claimWaitSeconds: 30 } as const;
  const of = world.story.vips.findIndex((spec) => spec.name === vip);
  const { sched } = world;
  if (node >= 0) force(world, { does: 'forced failover', vip: of, node, ...how, atMs: sched.now() });
}
