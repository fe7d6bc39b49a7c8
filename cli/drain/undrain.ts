// What `vipshift undrain` does: takes the drain out of the items of all VIPs that have it, and says beforehand what moves.
import { releaseCommand } from '../../shared/forced-failover/rejoin.ts';
import type { EpochMs } from '../../shared/time.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { drainOf, drainText, leavingOf } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { agreed } from '../command/confirm.ts';
import { type Status, status } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { moveText, stayText } from '../command/vip/forecast.ts';
import { eachOrdered, nodesNamed, order, vipsWith } from './nodes.ts';
import { declinedText, withoutDrains } from './outlook.ts';

export interface UndrainOptions {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export async function undrain({
  args,
  options,
  out,
  session,
}: CommandContext<UndrainOptions>): Promise<Status> {
  const nodes = await nodesNamed(session, args);
  const vips = await vipsWith(session, (vip) => nodes.some((node) => vip.drains?.[node] !== undefined));
  const now = session.now();
  const moves = vips.flatMap((vip) => {
    // What has run out ends by itself; taking it away changes nothing.
    const isLive = nodes.some((node) => drainOf(vip, node, now) !== undefined);
    const text = isLive ? moveText(withoutDrains(vip, nodes, now), now) : undefined;
    return text === undefined ? [] : [{ vip: vip.name, text }];
  });
  const dryRun = options.dryRun === true;
  for (const text of vips.flatMap((vip) => whose(vip, nodes, now)))
    out.note(`${dryRun ? 'it would end' : 'it ends'}, ${text}`);
  for (const { text } of moves) out.note(text);
  for (const text of vips.flatMap((vip) => afterwards(vip, nodes, now))) out.note(text);
  const words = nodes.join(' ');
  const otherwise = `to let it move: ${hint(`undrain ${words} --yes`)}`;
  if (moves.length > 0 && !dryRun && !(await agreed(`undrain ${words}?`, options.yes === true, otherwise))) {
    out.note('nothing was changed');
    return status.refused;
  }
  const by = await session.caller();
  const place = { stage: session.settings.stage, region: session.region };
  const { done, failed } = await eachOrdered(
    vips.map((vip) => vip.name),
    async (name) => {
      const before = vips.find((vip) => vip.name === name)!;
      const drained = nodes.filter((node) => before.drains?.[node] !== undefined);
      const ended = { kind: 'undrain' as const, nodes: drained, by, reason: options.reason ?? '' };
      const change = (was: Vip) => withoutDrains(was, nodes, session.now());
      const item = dryRun ? change(before) : await order(session, name, ended, change);
      return { item, drained };
    },
  );
  for (const { item, drained } of done) {
    if (out.json) out.document({ vip: item.name, nodes: drained, ...(dryRun ? { dryRun } : {}) });
    else {
      const are = drained.length === 1 ? 'is' : 'are';
      const would = dryRun ? 'would no longer be' : `${are} no longer`;
      out.line(`${dryRun ? 'dry run: ' : ''}${drained.join(', ')} ${would} drained in ${item.name}`);
    }
    if (!moves.some(({ vip }) => vip === item.name)) out.note(`${item.name}: ${stayText(item, now)}`);
    for (const node of drained) {
      const demoted = item.hold === 'master' && item.claims[node]?.state === 'FAULT';
      if (demoted)
        out.note(`${node} reports FAULT; if the drain demoted it: ${releaseCommand(place, item.name, node)}`);
    }
  }
  for (const node of nodes)
    if (!vips.some((vip) => vip.drains?.[node] !== undefined)) out.note(`${node} is not drained`);
  for (const { vip, message } of failed) out.note(`${vip}: ${message}`);
  if (dryRun) out.note('a dry run: nothing was changed');
  return failed.length === 0 ? status.ok : status.bad;
}

/** Who wanted what until when: it may be another operator's. */
export const whose = (vip: Vip, nodes: readonly string[], now: EpochMs): readonly string[] =>
  nodes.flatMap((node) => {
    const drain = drainOf(vip, node, now);
    return drain === undefined ? [] : [`in ${vip.name}: ${drainText(node, drain)}`];
  });

/** What goes on all the same: AWS's maintenance, and what the node reports by itself. */
export function afterwards(vip: Vip, nodes: readonly string[], now: EpochMs): readonly string[] {
  const after = withoutDrains(vip, nodes, now);
  return nodes.flatMap((node) => {
    const drain = drainOf(vip, node, now);
    const scheduled = drain?.startsAtMs === undefined ? undefined : declinedText(after, node);
    const cause = drain === undefined ? undefined : leavingOf(vip, node);
    const itself =
      cause === undefined
        ? undefined
        : `${vip.name}: ${node} reports that it is about to go (${cause}), and is passed over all the same; to end that, on the node: vipshift-notify stay`;
    return [scheduled, itself].filter((text) => text !== undefined);
  });
}
