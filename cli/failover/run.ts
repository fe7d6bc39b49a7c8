// A forced failover by the workflow: starts it, or finds the one of that name, follows it, and tells how it ended.
//
// Invariant: it is Step Functions that carries it out; ending this process, however, changes nothing.

import { orderFrom } from '../../shared/aws/step-functions/order-input.ts';
import type { Execution, Workflow } from '../../shared/aws/step-functions/workflow.ts';
import type { FailoverOrder, RejoinPolicy } from '../../shared/forced-failover/order.ts';
import { durationFrom } from '../../shared/instants.ts';
import { defined, ifDefined } from '../../shared/optional.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import { iso } from '../../shared/time.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { CommandContext } from '../command/command.ts';
import { refused, type Status, status, usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { nodeNamed } from '../command/node/chosen.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { doctorOf, leftBy, tellLeft } from '../command/vip/left-behind.ts';
import { requireVip } from '../command/vip/registered-vip.ts';
import { breakGlassWay, byHandWay, withWayLeft } from '../command/vip/way-left.ts';
import { refuseKeepalivedOnly } from './keepalived-only.ts';
import { follow, followOn } from './progress.ts';
import { tellEnd } from './result.ts';

export async function forced({
  args,
  options,
  out,
  session,
}: CommandContext<FailoverAsked>): Promise<Status> {
  const way = { vip: args[0]!, to: options.to, reason: options.reason };
  const vip = await withWayLeft(() => requireVip(session, args[0]!), byHandWay(way));
  const [found, by] = await Promise.all([session.names.learn({ vips: [vip] }, out), session.caller()]);
  const to = nodeNamed(options.to, found, '--to', vip.name);
  if (isThere(vip, { ...options, to })) return tellThere(session, out, vip, to);
  const order = orderOf(vip, by, { ...options, to });
  const ownHands = breakGlassWay({ ...way, to });
  const workflow = await withWayLeft(() => session.workflow(), ownHands);
  const name = options.name ?? freshName(session, vip.name);
  const ends = onInterrupt(out, `interrupted; the failover is still running. Follow it: ${followOn(name)}`);
  // Looked up meanwhile: nothing waits for it.
  const leaving = order.dryRun ? [] : leftBy(session, vip.name);
  const isNamed = options.name !== undefined;
  const known = await withWayLeft(() => begun(workflow, name, order, isNamed), ownHands);
  if (known !== undefined)
    out.note(
      `${name} was started before, ${iso(known.startedAtMs)}, and is ${known.state}: no new one is started`,
    );
  else out.note(session.names.text(`${name}: ${sentence(order)}`));
  tellLeft(out, await leaving, doctorOf(vip.name));
  if (options.detach === true) {
    if (out.json) out.document({ execution: name, started: known === undefined, order });
    else out.line(name);
    out.note(`follow it: ${followOn(name)}`);
    return status.ok;
  }
  const end = await withWayLeft(() => follow(session, workflow, out, name), ownHands);
  ends();
  return tellEnd(session, out, end);
}

/** An order that changes nothing is no failure: scripts give it twice. A dry run tells the reasons, and a name may be of one that runs. */
const isThere = (vip: Vip, { to, dryRun, name }: FailoverAsked): boolean =>
  vip.owner === to && vip.lease === undefined && dryRun !== true && name === undefined;

function tellThere({ names }: Session, out: Output, { name, epoch }: Vip, to: string): Status {
  if (out.json) out.document({ vip: name, to, outcome: 'unchanged', epoch });
  else out.line(names.text(`${name} is at ${to} already, epoch ${epoch}: nothing was ordered`));
  out.note(`to keep it there, whatever VRRP elects: ${hint(`pin ${name} --to ${to} --reason …`)}`);
  return status.ok;
}

export async function followed({ options, out, session }: CommandContext<FailoverOptions>): Promise<Status> {
  const workflow = await session.workflow();
  const name = options.follow!.split(':').at(-1)!;
  const there = await workflow.describe(name);
  if (there === undefined)
    throw refused(
      `there is no failover ${name} in stage ${session.settings.stage}`,
      `check --stage and --region; ${hint('timeline --kind order')} lists what was ordered`,
    );
  const { vip: of = '' } = there.input as Partial<FailoverOrder>;
  const vip = of === '' ? undefined : await session.ports.vips.read(of);
  await session.names.learn({ vips: [vip].filter(isRegistered) }, out);
  const ends = onInterrupt(out, `interrupted; it is still running. Follow it: ${followOn(name)}`);
  const end = await follow(session, workflow, out, name);
  ends();
  return tellEnd(session, out, end);
}

/** Before the listener of vipshift.ts, which says nothing. Returns how to take it back. */
function onInterrupt(out: CommandContext<object>['out'], text: string): () => void {
  const listener = () => {
    out.note(text);
    process.exit(status.interrupted);
  };
  process.prependListener('SIGINT', listener);
  return () => process.removeListener('SIGINT', listener);
}

/** Checked by the very code that the workflow checks it with. */
function orderOf(vip: Vip, by: string, options: FailoverAsked): FailoverOrder {
  const { to, reason, dryRun, approval, claimWait, release } = options;
  const pin = options.for === undefined ? undefined : durationFrom(options.for);
  const mode = options.mode ?? (vip.hold === 'both' ? 'routes-only' : 'via-keepalived');
  if (mode === 'routes-only') refuseKeepalivedOnly(options, `with ${vip.name}, which moves routes-only`);
  const parsed = orderFrom({
    vip: vip.name,
    to,
    mode,
    reason,
    by: by.slice(0, 500),
    dryRun,
    approval,
    ...defined({ pinMinutes: ifDefined(pin, (ms) => Math.ceil(ms / 60_000)) }),
    claimWaitSeconds: claimWait,
    release,
  });
  if (parsed.ok) return parsed.order;
  throw usage(parsed.reasons.join('\n'), 'vipshift failover --help; a pin lasts 7d at most');
}

/** Unique, and sorted by time within a VIP; at most 80 characters. */
const freshName = (session: Session, vip: string): string =>
  `${vip.slice(0, 48)}-${iso(session.now()).replace(/[-:]|\.\d+/g, '')}-${session.nonce().slice(0, 8)}`;

/** Starts it; the execution that is there already, when there is one. */
async function begun(
  workflow: Workflow,
  name: string,
  order: FailoverOrder,
  mayBeThere: boolean,
): Promise<Execution | undefined> {
  const there = mayBeThere ? await workflow.describe(name) : undefined;
  if (there === undefined && (await workflow.start(name, order)) === 'started') return undefined;
  const known = there ?? (await workflow.describe(name));
  const same = (['vip', 'to', 'mode', 'dryRun'] as const).every((key) => known?.input[key] === order[key]);
  if (known !== undefined && same) return known;
  const { vip, to, mode } = known?.input ?? {};
  throw refused(
    `the name ${name} was used for another order: ${String(vip)} to ${String(to)}, ${String(mode)}${known?.input.dryRun === true ? ', dry run' : ''}`,
    'use another --name, or none',
  );
}

function sentence({ vip, to, mode, dryRun, approval, pinMinutes }: FailoverOrder): string {
  const pin = pinMinutes === 0 ? 'no pin' : `pinned for ${pinMinutes} min`;
  const what = dryRun ? 'looks only' : approval ? 'waits for approval first' : 'begins';
  return `${vip} to ${to}, ${mode}, ${pin}: ${what}`;
}

export interface FailoverOptions {
  readonly to?: string;
  readonly reason?: string;
  readonly mode?: FailoverOrder['mode'];
  readonly for?: string;
  readonly dryRun?: boolean;
  readonly approval?: boolean;
  readonly name?: string;
  readonly claimWait?: number;
  readonly release?: RejoinPolicy;
  readonly detach?: boolean;
  readonly follow?: string;
  readonly breakGlass?: boolean;
  readonly printCommands?: boolean;
  readonly manifest?: string;
  readonly address?: readonly string[];
  readonly eip?: readonly string[];
}

/** What is left when the command line was found to say enough. */
export type FailoverAsked = FailoverOptions & { readonly to: string; readonly reason: string };
