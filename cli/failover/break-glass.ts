// Break-glass: moves a VIP from here, under the same lease and by the same switch as the controller, for when
// EventBridge or Lambda is impaired. Needs DynamoDB and EC2.
//
// How: a short pin on the node and the lease are taken in one write; without the pin the newest claim would take the VIP
// straight back. Limit: this machine's clock takes part in the lease, so it is measured first; it cannot make an unfit
// node fit.

import { toFault } from '../../shared/fault.ts';
import { type Switched, switchVip, take } from '../../shared/switch/switch-vip.ts';
import { type DurationMs, hours, iso, plus, seconds } from '../../shared/time.ts';
import { notCarriedOut, type OperatorAction, operatorAction } from '../../shared/timeline/operator-action.ts';
import { isLiveOrder, unfit } from '../../shared/vip/election.ts';
import { type Cause, isLive, LOOK_AGAIN } from '../../shared/vip/lease.ts';
import { type Pin, type Vip, withPin } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { CliError, refused, type Status, status, usage } from '../command/exit.ts';
import { durationFrom } from '../command/instants.ts';
import type { Output } from '../command/output.ts';
import { requireVip } from '../command/registered-vip.ts';
import type { Session } from '../command/session.ts';
import { printFailover } from '../timeline/failover-text.ts';
import { clockOffset, describeOffset, offTooFar } from './clock-offset.ts';

interface BreakGlassOptions {
  readonly to: string;
  readonly reason: string;
  readonly for: string;
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
    throw usage(`--for ${options.for}: no such duration`, 'want 5m, 15m or 2h; at most 24h');
  const vip = await requireVip(session, args[0]!);
  const [by] = await Promise.all([session.caller(), checkClock(session, out)]);
  refuseIfUseless(vip, options.to, session);
  const pin: Pin = {
    node: options.to,
    by,
    reason: options.reason,
    untilMs: plus(session.now(), duration),
  };
  const order = operatorAction(
    { vip: vip.name, order: 'break-glass', atMs: session.now(), ...pin },
    session.nonce(),
  );
  await session.orders.put(order);
  // A lease that nobody releases ends by itself, and whoever comes next closes the epoch.
  process.prependListener('SIGINT', () => {
    out.note(
      `interrupted; the lease runs out in 10 s and reconcile looks after the rest: vipshift status ${vip.name}`,
    );
    process.exit(status.interrupted);
  });
  return tell(out, await moved(session, out, vip.name, pin, order));
}

async function checkClock(session: Session, out: Output): Promise<void> {
  const offset = await clockOffset(
    session.environment.clients.dynamo,
    session.settings.vipsTable,
    session.signal,
  );
  if (offset === undefined) return out.note('AWS did not tell its time: this machine’s clock is not checked');
  if (!offTooFar(offset)) return;
  throw new CliError(
    `this machine’s clock is off by ${describeOffset(offset)}; the lease reckons with 0.2 s at most`,
    'set it (chronyc makestep, sntp -sS pool.ntp.org), or do it from a machine with Amazon Time Sync, such as CloudShell',
    status.refused,
  );
}

function refuseIfUseless(vip: Vip, node: string, session: Session): void {
  const why = unfit(vip, node);
  if (why !== undefined)
    throw refused(
      `${node} is not fit to own ${vip.name}: ${why}`,
      `vipshift status ${vip.name} shows who is`,
    );
  if (isLiveOrder(vip.freeze, session.now()))
    throw refused(
      `${vip.name} is frozen until ${iso(vip.freeze!.untilMs)}: ${vip.freeze!.reason}`,
      `vipshift thaw ${vip.name}`,
    );
}

/** Enough for a lease that was just taken to run out, and for the switch of whoever takes it next. */
const WAIT_MAX = seconds(30);

async function moved(
  session: Session,
  out: Output,
  name: string,
  pin: Pin,
  order: OperatorAction,
): Promise<Switched> {
  const { ports } = session;
  const began = session.now();
  let waited = false;
  try {
    while (session.now() < plus(began, WAIT_MAX)) {
      const vip = await requireVip(session, name);
      if (isLive(vip.lease, session.now())) {
        if (!waited) out.note(`epoch ${vip.epoch} is under way (${vip.lease!.cause.why}); waiting for it`);
        waited = true;
        await ports.clock.wait(LOOK_AGAIN);
        continue;
      }
      const cause: Cause = {
        kind: 'order',
        node: pin.node,
        id: order.id,
        why: `break-glass: ${pin.reason}`,
        by: pin.by,
        atMs: session.now(),
      };
      const taken = await take(ports, vip, withPin(vip, pin), cause);
      if (taken === undefined) continue;
      out.note(`epoch ${taken.epoch}: the lease is taken; moving ${name} to ${pin.node}`);
      const observing = ports.ec2.observe(taken);
      observing.catch(() => undefined);
      return await switchVip(ports, taken, observing, [{ stage: 'order began', atMs: began }]);
    }
    throw new CliError(
      `${name} was under another lease for ${WAIT_MAX / 1000} s`,
      `look who holds it: vipshift status ${name}; then try again`,
      status.aws,
    );
  } catch (error) {
    await session.orders.put(notCarriedOut(order, toFault(error), session.now(), session.nonce()));
    throw error;
  }
}

function tell(out: Output, switched: Switched): Status {
  for (const failover of switched.failovers) {
    if (out.json) out.document(failover);
    else printFailover(out, failover, 'UTC');
  }
  for (const fault of switched.faults) out.note(`beside the switch, which is done: ${fault.message}`);
  const last = switched.failovers.at(-1);
  return last?.outcome === 'switched' || last?.outcome === 'unchanged' ? status.ok : status.bad;
}
