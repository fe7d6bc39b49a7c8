// What `vipshift drain` does: says where each VIP of the nodes will go, writes the drain into the VIPs' items, demotes keepalived
// where it has to move first, and waits until the nodes own nothing.
//
// Invariant: each order is on record before it takes effect; ending this process changes nothing of it.

import { orderFrom } from '../../shared/aws/step-functions/order-input.ts';
import { declining } from '../../shared/controller/warned.ts';
import { liveForced } from '../../shared/forced-failover/under-way.ts';
import { durationFrom } from '../../shared/instants.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import { type EpochMs, iso, plus } from '../../shared/time.ts';
import { requireReason } from '../../shared/timeline/operator-action.ts';
import { isLiveOrder } from '../../shared/vip/election.ts';
import type { Override, Vip } from '../../shared/vip/vip.ts';
import { DRAIN_MAX, drainOf, drainText } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { agreed } from '../command/confirm.ts';
import { refused, type Status, status, usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { underWay } from '../command/vip/under-way.ts';
import { eachOrdered, nodesNamed, order, vipsWith } from './nodes.ts';
import {
  declinedText,
  endText,
  leavingTexts,
  outlooks,
  outlookText,
  type Prospect,
  prospects,
  withDrains,
} from './outlook.ts';
import { emptied, isLeft, type Moving } from './wait.ts';

export interface DrainOptions {
  readonly for: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly dryRun?: boolean;
}

export async function drain({ args, options, out, session }: CommandContext<DrainOptions>): Promise<Status> {
  const nodes = await nodesNamed(session, args);
  const { reason, detach = false, dryRun = false } = options;
  requireReason({ order: 'drain', reason });
  const untilMs = expiry(options.for, session.now());
  const vips = await vipsOf(session, nodes);
  for (const vip of vips) refuseForced(vip, nodes, session.now());
  const given: Given = { nodes, drain: { reason, untilMs, by: await session.caller() }, detach };
  const found = await prospects(
    session,
    vips.map((vip) => withDrains(vip, nodes, { ...given.drain, now: session.now() })),
  );
  for (const one of found) {
    if (!dryRun) out.note(outlookText(one));
    else if (out.json) out.document(documentOf(one, given));
    else out.line(`dry run: ${outlookText(one)}`);
    for (const text of asides(one, given, session.now())) out.note(text);
  }
  for (const text of vips.flatMap((vip) => replaced(vip, nodes, session.now()))) out.note(text);
  const against = found.flatMap(({ vip, problems }) => problems.map((why) => `${vip.name}: ${why}`));
  for (const why of against) out.note(why);
  if (dryRun) {
    out.note('a dry run: nothing was changed');
    return found.every(isLeft) && against.length === 0 ? status.ok : status.bad;
  }
  if (against.length > 0 && !(await isMeant(nodes, options))) {
    out.note('nothing was changed');
    return status.refused;
  }
  return carriedOut({ session, out }, found, given);
}

const isMeant = (nodes: readonly string[], { yes = false }: DrainOptions): Promise<boolean> =>
  agreed(
    `drain ${nodes.join(' ')} all the same?`,
    yes,
    `repair it, or drain all the same: ${hint(`drain ${nodes.join(' ')} --yes --reason …`)}`,
  );

function expiry(text: string, now: EpochMs): EpochMs {
  const duration = durationFrom(text);
  if (duration === undefined || duration <= 0)
    throw usage(`--for ${text}: not a duration`, 'expected 30m, 4h or 2d; at most 72h');
  if (duration > DRAIN_MAX)
    throw usage(
      `--for ${text}: no drain lasts longer than 72h`,
      'order it again before it ends, or take the node out of the VIPs',
    );
  return plus(now, duration);
}

async function vipsOf(session: Session, nodes: readonly string[]): Promise<readonly Vip[]> {
  const has = (vip: Vip, node: string) => vip.members[node] !== undefined;
  const vips = await vipsWith(session, (vip) => nodes.some((node) => has(vip, node)));
  const strangers = nodes.filter((node) => !vips.some((vip) => has(vip, node)));
  if (strangers.length > 0)
    throw refused(
      `${strangers.join(', ')}: a member of no VIP`,
      `${hint('status VIP')} names the nodes of each`,
    );
  return vips;
}

/** Again when it is written: one may begin in between. */
function refuseForced(vip: Vip, nodes: readonly string[], now: EpochMs): void {
  const forced = liveForced(vip, now);
  if (forced !== undefined && nodes.includes(forced.node))
    throw underWay(vip.name, forced, `${forced.node} is not drained`);
}

interface Given {
  readonly nodes: readonly string[];
  readonly drain: Override;
  readonly detach: boolean;
}

const membersOf = ({ members }: Vip, nodes: readonly string[]): readonly string[] =>
  nodes.filter((node) => members[node] !== undefined);

const documentOf = ({ vip, outlook, problems }: Prospect, { nodes, drain }: Given) => ({
  vip: vip.name,
  nodes: membersOf(vip, nodes),
  until: iso(drain.untilMs),
  ...defined({ owner: vip.owner }),
  outlook,
  problems,
  dryRun: true,
});

/** Where the VIP goes in the end, and a pin of someone else: it stays, and does not hold while its node is drained. */
function asides(one: Prospect, { nodes, drain }: Given, now: EpochMs): readonly string[] {
  const { name, pin } = one.vip;
  const texts = [
    ...leavingTexts(one),
    ...(ifDefined(endText(one, nodes, drain.untilMs), (end) => [end]) ?? []),
  ];
  if (pin === undefined || !isLiveOrder(pin, now) || !nodes.includes(pin.node)) return texts;
  const whose = `the pin of ${name} on ${pin.node} until ${iso(pin.untilMs)} by ${pin.by}: ${pin.reason}`;
  return [...texts, `suspended while the node is drained: ${whose}`];
}

const replaced = (vip: Vip, nodes: readonly string[], now: EpochMs): readonly string[] =>
  nodes.flatMap((node) => {
    const drain = drainOf(vip, node, now);
    if (drain === undefined) return [];
    const after = drain.startsAtMs === undefined ? undefined : declinedText(declining(vip, node, now), node);
    return [
      `it replaces, in ${vip.name}: ${drainText(node, drain)}`,
      ...(after === undefined ? [] : [after]),
    ];
  });

async function carriedOut(
  run: { readonly session: Session; readonly out: Output },
  found: readonly Prospect[],
  { nodes, drain, detach }: Given,
): Promise<Status> {
  const { session, out } = run;
  const { by, reason, untilMs } = drain;
  const { done, failed } = await eachOrdered(
    found.map(({ vip }) => vip.name),
    async (name) => {
      const { vip } = found.find((one) => one.vip.name === name)!;
      const words = { kind: 'drain' as const, nodes: membersOf(vip, nodes), by, reason, untilMs };
      return order(session, name, words, (was) => {
        refuseForced(was, nodes, session.now());
        return withDrains(was, nodes, { ...drain, now: session.now() });
      });
    },
  );
  for (const { vip, message } of failed) out.note(`${vip}: ${message}`);
  const names = nodes.join(' ');
  if (done.length > 0)
    out.note(`drained until ${iso(untilMs)}: ${names}; to end it: ${hint(`undrain ${names}`)}`);
  const moving = await demoted(session, outlooks(done, session.now()), drain);
  const left = await emptied(run, moving, { nodes, detach });
  return left === 0 && failed.length === 0 ? status.ok : status.bad;
}

/** Starts the workflow where keepalived has to move first. */
async function demoted(
  session: Session,
  found: readonly Prospect[],
  { by, reason }: Override,
): Promise<readonly Moving[]> {
  const moving: Moving[] = [];
  for (const one of found) {
    const { vip, outlook } = one;
    if (outlook.key !== 'demotes') {
      moving.push(one);
      continue;
    }
    const given = { vip: vip.name, to: outlook.to, mode: 'via-keepalived', reason, by: by.slice(0, 500) };
    const parsed = orderFrom(given);
    if (!parsed.ok)
      throw new TypeError(`a drain makes no order of ${JSON.stringify(given)}: ${parsed.reasons.join('; ')}`);
    const at = iso(session.now()).replace(/[-:]|\.\d+/g, '');
    const execution = `${vip.name.slice(0, 42)}-drain-${at}-${session.nonce().slice(0, 8)}`;
    await (await session.workflow()).start(execution, parsed.order);
    moving.push({ ...one, execution });
  }
  return moving;
}
