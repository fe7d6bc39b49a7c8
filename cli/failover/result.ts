// How a forced failover ended: the answer on stdout, what to do next on stderr, and the exit status.
//
// Limit: a workflow that did not succeed leaves no data, so the VIP's owner is read again.

import type { Execution } from '../../shared/aws/step-functions/workflow.ts';
import type { Finding } from '../../shared/doctor/finding.ts';
import { toleratedFault } from '../../shared/fault.ts';
import { callsOf } from '../../shared/forced-failover/carried.ts';
import type { ExecutionState } from '../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../shared/forced-failover/order.ts';
import type { Preflight } from '../../shared/forced-failover/preflight.ts';
import { demotedLines } from '../../shared/forced-failover/report.ts';
import { conflictText } from '../../shared/network/conflict.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import { iso } from '../../shared/time.ts';
import { took } from '../../shared/timeline/query.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import { isLiveOrder } from '../../shared/vip/election.ts';
import type { Pin, Vip } from '../../shared/vip/vip.ts';
import { CliError, type Status, status } from '../command/exit.ts';
import { hint, placeHere } from '../command/hint.ts';
import type { NodeNames } from '../command/node/names.ts';
import { type Output, plain } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { pinEndText } from '../command/vip/forecast.ts';
import { doctorOf, type LeftThing, leftBy, leftDocument, tellLeft } from '../command/vip/left-behind.ts';
import { breakGlassWay } from '../command/vip/way-left.ts';
import { documentOf, tellFindings } from '../doctor/tell.ts';
import { inTheWay } from './in-the-way.ts';
import { foundOfTarget } from './target.ts';

export async function tellEnd(session: Session, out: Output, execution: Execution): Promise<Status> {
  const { vip: name = '', to = '', mode = '' } = execution.input as Partial<FailoverOrder>;
  if (execution.state !== 'succeeded') throw await unsuccessful(session, out, execution, name);
  if (execution.input.dryRun === true)
    return tellPlan(out, execution.output as unknown as Preflight, {
      vip: name,
      to,
      findings: await foundOfTarget(session, name, to),
      left: await leftBy(session, name),
      doctor: doctorOf(name),
      names: session.names,
    });
  // What the workflow leaves behind when it succeeds.
  const data = (execution.output ?? {}) as ExecutionState;
  const { preflight, switched } = data;
  const epoch = switched !== undefined && 'epoch' in switched ? Number(switched.epoch) : 0;
  const [{ outcome }, vip, left] = await Promise.all([
    session.log.epoch(name, epoch),
    session.ports.vips.read(name),
    leftBy(session, name),
  ]);
  // The record says where it was under the lease; the preflight looked before that.
  const before = outcome?.from ?? preflight?.before.owner;
  const pin = isLiveOrder(vip?.pin, session.now()) ? vip!.pin : undefined;
  // An operator has to know when there is no standby.
  for (const line of demotedLines(data, { ...placeHere(), stage: session.settings.stage }))
    out.note(plain(line));
  const done = { vip: name, to, mode, epoch, left, ...defined({ from: before, failover: outcome, pin }) };
  tellDone(session, out, { ...done, execution: execution.name, item: vip });
  return status.ok;
}

export interface Done {
  readonly vip: string;
  readonly to: string;
  readonly mode: string;
  readonly epoch: number;
  readonly left: readonly LeftThing[] | string;
  /** Of the workflow. */
  readonly execution?: string;
  readonly from?: string;
  readonly failover?: Failover;
  /** A live one. */
  readonly pin?: Pin;
  /** The VIP afterwards. */
  readonly item: Vip | undefined;
}

/** A failover that reached its node, by whichever way: one line, or one document. */
export function tellDone({ names }: Session, out: Output, done: Done): void {
  const { vip, to, mode, epoch, left, execution, from, failover, pin, item } = done;
  if (out.json) {
    const told = { vip, to, mode, outcome: 'done', ...defined({ execution, from }), epoch };
    const pinned = defined({ pinnedUntil: ifDefined(pin?.untilMs, iso) });
    out.document({ ...told, ...pinned, ...leftDocument(left), ...defined({ failover }) });
    return;
  }
  const ms = failover === undefined ? undefined : took(failover);
  const how = [
    `${failover?.outcome ?? 'done'}${ms === undefined ? '' : ` in ${ms} ms`}`,
    ...(failover?.verified === true ? ['read back from EC2'] : []),
  ].join(', ');
  const was = from === to ? 'set again there' : `it was at ${from ?? 'no node'}`;
  out.line(names.text(`${vip} is at ${to}, epoch ${epoch}; ${was}: ${how}`));
  tellLeft(out, left, doctorOf(vip));
  if (pin !== undefined) {
    out.note(`pinned there until ${iso(pin.untilMs)}; to end it: ${hint(`unpin ${vip}`)}`);
    if (item !== undefined) out.note(names.text(pinEndText({ ...item, pin })));
  }
  out.note(`the record in full: ${hint(`explain ${vip}/${epoch}`)}`);
}

export interface Planned {
  readonly vip: string;
  readonly to: string;
  /** What the doctor says of the node. */
  readonly findings: readonly Finding[];
  readonly left: readonly LeftThing[] | string;
  readonly doctor: string;
  readonly names: NodeNames;
}

export function tellPlan(out: Output, found: Preflight, planned: Planned): Status {
  const { vip, to, findings, left: leaves, doctor, names } = planned;
  const { outcome, reasons, plan, conflicts, atLeastMs, before, left } = found;
  const fit = outcome === 'fit';
  const works = fit && findings.every(({ severity }) => severity !== 'fault');
  if (out.json) {
    const told = { vip, to, outcome, reasons, plan, conflicts, atLeastMs, before, notListed: left };
    out.document({ ...told, findings: findings.map(documentOf), ...leftDocument(leaves) });
    return works ? status.ok : status.bad;
  }
  if (fit) {
    const time = atLeastMs === 0 ? 'at once' : `over at least ${Math.ceil(atLeastMs / 1000)} s`;
    const count = callsOf(found);
    const calls = `${count} ${count === 1 ? 'call' : 'calls'} ${time}`;
    out.line(names.text(`${vip} can move to ${to} now; it is at ${before.owner ?? 'no node'}: ${calls}`));
  } else {
    out.line(names.text(`${vip} cannot move to ${to} now:`));
    for (const reason of reasons) out.line(`  ${names.text(reason)}`);
  }
  if (plan.length > 0) {
    out.table(
      ['call', 'cell', 'from', 'to'],
      plan.map((step) => [step.call, step.cell, step.from, step.eni]),
    );
  }
  if (findings.length > 0) {
    out.line(plain(fit && !works ? `but ${to} could not serve it; the doctor found:` : 'the doctor found:'));
    tellFindings(out, findings, names);
  }
  for (const c of conflicts) out.line(plain(`left alone: ${c.cell} found ${c.found}: ${conflictText(c)}`));
  if (left !== undefined)
    out.note(
      `not listed: ${left.plan} more calls, ${left.conflicts} more left alone, ${left.reasons} more reasons`,
    );
  tellLeft(out, leaves, doctor);
  out.note('a dry run: nothing was changed');
  return works ? status.ok : status.bad;
}

const endings: Readonly<Record<string, { readonly outcome: string; readonly exit: Status }>> = {
  FailoverRefused: { outcome: 'refused', exit: status.refused },
  FailoverDenied: { outcome: 'denied', exit: status.refused },
};

async function unsuccessful(
  session: Session,
  out: Output,
  execution: Execution,
  vip: string,
): Promise<CliError> {
  const { state, error = '', cause } = execution;
  const { outcome, exit } = endings[error] ?? { outcome: 'failed', exit: status.bad };
  const why = cause ?? (state === 'failed' ? error || 'no reason was given' : `it was ${state}`);
  const item = await session.ports.vips.read(vip);
  const owner = item?.owner;
  if (out.json) {
    out.document({
      vip,
      to: execution.input.to,
      outcome,
      why,
      execution: execution.name,
      ...defined({ owner }),
    });
  }
  if (outcome === 'refused')
    return new CliError(
      `refused, nothing was moved: ${why}`,
      [...wayOut(item, String(execution.input.to), session), `check: ${hint(`status ${vip}`)}`].join('; '),
      exit,
    );
  if (outcome === 'denied')
    return new CliError(
      `not approved, nothing was moved: ${why}`,
      'ask the person who denied it; then order it again under a new name',
      exit,
    );
  const half =
    state === 'failed'
      ? ''
      : '. It was stopped half-way and nothing was rolled back: the pin may still be there';
  return new CliError(
    `the failover failed: ${why}${half}\n${vip} is at ${owner ?? 'no node'} now`,
    nextAfter(
      failureOf(await reportedState(session, execution)),
      execution.input as Partial<FailoverOrder>,
      vip,
    ),
    exit,
  );
}

/** What to do about a refusal. */
function wayOut(item: Vip | undefined, to: string, session: Session): readonly string[] {
  const ways = item === undefined ? [] : inTheWay(item, to, session.now());
  return ways.length === 0 ? ['fix that and order it again'] : [...ways, 'then order it again'];
}

type Failure = 'taken-back' | 'command-refused' | 'no-claim';

/** What fixes a failure. */
const remedies: Readonly<Record<Failure, (vip: string) => string>> = {
  'taken-back': () =>
    'keepalived preempts: order it again with --for 1h or --release by-hand, or set nopreempt',
  'command-refused': () =>
    'the node’s SSM agent or its hand-over policy is missing; with hold both: --mode routes-only',
  'no-claim': (vip) => `the other node did not become master: ${hint(`doctor ${vip}`)}`,
};

/** The workflow's names of errors of SSM's begin with it (Step Functions developer guide, "AWS SDK service integrations"). */
const SSM_ERROR = 'Ssm.';

/** By what the workflow knew when it made its report. */
function failureOf({ stoodBy, error, awaited }: ExecutionState): Failure | undefined {
  if (stoodBy?.outcome === 'taken-back') return 'taken-back';
  if (error?.Error.startsWith(SSM_ERROR)) return 'command-refused';
  return awaited?.outcome === 'missing' ? 'no-claim' : undefined;
}

/** That it cannot be read must not hide how the failover ended: then nothing in particular is advised. */
async function reportedState(session: Session, { name, state }: Execution): Promise<ExecutionState> {
  if (state !== 'failed') return {};
  try {
    return (await (await session.workflow()).reported(name)) ?? {};
  } catch (error) {
    toleratedFault(error);
    return {};
  }
}

function nextAfter(failure: Failure | undefined, order: Partial<FailoverOrder>, vip: string): string {
  const known = failure === undefined ? undefined : remedies[failure](vip);
  const look = `check: ${hint(`status ${vip}`)}, ${hint(`timeline ${vip} --limit 5`)}`;
  const { to = 'NODE', reason } = order;
  return `${known ?? breakGlassWay({ vip, to, reason })}; ${look}`;
}
