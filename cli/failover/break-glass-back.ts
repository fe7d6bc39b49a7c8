// What becomes of the pin of a break-glass that failed: it is taken back, as the workflow takes its own back, and what had
// moved goes back with it.
//
// Invariant: only the pin that this run set is taken; one of another operator that it had replaced comes back. Where that
// cannot be done, what stands is said, until when, and the command that ends it.

import { toFault } from '../../shared/fault.ts';
import { isRegistered, update } from '../../shared/registry/registry.ts';
import { ANSWER_WITHIN } from '../../shared/switch/lease-wait.ts';
import { observeAndSwitch, type Switched, take } from '../../shared/switch/switch-vip.ts';
import { whenFree } from '../../shared/switch/when-free.ts';
import { type EpochMs, iso, plus, seconds } from '../../shared/time.ts';
import { milestone } from '../../shared/timeline/milestone.ts';
import { type OperatorAction, operatorAction } from '../../shared/timeline/operator-action.ts';
import { isLiveOrder } from '../../shared/vip/election.ts';
import type { Cause } from '../../shared/vip/lease.ts';
import { type Pin, type Vip, withoutPin, withPin } from '../../shared/vip/vip.ts';
import { hint } from '../command/hint.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';

/** One break-glass, from its order on. */
export interface Attempt {
  readonly vip: string;
  readonly order: OperatorAction;
  readonly pin: Pin;
  /** A live pin that was there before. */
  replaced?: Pin | undefined;
  /** Whether the pin stands in the item; `maybe` while the answer to its write is out. */
  pinned: 'no' | 'maybe' | 'yes';
}

const isOurs = (pin: Pin | undefined, { node, by, reason, untilMs }: Pin): boolean =>
  pin?.node === node && pin.by === by && pin.reason === reason && pin.untilMs === untilMs;

/** The item without the pin of this run. */
function restored(vip: Vip, { pin, replaced }: Attempt, now: EpochMs): Vip {
  if (!isOurs(vip.pin, pin)) return vip;
  return replaced !== undefined && isLiveOrder(replaced, now) ? withPin(vip, replaced) : withoutPin(vip);
}

/** Long enough for a lease that was not released to expire, and for the switch of its next holder. */
const WAIT_MAX = seconds(30);

/** Tells what it did. `sent`: something was moved, which has to go back now and not with the next reconcile. */
export async function takePinBack(
  { session, out }: { session: Session; out: Output },
  attempt: Attempt,
  sent: boolean,
): Promise<void> {
  try {
    await session.orders.put(takenBack(session, attempt));
    const back = sent ? await switchedBack(session, attempt) : undefined;
    if (back === undefined) await update(session.ports.vips, attempt.vip, removeFrom(session, attempt));
    attempt.pinned = 'no';
    const text = (sentence: string) => session.names.text(sentence);
    out.note(text(pinText(attempt, session.now())));
    const look = `${hint(`status ${attempt.vip}`)}`;
    out.note(`${text(whereText(attempt.vip, back, sent, session.now()))}; check: ${look}`);
  } catch (error) {
    out.note(`the pin could not be taken back: ${toFault(error).message}`);
    out.note(session.names.text(standsText(attempt)));
  }
}

/** The order is written before it takes effect, as every other one. */
const takenBack = (session: Session, { vip, order }: Attempt): OperatorAction =>
  operatorAction(
    {
      vip,
      order: 'unpin',
      by: order.by,
      reason: `the break-glass failed: ${order.reason}`,
      atMs: session.now(),
      of: order.id,
    },
    session.nonce(),
  );

const removeFrom =
  (session: Session, attempt: Attempt) =>
  (now: Vip | undefined): Vip | undefined =>
    isRegistered(now) ? restored(now, attempt, session.now()) : now;

/** Under a lease of its own, to where the election then says. Undefined when there is nothing of ours left to take. */
async function switchedBack(session: Session, attempt: Attempt): Promise<Switched | undefined> {
  const { ports } = session;
  const began = session.now();
  const { pin, order } = attempt;
  const cause = (atMs: EpochMs): Cause => ({
    kind: 'order',
    node: pin.node,
    id: order.id,
    why: 'going back, the break-glass failed',
    by: pin.by,
    atMs,
  });
  const patient = { ...ports, deadline: plus(plus(began, WAIT_MAX), ANSWER_WITHIN) };
  const found = await whenFree<never>(patient, attempt.vip, {
    stops: () => undefined,
    waits: () => undefined,
    decide: (vip, now) => ({ write: restored(vip, attempt, now) }),
    write: (before, after) => take(ports, before, after, cause(session.now())),
  });
  if (found.is !== 'written') return undefined;
  attempt.pinned = 'no';
  return observeAndSwitch(ports, found.after, [milestone('order-began', began)]);
}

function pinText({ vip, pin, replaced }: Attempt, now: EpochMs): string {
  if (replaced === undefined || !isLiveOrder(replaced, now))
    return `the pin on ${pin.node} is taken back: ${vip} is no longer pinned`;
  const { node, by, reason, untilMs } = replaced;
  return `the pin on ${pin.node} is taken back; the one before it is in effect again: ${node} until ${iso(untilMs)} by ${by}: ${reason}`;
}

function whereText(name: string, back: Switched | undefined, sent: boolean, now: EpochMs): string {
  if (!sent) return 'nothing had moved, according to EC2';
  const last = back?.failovers.at(-1);
  if (back === undefined || last === undefined || back.vip.lease !== undefined || last.outcome === 'failed')
    return 'what had moved could not be moved back yet; reconcile tries every minute';
  if (isLiveOrder(back.vip.freeze, now))
    return `what had moved stays there: ${name} was frozen in the meantime, until ${iso(back.vip.freeze!.untilMs)}`;
  return `${name} is back at ${back.vip.owner ?? 'no node'} (epoch ${last.epoch}: ${last.outcome})`;
}

/** What an operator has to know while the pin stands, or may. */
export function standsText({ vip, pin, replaced, pinned }: Attempt): string {
  const may = pinned === 'maybe' ? 'may stand' : 'stands';
  const before =
    replaced === undefined
      ? ''
      : `; it replaced one on ${replaced.node} until ${iso(replaced.untilMs)} by ${replaced.by}: ${replaced.reason}`;
  return `the pin on ${pin.node} ${may} until ${iso(pin.untilMs)}, and reconcile follows it${before}; to end it: ${hint(`unpin ${vip}`)}`;
}
