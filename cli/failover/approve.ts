// Answers a request for approval: finds what waits, says what it would do, and gives the workflow the decision.
//
// Invariant: what is answered is one request, named or the only one. The workflow records the decision before it acts
// on it. Limit: that who ordered it does not approve it too is said, not enforced: IAM decides who may answer.

import type { Workflow } from '../../shared/aws/step-functions/workflow.ts';
import type { ApprovalRequest, Decision } from '../../shared/forced-failover/approval.ts';
import { defined } from '../../shared/optional.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import { iso } from '../../shared/time.ts';
import type { CommandContext } from '../command/command.ts';
import { refused, type Status, status } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { forAll } from '../command/many.ts';
import { type Output, plain } from '../command/output.ts';
import { progress } from '../command/print/progress.ts';
import type { Session } from '../command/session.ts';
import { doctorOf, leftBy, tellLeft } from '../command/vip/left-behind.ts';
import { requireVip } from '../command/vip/registered-vip.ts';

export async function answer(run: CommandContext<AnswerOptions>, approved: boolean): Promise<Status> {
  const { args, options, out, session } = run;
  const workflow = await session.workflow();
  const waiting = await waitingFor(session, workflow, args[0]);
  if (options.list === true) {
    if (!out.json) await session.names.learn({ ids: waiting.map(({ order }) => order.to) }, out);
    return list(session, out, waiting);
  }
  const request = theOne(waiting, run, approved ? 'approve' : 'deny');
  const { vip, execution, order, plan, calls = plan.length } = request;
  const [by] = await Promise.all([session.caller(), session.names.learn({ ids: [order.to] }, out)]);
  const pin = order.pinMinutes === 0 ? 'no pin' : `pinned for ${order.pinMinutes} min`;
  out.note(session.names.text(`${vip} to ${order.to}, ${order.mode}, ${pin}, ${calls} calls`));
  out.note(plain(`ordered by ${order.by}: ${order.reason}`));
  tellLeft(out, await leftBy(session, vip), doctorOf(vip));
  if (by === order.by) out.note('that is you: the record will show it');
  const reason = options.reason?.trim();
  const decision: Decision = { approved, by, ...defined({ reason }) };
  if (options.dryRun === true) {
    if (out.json) out.document({ vip, execution, to: order.to, ...decision, dryRun: true });
    else out.line(plain(`dry run: ${execution} would be ${approved ? 'approved' : 'denied'} by ${by}`));
    out.note('a dry run: nothing was answered');
    return status.ok;
  }
  if ((await workflow.answer(request.token, decision)) === 'over')
    throw refused(
      `${execution} no longer waits: it was answered already, or its time is over`,
      `see how it ended: ${hint(`failover --follow ${execution}`)}`,
    );
  if (out.json) out.document({ vip, execution, to: order.to, ...decision });
  else out.line(plain(`${execution} is ${approved ? 'approved' : 'denied'} by ${by}`));
  if (approved) out.note(`follow it: ${hint(`failover --follow ${execution}`)}`);
  return status.ok;
}

/** Requests that are not answered yet, oldest first: of one VIP, or of the whole registry, one query each. */
async function waitingFor(
  session: Session,
  workflow: Workflow,
  name: string | undefined,
): Promise<readonly ApprovalRequest[]> {
  const vips =
    name === undefined
      ? (await session.ports.vips.list()).filter(isRegistered)
      : [await requireVip(session, name)];
  const found: ApprovalRequest[] = [];
  const shown = progress('asking for requests', vips.length);
  await forAll(vips, async (vip) => {
    for (const request of await session.approvals.pending(vip.name, session.now()))
      if (await waits(workflow, request)) found.push(request);
    shown.step();
  }).finally(shown.end);
  return found.sort((a, b) => a.atMs - b.atMs);
}

/** The request stays where it is when it is answered; the workflow knows. */
async function waits(workflow: Workflow, { execution }: ApprovalRequest): Promise<boolean> {
  if ((await workflow.describe(execution))?.state !== 'running') return false;
  const entered = (await workflow.happenings(execution, 0)).filter((h) => h.entered !== undefined);
  return entered.at(-1)?.entered === 'requestApproval';
}

function theOne(
  waiting: readonly ApprovalRequest[],
  { args, options }: CommandContext<AnswerOptions>,
  verb: string,
): ApprovalRequest {
  const about = args[0] === undefined ? '' : ` for ${args[0]}`;
  const named = waiting.filter((r) => options.execution === undefined || r.execution === options.execution);
  const [first, ...others] = named;
  if (first === undefined) {
    const which = options.execution === undefined ? 'nothing' : `no ${options.execution}`;
    throw refused(
      `${which} waits for approval${about}`,
      waiting.length === 0
        ? `a request waits for up to an hour; ${hint('timeline --kind order --since 2h')} shows the answers`
        : `${hint(`${verb} --list`)} shows what does`,
    );
  }
  if (others.length === 0) return first;
  const lines = named.map((r) => `${r.execution}: ${sentence(r)}`);
  const how =
    args[0] === undefined ? `${verb} ${first.vip}` : `${verb} ${first.vip} --execution ${first.execution}`;
  throw refused(
    `several wait for approval${about}:\n${lines.join('\n')}`,
    `name one: ${hint(`${how} --reason …`)}`,
  );
}

const sentence = ({ order, untilMs }: ApprovalRequest): string =>
  `${order.vip} to ${order.to} (${order.mode}) by ${order.by}: ${order.reason}; until ${iso(untilMs)}`;

function list({ names }: Session, out: Output, waiting: readonly ApprovalRequest[]): Status {
  if (out.json) {
    // The token answers the request: it must not end up in a log.
    out.documents(waiting.map(({ token: _token, ...told }) => told));
  } else if (waiting.length === 0) out.note('nothing waits for approval');
  else {
    out.table(
      ['execution', 'vip', 'to', 'mode', 'calls', 'until', 'by', 'reason'],
      waiting.map(({ execution, vip, order, plan, calls = plan.length, untilMs }) => [
        execution,
        { text: vip, paint: 'strong' },
        names.text(order.to),
        order.mode,
        String(calls),
        iso(untilMs),
        order.by,
        order.reason,
      ]),
    );
  }
  return status.ok;
}

export interface AnswerOptions {
  readonly execution?: string;
  readonly reason?: string;
  readonly list?: boolean;
  readonly dryRun?: boolean;
}
