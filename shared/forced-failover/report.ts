// The report of an order: the message about all of it, as a person reads it at night, and the reason that its workflow ends
// with. Pure.
import { listLines, listText, readable, SENTENCE_MAX } from '../bounded.ts';
import { awsCommand, ownCommand, type Place } from '../place.ts';
import { type Notice, subjectOf } from '../timeline/message.ts';
import { answerFrom } from './approval.ts';
import type { SwitchSummary } from './carried.ts';
import type { ExecutionState, StepInput } from './execution.ts';
import type { FailoverOrder } from './order.ts';
import { releaseCommand } from './rejoin.ts';

export interface Report extends Notice {
  /** For the workflow's own end. */
  readonly error: string;
  readonly cause: string;
}

/** The message about the whole order, and the reason that the workflow ends with. */
export function report({ story: data, stage, execution }: StepInput, region?: string): Report {
  const place = { stage, region };
  const outcome = data.end?.outcome ?? 'failed';
  const order = data.preflight?.order;
  // Step Functions takes a cause of 32 KB; most of the text here comes from elsewhere.
  const reasons = reasonsOf(data).map((reason) => readable(reason, SENTENCE_MAX));
  const cause =
    reasons.length === 0 ? 'no reason was given' : listText(reasons, '; ', data.preflight?.left?.reasons);
  const what = order === undefined ? 'forced failover' : `${order.vip} to ${order.to} (${order.mode})`;
  const owner = data.switchedBack?.owner ?? data.switched?.owner;
  const lines = [
    `Forced failover ${outcome}: ${what}, stage ${stage}`,
    ...(order === undefined ? [] : [`Ordered by ${order.by}: ${order.reason}`]),
    ...answerLines(data),
    ...(outcome === 'done' ? [] : [`Reason: ${cause}`]),
    ...(data.switchedBack === undefined ? [] : [`Switched back: ${backText(data.switchedBack)}`]),
    ...(owner === undefined ? [] : [`Now the owner: ${owner}`]),
    ...unverifiedLines(data),
    ...leftLines(data),
    ...demotedLines(data, place),
    ...unheardLines(data, place),
    ...(data.switched?.notice === undefined ? [] : ['', data.switched.notice.text]),
    ...(outcome === 'done' ? [] : [`Next: ${next(order, place)}`]),
    `Execution: ${execution}`,
  ];
  const subject = subjectOf(`vipshift ${stage}: order ${outcome}: ${what}`);
  return { subject, text: lines.join('\n'), error: `Failover${capital(outcome)}`, cause };
}

function answerLines({ decision }: ExecutionState): readonly string[] {
  if (decision === undefined) return [];
  const answer = answerFrom(decision);
  if (answer.outcome === 'malformed') return ['Not approved: the answer was malformed'];
  return [`${answer.outcome === 'approved' ? 'Approved' : 'Denied'} by ${answer.decision.by}`];
}

/** What became of the node that was demoted: until that is undone there is no standby, and an operator has to know. */
export function demotedLines(
  { preflight: before, ...data }: ExecutionState,
  place: Place,
): readonly string[] {
  const node = before?.before.owner;
  if (node === undefined) return [];
  const { demoted, promoted, release, released, stoodBy, restoreError } = data;
  const command = `  ${releaseCommand(place, before!.order.vip, node)}`;
  if (promoted !== undefined) return [`Raised again: ${node}`];
  // SSM may have taken a command whose answer never came.
  if (demoted === undefined)
    return restoreError === undefined ? [] : [`Perhaps demoted: ${node}. Raise it:`, command];
  if (stoodBy?.outcome === 'stands-by') return [`Released: ${node} stands by again (${release!.why})`];
  if (stoodBy?.outcome === 'taken-back')
    return [`Released: ${node} took the VIP back. Pin the VIP, set nopreempt, or order release by-hand`];
  if (released !== undefined) {
    const why = stoodBy?.why ?? 'not checked';
    return [`Released: ${node}, which has not reported it: ${why}. Check there: vipshift-notify status`];
  }
  const why = release?.outcome === 'keep' ? release.why : 'it could not be released';
  return [
    `Still demoted: ${node} (${why}). There is no standby until you run, when the work on it is done:`,
    command,
  ];
}

/** EC2 accepted the calls, and then the read failed, or the time was over: that is reported, and nothing is undone for it. */
function unverifiedLines({ switched, verified, switchedBack, error }: ExecutionState): readonly string[] {
  if (switchedBack !== undefined || verified !== undefined) return [];
  if (switched?.outcome === 'moving')
    return ['Still moving: nothing was undone. Reconcile goes on with it every minute'];
  return switched?.outcome === 'switched' && error !== undefined
    ? ['Not verified: EC2 could not be asked. Reconcile looks again every minute']
    : [];
}

/** Cells of strangers. Where the order itself switched, its notice has them. */
function leftLines({ verified, switched }: ExecutionState): readonly string[] {
  const left = switched?.notice === undefined ? (verified?.conflicts ?? []) : [];
  return listLines(
    left.map((cell) => `Left alone: ${cell}`),
    'left alone',
    left.length === 0 ? 0 : verified?.left?.conflicts,
  );
}

/** The command may have found nothing to write to: only SSM knows what it said. */
function unheardLines(
  { preflight: before, awaited, demoted }: ExecutionState,
  place: Place,
): readonly string[] {
  if (awaited?.outcome !== 'missing' || demoted === undefined) return [];
  const asked = `--command-id ${demoted.commandId} --instance-id ${before!.before.owner}`;
  return [
    'Whether the hand-over found keepalived’s file:',
    `  ${awsCommand(`ssm get-command-invocation ${asked}`, place)}`,
  ];
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const GOES_ON = 'reconcile goes on trying';
function backText(back: SwitchSummary): string {
  if (back.outcome !== 'switched') return `no: ${back.why ?? 'unknown'}; ${GOES_ON}`;
  return back.unmet === undefined
    ? 'yes'
    : `only in part: ${listText(back.unmet, '; ', back.unmetLeft)}; ${GOES_ON}`;
}
const next = (order: FailoverOrder | undefined, place: Place): string =>
  ownCommand(order === undefined ? 'vip list' : `status ${order.vip}`, place);

function reasonsOf(data: ExecutionState): string[] {
  const { preflight: before, begun, awaited, switched, verified, stoodBy, error } = data;
  const reasons = [...(before?.reasons ?? []), ...answerReasons(data)];
  if (begun?.outcome === 'refused') reasons.push(...begun.reasons);
  if (awaited !== undefined && awaited.outcome !== 'heard') reasons.push(awaited.why);
  if (switched?.outcome === 'failed') reasons.push(switched.why ?? 'the switch failed');
  if (switched?.outcome === 'moving')
    reasons.push(`still moving after ${switched.round} rounds: ${switched.why}`);
  if (stoodBy?.outcome === 'taken-back')
    reasons.push(`keepalived took it back after the release: ${stoodBy.why}`);
  if (verified?.outcome === 'wrong')
    reasons.push(`EC2 does not show it: ${listText(verified.wrong, ', ', verified.left?.wrong)}`);
  if (error !== undefined) reasons.push(`${error.Error}: ${error.Cause}`.slice(0, 1000));
  return reasons;
}

function answerReasons({ decision, end }: ExecutionState): readonly string[] {
  if (decision === undefined) return end?.outcome === 'denied' ? ['no one approved it in time'] : [];
  const answer = answerFrom(decision);
  if (answer.outcome === 'malformed') return [answer.why];
  if (answer.outcome === 'approved') return [];
  return [`denied by ${answer.decision.by}: ${answer.decision.reason ?? 'no reason'}`];
}
