// Break-glass: moves a VIP from here, under the same lease and by the same switch as the controller, for when
// EventBridge or Lambda is impaired. Needs DynamoDB and EC2.
//
// How: a short pin on the node and the lease are taken in one write; without the pin the newest claim would take the VIP
// straight back. Limit: this machine's clock takes part in the lease, so it is measured first; it cannot make an unfit
// node fit.
import { durationFrom } from '../shared/audit-time.ts';
import { isLiveOrder, unfit } from '../shared/election.ts';
import { faultOf } from '../shared/fault.ts';
import { liveForced } from '../shared/forced.ts';
import { type Cause, isLive } from '../shared/lease.ts';
import { mayWaitOn } from '../shared/lease-wait.ts';
import {
  forcedText,
  inVain,
  type OrderEntry,
  orderEntry,
  withoutForced,
  withPin,
} from '../shared/ledger-order.ts';
import { type Switched, switchVip, take } from '../shared/switch.ts';
import { type DurationMs, hours, iso, plus } from '../shared/time.ts';
import type { Pin, Vip } from '../shared/vip.ts';
import type { Run } from './act.ts';
import { clockOffset, describeOffset, offTooFar } from './clock.ts';
import { Complaint, refused, type Status, status, usage } from './exit.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';
import { standing } from './standing.ts';
import { printFailover } from './story.ts';

interface BreakGlassOptions {
  readonly to: string;
  readonly reason: string;
  readonly for: string;
}

const FOR_MAX: DurationMs = hours(24);

export async function breakGlass({ args, options, out, session }: Run<BreakGlassOptions>): Promise<Status> {
  const duration = durationFrom(options.for);
  if (duration === undefined || duration <= 0 || duration > FOR_MAX)
    throw usage(`--for ${options.for}: no such duration`, 'want 5m, 15m or 2h; at most 24h');
  const vip = await standing(session, args[0]!);
  const [by] = await Promise.all([session.caller(), checkClock(session, out)]);
  refuseIfUseless(vip, options.to, session);
  const pin: Pin = {
    node: options.to,
    by,
    reason: options.reason,
    untilMs: plus(session.now(), duration),
  };
  const order = orderEntry(
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
  const offset = await clockOffset(session.box.clients.dynamo, session.settings.vipsTable, session.signal);
  if (offset === undefined) return out.note('AWS did not tell its time: this machine’s clock is not checked');
  if (!offTooFar(offset)) return;
  throw new Complaint(
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

/** Writes that somebody else was quicker than; a live lease is waited for as long as a command may take. */
const RACES_MAX = 100;

async function moved(
  session: Session,
  out: Output,
  name: string,
  pin: Pin,
  order: OrderEntry,
): Promise<Switched> {
  const { wire } = session;
  const began = session.now();
  let waited = false;
  try {
    for (let race = 1; race <= RACES_MAX; ) {
      const vip = await standing(session, name);
      if (isLive(vip.lease, session.now())) {
        if (!waited) out.note(`epoch ${vip.epoch} is under way (${vip.lease!.cause.why}); waiting for it`);
        waited = true;
        if (await mayWaitOn(wire)) continue;
        throw new Complaint(
          `${name} was under another lease for ${Math.round((session.now() - began) / 60_000)} min`,
          `look who holds it: vipshift status ${name}; then try again`,
          status.aws,
        );
      }
      const cause: Cause = {
        kind: 'order',
        node: pin.node,
        id: order.id,
        why: `break-glass: ${pin.reason}`,
        by: pin.by,
        atMs: session.now(),
      };
      // What this is for is a workflow that is stuck: it finds itself cancelled, and goes back.
      const taken = await take(wire, vip, withPin(withoutForced(vip), pin), cause);
      if (taken === undefined) {
        race += 1;
        continue;
      }
      const forced = liveForced(vip, session.now());
      if (forced !== undefined) out.note(`cancelled: ${forcedText(name, forced)}`);
      out.note(`epoch ${taken.epoch}: the lease is taken; moving ${name} to ${pin.node}`);
      const observing = wire.ec2.observe(taken);
      observing.catch(() => undefined);
      return await switchVip(wire, taken, observing, [{ stage: 'order began', atMs: began }]);
    }
    throw new Complaint(
      `the item of ${name} changed ${RACES_MAX} times under our hands`,
      `try again; vipshift status ${name} shows who speaks`,
      status.aws,
    );
  } catch (error) {
    await session.orders.put(inVain(order, faultOf(error), session.now(), session.nonce()));
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
