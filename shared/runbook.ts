// The steps of the workflow `failover` (runbook/failover.asl.json): a state that runs code has the name of a step here.
// Every step answers with data; a step that throws is a fault of its own, which the workflow catches.
//
// Invariant: nothing here decides what comes next; that is the workflow's, where it can be read and seen at work.
import type { ApprovalDesk, Decision } from './approval.ts';
import { type Carrying, callsOf, carriedPreflight, carriedSwitch, carriedVerdict } from './carried.ts';
import { type OrderBook, type OrderKind, orderEntry } from './ledger-order.ts';
import { awaitClaim, carryOut, type FailoverOrder, switchBack, verifyOrder } from './order.ts';
import type { Rates } from './pace.ts';
import { type Preflight, preflight } from './preflight.ts';
import { awaitRelease, judgeRelease, type Release, type Released } from './release.ts';
import { report } from './report.ts';
import type { Wire } from './switch.ts';
import { minutes, plus } from './time.ts';

export interface Desk extends Wire {
  readonly orders: OrderBook;
  readonly approvals: ApprovalDesk;
  /** EC2's request buckets of this account; EC2's defaults unless told. */
  readonly sizes?: Rates;
}

/** What the workflow knows when a step begins; later fields are there once their states are done. */
export interface Story {
  readonly preflight?: Preflight & { readonly order: FailoverOrder };
  readonly decision?: Decision;
  readonly awaited?: { readonly outcome: string; readonly why: string };
  readonly switched?: Carrying;
  readonly verified?: { readonly outcome: string; readonly wrong: readonly string[] };
  readonly switchedBack?: Carrying;
  /** What SSM answered: the master was demoted, raised again on the way back, released after a success. */
  readonly demoted?: Command;
  readonly promoted?: Command;
  readonly released?: Command;
  /** Whether the demoted one may be released, and what came of it. */
  readonly release?: Release;
  readonly stoodBy?: Released;
  /** How it ends, as the workflow says: done, refused, denied or failed. */
  readonly end?: { readonly outcome: 'done' | 'refused' | 'denied' | 'failed' };
  /** What a state threw; what failed on the way back or after the success. */
  readonly restoreError?: unknown;
  readonly error?: { readonly Error: string; readonly Cause: string };
}

interface Command {
  readonly commandId: string;
}

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
  return carriedPreflight(preflight(vip, seen, order, desk.clock.now(), desk.sizes));
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
  const { plan } = story.preflight!;
  const calls = callsOf(story.preflight!);
  const asked = { vip: order.vip, execution, token: token!, order, plan, calls, atMs };
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

async function judge(desk: Desk, { story }: Asked): Promise<Release> {
  const order = orderOf(story);
  const { owner, priority } = story.preflight!.before;
  const vip = await desk.vips.read(order.vip);
  if (vip === undefined || owner === undefined)
    return { outcome: 'keep', why: 'nothing is known of the VIP' };
  return judgeRelease(vip, order, { node: owner, priority }, desk.clock.now());
}

/** By the name of their state. */
export const steps = {
  preflight: (desk: Desk, { story }: Asked) => lookAhead(desk, orderOf(story)),
  requestApproval,
  recordDecision,
  recordOrder,
  awaitClaim: (desk: Desk, { story }: Asked) => awaitClaim(desk, orderOf(story)),
  switchVip: async (desk: Desk, { story, execution, stage }: Asked) =>
    carriedSwitch(await carryOut(desk, orderOf(story), execution), stage),
  verify: async (desk: Desk, { story }: Asked) => carriedVerdict(await verifyOrder(desk, orderOf(story))),
  judgeRelease: judge,
  awaitRelease: (desk: Desk, { story }: Asked) =>
    awaitRelease(desk, orderOf(story), story.preflight!.before.owner!),
  switchBack: async (desk: Desk, { story, execution, stage }: Asked) =>
    carriedSwitch(await switchBack(desk, orderOf(story), execution), stage),
  report: async (_desk: Desk, asked: Asked) => report(asked),
} as const;

export type StepName = keyof typeof steps;
