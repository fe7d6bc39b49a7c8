// What `vipshift status` does: looks up who owns each VIP now, whether EC2 agrees, and who would take it over; screen.ts shows it.
//
// Limit: the list of VIPs may be a second old, so a VIP that does not look well by it is read again before it is judged, up to
// READ_AGAIN_MAX of them.
import { viewTimes } from '../../shared/aws/view-cache.ts';
import { sinceAmong } from '../../shared/controller/status/ownership.ts';
import { isWell, type StatusFacts, statusOf, type VipStatus } from '../../shared/controller/status/status.ts';
import { toleratedFault } from '../../shared/fault.ts';
import { type Mislabelled, mislabelled } from '../../shared/network/labels.ts';
import type { Observation } from '../../shared/network/observation.ts';
import { defined } from '../../shared/optional.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import { iso } from '../../shared/time.ts';
import { isLive } from '../../shared/vip/lease.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { complaintOf } from '../command/aws-errors.ts';
import type { CommandContext } from '../command/command.ts';
import { type Status, status } from '../command/exit.ts';
import { type Output, plain } from '../command/output.ts';
import { progress } from '../command/print/progress.ts';
import { type Session, surveyFor } from '../command/session.ts';
import { requireVip } from '../command/vip/registered-vip.ts';
import { byHandWay, wayAdded } from '../command/vip/way-left.ts';
import { LOOKS_MAX, type StatusOptions } from './options.ts';
import { tell } from './screen.ts';

export async function run({ args, options, out, session }: CommandContext<StatusOptions>): Promise<Status> {
  const looks = options.watch === true ? (options.count ?? LOOKS_MAX) : 1;
  let end: Status = status.ok;
  for (let look = 1; look <= looks; look++) {
    const seen = await looked(session, out, args[0], options.watch === true && look > 1);
    if (seen !== undefined) {
      if (options.watch === true) head(out, session, options.every);
      for (const problem of seen.problems) out.note(plain(problem));
      tell(out, seen.statuses, args[0] !== undefined);
      const bad = seen.statuses.some((s) => !isWell(s));
      end = options.check === true && bad ? status.bad : status.ok;
    }
    if (look < looks) await new Promise((resolve) => setTimeout(resolve, options.every * 1000));
  }
  return end;
}

interface Seen {
  readonly statuses: readonly VipStatus[];
  /** What could not be looked up, one sentence each. */
  readonly problems: readonly string[];
}

/** A watch outlives an AWS that does not answer for a while: that is when it is looked at. Undefined then. */
async function looked(
  session: Session,
  out: Output,
  name: string | undefined,
  goesOn: boolean,
): Promise<Seen | undefined> {
  try {
    return await statusesOf(session, name);
  } catch (error) {
    const complaint = complaintOf(error);
    if (!goesOn || complaint?.status !== status.aws)
      throw wayAdded(error, byHandWay({ vip: name ?? 'VIP', to: 'NODE' }));
    out.note(`${iso(session.now())}  ${plain(complaint.message)}; trying again`);
    return undefined;
  }
}

/** On a terminal each look takes the place of the one before. */
function head(out: Output, session: Session, everyS: number): void {
  if (out.json) return;
  const at = iso(session.now());
  const again = out.paint('dim', `${at}, every ${everyS} s; Ctrl-C ends it`);
  out.line(out.columns === undefined ? at : `\u001b[H\u001b[2J${again}`);
}

/** Read again one by one, however many do not look well. */
const READ_AGAIN_MAX = 50;

async function statusesOf(session: Session, name: string | undefined): Promise<Seen> {
  const vips = (await session.ports.vips.list()).filter(isRegistered);
  const asked = name === undefined ? vips : [await requireVip(session, name)];
  // The list may lag behind what was read.
  const all = [...vips.filter((vip) => !asked.some((a) => a.name === vip.name)), ...asked];
  const facts = await factsFor(session, asked, all);
  const inOrder = [...asked].sort((a, b) => (a.name < b.name ? -1 : 1));
  const judged = (vip: Vip) => {
    const { observation, more } = facts.of(vip);
    return statusOf(vip, observation, session.now(), more);
  };
  const shown = progress('judging', inOrder.length);
  const first = inOrder.map((vip) => {
    const status = judged(vip);
    shown.step();
    return { vip, status };
  });
  shown.end();
  const doubtful = name === undefined ? first.filter((one) => !isWell(one.status)) : [];
  const again = await readAgain(session, doubtful.slice(0, READ_AGAIN_MAX));
  const statuses = first.map(({ vip, status: before }) => {
    const read = again.get(vip.name);
    return read === undefined ? before : judged(read);
  });
  const since = name === undefined ? undefined : await sinceOf(session, asked[0]!);
  return {
    statuses: since === undefined ? statuses : statuses.map((one) => ({ ...one, since })),
    problems: facts.problems,
  };
}

async function readAgain(
  session: Session,
  doubtful: readonly { readonly vip: Vip }[],
): Promise<ReadonlyMap<string, Vip>> {
  const read = await Promise.all(doubtful.map(({ vip }) => session.ports.vips.read(vip.name)));
  return new Map(read.filter(isRegistered).map((vip) => [vip.name, vip]));
}

/** Of one VIP the record is read further back than its newest outcome. */
async function sinceOf(session: Session, { name, owner }: Vip): Promise<VipStatus['since']> {
  try {
    return sinceAmong(owner, (await session.log.around(name, session.now())).before);
  } catch (error) {
    // The newest outcome has been asked for, too: that it cannot be read is said there.
    toleratedFault(error);
    return undefined;
  }
}

interface Facts {
  readonly problems: readonly string[];
  of(vip: Vip): { readonly observation: Observation | undefined; readonly more: StatusFacts };
}

/**
 * What is asked of EC2 and the record, for all VIPs at once: the number of calls depends on pages of tables, ENIs and EIPs and
 * on hundreds of VIPs and nodes, not on each. What one of them does not answer is left out and said.
 */
async function factsFor(session: Session, asked: readonly Vip[], all: readonly Vip[]): Promise<Facts> {
  const { environment, settings, signal } = session;
  const timeline = {
    ...{ client: environment.clients.dynamo, table: settings.timelineTable, signal },
    retentionDays: settings.retentionDays,
  };
  const names = asked.map((vip) => vip.name);
  const epochs = asked.map((vip) => ({
    ...{ vip: vip.name, epoch: vip.epoch },
    isUnderWay: isLive(vip.lease, session.now()),
  }));
  const shown = progress('looking', 4);
  const [surveyed, found, newest, views] = await Promise.all([
    orProblem(surveyFor(session, asked), 'routes, EIPs and drift are not known: EC2 did not answer').finally(
      shown.step,
    ),
    session.names
      .lookUp({ vips: asked, ids: asked.flatMap((vip) => Object.keys(vip.claims)) })
      .finally(shown.step),
    orProblem(
      session.log.newest(epochs),
      'the last failovers are not known: the record did not answer',
    ).finally(shown.step),
    orProblem(
      viewTimes(timeline, names),
      'when reconcile ran last is not known: the record did not answer',
    ).finally(shown.step),
  ]).finally(shown.end);
  const problems = [surveyed, newest, views, found].flatMap(({ problem }) => problem ?? []);
  const { survey, observations } = surveyed.answer ?? {};
  return {
    problems: [...new Set(problems)],
    of(vip) {
      const wrong: readonly Mislabelled[] = survey === undefined ? [] : mislabelled(vip, all, survey);
      const { last, dueAtMs } = newest.answer?.get(vip.name) ?? {};
      const more = {
        ...{ mislabelled: wrong, instances: found.instances, last, dueAtMs },
        ...{ reconciledAtMs: views.answer?.get(vip.name) },
        ...defined({ unseen: surveyed.problem }),
      };
      return { observation: observations?.get(vip.name), more };
    },
  };
}

interface OrProblem<Answer> {
  readonly answer?: Answer;
  readonly problem?: string;
}

async function orProblem<Answer>(asked: Promise<Answer>, what: string): Promise<OrProblem<Answer>> {
  try {
    return { answer: await asked };
  } catch (error) {
    return { problem: `${what} (${toleratedFault(error).message})` };
  }
}
