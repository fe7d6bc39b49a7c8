// The steps of the workflow `failover` (runbook/failover.asl.json): a state that runs code has the name of a step here.
// Every step answers with data; a step that throws is a fault of its own, which the workflow catches.
//
// Invariant: nothing here decides what comes next; that is the workflow's, where it can be read and seen at work.

import type { Rates } from '../rate-limit/local-bucket.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { minutes, plus } from '../time.ts';
import { noticeOf } from '../timeline/message.ts';
import {
  type OperatorActionKind,
  type OperatorActionStore,
  operatorAction,
} from '../timeline/operator-action.ts';
import type { ApprovalStore } from './approval.ts';
import { awaitClaim, executeForcedFailover, switchBack, verifyOrder } from './execute.ts';
import type { ExecutionState, StepInput, SwitchSummary } from './execution.ts';
import type { FailoverOrder, SwitchResult } from './order.ts';
import { type Preflight, preflight } from './preflight.ts';
import { awaitRelease, judgeRelease, type Release } from './rejoin.ts';
import { report } from './report.ts';

export interface ForcedFailoverPorts extends Ports {
  readonly orders: OperatorActionStore;
  readonly approvals: ApprovalStore;
  /** EC2's request buckets of this account; EC2's defaults unless told. */
  readonly sizes?: Rates;
}

/** The workflow gives up waiting after the same time (TimeoutSeconds of requestApproval). */
export const APPROVAL_WAIT = minutes(60);

const orderOf = (history: ExecutionState): FailoverOrder => {
  if (history.preflight === undefined)
    throw new Error('the workflow has no preflight: its states are out of order');
  return history.preflight.order;
};

async function lookAhead(ports: ForcedFailoverPorts, order: FailoverOrder): Promise<Preflight> {
  const vip = await ports.vips.read(order.vip);
  const seen = vip === undefined || vip.removedAtMs !== undefined ? undefined : await ports.ec2.observe(vip);
  return preflight(vip, seen, order, ports.clock.now(), ports.sizes);
}

async function record(
  ports: ForcedFailoverPorts,
  order: FailoverOrder,
  execution: string,
  word: Recorded,
): Promise<void> {
  const { vip, to: node } = order;
  const words = { vip, node, order: word.order, by: word.by, reason: word.reason, atMs: ports.clock.now() };
  await ports.orders.put(operatorAction(words, `${execution}/${word.order}`));
}

interface Recorded {
  readonly order: OperatorActionKind;
  readonly by: string;
  readonly reason: string;
}

async function requestApproval(ports: ForcedFailoverPorts, { story: history, execution, token }: StepInput) {
  const order = orderOf(history);
  const atMs = ports.clock.now();
  const plan = history.preflight!.plan;
  const asked = { vip: order.vip, execution, token: token!, order, plan, atMs };
  await ports.approvals.ask({ ...asked, untilMs: plus(atMs, APPROVAL_WAIT) });
  return { asked: true };
}

async function recordDecision(ports: ForcedFailoverPorts, { story: history, execution }: StepInput) {
  const { approved, by, reason = '' } = history.decision!;
  await record(ports, orderOf(history), execution, { order: approved ? 'approve' : 'deny', by, reason });
  return { recorded: true };
}

async function recordOrder(ports: ForcedFailoverPorts, { story: history, execution }: StepInput) {
  const order = orderOf(history);
  const reason = `${order.mode}: ${order.reason}`;
  await record(ports, order, execution, { order: 'failover', by: order.by, reason });
  return { recorded: true };
}

async function judge(ports: ForcedFailoverPorts, { story: history }: StepInput): Promise<Release> {
  const order = orderOf(history);
  const { owner, priority } = history.preflight!.before;
  const vip = await ports.vips.read(order.vip);
  if (vip === undefined || owner === undefined)
    return { outcome: 'keep', why: 'nothing is known of the VIP' };
  return judgeRelease(vip, order, { node: owner, priority }, ports.clock.now());
}

const carrying = (carried: SwitchResult, stage: string): SwitchSummary => {
  const { failover, ...rest } = carried;
  return failover === undefined ? rest : { ...rest, notice: noticeOf(failover, stage) };
};

/** By the name of their state. */
export const steps = {
  preflight: (ports: ForcedFailoverPorts, { story: history }: StepInput) =>
    lookAhead(ports, orderOf(history)),
  requestApproval,
  recordDecision,
  recordOrder,
  awaitClaim: (ports: ForcedFailoverPorts, { story: history }: StepInput) =>
    awaitClaim(ports, orderOf(history)),
  switchVip: async (ports: ForcedFailoverPorts, { story: history, execution, stage }: StepInput) =>
    carrying(await executeForcedFailover(ports, orderOf(history), execution), stage),
  verify: (ports: ForcedFailoverPorts, { story: history }: StepInput) => verifyOrder(ports, orderOf(history)),
  judgeRelease: judge,
  awaitRelease: (ports: ForcedFailoverPorts, { story: history }: StepInput) =>
    awaitRelease(ports, orderOf(history), history.preflight!.before.owner!),
  switchBack: async (ports: ForcedFailoverPorts, { story: history, execution, stage }: StepInput) =>
    carrying(await switchBack(ports, orderOf(history), execution), stage),
  report: async (_desk: ForcedFailoverPorts, asked: StepInput) => report(asked),
} as const;

export type StepName = keyof typeof steps;
