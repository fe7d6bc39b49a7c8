// Makes the registry match a file, after showing the difference.
//
// Everything is looked up and checked before anything is written. Limit: VIPs that only exchange addresses among
// themselves need two runs; a VIP that gives one up goes first.
import { defined } from '../../shared/optional.ts';
import { isPrefixList, overlaps, rangeFrom } from '../../shared/registry/ip-range.ts';
import type { FileEntry } from '../../shared/registry/manifest.ts';
import { differences, isRegistered } from '../../shared/registry/registry.ts';
import { newVip, type Vip } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { agreed } from '../command/confirm.ts';
import { type Status, status } from '../command/exit.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { entryMoveText } from '../command/vip/forecast.ts';
import { entriesFrom } from '../command/vip/manifest-file.ts';
import { refuseUnderWay } from '../command/vip/under-way.ts';
import { removeVip, tablesLeft } from '../vip/list.ts';
import { drawnFrom, usedUp } from '../vip/pool.ts';
import { type Prepared, prepare, refuseEntryUnderWay, register } from '../vip/register.ts';

interface Change {
  readonly name: string;
  readonly was: Vip | undefined;
  readonly prepared: Prepared;
  /** What the pool would give as things stand. */
  readonly next?: string;
}

export async function applyFile({
  args,
  options,
  out,
  session,
}: CommandContext<ApplyOptions>): Promise<Status> {
  const entries = await entriesFrom(args[0]!);
  const vips = (await session.ports.vips.list()).filter(isRegistered);
  const changes = await changesFor(session, entries, vips);
  const unnamed = vips.filter((vip) => !entries.some((e) => e.name === vip.name));
  const pruned = options.prune === true ? unnamed : [];
  show(out, changes, pruned);
  for (const { prepared } of changes) {
    const moves = entryMoveText(prepared, session.now());
    if (moves !== undefined) out.note(await session.names.textOf(moves));
  }
  const staying = unnamed.filter((vip) => !pruned.includes(vip)).map((vip) => vip.name);
  if (staying.length > 0)
    out.note(
      `in the registry and not in the file, left alone (--prune removes): ${staying.sort().join(', ')}`,
    );
  if (changes.length + pruned.length === 0) {
    out.note('No changes: the registry already matches the file');
    return status.ok;
  }
  for (const { prepared } of changes) refuseEntryUnderWay(prepared, session.now());
  // The registry as it will be: what is pruned at the same time keeps no label.
  const after = [
    ...vips.filter((vip) => !pruned.includes(vip) && !changes.some((c) => c.name === vip.name)),
    ...changes.map((change) => change.prepared.entry),
  ];
  for (const vip of pruned) {
    const { stays } = await tablesLeft(session, vip, after, options.force === true);
    for (const sentence of stays) out.note(`${vip.name}: ${sentence}`);
    refuseUnderWay(vip, session.now(), 'it is not removed');
  }
  if (options.dryRun === true) {
    out.note('a dry run: nothing was changed');
    return status.bad;
  }
  if (!(await agreed(`change ${changes.length + pruned.length} VIPs?`, options.yes === true))) {
    out.note('nothing was changed');
    return status.ok;
  }
  for (const { name, was, prepared } of losersFirst(changes)) {
    await register(session, prepared, was === undefined ? 'add' : 'set', options.reason ?? '');
    out.note(`${name}: ${was === undefined ? 'registered' : 'changed'}`);
  }
  for (const vip of pruned) {
    await removeVip(session, vip, options.reason ?? '');
    out.note(`${vip.name}: removed`);
  }
  return status.ok;
}

/** Each entry is checked against the registry as it will be: the other entries of the file, and VIPs that are not in it. */
async function changesFor(
  session: Session,
  entries: readonly FileEntry[],
  vips: readonly Vip[],
): Promise<readonly Change[]> {
  const future: Vip[] = vips.filter((vip) => !entries.some((e) => e.name === vip.name));
  const changes: Change[] = [];
  for (const entry of entries) {
    const was = vips.find((vip) => vip.name === entry.name);
    const prepared = await prepare(session, wantedFrom(entry, was), was, future);
    future.push(newVip(prepared.entry));
    if (prepared.pool !== undefined || differences(was, prepared.entry).length > 0)
      changes.push({ name: entry.name, was, prepared });
  }
  return withDraws(changes, [...vips, ...future]);
}

/** A pool gives no address that the file names elsewhere. A used-up pool is found before anything is written. */
function withDraws(changes: readonly Change[], all: readonly Vip[]): readonly Change[] {
  const taken = new Set(all.flatMap((vip) => vip.addresses));
  const named = [...taken];
  return changes.map((change) => {
    const { pool, closed = [] } = change.prepared;
    if (pool === undefined) return change;
    const next = drawnFrom(pool, change.prepared, taken);
    if (next === undefined) throw usedUp(pool, change.name);
    taken.add(next);
    const prepared = { ...change.prepared, closed: [...closed, ...named.filter((a) => !isPrefixList(a))] };
    return { ...change, prepared, next };
  });
}

/** What was drawn from the pool in an earlier run is kept. */
function wantedFrom(entry: FileEntry, was: Vip | undefined) {
  const pool = entry.pool === undefined ? undefined : rangeFrom(entry.pool);
  const drawn = (was?.addresses ?? []).filter((address) => {
    const range = rangeFrom(address);
    return pool !== undefined && range !== undefined && overlaps(pool, range);
  });
  if (drawn.length === 0) return entry;
  const { pool: _pool, ...rest } = entry;
  return { ...rest, addresses: [...entry.addresses, ...drawn.slice(0, 1)] };
}

const losersFirst = (changes: readonly Change[]): readonly Change[] => {
  const loses = ({ was, prepared }: Change) =>
    [...(was?.addresses ?? []), ...(was?.eips ?? [])].some(
      (thing) => ![...prepared.entry.addresses, ...prepared.entry.eips].includes(thing),
    );
  return [...changes].sort((a, b) => Number(loses(b)) - Number(loses(a)));
};

function show(out: Output, changes: readonly Change[], pruned: readonly Vip[]): void {
  if (out.json) {
    out.documents(
      changes.map(({ name, was, prepared, next }) => ({
        vip: name,
        change: was === undefined ? 'add' : 'set',
        differences: differences(was, prepared.entry),
        ...defined({ andOneOfThePool: next }),
      })),
    );
    out.documents(pruned.map((vip) => ({ vip: vip.name, change: 'remove' })));
    return;
  }
  for (const { name, was, prepared, next } of changes) {
    const sign = was === undefined ? '+' : '~';
    out.line(out.paint(was === undefined ? 'good' : 'warn', `${sign} ${name}`));
    for (const d of differences(was, prepared.entry)) {
      const from = was === undefined ? '' : `${d.from || 'none'} → `;
      out.line(`    ${d.field}: ${from}${d.to || 'none'}`);
    }
    if (next !== undefined) out.line(`    addresses: and the next free one of the pool, currently ${next}`);
  }
  for (const vip of pruned) out.line(out.paint('bad', `- ${vip.name}`));
}

export interface ApplyOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly force?: boolean;
  readonly reason?: string;
}
