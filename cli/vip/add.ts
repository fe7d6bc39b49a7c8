// `vip add` and `vip set`.

import { tablesOf } from '../../shared/network/observation.ts';
import { awsCommand } from '../../shared/place.ts';
import { destinationOption } from '../../shared/registry/ip-range.ts';
import { differences, entryOf, isRegistered } from '../../shared/registry/registry.ts';
import type { Hold, RegistryEntry, Vip } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { agreed } from '../command/confirm.ts';
import { type Status, status, usage } from '../command/exit.ts';
import { placeHere } from '../command/hint.ts';
import type { Output } from '../command/output.ts';
import { entryMoveText } from '../command/vip/forecast.ts';
import { taken, unknown } from '../command/vip/registered-vip.ts';
import { lookups } from './lookups.ts';
import { type Prepared, prepare, type Wanted } from './prepare.ts';
import { refuseEntryUnderWay, register, withDraw } from './register.ts';

export interface AddOptions {
  readonly address?: readonly string[];
  readonly pool?: string;
  /** False with --no-eip. */
  readonly eip?: readonly string[] | false;
  readonly vpc?: string;
  readonly tableLabel?: readonly string[];
  readonly nodeLabel?: readonly string[];
  readonly hold?: Hold;
  readonly priority?: 'first' | 'normal';
  readonly allowPublic?: boolean;
  readonly reason?: string;
  /** Of `vip set` and `vip adopt`. */
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export const wantedFrom = (name: string, options: AddOptions): Wanted => ({
  name,
  addresses: options.address,
  pool: options.pool,
  eips: options.eip === false ? [] : options.eip,
  vpc: options.vpc,
  tableLabels: options.tableLabel,
  nodeLabels: options.nodeLabel,
  hold: options.hold,
  priority: options.priority,
  allowPublic: options.allowPublic,
});

export async function add({ args, options, out, session }: CommandContext<AddOptions>): Promise<void> {
  const name = args[0]!;
  const others = await session.ports.vips.list();
  if (isRegistered(others.find((v) => v.name === name))) throw taken(name);
  const prepared = await prepare(
    { session, look: lookups(session) },
    wantedFrom(name, options),
    undefined,
    others,
  );
  if (options.dryRun === true) return rehearse(out, session.tag, withDraw(prepared, others));
  const vip = await register(session, prepared, 'add', options.reason ?? '');
  for (const remark of remarksOn(prepared, session.tag)) out.note(remark);
  if (out.json) return out.document(registeredDocument(vip, prepared));
  const again = vip.epoch > 0 ? `; it was here before and goes on from epoch ${vip.epoch}` : '';
  out.line(`${name} is registered: ${describe(vip, prepared)}${again}`);
}

export async function set({ args, options, out, session }: CommandContext<AddOptions>): Promise<Status> {
  const name = args[0]!;
  const others = await session.ports.vips.list();
  const was = await session.ports.vips.read(name);
  if (!isRegistered(was))
    throw unknown(
      name,
      others.filter(isRegistered).map((v) => v.name),
    );
  const wanted = wantedFrom(name, options);
  if (Object.entries(wanted).every(([field, value]) => field === 'name' || value === undefined)) {
    throw usage('nothing to set', 'name what is to change: vipshift vip set --help');
  }
  const prepared = await prepare({ session, look: lookups(session) }, wanted, was, others);
  if (prepared.pool === undefined && differences(was, prepared.entry).length === 0) {
    if (out.json) out.document(registeredDocument(was, prepared));
    else out.line(`No changes: ${name} already has these settings`);
    return status.ok;
  }
  const consequences = [
    entryMoveText(prepared, session.now()),
    lossText(was, prepared.entry, options),
  ].filter((text) => text !== undefined);
  for (const text of consequences) out.note(await session.names.textOf(text));
  refuseEntryUnderWay(prepared, session.now());
  if (options.dryRun === true) {
    rehearse(out, session.tag, withDraw(prepared, others));
    return status.ok;
  }
  if (consequences.length > 0) {
    const otherwise = 'to change it all the same: --yes';
    if (!(await agreed(`change ${name}?`, options.yes === true, otherwise))) {
      out.note('nothing was changed');
      return status.refused;
    }
  }
  const vip = await register(session, prepared, 'set', options.reason ?? '');
  for (const remark of [...remarksOn(prepared, session.tag), ...leftBehind(was, vip)]) out.note(remark);
  if (out.json) out.document(registeredDocument(vip, prepared));
  else
    for (const d of differences(was, vip))
      out.line(`${name} ${d.field}: ${d.from || 'none'} → ${d.to || 'none'}`);
  return status.ok;
}

/** A list that is named replaces the one before it: what it leaves out goes. With --no-eip that was asked for. */
function lossText(was: RegistryEntry, is: RegistryEntry, { eip }: AddOptions): string | undefined {
  const things = [...was.addresses, ...(eip === false ? [] : was.eips)];
  const gone = things.filter((one) => ![...is.addresses, ...is.eips].includes(one));
  return gone.length === 0
    ? undefined
    : `${gone.join(', ')} no longer ${gone.length === 1 ? 'belongs' : 'belong'} to ${was.name}: no failover moves ${gone.length === 1 ? 'it' : 'them'} any more`;
}

/** What a dry run tells: the entry, and for one that is there what would change. */
function rehearse(out: Output, tag: string, { entry, ...prepared }: Prepared): void {
  const { was } = prepared;
  const fields = differences(was, entry);
  if (out.json) out.document({ ...entryOf(entry), dryRun: true, differences: fields });
  else {
    out.line(`dry run: ${entry.name} would be ${was === undefined ? 'registered' : 'changed'}`);
    for (const d of fields)
      out.line(`  ${d.field}: ${was === undefined ? '' : `${d.from || 'none'} → `}${d.to || 'none'}`);
  }
  const behind = was === undefined ? [] : leftBehind(was, entry);
  for (const remark of [...remarksOn({ ...prepared, entry }, tag), ...behind]) out.note(remark);
  out.note('a dry run: nothing was changed');
}

const registeredDocument = (vip: Vip, { entry, seen }: Prepared) => ({
  ...entryOf(vip),
  epoch: vip.epoch,
  tables: tablesOf(entry, seen).map((t) => t.table),
  nodes: Object.values(vip.members),
});

function describe(vip: Vip, { entry, seen }: Prepared): string {
  const tables = tablesOf(entry, seen).length;
  const nodes = Object.keys(vip.members);
  return [
    [...vip.addresses, ...vip.eips].join(', '),
    `in ${vip.vpc}, ${tables} route ${tables === 1 ? 'table' : 'tables'}`,
    nodes.length === 0 ? 'no node yet' : `nodes ${nodes.join(', ')}`,
  ].join(', ');
}

function remarksOn({ entry, seen, remarks }: Prepared, tag: string): readonly string[] {
  const said = [...remarks];
  const tagIt = (what: string, label: string) =>
    awsCommand(`ec2 create-tags --resources ${what} --tags Key=${tag},Value=${label}`, placeHere());
  if (tablesOf(entry, seen).length === 0) {
    said.push(`no route table has its label yet: ${tagIt('rtb-…', entry.tableLabels[0]!)}`);
  }
  if (!seen.enis.some((e) => entry.nodeLabels.includes(e.label) && e.vpc === entry.vpc)) {
    said.push(`no node’s ENI has its label yet: ${tagIt('eni-…', entry.nodeLabels[0]!)}`);
  }
  return said;
}

/** Routes of addresses that the entry no longer names stay in the tables: the controller never takes a route away. */
const leftBehind = (was: RegistryEntry, is: RegistryEntry): readonly string[] =>
  was.addresses
    .filter((address) => !is.addresses.includes(address))
    .map(
      (address) =>
        `routes to ${address} stay where they are; to remove one: ${awsCommand(`ec2 delete-route --route-table-id rtb-… ${destinationOption(address)} ${address}`, placeHere())}`,
    );
