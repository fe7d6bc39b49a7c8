/**
 * Parts: what an outage was made of, worked out from what was seen on the wires, next to the timeline's own account.
 *
 * It is worked out backwards from the route (or EIP) change that ended the outage: the mutation that made it, the failover
 * that sent that, the claim that caused it, the line in which keepalived said it. Each part ends where the next begins,
 * so their sum is the time from the fault to the first answer.
 * Honest limit: a part whose evidence is missing (a reconcile has no claim, for instance) is undefined, not zero.
 */
import { defined } from '../../../shared/optional.ts';
import {
  beganMilestoneAt,
  keyOf,
  type MilestoneKey,
  milestoneText,
} from '../../../shared/timeline/milestone.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import type { Change } from '../cloud/mirror.ts';
import type { Exchange } from '../cloud/recording-proxy.ts';
import type { SentClaim } from '../node/claims.ts';
import type { Answer } from '../node/client.ts';
import { nodeAt } from '../sandbox/topology.ts';

export interface Parts {
  /** Fault → keepalived's own line. */
  readonly vrrpMs: number | undefined;
  /** That line → PutEvents complete at the endpoint. */
  readonly shimMs: number | undefined;
  /** → the handler's first line. */
  readonly busMs: number | undefined;
  /** → the mutation complete at EC2's endpoint. */
  readonly handlerMs: number | undefined;
  /** → the kernel's route replaced. */
  readonly ec2Ms: number | undefined;
  /** → the client's first good answer. */
  readonly answerMs: number | undefined;
  /** Of all this, what the emulators took: bus, EC2, and the store and descriptions that the handler waited for. */
  readonly emulatorsMs: number | undefined;
  /** Of all this, what is vipshift's: shim and handler without the emulators' answers. */
  readonly oursMs: number | undefined;
}

export interface Evidence {
  readonly faultMs: number;
  /** When the outage ended for the client. */
  readonly firstGoodMs: number;
  readonly answers: readonly Answer[];
  /** What the client's packets follow: its subnet, or the EIP. */
  readonly follows: string;
  readonly changes: readonly Change[];
  readonly claims: readonly SentClaim[];
  /** The functions' requests to the emulated EC2 and DynamoDB. */
  readonly requests: readonly Exchange[];
  readonly failovers: readonly Failover[];
  /** When keepalived itself said what the node then reported. */
  lineOf(claim: SentClaim): number | undefined;
  /** Wall clock → the lab's clock. */
  readonly offsetMs: number;
}

interface Stage {
  /** Absent in records of versions before the keys. */
  readonly key?: MilestoneKey;
  readonly stage: string;
  readonly afterMs: number;
}

/** What the timeline itself says of the same failover, from the handler's first line on. */
export interface Account {
  readonly epoch: number;
  readonly outcome: string;
  readonly stages: readonly Stage[];
}

export interface Explained {
  readonly parts: Parts | undefined;
  readonly account: Account | undefined;
}

export function explain(evidence: Evidence): Explained {
  const { faultMs } = evidence;
  const change = changeThatHealed(evidence);
  const mutation = change?.because;
  if (change === undefined || mutation === undefined) return { parts: undefined, account: undefined };
  const failover = failoverOf(evidence, mutation);
  const handledMs = firstStageMs(evidence, failover);
  const claim = evidence.claims.find(
    ({ seq, node, atMs }) =>
      seq === failover?.cause.seq && node === failover.cause.node && atMs <= mutation.askedMs,
  );
  const lineMs = claim && evidence.lineOf(claim);
  const part = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? undefined : Math.max(0, to - from);
  const waitedMs =
    handledMs === undefined ? undefined : busyMs(evidence.requests, handledMs, mutation.askedMs);
  const parts = {
    vrrpMs: part(faultMs, lineMs),
    shimMs: part(lineMs, claim?.atMs),
    busMs: part(claim?.atMs, handledMs),
    handlerMs: part(handledMs, mutation.askedMs),
    ec2Ms: part(mutation.askedMs, change.atMs),
    answerMs: part(change.atMs, firstAnswerAfter(evidence, change)),
  };
  return {
    parts: { ...parts, emulatorsMs: sum(parts.busMs, waitedMs, parts.ec2Ms), oursMs: ours(parts, waitedMs) },
    account: failover && accountOf(failover),
  };
}

// The client may hear of a change a little before this process has noted that the kernel has it.
const NOTED_LATE_MS = 5;

/** The last one before the outage ended; where there was no outage, the first one after the fault. */
function changeThatHealed({ faultMs, firstGoodMs, follows, changes }: Evidence): Change | undefined {
  const own = changes.filter(({ what, atMs }) => what === follows && atMs >= faultMs);
  return own.findLast(({ atMs }) => atMs <= firstGoodMs + NOTED_LATE_MS) ?? own[0];
}

function firstAnswerAfter({ answers }: Evidence, change: Change): number | undefined {
  const label = nodeAt(change.address);
  return answers.find(({ what, endedMs }) => what === label && endedMs >= change.atMs - NOTED_LATE_MS)
    ?.endedMs;
}

function sum(...terms: (number | undefined)[]): number | undefined {
  return terms.reduce(
    (total, term) => (total === undefined || term === undefined ? undefined : total + term),
    0,
  );
}

function ours(parts: Pick<Parts, 'shimMs' | 'handlerMs'>, waitedMs: number | undefined): number | undefined {
  return sum(parts.shimMs, parts.handlerMs, waitedMs === undefined ? undefined : -waitedMs);
}

/** The failover that was under way when the mutation was sent: of several, the one begun last. */
function failoverOf(evidence: Evidence, mutation: Exchange): Failover | undefined {
  return evidence.failovers
    .filter((failover) => {
      const fromMs = firstStageMs(evidence, failover);
      return fromMs !== undefined && fromMs <= mutation.askedMs + 1 && failover.steps.length > 0;
    })
    .toSorted((left, right) => left.epoch - right.epoch)
    .at(-1);
}

function firstStageMs(evidence: Evidence, failover: Failover | undefined): number | undefined {
  const beganMs = failover && beganMilestoneAt(failover.stages);
  return beganMs === undefined ? undefined : beganMs + evidence.offsetMs;
}

function accountOf(failover: Failover): Account {
  const startMs = beganMilestoneAt(failover.stages) ?? failover.atMs;
  return {
    epoch: failover.epoch,
    outcome: failover.outcome,
    stages: failover.stages.map((m) => ({
      ...defined({ key: keyOf(m) }),
      ...{ stage: milestoneText(m), afterMs: m.atMs - startMs },
    })),
  };
}

/** How long at least one request was under way between two instants. */
export function busyMs(requests: readonly Exchange[], fromMs: number, toMs: number): number {
  const spans = requests
    .map(
      (request) => [Math.max(fromMs, request.askedMs), Math.min(toMs, request.answeredMs ?? toMs)] as const,
    )
    .filter(([from, to]) => to > from)
    .toSorted(([left], [right]) => left - right);
  let busy = 0;
  let untilMs = fromMs;
  for (const [from, to] of spans) {
    if (to <= untilMs) continue;
    busy += to - Math.max(from, untilMs);
    untilMs = to;
  }
  return busy;
}
