// The steps of the workflow `failover` (runbook/failover.asl.json): a state that runs code has the name of a step here.
// Every step answers with data; a step that throws is a fault of its own, which the workflow catches.
//
// Invariant: nothing here decides what comes next; that is the workflow's, where it can be read and seen at work.
import { type ApprovalDesk, answerFrom } from './approval.ts';
import { type Carrying, callsOf, carriedPreflight, carriedSwitch, carriedVerdict } from './carried.ts';
import { type Begun, beginForced, endForced, type ForcedRun } from './forced.ts';
import { type OrderBook, type OrderEntry, orderEntry } from './ledger-order.ts';
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
  /** What was answered to the request for approval, whatever that is: approval.ts reads it. */
  readonly decision?: unknown;
  readonly orderRecord?: { readonly id?: string };
  readonly begun?: Begun;
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

const runOf = ({ story, execution }: Asked): ForcedRun => ({
  execution,
  owner: story.preflight?.before.owner,
  begun: story.begun !== undefined,
});

async function lookAhead(desk: Desk, order: FailoverOrder): Promise<Preflight> {
  const vip = await desk.vips.read(order.vip);
  const seen = vip === undefined || vip.removedAtMs !== undefined ? undefined : await desk.ec2.observe(vip);
  return carriedPreflight(preflight(vip, seen, order, desk.clock.now(), desk.sizes));
}

async function record(desk: Desk, order: FailoverOrder, execution: string, word: Recorded): Promise<string> {
  const entry = orderEntry(
    { vip: order.vip, node: order.to, ...word, atMs: desk.clock.now() },
    `${execution}/${word.order}`,
  );
  await desk.orders.put(entry);
  return entry.id;
}

type Recorded = Pick<OrderEntry, 'order' | 'by' | 'reason' | 'of' | 'why'>;

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
  const answer = answerFrom(story.decision);
  const order = orderOf(story);
  if (answer.outcome === 'malformed') {
    await record(desk, order, execution, { order: 'deny', by: 'nobody', reason: answer.why });
    return { outcome: answer.outcome, why: answer.why };
  }
  const { approved, by, reason = '' } = answer.decision;
  await record(desk, order, execution, { order: approved ? 'approve' : 'deny', by, reason });
  return { outcome: answer.outcome };
}

async function recordOrder(desk: Desk, { story, execution }: Asked) {
  const order = orderOf(story);
  const reason = `${order.mode}: ${order.reason}`;
  return { id: await record(desk, order, execution, { order: 'failover', by: order.by, reason }) };
}

/** The last look before anybody is demoted. The order stands in the record already, so that it came to nothing stands there, too. */
async function beginOrder(desk: Desk, asked: Asked): Promise<Begun> {
  const { story, execution } = asked;
  const order = orderOf(story);
  const begun = await beginForced(desk, order, runOf(asked));
  const of = story.orderRecord?.id;
  if (begun.outcome === 'refused' && of !== undefined) {
    const why = begun.reasons.join('; ');
    const { by, reason } = order;
    await record(desk, order, execution, { order: 'not-carried-out', by, reason, of, why });
  }
  return begun;
}

/** However it ends, the order is no longer under way; were this in vain, it would run out by itself. */
async function conclude(desk: Desk, asked: Asked) {
  const { story, execution } = asked;
  if (story.orderRecord !== undefined)
    await endForced(desk, orderOf(story).vip, execution).catch(() => undefined);
  return report(asked);
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
  /** After an approval: what was so an hour ago need not be so now. The order goes along, as from the first look. */
  lookAgain: async (desk: Desk, { story }: Asked) => {
    const order = orderOf(story);
    return { ...(await lookAhead(desk, order)), order };
  },
  recordOrder,
  beginOrder,
  awaitClaim: (desk: Desk, asked: Asked) => awaitClaim(desk, orderOf(asked.story), runOf(asked)),
  switchVip: async (desk: Desk, asked: Asked) => ({
    ...carriedSwitch(await carryOut(desk, orderOf(asked.story), runOf(asked)), asked.stage),
    round: (asked.story.switched?.round ?? 0) + 1,
  }),
  verify: async (desk: Desk, { story }: Asked) => carriedVerdict(await verifyOrder(desk, orderOf(story))),
  judgeRelease: judge,
  awaitRelease: (desk: Desk, { story }: Asked) =>
    awaitRelease(desk, orderOf(story), story.preflight!.before.owner!),
  switchBack: async (desk: Desk, asked: Asked) =>
    carriedSwitch(await switchBack(desk, orderOf(asked.story), runOf(asked)), asked.stage),
  report: conclude,
} as const;

export type StepName = keyof typeof steps;
