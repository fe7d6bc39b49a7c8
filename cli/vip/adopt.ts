// `vipshift vip adopt`: takes over a hand-made set-up once. It tags what is named and what already routes to the VIP,
// registers it, and lets the controller replace the targets that are there now; nothing moves until a node reports.
//
// Why at all: a route to a living target that is none of the VIP's is a conflict and left alone (guarantee 7). Adopting
// says, on record, that these targets may be replaced; the first good commit forgets them.
import { enisNamed, routesTo, tagAll } from '../../shared/aws/ec2/adopt.ts';
import { cut, listText, REASON_MAX } from '../../shared/bounded.ts';
import { awsCommand } from '../../shared/place.ts';
import { isRegistered, update } from '../../shared/registry/registry.ts';
import { EIP_SUFFIX, enisOf } from '../../shared/vip/member.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { agreed } from '../command/confirm.ts';
import { refused, type Status, status } from '../command/exit.ts';
import { hint, placeHere } from '../command/hint.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { type AddOptions, wantedFrom } from './add.ts';
import { lookups } from './lookups.ts';
import { prepare } from './prepare.ts';
import { register } from './register.ts';

export interface AdoptOptions extends AddOptions {
  readonly eni?: readonly string[];
  readonly eipEni?: readonly string[];
  readonly dryRun?: boolean;
}

interface Plan {
  /** Id → value of the tag. */
  readonly tags: ReadonlyMap<string, string>;
  /** What stands in the routes and under the EIPs, and may be replaced. */
  readonly targets: readonly string[];
  readonly said: readonly string[];
}

export async function adopt({ args, options, out, session }: CommandContext<AdoptOptions>): Promise<Status> {
  const name = args[0]!;
  const all = await session.ports.vips.list();
  const was = all.find((vip) => vip.name === name && isRegistered(vip));
  const prepared = await prepare({ session, look: lookups(session) }, wantedFrom(name, options), was, all);
  if (prepared.pool !== undefined)
    throw refused('adopting takes over addresses that are routed already', 'name them with --address');
  const { entry } = prepared;
  const plan = await planFor(session, { ...prepared.entry }, options, was);
  if (was === undefined && plan.said.length === 0)
    throw refused(
      `no route table of ${entry.vpc} routes to ${entry.addresses.join(', ') || 'any address that was named'}: there is nothing to take over`,
      `check --address and --vpc; to register a new VIP: ${hint(`vip add ${name} …`)}`,
    );
  show(out, name, plan, was === undefined);
  if (plan.tags.size === 0 && plan.targets.length === 0 && was !== undefined) {
    out.note('there is nothing to adopt');
    return status.ok;
  }
  if (options.dryRun === true) {
    out.note('a dry run: nothing was changed');
    return status.ok;
  }
  if (!(await agreed(`adopt ${name}?`, options.yes === true))) {
    out.note('nothing was changed');
    return status.refused;
  }
  await tagAll(session.ec2, session.tag, plan.tags);
  const again = await prepare({ session, look: lookups(session) }, wantedFrom(name, options), was, all);
  await register(session, again, 'adopt', reasonFor(options, plan));
  await update(session.ports.vips, entry.name, (now) =>
    now === undefined || plan.targets.every((t) => now.wrote.includes(t))
      ? now
      : { ...now, wrote: [...new Set([...now.wrote, ...plan.targets])] },
  );
  out.note(`${name} is adopted; the next claim or reconcile moves what differs`);
  return status.ok;
}

const reasonFor = (options: AdoptOptions, plan: Plan): string =>
  cut(
    [options.reason ?? '', `adopted: may replace ${listText(plan.targets) || 'nothing'}`]
      .filter((part) => part !== '')
      .join('; '),
    REASON_MAX,
  );

async function planFor(
  session: Session,
  entry: {
    vpc: string;
    addresses: readonly string[];
    eips: readonly string[];
    name: string;
    tableLabels: readonly string[];
    nodeLabels: readonly string[];
  },
  options: AdoptOptions,
  was: Vip | undefined,
): Promise<Plan> {
  const there = await routesTo(session.ec2, entry.vpc, entry.addresses, session.tag);
  const tags = new Map<string, string>();
  const said: string[] = [];
  const own = new Set([
    ...(was === undefined ? [] : enisOf(was.members)),
    ...(was?.wrote ?? []),
    ...(options.eni ?? []),
  ]);
  const targets = new Set<string>();
  for (const route of there) {
    if (route.edge) {
      said.push(`${route.table} is associated with a gateway and left alone`);
      continue;
    }
    if (route.label === undefined || !entry.tableLabels.includes(route.label)) {
      if (route.label !== undefined)
        throw refused(
          `${route.table} routes ${route.address} and has the label ${route.label} of another VIP`,
          `give ${entry.name} that label, too: --table-label ${route.label}`,
        );
      tags.set(route.table, entry.tableLabels[0]!);
    }
    said.push(
      `${route.table} ${route.address} → ${route.target}${own.has(route.target) ? '' : ', which may then be replaced'}`,
    );
    if (!own.has(route.target)) targets.add(route.target);
  }
  const label = entry.nodeLabels[0]!;
  for (const eni of await taggable(session, entry, options.eni, label)) tags.set(eni, label);
  for (const eni of await taggable(session, entry, options.eipEni, label + EIP_SUFFIX))
    tags.set(eni, label + EIP_SUFFIX);
  await eipsInto(session, entry, own, { tags, targets, said });
  return { tags, targets: [...targets], said };
}

async function eipsInto(
  session: Session,
  entry: { name: string; eips: readonly string[]; nodeLabels: readonly string[] },
  own: ReadonlySet<string>,
  into: { tags: Map<string, string>; targets: Set<string>; said: string[] },
): Promise<void> {
  const { eipsFound } = await import('../../shared/aws/ec2/vpc.ts');
  for (const eip of await eipsFound(session.ec2, entry.eips, session.tag)) {
    if (eip === undefined) continue;
    if (eip.label === undefined) into.tags.set(eip.eip, entry.name);
    if (eip.eni === undefined) continue;
    into.said.push(
      `${eip.eip} lies on ${eip.eni}${own.has(eip.eni) ? '' : ', from which it may then be taken'}`,
    );
    if (!own.has(eip.eni)) into.targets.add(eip.eni);
  }
}

/** The ENIs that were named and lack the label. Refuses one that is no node's, lies elsewhere or serves another VIP. */
async function taggable(
  session: Session,
  entry: { readonly vpc: string; readonly name: string },
  named: readonly string[] = [],
  label: string,
): Promise<readonly string[]> {
  const found = await enisNamed(session.ec2, named, session.tag);
  return named.filter((id, i) => {
    const eni = found[i];
    const no = (what: string, next: string) => refused(`${id} ${what}`, next);
    const list = awsCommand(
      `ec2 describe-network-interfaces --filters Name=vpc-id,Values=${entry.vpc}`,
      placeHere(),
    );
    if (eni === undefined) throw no('is not an ENI of this account and Region', list);
    if (eni.vpc !== entry.vpc) throw no(`is in ${eni.vpc}, expected ${entry.vpc}`, list);
    if (eni.node === undefined) throw no('is attached to no instance', 'attach it to its node first');
    if (eni.label !== undefined && eni.label !== label)
      throw no(
        `has the label ${eni.label}, expected none or ${label}`,
        `give ${entry.name} that label, too: --node-label ${eni.label}`,
      );
    return eni.label === undefined;
  });
}

function show(out: Output, name: string, plan: Plan, fresh: boolean): void {
  if (out.json) {
    const document = {
      vip: name,
      register: fresh,
      tags: Object.fromEntries(plan.tags),
      mayReplace: plan.targets,
    };
    out.document(document);
    return;
  }
  if (fresh) out.line(`+ ${name}: to be registered`);
  for (const [id, label] of plan.tags) out.line(`+ ${id} gets the label ${label}`);
  for (const sentence of plan.said) out.line(`  ${sentence}`);
}
