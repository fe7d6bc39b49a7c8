// What `vipshift status` does: says who owns each VIP now, and whether EC2 agrees.
import { type ClaimStatus, isWell, statusOf, type VipStatus } from '../../shared/controller/status.ts';
import { durationText } from '../../shared/instants.ts';
import { conflictText } from '../../shared/network/conflict.ts';
import { mislabelled, mislabelledText } from '../../shared/network/labels.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import { type EpochMs, iso } from '../../shared/time.ts';
import { flappingText } from '../../shared/vip/flapping.ts';
import { unheardText } from '../../shared/vip/unheard.ts';
import { complaintOf } from '../command/aws-errors.ts';
import type { CommandContext } from '../command/command.ts';
import { type Status, status } from '../command/exit.ts';
import { forAll } from '../command/many.ts';
import { type Output, type Paint, plain } from '../command/output.ts';
import { progress } from '../command/print/progress.ts';
import { type Session, surveyFor } from '../command/session.ts';
import { requireVip } from '../command/vip/registered-vip.ts';
import { LOOKS_MAX, type StatusOptions } from './options.ts';

export async function run({ args, options, out, session }: CommandContext<StatusOptions>): Promise<Status> {
  const looks = options.watch === true ? (options.count ?? LOOKS_MAX) : 1;
  let end: Status = status.ok;
  for (let look = 1; look <= looks; look++) {
    const statuses = await looked(session, out, args[0], options.watch === true && look > 1);
    if (statuses !== undefined) {
      if (options.watch === true) head(out, session, options.every);
      tell(out, statuses, args[0] !== undefined);
      const bad = statuses.some((s) => !isWell(s));
      end = options.check === true && bad ? status.bad : status.ok;
    }
    if (look < looks) await new Promise((resolve) => setTimeout(resolve, options.every * 1000));
  }
  return end;
}

/** A watch outlives an AWS that does not answer for a while: that is when it is looked at. Undefined then. */
async function looked(
  session: Session,
  out: Output,
  name: string | undefined,
  goesOn: boolean,
): Promise<readonly Shown[] | undefined> {
  try {
    return await withForecasts(session, await statusesOf(session, name));
  } catch (error) {
    const complaint = complaintOf(error);
    if (!goesOn || complaint?.status !== status.aws) throw error;
    out.note(`${iso(session.now())}  ${plain(complaint.message)}; trying again`);
    return undefined;
  }
}

/** On a terminal each look takes the place of the one before. */
function head(out: Output, session: Session, everyS: number): void {
  if (out.columns === undefined || out.json) return;
  const again = out.paint('dim', `${iso(session.now())}, every ${everyS} s; Ctrl-C ends it`);
  out.line(`\u001b[H\u001b[2J${again}`);
}

async function statusesOf(session: Session, name: string | undefined): Promise<readonly VipStatus[]> {
  const vips = (await session.ports.vips.list()).filter(isRegistered);
  const asked = name === undefined ? vips : [await requireVip(session, name)];
  // One look for all: DescribeRouteTables has a bucket of 100, refilled with 20 a second, which the controller needs, too.
  const looking = surveyFor(session, asked);
  looking.catch(() => undefined);
  // The list may lag behind what was read.
  const entries = [...vips.filter((vip) => !asked.some((a) => a.name === vip.name)), ...asked];
  const statuses = new Map<string, VipStatus>();
  const shown = progress('reading', asked.length);
  await forAll(asked, async (vip) => {
    const [read, { observations, survey }] = await Promise.all([session.ports.vips.read(vip.name), looking]);
    const item = read ?? vip;
    const wrong = mislabelled(item, entries, survey);
    statuses.set(vip.name, statusOf(item, observations.get(vip.name)!, session.now(), wrong));
    shown.step();
  }).finally(shown.end);
  return [...statuses.values()].sort((a, b) => (a.vip < b.vip ? -1 : 1));
}

const paints: Readonly<Record<VipStatus['health'], Paint>> = {
  well: 'good',
  moving: 'warn',
  frozen: 'warn',
  unheard: 'bad',
  'no owner': 'warn',
  drift: 'bad',
  conflict: 'bad',
  'split brain': 'bad',
  unfit: 'bad',
  flapping: 'bad',
  mislabelled: 'bad',
};

type Shown = VipStatus & {
  /** When the last call of the failover under way goes out, where EC2's request budget does not last for all at once. */
  readonly dueAtMs?: EpochMs;
};

/** What is under way has said in the record when it expects to be done. */
async function withForecasts(session: Session, statuses: readonly VipStatus[]): Promise<readonly Shown[]> {
  return Promise.all(
    statuses.map(async (s) => {
      if (s.lease?.live !== true) return s;
      const dueAtMs = (await session.log.epoch(s.vip, s.epoch)).intent?.dueAtMs;
      return dueAtMs === undefined ? s : { ...s, dueAtMs };
    }),
  );
}

const dueText = (s: Shown): readonly string[] =>
  s.dueAtMs === undefined ? [] : [`the last call to EC2 is due ${iso(s.dueAtMs)}, by its request budget`];

function tell(out: Output, statuses: readonly Shown[], full: boolean): void {
  if (out.json) out.documents(statuses);
  else if (full) for (const s of statuses) tellFull(out, s);
  else if (statuses.length === 0) out.note('no VIP is registered; vipshift vip add --help');
  else tellAll(out, statuses);
}

function tellAll(out: Output, statuses: readonly Shown[]): void {
  out.table(
    ['vip', 'health', 'owner', 'epoch', 'routes', 'eips', 'why'],
    statuses.map((s) => [
      { text: s.vip, paint: 'strong' },
      { text: s.health, paint: paints[s.health] },
      s.owner ?? '-',
      String(s.epoch),
      `${s.routes.filter((r) => r.right).length}/${s.routes.length}`,
      `${s.eips.filter((e) => e.right).length}/${s.eips.length}`,
      [s.why, ...dueText(s)].join('; '),
    ]),
  );
}

function tellFull(out: Output, s: Shown): void {
  out.line(`${out.paint('strong', s.vip)}  ${out.paint(paints[s.health], s.health)}  ${s.why}`);
  out.line(
    `owner ${s.owner ?? 'no node yet'}, epoch ${s.epoch}${s.elected === undefined ? '' : `; the claims elect ${s.elected}`}`,
  );
  for (const sentence of [...dueText(s), ...remarks(s)]) out.line(sentence);
  out.line();
  if (s.claims.length > 0) {
    out.table(
      ['node', 'last report', 'priority', 'received', 'remark'],
      s.claims.map((c) => [
        c.node,
        c.state,
        String(c.priority),
        `${durationText(c.ageMs)} ago`,
        claimRemarks(c).join(', '),
      ]),
    );
    out.line();
  }
  const mark = (right: boolean) =>
    s.owner === undefined ? '-' : ({ text: right ? 'yes' : 'NO', paint: right ? 'good' : 'bad' } as const);
  out.table(
    ['table or eip', 'address', 'target', 'node', 'in sync'],
    [
      ...s.routes.map((r) => [
        r.table,
        r.address,
        r.blackhole ? `${r.target} (blackhole)` : r.target,
        r.node ?? '-',
        mark(r.right),
      ]),
      ...s.eips.map((e) => [e.eip, e.publicAddress, e.target, e.node ?? '-', mark(e.right)]),
    ],
  );
}

const claimRemarks = ({ silent, member, dampedUntilMs }: ClaimStatus): readonly string[] => [
  ...(silent ? ['silent'] : []),
  ...(member ? [] : ['no longer a member']),
  ...(dampedUntilMs === undefined ? [] : [`damped until ${iso(dampedUntilMs)}`]),
];

const remarks = (s: VipStatus): readonly string[] => [
  ...(s.lease === undefined
    ? []
    : [
        `lease ${s.lease.live ? 'held' : 'left behind'} until ${iso(s.lease.expiresAtMs)}: ${s.lease.cause.why}`,
      ]),
  ...(s.pin === undefined
    ? []
    : [`pinned to ${s.pin.node} until ${iso(s.pin.untilMs)} by ${s.pin.by}: ${s.pin.reason}`]),
  ...(s.suspendedPin === undefined ? [] : [`the pin is suspended: ${s.suspendedPin}`]),
  ...(s.freeze === undefined
    ? []
    : [`frozen until ${iso(s.freeze.untilMs)} by ${s.freeze.by}: ${s.freeze.reason}`]),
  ...(s.unheard === undefined || s.health === 'unheard' ? [] : [unheardText(s.vip, s.unheard)]),
  ...(s.splitBrain.length === 0 ? [] : [`split brain: ${s.splitBrain.join(' and ')} both report MASTER`]),
  ...(s.health === 'flapping' ? [] : s.flapping.map(flappingText)),
  ...s.drift.map((d) => `drift: ${d.cell} is ${d.from}`),
  ...s.conflicts.map((c) => `conflict: ${c.cell} found ${c.found}: ${conflictText(c)}`),
  ...s.mislabelled.map((m) => `mislabelled: ${mislabelledText(m)}`),
  ...s.strays.map((x) => `left alone: ${x.id} ${x.why}`),
];
