// `vip list`, `vip show` and `vip remove`.

import { staysText, usersHere } from '../../shared/network/labels.ts';
import { strays, type TableSeen, tablesOf } from '../../shared/network/observation.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import { awsCommand } from '../../shared/place.ts';
import { entryOf, isRegistered, removed, update } from '../../shared/registry/registry.ts';
import { iso } from '../../shared/time.ts';
import { onRecord } from '../../shared/timeline/operator-action.ts';
import type { RegistryEntry, Vip } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { refused } from '../command/exit.ts';
import { placeHere } from '../command/hint.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { requireVip } from '../command/vip/registered-vip.ts';
import { refuseUnderWay } from '../command/vip/under-way.ts';
import { lookups } from './lookups.ts';
import type { Asking } from './prepare.ts';

export interface ListOptions {
  readonly removed?: boolean;
  readonly names?: boolean;
}

export async function listVips({ options, out, session }: CommandContext<ListOptions>): Promise<void> {
  const all = await session.ports.vips.list();
  const vips = all
    .filter((vip) => options.removed === true || isRegistered(vip))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (options.names === true && !out.json) return out.lines(vips.map((vip) => vip.name));
  if (out.json)
    return out.documents(vips.map((vip) => (options.names === true ? { name: vip.name } : documentOf(vip))));
  if (vips.length === 0) {
    return out.note(`no VIP is registered in stage ${session.settings.stage}; vipshift vip add --help`);
  }
  out.table(
    ['vip', 'addresses', 'eips', 'vpc', 'owner', 'epoch', 'nodes', 'remark'],
    vips.map((vip) => [
      { text: vip.name, paint: 'strong' },
      vip.addresses.join(' '),
      vip.eips.join(' ') || '-',
      vip.vpc,
      vip.owner ?? '-',
      String(vip.epoch),
      String(Object.keys(vip.members).length),
      remarkOn(vip),
    ]),
  );
}

const remarkOn = (vip: Vip): string =>
  vip.removedAtMs !== undefined
    ? `removed ${iso(vip.removedAtMs)}`
    : [
        ...(vip.priority === 'first' ? ['goes first'] : []),
        ...(vip.tableLabels.join() === vip.name && vip.nodeLabels.join() === vip.name
          ? []
          : [`labels ${vip.tableLabels.join(',')} / ${vip.nodeLabels.join(',')}`]),
      ].join('; ');

const documentOf = (vip: Vip) => ({
  ...entryOf(vip),
  priority: vip.priority ?? 'normal',
  epoch: vip.epoch,
  ...defined({ owner: vip.owner }),
  ...defined({ removedAt: ifDefined(vip.removedAtMs, iso) }),
  members: vip.members,
});

export async function show({ args, out, session }: CommandContext<object>): Promise<void> {
  const vip = await requireVip(session, args[0]!);
  const seen = await session.ports.ec2.observe(vip);
  const tables = tablesOf(vip, seen);
  const aside = strays(vip, seen);
  if (out.json) {
    return out.document({
      ...documentOf(vip),
      tables: tables.map((t) => t.table),
      enis: seen.enis,
      eipsSeen: seen.eips,
      strays: aside,
    });
  }
  const rows: (readonly [string, string])[] = [
    ['name', vip.name],
    ['addresses', vip.addresses.join(', ') || 'none'],
    ['EIPs', vip.eips.join(', ') || 'none'],
    ['VPC', `${vip.vpc} of account ${vip.account}`],
    [
      'labels',
      `${vip.tableLabels.join(', ')} on tables, ${vip.nodeLabels.join(', ')} on nodes (tag ${session.tag})`,
    ],
    ['hold', vip.hold],
    ['priority', vip.priority === 'first' ? 'first, where EC2’s request budget is short' : 'normal'],
    ['owner', vip.owner ?? 'no node yet'],
    ['epoch', String(vip.epoch)],
    ['tables', tables.map((t) => t.table).join(', ') || 'none found'],
  ];
  out.table(['field', 'value'], rows);
  out.line();
  out.table(
    ['eni', 'label', 'node', 'zone', 'addresses'],
    seen.enis.map((e) => [
      e.eni,
      e.label,
      e.node ?? 'not attached',
      e.zone,
      e.addresses
        .map((a) => (a.eip === undefined ? a.privateAddress : `${a.privateAddress} (${a.eip})`))
        .join(' '),
    ]),
  );
  for (const stray of aside) out.note(`left alone: ${stray.id} ${stray.why}`);
}

export interface RemoveOptions {
  readonly force?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** All are looked at before the first one is removed: one that is refused keeps the others, too. */
export async function remove({ args, options, out, session }: CommandContext<RemoveOptions>): Promise<void> {
  const vips: Vip[] = [];
  for (const name of new Set(args)) vips.push(await requireVip(session, name));
  const going = new Set(vips.map((vip) => vip.name));
  const staying = (await session.ports.vips.list()).filter((v) => isRegistered(v) && !going.has(v.name));
  const asking = { session, look: lookups(session) };
  const dryRun = options.dryRun === true;
  const found: (readonly [Vip, Left])[] = [];
  for (const vip of vips) {
    found.push([vip, await tablesLeft(asking, vip, staying, options.force === true)]);
    refuseUnderWay(vip, session.now(), 'it is not removed');
  }
  for (const [vip, left] of found) {
    if (!dryRun) await removeVip(session, vip, options.reason ?? '');
    tellRemoved(out, vip, left, dryRun);
  }
  if (dryRun) out.note('a dry run: nothing was changed');
}

function tellRemoved(out: Output, vip: Vip, left: Left, dryRun: boolean): void {
  const tables = left.tables.map((t) => t.table);
  if (out.json)
    out.document({
      name: vip.name,
      removed: !dryRun,
      ...(dryRun ? { dryRun } : {}),
      epoch: vip.epoch,
      tablesLeft: tables,
      labelsStay: left.stays,
    });
  else if (dryRun) out.line(`dry run: ${vip.name} would be removed; its epoch ${vip.epoch} would be kept`);
  else out.line(`${vip.name} is removed; its epoch ${vip.epoch} is kept`);
  for (const stays of left.stays) out.note(stays);
  if (tables.length > 0)
    out.note(
      `routes to ${vip.addresses.join(', ')} stay in ${tables.join(', ')}; vipshift no longer moves them`,
    );
}

export interface Left {
  /** Tables that still have one of its labels. */
  readonly tables: readonly TableSeen[];
  /** A sentence for each label that another VIP uses. */
  readonly stays: readonly string[];
}

/**
 * What it leaves. Tables with a label of its own are refused unless forced; a label that one of `staying` uses is theirs, too, and
 * stays where it is.
 */
export async function tablesLeft(
  { session, look }: Asking,
  vip: Vip,
  staying: readonly RegistryEntry[],
  force: boolean,
): Promise<Left> {
  const tables = tablesOf(vip, await look.observe(vip));
  const users = (table: TableSeen) => usersHere('table', { ...table, label: table.label ?? '' }, staying);
  const own = tables.filter((table) => users(table).length === 0).map((t) => t.table);
  const stays = [
    ...new Set(
      tables.filter((table) => users(table).length > 0).map((t) => staysText(t.label ?? '', users(t))),
    ),
  ];
  if (own.length > 0 && !force) {
    throw refused(
      `${own.length} route ${own.length === 1 ? 'table still has' : 'tables still have'} the label of ${vip.name}: ${own.join(', ')}${stays.map((s) => `\n${s}`).join('')}`,
      `take it away first, or say --force; their routes stay either way: ${awsCommand(`ec2 delete-tags --resources ${own.join(' ')} --tags Key=${session.tag}`, placeHere())}`,
    );
  }
  return { tables, stays };
}

/** Leaves a tombstone and gives the addresses back. */
export async function removeVip(session: Session, vip: Vip, reason: string): Promise<void> {
  refuseUnderWay(vip, session.now(), 'it is not removed');
  const by = await session.caller();
  const order = {
    vip: vip.name,
    order: 'remove',
    by,
    reason,
    atMs: session.now(),
    before: entryOf(vip),
  } as const;
  await onRecord(session, order, () =>
    update(session.ports.vips, vip.name, (now) => {
      if (!isRegistered(now)) return now;
      refuseUnderWay(now, session.now(), 'it is not removed');
      return removed(now, session.now());
    }),
  );
  const things = [...vip.addresses, ...vip.eips];
  await Promise.all(things.map((thing) => session.reservations.release(thing, vip.name)));
}
