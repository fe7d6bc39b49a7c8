// The dry run of break-glass: what it would do and what would refuse it, from here, without a write.
//
// It asks the questions of the workflow's preflight, but for what break-glass overrides: another operator's pin is replaced, a
// forced failover that is under way ends, and a lease that is held is waited for.
import { lookAt } from '../../shared/forced-failover/preflight.ts';
import { liveForced } from '../../shared/forced-failover/under-way.ts';
import { statesOf } from '../../shared/network/next-owner.ts';
import { defined } from '../../shared/optional.ts';
import { iso } from '../../shared/time.ts';
import { forcedText } from '../../shared/timeline/operator-action.ts';
import { isLiveOrder } from '../../shared/vip/election.ts';
import { isLive } from '../../shared/vip/lease.ts';
import type { Pin, Vip } from '../../shared/vip/vip.ts';
import { drainOf, drainText } from '../../shared/vip/vip.ts';
import type { Status } from '../command/exit.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { doctorOf, leftBy } from '../command/vip/left-behind.ts';
import { inTheWay } from './in-the-way.ts';
import { tellPlan } from './result.ts';
import { foundOfTarget } from './target.ts';

export async function rehearse(session: Session, out: Output, vip: Vip, to: string): Promise<Status> {
  const [seen, hosts, findings, left] = await Promise.all([
    session.ports.ec2.observe(vip),
    statesOf(session.ports.ec2, to),
    foundOfTarget(session, vip.name, to),
    leftBy(session, vip.name),
  ]);
  const now = session.now();
  const { freeze, pin, lease } = vip;
  const frozen = isLiveOrder(freeze, now)
    ? [`frozen until ${iso(freeze!.untilMs)} by ${freeze!.by}: ${freeze!.reason}`]
    : [];
  const sizes = session.settings.rates;
  const drain = drainOf(vip, to, now);
  const reasons = [...frozen, ...(drain === undefined ? [] : [drainText(to, drain)])];
  const found = lookAt(vip, seen, to, { reasons, sizes, hosts });
  const say = (sentence: string) => out.note(session.names.text(sentence));
  if (isLiveOrder(pin, now)) say(`it would replace ${pinPhrase(pin!)}`);
  const forced = liveForced(vip, now);
  if (forced !== undefined) say(`it would end ${forcedText(vip.name, forced)}`);
  if (isLive(lease, now))
    out.note(
      `a failover is under way: it would wait for its lease, until ${iso(lease!.expiresAtMs)} at most`,
    );
  if (vip.hold === 'master')
    say(`hold is "master": ${to} has the address only while keepalived is MASTER there`);
  const { names } = session;
  const planned = { vip: vip.name, to, findings, left, doctor: doctorOf(vip.name), names };
  const status = tellPlan(out, found, planned);
  for (const way of inTheWay({ name: vip.name, ...defined({ freeze, drains: vip.drains }) }, to, now))
    out.note(way);
  return status;
}

export const pinPhrase = ({ node, untilMs, by, reason }: Pin): string =>
  `the pin on ${node} until ${iso(untilMs)} by ${by}: ${reason}`;
