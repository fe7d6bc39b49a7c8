// Makes the registry match a file, after showing the difference.
//
// Everything is looked up and checked before anything is written. Then several VIPs are written at a time; one that fails
// hides no other, and the same command run again goes on with what is missing. Limit: VIPs that only exchange addresses among
// themselves need two runs.
import type { FileEntry } from '../../shared/registry/manifest.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { agreed } from '../command/confirm.ts';
import { type Status, status } from '../command/exit.ts';
import type { Output } from '../command/output.ts';
import { progress } from '../command/print/progress.ts';
import type { Session } from '../command/session.ts';
import { entryMoveText } from '../command/vip/forecast.ts';
import { entriesFrom } from '../command/vip/manifest-file.ts';
import { refuseUnderWay } from '../command/vip/under-way.ts';
import { tablesLeft } from '../vip/list.ts';
import { lookupsForAll } from '../vip/lookups.ts';
import type { Asking } from '../vip/prepare.ts';
import { refuseEntryUnderWay } from '../vip/register.ts';
import { carryOut } from './carry-out.ts';
import { type Change, changesFor } from './changes.ts';
import type { ApplyOptions } from './options.ts';
import { show, summarize } from './show.ts';

export async function applyFile(context: CommandContext<ApplyOptions>): Promise<Status> {
  const { args, options, out, session } = context;
  const entries = await entriesFrom(args[0]!);
  const vips = (await session.ports.vips.list()).filter(isRegistered);
  const named = new Set(entries.map((entry) => entry.name));
  const unnamed = vips.filter((vip) => !named.has(vip.name));
  const pruned = options.prune === true ? unnamed : [];
  const eips = entries.flatMap((entry) => entry.eips);
  const asking = { session, look: lookupsForAll(session, [...entries, ...pruned], eips) };
  const changes = await checked(asking, entries, vips);
  show(out, changes, pruned);
  await remark(out, session, changes);
  const staying = options.prune === true ? [] : unnamed.map((vip) => vip.name);
  if (staying.length > 0)
    out.note(
      `in the registry and not in the file, left alone (--prune removes): ${staying.sort().join(', ')}`,
    );
  const total = changes.length + pruned.length;
  if (total === 0) {
    out.note('No changes: the registry already matches the file');
    summarize(out, { changes: 0, done: 0, failed: [], left: [] });
    return status.ok;
  }
  for (const { prepared } of changes) refuseEntryUnderWay(prepared, session.now());
  await refusePrunes(context, asking, { vips, changes, pruned });
  if (options.dryRun === true) {
    out.note('a dry run: nothing was changed');
    summarize(out, { dryRun: true, changes: total, done: 0, failed: [], left: [] });
    return status.bad;
  }
  if (!(await agreed(`change ${total} ${total === 1 ? 'VIP' : 'VIPs'}?`, options.yes === true))) {
    out.note('nothing was changed');
    return status.refused;
  }
  return carryOut(context, changes, pruned);
}

async function checked(asking: Asking, entries: readonly FileEntry[], vips: readonly Vip[]) {
  const shown = progress('checking', entries.length);
  try {
    return await changesFor(asking, entries, vips, shown.step);
  } finally {
    shown.end();
  }
}

async function remark(out: Output, session: Session, changes: readonly Change[]): Promise<void> {
  for (const { prepared } of changes) {
    const moves = entryMoveText(prepared, session.now());
    if (moves !== undefined) out.note(await session.names.textOf(moves));
  }
}

interface Difference {
  readonly vips: readonly Vip[];
  readonly changes: readonly Change[];
  readonly pruned: readonly Vip[];
}

async function refusePrunes(
  { options, out, session }: CommandContext<ApplyOptions>,
  asking: Asking,
  { vips, changes, pruned }: Difference,
): Promise<void> {
  const gone = new Set([...pruned, ...changes].map(({ name }) => name));
  // The registry as it will be: what is pruned at the same time keeps no label.
  const after = [
    ...vips.filter((vip) => !gone.has(vip.name)),
    ...changes.map((change) => change.prepared.entry),
  ];
  for (const vip of pruned) {
    const { stays } = await tablesLeft(asking, vip, after, options.force === true);
    for (const sentence of stays) out.note(`${vip.name}: ${sentence}`);
    refuseUnderWay(vip, session.now(), 'it is not removed');
  }
}
