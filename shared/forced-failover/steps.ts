// The steps of the workflow `failover` (runbook/failover.asl.json): a state that runs code has the name of a step here.
// Every step answers with data; a step that throws is a fault of its own, which the workflow catches.
//
// Invariant: nothing here decides what comes next; that is the workflow's, where it can be read and seen at work.

import { statesOf } from '../network/next-owner.ts';
import type { Place } from '../place.ts';
import type { Rates } from '../rate-limit/local-bucket.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { minutes, plus } from '../time.ts';
import {
  type OperatorAction,
  type OperatorActionStore,
  operatorAction,
} from '../timeline/operator-action.ts';
import { type ApprovalStore, answerFrom } from './approval.ts';
import { callsOf, carriedPreflight, carriedSwitch, carriedVerdict } from './carried.ts';
import { awaitClaim, executeForcedFailover, switchBack, verifyOrder } from './execute.ts';
import type { ExecutionState, StepInput } from './execution.ts';
import type { FailoverOrder } from './order.ts';
import { type Preflight, preflight } from './preflight.ts';
import { awaitRelease, judgeRelease, type Release } from './rejoin.ts';
import { report } from './report.ts';
import { type Begun, beginForced, endForced, type ForcedRun } from './under-way.ts';

export interface ForcedFailoverPorts extends Ports {
  readonly orders: OperatorActionStore;
  readonly approvals: ApprovalStore;
  /** EC2's request buckets of this account; by default EC2's own. */
  readonly sizes?: Rates;
  /** Named in the commands of its messages. */
  readonly region?: string;
}

/** The workflow gives up waiting after the same time (TimeoutSeconds of requestApproval). */
export const APPROVAL_WAIT = minutes(60);

const orderOf = (data: ExecutionState): FailoverOrder => {
  if (data.preflight === undefined)
    throw new Error('the workflow has no preflight: its states are out of order');
  return data.preflight.order;
};

const placeOf = ({ region }: ForcedFailoverPorts, { stage }: StepInput): Place => ({ stage, region });

const runOf = ({ story: data, execution }: StepInput): ForcedRun => ({
  execution,
  owner: data.preflight?.before.owner,
  begun: data.begun !== undefined,
});

async function lookAhead(ports: ForcedFailoverPorts, order: FailoverOrder): Promise<Preflight> {
  const vip = await ports.vips.read(order.vip);
  const stands = vip !== undefined && vip.removedAtMs === undefined;
  const [seen, hosts] = await Promise.all([
    stands ? ports.ec2.observe(vip) : undefined,
    stands ? statesOf(ports.ec2, order.to) : undefined,
  ]);
  return carriedPreflight(preflight(vip, seen, order, { now: ports.clock.now(), sizes: ports.sizes, hosts }));
}

async function record(
  ports: ForcedFailoverPorts,
  order: FailoverOrder,
  execution: string,
  word: Recorded,
): Promise<string> {
  const entry = operatorAction(
    { vip: order.vip, node: order.to, ...word, atMs: ports.clock.now() },
    `${execution}/${word.order}`,
  );
  await ports.orders.put(entry);
  return entry.id;
}

type Recorded = Pick<OperatorAction, 'order' | 'by' | 'reason' | 'of' | 'why'>;

async function requestApproval(ports: ForcedFailoverPorts, { story: data, execution, token }: StepInput) {
  const order = orderOf(data);
  const atMs = ports.clock.now();
  const { plan } = data.preflight!;
  const calls = callsOf(data.preflight!);
  const asked = { vip: order.vip, execution, token: token!, order, plan, calls, atMs };
  await ports.approvals.ask({ ...asked, untilMs: plus(atMs, APPROVAL_WAIT) });
  return { asked: true };
}

async function recordDecision(ports: ForcedFailoverPorts, { story: data, execution }: StepInput) {
  const answer = answerFrom(data.decision);
  const order = orderOf(data);
  if (answer.outcome === 'malformed') {
    await record(ports, order, execution, { order: 'deny', by: 'no one', reason: answer.why });
    return { outcome: answer.outcome, why: answer.why };
  }
  const { approved, by, reason = '' } = answer.decision;
  await record(ports, order, execution, { order: approved ? 'approve' : 'deny', by, reason });
  return { outcome: answer.outcome };
}

async function recordOrder(ports: ForcedFailoverPorts, { story: data, execution }: StepInput) {
  const order = orderOf(data);
  const reason = `${order.mode}: ${order.reason}`;
  return { id: await record(ports, order, execution, { order: 'failover', by: order.by, reason }) };
}

/** The last look before anybody is demoted. The order stands in the record already, so that it came to nothing stands there, too. */
async function beginOrder(ports: ForcedFailoverPorts, asked: StepInput): Promise<Begun> {
  const { story: data, execution } = asked;
  const order = orderOf(data);
  const begun = await beginForced(ports, order, runOf(asked));
  const of = data.orderRecord?.id;
  if (begun.outcome === 'refused' && of !== undefined) {
    const why = begun.reasons.join('; ');
    const { by, reason } = order;
    await record(ports, order, execution, { order: 'not-carried-out', by, reason, of, why });
  }
  return begun;
}

/** However it ends, the order is no longer under way; if this fails, it runs out by itself. */
async function conclude(ports: ForcedFailoverPorts, asked: StepInput) {
  const { story: data, execution } = asked;
  if (data.orderRecord !== undefined)
    await endForced(ports, orderOf(data).vip, execution).catch(() => undefined);
  return report(asked, ports.region);
}

async function judge(ports: ForcedFailoverPorts, { story: data }: StepInput): Promise<Release> {
  const order = orderOf(data);
  const { owner, priority } = data.preflight!.before;
  const vip = await ports.vips.read(order.vip);
  if (vip === undefined || owner === undefined)
    return { outcome: 'keep', why: 'nothing is known of the VIP' };
  return judgeRelease(vip, order, { node: owner, priority }, ports.clock.now());
}

/** By the name of their state. */
export const steps = {
  preflight: (ports: ForcedFailoverPorts, { story: data }: StepInput) => lookAhead(ports, orderOf(data)),
  requestApproval,
  recordDecision,
  /** After an approval: what was so an hour ago need not be so now. The order goes along, as from the first look. */
  lookAgain: async (ports: ForcedFailoverPorts, { story: data }: StepInput) => {
    const order = orderOf(data);
    return { ...(await lookAhead(ports, order)), order };
  },
  recordOrder,
  beginOrder,
  awaitClaim: (ports: ForcedFailoverPorts, asked: StepInput) =>
    awaitClaim(ports, orderOf(asked.story), runOf(asked)),
  switchVip: async (ports: ForcedFailoverPorts, asked: StepInput) => ({
    ...carriedSwitch(
      await executeForcedFailover(ports, orderOf(asked.story), runOf(asked)),
      placeOf(ports, asked),
    ),
    round: (asked.story.switched?.round ?? 0) + 1,
  }),
  verify: async (ports: ForcedFailoverPorts, { story: data }: StepInput) =>
    carriedVerdict(await verifyOrder(ports, orderOf(data))),
  judgeRelease: judge,
  awaitRelease: (ports: ForcedFailoverPorts, { story: data }: StepInput) =>
    awaitRelease(ports, orderOf(data), data.preflight!.before.owner!),
  switchBack: async (ports: ForcedFailoverPorts, asked: StepInput) =>
    carriedSwitch(await switchBack(ports, orderOf(asked.story), runOf(asked)), placeOf(ports, asked)),
  report: conclude,
} as const;

export type StepName = keyof typeof steps;
