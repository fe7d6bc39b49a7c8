// What pin, unpin, freeze and unfreeze do: an override in the VIP's item, recorded before it takes effect.
//
// While a forced failover is under way: a freeze cancels it, in the same write; a pin to another node is refused, and so is
// an unpin of the pin that it set.
//
// Limit: an override is only written into the VIP's item. The controller follows it with the next claim or reconcile, within a
// minute; what has to move at once is a failover.

import { listText } from '../../shared/bounded.ts';
import { toFault } from '../../shared/fault.ts';
import { forbidsPin, forbidsUnpin, liveForced } from '../../shared/forced-failover/under-way.ts';
import { durationFrom } from '../../shared/instants.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import { isRegistered, update } from '../../shared/registry/registry.ts';
import { type DurationMs, type EpochMs, hours, iso, plus } from '../../shared/time.ts';
import { actionText, type OperatorActionKind, onRecord } from '../../shared/timeline/operator-action.ts';
import { isLiveOrder, unfit, unfitText } from '../../shared/vip/election.ts';
import {
  drainOf,
  drainText,
  type Override,
  type Pin,
  type Vip,
  withFreeze,
  withoutFreeze,
  withoutPin,
  withPin,
} from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { agreed } from '../command/confirm.ts';
import { refused, type Status, status, usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { nodeNamed } from '../command/node/chosen.ts';
import type { Session } from '../command/session.ts';
import {
  freezeEndText,
  leavesAfterFreeze,
  movesWithout,
  pinEndText,
  stayText,
} from '../command/vip/forecast.ts';
import { unknown } from '../command/vip/registered-vip.ts';
import { underWay } from '../command/vip/under-way.ts';
import { byHandWay, withWayLeft } from '../command/vip/way-left.ts';

export interface OrderOptions {
  readonly all?: boolean;
  readonly to?: string;
  readonly for: string;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** A forgotten order must not outlive the memory of why it was given. */
const FOR_MAX: DurationMs = hours(24 * 30);

export type OrderKind = Extract<OperatorActionKind, 'pin' | 'unpin' | 'freeze' | 'thaw'>;

export async function give(
  { args, options, out, session }: CommandContext<OrderOptions>,
  kind: OrderKind,
): Promise<Status> {
  const byHand = byHandWay({ vip: args[0] ?? 'VIP', to: options.to ?? 'NODE' });
  const vips = await withWayLeft(() => addressed(session, args, options.all === true), byHand);
  const untilMs = kind === 'pin' || kind === 'freeze' ? expiry(options.for, session.now()) : undefined;
  const [found, by] = await Promise.all([session.names.learn({ vips }, out), session.caller()]);
  const to = options.to === undefined ? undefined : nodeNamed(options.to, found, '--to', vipsText(vips));
  if (to !== undefined) refuseUnfit(vips, to, session.now());
  const say = (sentence: string) => out.note(session.names.text(sentence));
  const ends = kind === 'unpin' || kind === 'thaw';
  const moves = ends ? await movesWithout(session, vips, kind) : new Map<string, string>();
  for (const text of moves.values()) say(text);
  const dryRun = options.dryRun === true;
  if (moves.size > 0 && !dryRun) {
    const names = options.all === true ? '--all' : args.join(' ');
    const otherwise = `to let it move: ${hint(`${actionText(kind)} ${names} --yes`)}`;
    if (!(await agreed(`${actionText(kind)} ${names}?`, options.yes === true, otherwise))) {
      out.note('nothing was changed');
      return status.refused;
    }
  }
  const words = { by, options: { ...options, ...defined({ to }) }, untilMs };
  let failed = 0;
  let bug: unknown;
  for (const vip of vips) {
    try {
      const { item, replaced, ...done } = await giveOne(session, vip.name, kind, words);
      if (out.json)
        out.document({
          ...done,
          ...(dryRun ? { dryRun } : {}),
          ...defined({ replaced: documentOf(replaced) }),
        });
      else out.line(session.names.text(dryRun ? `dry run: ${planned(done)}` : sentence(done)));
      if (replaced !== undefined && !out.json) say(replacedText(replaced, dryRun));
      if (kind === 'pin') say(pinEndText(item));
      if (kind === 'freeze' && leavesAfterFreeze(item)) say(freezeEndText(item));
      if (ends && done.changed && !moves.has(vip.name)) say(stayText(item, session.now()));
    } catch (error) {
      if (vips.length === 1) throw error;
      failed += 1;
      const fault = toFault(error);
      if (fault.kind === 'bug') bug ??= error;
      out.note(`${vip.name}: ${fault.message}`);
    }
  }
  // The other VIPs are done.
  if (bug !== undefined) throw bug;
  if (dryRun) out.note('a dry run: nothing was changed');
  return failed === 0 ? status.ok : status.bad;
}

async function addressed(session: Session, names: readonly string[], all: boolean): Promise<readonly Vip[]> {
  const vips = (await session.ports.vips.list()).filter(isRegistered);
  if (all) return [...vips].sort((a, b) => (a.name < b.name ? -1 : 1));
  const missing = names.filter((name) => !vips.some((v) => v.name === name));
  if (missing.length > 0) {
    const known = vips.map((v) => v.name);
    throw unknown(missing.join(', '), known);
  }
  return vips.filter((v) => names.includes(v.name));
}

/** Whose nodes are meant. */
const vipsText = (vips: readonly Vip[]): string => listText(vips.map((vip) => vip.name));

function expiry(text: string, now: EpochMs): EpochMs {
  const duration = durationFrom(text);
  if (duration === undefined || duration <= 0 || duration > FOR_MAX)
    throw usage(`--for ${text}: not a duration`, 'expected 30m, 2h or 1d; at most 30d');
  return plus(now, duration);
}

/** A pin on a node that is unfit or drained is suspended by the election; better said now than found out later. */
function refuseUnfit(vips: readonly Vip[], node: string, now: EpochMs): void {
  const reasons = vips.flatMap((vip) => {
    const why = unfit(vip, node);
    if (why !== undefined) return [`${vip.name}: ${unfitText(why)}`];
    const drain = drainOf(vip, node, now);
    return drain === undefined ? [] : [`${vip.name}: ${drainText(node, drain)}`];
  });
  const members = [...new Set(vips.flatMap((vip) => Object.keys(vip.members)))].sort();
  if (reasons.length > 0)
    throw refused(
      `${node} is not fit:\n${reasons.join('\n')}\nthe nodes are: ${members.join(', ') || 'none'}`,
      `${hint('status')} shows what each node reported last`,
    );
}

interface Given {
  readonly vip: string;
  readonly order: OrderKind;
  readonly changed: boolean;
  readonly until?: string;
  readonly node?: string;
  /** The execution of a forced failover that was under way. */
  readonly cancelled?: string;
}

/** `item`: the VIP with it. `replaced`: the order of the same kind that it takes the place of. */
async function giveOne(
  session: Session,
  name: string,
  kind: OrderKind,
  words: { by: string; options: OrderOptions; untilMs: EpochMs | undefined },
): Promise<Given & { readonly item: Vip; readonly replaced: Pin | Override | undefined }> {
  const { by, options, untilMs } = words;
  const reason = options.reason ?? '';
  const node = kind === 'pin' ? { node: options.to! } : {};
  const until = defined({ untilMs });
  const order = { vip: name, order: kind, by, reason, atMs: session.now(), ...until, ...node };
  let changed = false;
  let cancelled: string | undefined;
  let replaced: Pin | Override | undefined;
  const change = (was: Vip | undefined): Vip => {
    if (!isRegistered(was)) throw unknown(name);
    refuseBeside(was, kind, options.to, session.now());
    cancelled = kind === 'freeze' ? liveForced(was, session.now())?.execution : undefined;
    const before = kind === 'pin' ? was.pin : kind === 'freeze' ? was.freeze : undefined;
    replaced = isLiveOrder(before, session.now()) ? before : undefined;
    const end = untilMs ?? session.now();
    const is = applied(was, kind, { by, reason, untilMs: end, node: options.to ?? '' });
    changed = is !== was;
    return is;
  };
  const was = await session.ports.vips.read(name);
  // What ends nothing is no order: the record would fill with them.
  const isIdle =
    (kind === 'unpin' && was?.pin === undefined) || (kind === 'thaw' && was?.freeze === undefined);
  const item =
    options.dryRun === true || isIdle
      ? change(was)
      : await onRecord(session, order, () => update(session.ports.vips, name, change));
  return {
    item: item!,
    replaced,
    vip: name,
    order: kind,
    changed,
    ...node,
    ...defined({ until: ifDefined(untilMs, iso) }),
    ...defined({ cancelled }),
  };
}

/** Again for each try: a forced failover may begin in between. */
function refuseBeside(vip: Vip, kind: OrderKind, node: string | undefined, now: EpochMs): void {
  const pinned = kind === 'pin' ? forbidsPin(vip, node!, now) : undefined;
  if (pinned !== undefined) throw underWay(vip.name, pinned, `it is not pinned to ${node}`);
  const unpinned = kind === 'unpin' ? forbidsUnpin(vip, now) : undefined;
  if (unpinned !== undefined)
    throw underWay(vip.name, unpinned, 'the pin is its own, and stays until its end');
}

function applied(
  vip: Vip,
  kind: OrderKind,
  { node, ...order }: { by: string; reason: string; untilMs: EpochMs; node: string },
): Vip {
  switch (kind) {
    case 'pin':
      return withPin(vip, { ...order, node });
    case 'freeze':
      return withFreeze(vip, order);
    case 'unpin':
      return vip.pin === undefined ? vip : withoutPin(vip);
    case 'thaw':
      return vip.freeze === undefined ? vip : withoutFreeze(vip);
    default:
      return kind satisfies never;
  }
}

/** What a dry run prints. */
function planned({ vip, order, changed, until, node, cancelled }: Given): string {
  if (order === 'pin') return `${vip} would be pinned to ${node} until ${until}`;
  if (order === 'freeze') {
    const undone = cancelled === undefined ? '' : `; the forced failover ${cancelled} would be cancelled`;
    return `${vip} would be frozen until ${until}${undone}`;
  }
  const what = order === 'unpin' ? 'pinned' : 'frozen';
  return changed ? `${vip} would no longer be ${what}` : `${vip} is not ${what}`;
}

function replacedText({ untilMs, by, reason, ...order }: Pin | Override, dryRun: boolean): string {
  const what = 'node' in order ? `pin on ${order.node}` : 'freeze';
  const verb = dryRun ? 'it would replace' : 'it replaces';
  return `${verb} the ${what} until ${iso(untilMs)} by ${by}: ${reason}`;
}

const documentOf = (order: Pin | Override | undefined) =>
  ifDefined(order, ({ untilMs, ...rest }) => ({ ...rest, until: iso(untilMs) }));

function sentence({ vip, order, changed, until, node, cancelled }: Given): string {
  if (order === 'pin')
    return `${vip} is pinned to ${node} until ${until}; the controller follows within a minute`;
  if (order === 'freeze') {
    const undone =
      cancelled === undefined ? '' : `; the forced failover ${cancelled} is cancelled and rolled back`;
    return `${vip} is frozen until ${until}${undone}`;
  }
  const what = order === 'unpin' ? 'pinned' : 'frozen';
  return changed ? `${vip} is no longer ${what}` : `${vip} was not ${what}`;
}
