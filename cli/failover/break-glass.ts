// Break-glass: moves a VIP from here, under the same lease and by the same switch as the controller, for when
// EventBridge or Lambda is impaired. Needs DynamoDB and EC2.
//
// How: a short pin on the node and the lease are taken in one write; without the pin the newest claim would take the VIP
// straight back. What fails takes its pin back (break-glass-back.ts). Limit: this machine's clock takes part in the lease, so it is measured first; it cannot make an unfit
// node fit.

import { AsyncResource } from 'node:async_hooks';
import { listLines } from '../../shared/bounded.ts';
import { toFault } from '../../shared/fault.ts';
import { liveForced } from '../../shared/forced-failover/under-way.ts';
import { durationFrom } from '../../shared/instants.ts';
import { conflictText } from '../../shared/network/conflict.ts';
import { defined } from '../../shared/optional.ts';
import { observeAndSwitch, type Switched, take } from '../../shared/switch/switch-vip.ts';
import { RACES_MAX, type WhenFree, whenFree } from '../../shared/switch/when-free.ts';
import { type DurationMs, type EpochMs, hours, iso, plus } from '../../shared/time.ts';
import { milestone } from '../../shared/timeline/milestone.ts';
import {
  forcedText,
  notCarriedOut,
  operatorAction,
  requireReason,
} from '../../shared/timeline/operator-action.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import { isLiveOrder, unfit, unfitText } from '../../shared/vip/election.ts';
import type { Cause } from '../../shared/vip/lease.ts';
import { drainOf, drainText, type Pin, type Vip, withoutForced, withPin } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { CliError, refused, type Status, status, usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { nodeNamed } from '../command/node/chosen.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { doctorOf, leftBy, tellLeft } from '../command/vip/left-behind.ts';
import { registeredNames, requireVip, unknown } from '../command/vip/registered-vip.ts';
import { byHandWay, withWayLeft } from '../command/vip/way-left.ts';
import { type Attempt, standsText, takePinBack } from './break-glass-back.ts';
import { clockOffset, describeOffset, offTooFar } from './clock-offset.ts';
import { pinPhrase, rehearse } from './rehearsal.ts';
import { type Done, tellDone } from './result.ts';

interface Run {
  readonly session: Session;
  readonly out: Output;
}

interface BreakGlassOptions {
  readonly to: string;
  readonly reason: string;
  readonly for: string;
  readonly dryRun?: boolean;
}

const FOR_MAX: DurationMs = hours(24);

export async function breakGlass({
  args,
  options,
  out,
  session,
}: CommandContext<BreakGlassOptions>): Promise<Status> {
  const duration = durationFrom(options.for);
  if (duration === undefined || duration <= 0 || duration > FOR_MAX)
    throw usage(`--for ${options.for}: not a duration`, 'expected 5m, 15m or 2h; at most 24h');
  const byHand = byHandWay({ vip: args[0]!, to: options.to });
  const vip = await withWayLeft(() => requireVip(session, args[0]!), byHand);
  const [by, found] = await Promise.all([
    session.caller(),
    session.names.learn({ vips: [vip] }, out),
    checkClock(session, out),
  ]);
  const to = nodeNamed(options.to, found, '--to', vip.name);
  if (options.dryRun === true) return rehearse(session, out, vip, to);
  refuseIfUseless(vip, to, session);
  const pin: Pin = {
    node: to,
    by,
    reason: options.reason,
    untilMs: plus(session.now(), duration),
  };
  requireReason({ order: 'break-glass', reason: options.reason });
  const order = operatorAction(
    { vip: vip.name, order: 'break-glass', atMs: session.now(), ...pin },
    session.nonce(),
  );
  const attempt: Attempt = { vip: vip.name, order, pin, pinned: 'no' };
  const left = leftBy(session, vip.name);
  await withWayLeft(() => session.orders.put(order), byHand);
  const run = { session, out };
  const ends = onInterrupt(run, attempt);
  const switched = await moved(run, attempt);
  if (isThere(switched, pin)) tellThere(run, switched, attempt, await left);
  else {
    tellFailed(run, switched, attempt);
    tellLeft(out, await left, doctorOf(vip.name));
    await takePinBack(run, attempt, hasMoved(switched));
  }
  ends();
  return statusOf(switched);
}

/** A lease that is not released expires, and the next holder closes the epoch; the pin stays. */
function onInterrupt({ session, out }: Run, attempt: Attempt): () => void {
  const listener = AsyncResource.bind(() => {
    const look = `check: ${hint(`status ${attempt.vip}`)}`;
    if (attempt.pinned === 'no') out.note(`interrupted; nothing is pinned by this run; ${look}`);
    else {
      const stands = session.names.text(standsText(attempt));
      out.note(`interrupted; the lease runs out in 10 s; ${stands}; ${look}`);
    }
    process.exit(status.interrupted);
  });
  process.prependListener('SIGINT', listener);
  return () => process.removeListener('SIGINT', listener);
}

/** Committed, though cells may have been left: the outcome names them, and with one left the exit status is not 0. */
const isThere = ({ vip, failovers }: Switched, pin: Pin): boolean =>
  vip.lease === undefined && vip.owner === pin.node && failovers.at(-1)?.to === pin.node;

/** Some call was carried out. */
const hasMoved = ({ failovers }: Switched): boolean =>
  failovers.some((failover) => failover.steps.some((step) => step.result === 'done'));

/** The workflow's words for the same end. */
function tellThere(
  { session, out }: Run,
  { vip: item, failovers, faults }: Switched,
  { vip, pin, replaced }: Attempt,
  left: Done['left'],
): void {
  const failover = failovers.at(-1)!;
  const { epoch, from } = failover;
  tellLines({ session, out }, failover);
  const done = { vip, to: pin.node, mode: 'break-glass', epoch, left, failover, pin, item };
  tellDone(session, out, { ...done, ...defined({ from }) });
  if (replaced !== undefined) out.note(session.names.text(`it replaced ${pinPhrase(replaced)}`));
  for (const fault of faults)
    out.note(`The VIP was moved, but a follow-up step failed: ${session.names.text(fault.message)}`);
}

function tellFailed({ session, out }: Run, { failovers }: Switched, { vip, pin }: Attempt): void {
  const failover = failovers.at(-1);
  const { epoch, outcome = 'failed' } = failover ?? {};
  if (out.json) {
    out.document({ vip, to: pin.node, mode: 'break-glass', outcome, ...defined({ epoch, failover }) });
    return;
  }
  out.line(session.names.text(`${vip} did not move to ${pin.node}: ${outcome}`));
  if (failover === undefined) return;
  tellLines({ session, out }, failover);
  out.note(`the record in full: ${hint(`explain ${vip}/${epoch}`)}`);
}

/** What was not done, and what was left alone. */
function tellLines({ session, out }: Run, { steps, conflicts }: Failover): void {
  const undone = steps.filter((step) => step.result !== 'done');
  const lines = [
    ...undone.map((step) => `${step.result}: ${step.message || `${step.call} ${step.cell}: ${step.code}`}`),
    ...conflicts.map((c) => `left alone: ${c.cell} found ${c.found}: ${conflictText(c)}`),
  ];
  for (const line of listLines(lines, 'like these')) out.note(session.names.text(line));
}

async function checkClock(session: Session, out: Output): Promise<void> {
  const offset = await clockOffset(
    session.environment.clients.dynamo,
    session.settings.vipsTable,
    session.signal,
  );
  if (offset === undefined)
    return out.note('AWS did not return its time: this machine’s clock is not checked');
  if (!offTooFar(offset)) return;
  throw new CliError(
    `this machine’s clock is off by ${describeOffset(offset)}; the lease allows for 0.2 s at most`,
    'set it (chronyc makestep, sntp -sS pool.ntp.org), or do it from a machine with Amazon Time Sync, such as CloudShell',
    status.refused,
  );
}

function refuseIfUseless(vip: Vip, node: string, session: Session): void {
  const why = unfit(vip, node);
  if (why !== undefined)
    throw refused(
      `${node} is not fit to own ${vip.name}: ${unfitText(why)}`,
      `${hint(`status ${vip.name}`)} shows which nodes are`,
    );
  const drain = drainOf(vip, node, session.now());
  if (drain !== undefined)
    throw refused(`${vip.name} does not stay there: ${drainText(node, drain)}`, hint(`undrain ${node}`));
  if (isLiveOrder(vip.freeze, session.now()))
    throw refused(
      `${vip.name} is frozen until ${iso(vip.freeze!.untilMs)}: ${vip.freeze!.reason}`,
      hint(`unfreeze ${vip.name}`),
    );
}

async function moved(run: Run, attempt: Attempt): Promise<Switched> {
  const { session, out } = run;
  const { vip: name, pin, order } = attempt;
  const { ports } = session;
  const began = session.now();
  let waited = false;
  try {
    const found = await whenFree<never>(ports, name, {
      stops: () => undefined,
      waits(vip) {
        const cause = session.names.text(vip.lease!.cause.why);
        if (!waited) out.note(`epoch ${vip.epoch} is under way (${cause}); waiting for it`);
        waited = true;
      },
      // What this is for is a workflow that is stuck: it finds itself cancelled, and goes back.
      decide: (vip) => ({ write: withPin(withoutForced(vip), pin) }),
      async write(before, after) {
        const atMs = session.now();
        const why = `break-glass: ${pin.reason}`;
        const cause: Cause = { kind: 'order', node: pin.node, id: order.id, why, by: pin.by, atMs };
        attempt.pinned = 'maybe';
        attempt.replaced = isLiveOrder(before.pin, atMs) ? before.pin : undefined;
        const taken = await take(ports, before, after, cause);
        attempt.pinned = taken === undefined ? 'no' : 'yes';
        return taken;
      },
    });
    if (found.is !== 'written') throw await notTaken(session, name, found, began);
    const forced = liveForced(found.before, session.now());
    const text = (sentence: string) => session.names.text(sentence);
    if (forced !== undefined) out.note(text(`cancelled: ${forcedText(name, forced)}`));
    out.note(text(`epoch ${found.after.epoch}: the lease is taken; moving ${name} to ${pin.node}`));
    return await observeAndSwitch(ports, found.after, [milestone('order-began', began)]);
  } catch (error) {
    const entry = notCarriedOut(order, toFault(error), session.now(), session.nonce());
    await session.orders.put(entry).catch((fault: unknown) => out.note(toFault(fault).message));
    if (attempt.pinned !== 'no') await takePinBack(run, attempt, attempt.pinned === 'yes');
    throw error;
  }
}

/** Why the lease was not taken, with what to do next. */
async function notTaken(
  session: Session,
  name: string,
  found: Exclude<WhenFree<never>, { readonly is: 'written' }>,
  began: EpochMs,
): Promise<CliError> {
  if (found.is === 'unregistered') return unknown(name, await registeredNames(session));
  if (found.is === 'under-way')
    return new CliError(
      `${name} was under another lease for ${Math.round((session.now() - began) / 60_000)} min`,
      `check who holds it: ${hint(`status ${name}`)}; then try again`,
      status.aws,
    );
  return new CliError(
    `the item of ${name} changed ${RACES_MAX} times during the attempt`,
    `try again; ${hint(`status ${name}`)} shows which nodes report`,
    status.aws,
  );
}

function statusOf({ failovers }: Switched): Status {
  const last = failovers.at(-1);
  return last?.outcome === 'switched' || last?.outcome === 'unchanged' ? status.ok : status.bad;
}
