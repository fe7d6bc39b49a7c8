// The steps of the workflow `failover` (runbook/failover.asl.json): a state that runs code has the name of a step here.
// Every step answers with data; a step that throws is a fault of its own, which the workflow catches.
//
// Invariant: nothing here decides what comes next; that is the workflow's, where it can be read and seen at work.
import type { ApprovalDesk, Decision } from './approval.ts';
import { type OrderBook, type OrderKind, orderEntry } from './ledger-order.ts';
import { type Notice, noticeOf, subjectOf } from './notice.ts';
import { awaitClaim, type Carried, carryOut, type FailoverOrder, switchBack, verifyOrder } from './order.ts';
import type { Rates } from './pace.ts';
import { type Preflight, preflight } from './preflight.ts';
import type { Wire } from './switch.ts';
import { minutes, plus } from './time.ts';

export interface Desk extends Wire {
  readonly orders: OrderBook;
  readonly approvals: ApprovalDesk;
  /** EC2's request buckets of this account. */
  readonly sizes: Rates;
}

/** What the workflow knows when a step begins; later fields are there once their states are done. */
export interface Story {
  readonly preflight?: Preflight & { readonly order: FailoverOrder };
  readonly decision?: Decision;
  readonly awaited?: { readonly outcome: string; readonly why: string };
  readonly switched?: Carrying;
  readonly verified?: { readonly outcome: string; readonly wrong: readonly string[] };
  readonly switchedBack?: Carrying;
  /** How it ends, as the workflow says: done, refused, denied or failed. */
  readonly end?: { readonly outcome: 'done' | 'refused' | 'denied' | 'failed' };
  /** What a state threw. */
  readonly error?: { readonly Error: string; readonly Cause: string };
}

/** What a switch leaves in the workflow's data, which has a limit: the record has the rest. */
export type Carrying = Omit<Carried, 'failover'> & { readonly why?: string; readonly notice?: Notice };

export interface Asked {
  readonly execution: string;
  readonly stage: string;
  readonly story: Story;
  readonly token?: string;
}

/** The workflow gives up waiting after the same time (TimeoutSeconds of requestApproval). */
export const APPROVAL_WAIT = minutes(60);

const orderOf = (story: Story): FailoverOrder => {
  if (story.preflight === undefined)
    throw new Error('the workflow has no preflight: its states are out of order');
  return story.preflight.order;
};

async function lookAhead(desk: Desk, order: FailoverOrder): Promise<Preflight> {
  const vip = await desk.vips.read(order.vip);
  const seen = vip === undefined || vip.removedAtMs !== undefined ? undefined : await desk.ec2.observe(vip);
  return preflight(vip, seen, order, desk.clock.now(), desk.sizes);
}

async function record(desk: Desk, order: FailoverOrder, execution: string, word: Recorded): Promise<void> {
  const { vip, to: node } = order;
  const words = { vip, node, order: word.order, by: word.by, reason: word.reason, atMs: desk.clock.now() };
  await desk.orders.put(orderEntry(words, `${execution}/${word.order}`));
}

interface Recorded {
  readonly order: OrderKind;
  readonly by: string;
  readonly reason: string;
}

async function requestApproval(desk: Desk, { story, execution, token }: Asked) {
  const order = orderOf(story);
  const atMs = desk.clock.now();
  const plan = story.preflight!.plan;
  const asked = { vip: order.vip, execution, token: token!, order, plan, atMs };
  await desk.approvals.ask({ ...asked, untilMs: plus(atMs, APPROVAL_WAIT) });
  return { asked: true };
}

async function recordDecision(desk: Desk, { story, execution }: Asked) {
  const { approved, by, reason = '' } = story.decision!;
  await record(desk, orderOf(story), execution, { order: approved ? 'approve' : 'deny', by, reason });
  return { recorded: true };
}

async function recordOrder(desk: Desk, { story, execution }: Asked) {
  const order = orderOf(story);
  const reason = `${order.mode}: ${order.reason}`;
  await record(desk, order, execution, { order: 'failover', by: order.by, reason });
  return { recorded: true };
}

const carrying = (carried: Carried, stage: string): Carrying => {
  const { failover, ...rest } = carried;
  return failover === undefined ? rest : { ...rest, notice: noticeOf(failover, stage) };
};

export interface Report extends Notice {
  /** For the workflow's own end. */
  readonly error: string;
  readonly cause: string;
}

/** The message about the whole order, and the reason that the workflow ends with. */
export function report({ story, stage, execution }: Asked): Report {
  const outcome = story.end?.outcome ?? 'failed';
  const order = story.preflight?.order;
  const reasons = reasonsOf(story);
  const cause = reasons.length === 0 ? 'no reason was given' : reasons.join('; ');
  const what = order === undefined ? 'forced failover' : `${order.vip} to ${order.to} (${order.mode})`;
  const owner = story.switchedBack?.owner ?? story.switched?.owner;
  const lines = [
    `Forced failover ${outcome}: ${what}, stage ${stage}`,
    ...(order === undefined ? [] : [`Ordered by ${order.by}: ${order.reason}`]),
    ...(story.decision === undefined
      ? []
      : [`${story.decision.approved ? 'Approved' : 'Denied'} by ${story.decision.by}`]),
    ...(outcome === 'done' ? [] : [`Reason: ${cause}`]),
    ...(story.switchedBack === undefined ? [] : [`Switched back: ${backText(story.switchedBack)}`]),
    ...(owner === undefined ? [] : [`Now the owner: ${owner}`]),
    ...(story.switched?.notice === undefined ? [] : ['', story.switched.notice.text]),
    ...(outcome === 'done' ? [] : [`Next: ${next(order, stage)}`]),
    `Execution: ${execution}`,
  ];
  const subject = subjectOf(`vipshift ${stage}: order ${outcome}: ${what}`);
  return { subject, text: lines.join('\n'), error: `Failover${capital(outcome)}`, cause };
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const backText = (back: Carrying): string =>
  back.outcome === 'switched' ? 'yes' : `no: ${back.why ?? 'unknown'}; reconcile goes on trying`;
const next = (order: FailoverOrder | undefined, stage: string): string =>
  order === undefined
    ? `vipshift vip list --stage ${stage}`
    : `vipshift status ${order.vip} --stage ${stage}`;

function reasonsOf({
  preflight: before,
  decision,
  awaited,
  switched,
  verified,
  error,
  end,
}: Story): string[] {
  const reasons = [...(before?.reasons ?? [])];
  if (decision?.approved === false)
    reasons.push(`denied by ${decision.by}: ${decision.reason ?? 'no reason'}`);
  if (end?.outcome === 'denied' && decision === undefined) reasons.push('nobody approved it in time');
  if (awaited?.outcome === 'missing') reasons.push(awaited.why);
  if (switched?.outcome === 'failed') reasons.push(switched.why ?? 'the switch failed');
  if (verified?.outcome === 'wrong') reasons.push(`EC2 does not show it: ${verified.wrong.join(', ')}`);
  if (error !== undefined) reasons.push(`${error.Error}: ${error.Cause}`.slice(0, 1000));
  return reasons;
}

/** By the name of their state. */
export const steps = {
  preflight: (desk: Desk, { story }: Asked) => lookAhead(desk, orderOf(story)),
  requestApproval,
  recordDecision,
  recordOrder,
  awaitClaim: (desk: Desk, { story }: Asked) => awaitClaim(desk, orderOf(story)),
  switchVip: async (desk: Desk, { story, execution, stage }: Asked) =>
    carrying(await carryOut(desk, orderOf(story), execution), stage),
  verify: (desk: Desk, { story }: Asked) => verifyOrder(desk, orderOf(story)),
  switchBack: async (desk: Desk, { story, execution, stage }: Asked) =>
    carrying(await switchBack(desk, orderOf(story), execution), stage),
  report: async (_desk: Desk, asked: Asked) => report(asked),
} as const;

export type StepName = keyof typeof steps;
