// One round of the workflow `departure`: the node is drained in every VIP of which it is a member, what can move at once is moved,
// and what keepalived has to give away first is named, for the workflow to start a forced failover. It asks again until the node owns
// nothing, or its rounds are over.
//
// Invariants: a round may be done twice. A drain is written only once: who ends it sooner has the last word. One VIP that
// fails never hides the rest.
// Limit: it does not know whether the instance is gone already; then nothing is left to do, and that is what it finds.
import { cut, listLines, listText, MESSAGE_MAX, NAMED_MAX } from '../bounded.ts';
import { drainCause, outlookOf, staysText } from '../controller/drained.ts';
import { isDeclined, withoutDeclined } from '../controller/warned.ts';
import { type Fault, toFault, toleratedFault } from '../fault.ts';
import { liveForced } from '../forced-failover/under-way.ts';
import { defined } from '../optional.ts';
import { ownCommand, type Place } from '../place.ts';
import { isRegistered, update } from '../registry/registry.ts';
import { observeAndSwitch, take } from '../switch/switch-vip.ts';
import { textHash } from '../text-hash.ts';
import { type EpochMs, epochMs, iso } from '../time.ts';
import { type Notice, subjectOf, textOf } from '../timeline/message.ts';
import { operatorAction } from '../timeline/operator-action.ts';
import type { Vip } from '../vip/vip.ts';
import { drainOf, withDrain } from '../vip/vip.ts';
import { scheduledWarning } from '../warning/scheduled.ts';
import type { DepartureInput, DeparturePorts } from './warned.ts';

/** Five minutes and more, with the workflow's pause of five seconds. A spot instance is gone after two. */
export const ROUNDS_MAX = 60;
/** So many rounds after a forced failover the next one of the same VIP is started. */
const ROUNDS_PER_FAILOVER = 24;
const AT_ONCE = 8;

/** What the workflow knows after a round. */
export interface Round {
  /** `over`: what AWS had announced is not to come. */
  readonly outcome: 'left' | 'leaving' | 'over' | 'stuck';
  readonly round: number;
  /** VIPs in which the node has been drained. */
  readonly drained: readonly string[];
  /** VIPs that it owns still, the first few. */
  readonly owns: readonly string[];
  readonly demotions: readonly { readonly name: string; readonly input: object }[];
  /** Why VIPs could not be looked at or moved in this round, the first few; the next one tries again. */
  readonly faults?: readonly string[];
  /** Word of VIPs that stay there, once. */
  readonly alarm?: Notice;
  readonly told: boolean;
}

/** What the workflow hands to each of its steps. */
export interface StepInput {
  readonly execution: string;
  readonly stage: string;
  readonly story: { readonly input: DepartureInput; readonly left?: Round };
}

type State =
  | { readonly is: 'clear' }
  | { readonly is: 'moving'; readonly fault?: Fault }
  | { readonly is: 'demotes'; readonly to: string }
  | { readonly is: 'stuck'; readonly text: string };

export async function leaveNode(ports: DeparturePorts, asked: StepInput): Promise<Round> {
  const { execution, stage, story } = asked;
  const { input, left: before } = story;
  const round = (before?.round ?? 0) + 1;
  const drained = new Set(before?.drained);
  const none = { round, drained: [...drained], owns: [], demotions: [], told: before?.told ?? false };
  if (round === 1 && (await isOver(ports, input))) return { ...none, outcome: 'over' };
  const vips = (await ports.vips.list())
    .filter((vip) => isRegistered(vip) && vip.members[input.node] !== undefined)
    .map(({ name }) => name)
    .sort();
  const place = { stage, region: ports.region };
  const found = await eachVip(vips, (name) => leaveVip(ports, { execution, input, drained, place }, name));
  const open = vips.filter((name) => found.get(name)!.is !== 'clear');
  const stuck = open.flatMap((name) => {
    const state = found.get(name)!;
    return state.is === 'stuck' ? [state.text] : [];
  });
  const attempt = Math.floor((round - 1) / ROUNDS_PER_FAILOVER) + 1;
  const demotions = open.flatMap((name) => {
    const state = found.get(name)!;
    if (state.is !== 'demotes') return [];
    const order = { vip: name, to: state.to, mode: 'via-keepalived', reason: input.why, by: input.by };
    return [{ name: `${execution}-${shortOf(name)}-${attempt}`, input: order }];
  });
  const faults = open.flatMap((name) => {
    const state = found.get(name)!;
    return state.is === 'moving' && state.fault !== undefined
      ? [cut(`${name}: ${state.fault.message}`, MESSAGE_MAX)]
      : [];
  });
  const isNews = stuck.length > 0 && !none.told;
  const outcome = open.length === 0 ? 'left' : round < ROUNDS_MAX ? 'leaving' : 'stuck';
  return {
    ...{ outcome, round, drained: [...drained], owns: open.slice(0, NAMED_MAX), demotions },
    ...defined({
      faults: faults.length > 0 ? faults.slice(0, NAMED_MAX) : undefined,
      alarm: isNews ? stuckNotice(asked, stuck) : undefined,
    }),
    told: none.told || isNews,
  };
}

/** An execution's name has no room for a VIP's, and has to be the same whenever it is made. */
const shortOf = (name: string): string => textHash(name).toString(16).padStart(8, '0');

/** Completed, cancelled, or put off to another date. Not knowing is no reason to stay. */
async function isOver({ ec2 }: DeparturePorts, { node, startsAtMs }: DepartureInput): Promise<boolean> {
  if (startsAtMs === undefined) return false;
  try {
    const listed = (await ec2.scheduledEvents()).filter((event) => event.node === node);
    const warnings = listed.flatMap((event) => scheduledWarning(event) ?? []);
    const same = warnings.filter((warning) => warning.startsAtMs === startsAtMs);
    return warnings.length > 0 && same.every(({ over }) => over);
  } catch (error) {
    toleratedFault(error);
    return false;
  }
}

interface Leaving {
  readonly execution: string;
  readonly input: DepartureInput;
  readonly drained: Set<string>;
  readonly place: Place;
}

async function leaveVip(ports: DeparturePorts, leaving: Leaving, name: string): Promise<State> {
  const { execution, input, drained, place } = leaving;
  const { node } = input;
  const now = ports.clock.now();
  const was = await ports.vips.read(name);
  if (!isRegistered(was) || was.members[node] === undefined) return { is: 'clear' };
  // An operator has ended a drain for it, before this one began.
  if (!drained.has(name) && isDeclined(was, node, ofMaintenance(input), now)) return { is: 'clear' };
  // An operator is about to bring it here. That is ended first: then it may leave.
  if (liveForced(was, now)?.node === node) return { is: 'moving' };
  const vip = drained.has(name) ? was : await drain(ports, { execution, input }, was);
  drained.add(name);
  // Someone has ended the drain.
  if (drainOf(vip, node, now) === undefined) return { is: 'clear' };
  const outlook = outlookOf(vip, now);
  switch (outlook.key) {
    case 'clear':
      return { is: 'clear' };
    case 'moves': {
      const cause = drainCause(vip, now);
      const taken = cause && (await take(ports, vip, vip, cause));
      if (taken === undefined) return { is: 'moving' };
      const { vip: after } = await observeAndSwitch(ports, taken, []);
      return { is: after.owner === node ? 'moving' : 'clear' };
    }
    case 'demotes':
      return { is: 'demotes', to: outlook.to };
    case 'frozen':
      return {
        is: 'stuck',
        text: `${name}: ${staysText(vip, now)}: ${ownCommand(`unfreeze ${name}`, place)}`,
      };
    default:
      return { is: 'stuck', text: `${name}: ${staysText(vip, now)}: ${ownCommand(`status ${name}`, place)}` };
  }
}

const ofMaintenance = ({ startsAtMs }: DepartureInput): EpochMs | undefined =>
  startsAtMs === undefined ? undefined : epochMs(startsAtMs);

/**
 * An operator's own drain that lasts as long stays as it is, and notes the maintenance that it serves as well. The order is on record
 * before it takes effect.
 */
async function drain(
  ports: DeparturePorts,
  { execution, input }: Pick<Leaving, 'execution' | 'input'>,
  vip: Vip,
): Promise<Vip> {
  const { node, by, why: reason } = input;
  const untilMs = epochMs(input.untilMs);
  const date = defined({ startsAtMs: ofMaintenance(input) });
  const ours = { untilMs, by, reason, departure: execution, ...date };
  const change = (is: Vip): Vip => {
    const own = drainOf(is, node, ports.clock.now());
    if (own === undefined || own.untilMs < untilMs)
      return withoutDeclined(withDrain(is, node, ours), (of) => of === node);
    const isNoted = date.startsAtMs === undefined || own.startsAtMs === date.startsAtMs;
    return isNoted ? is : withDrain(is, node, { ...own, ...date });
  };
  const after = change(vip);
  if (after === vip) return vip;
  if (after.drains?.[node] === ours) {
    const words = { vip: vip.name, order: 'drain' as const, node, by, reason, untilMs };
    await ports.orders.put(operatorAction({ ...words, atMs: ports.clock.now() }, execution));
  }
  return (await update(ports.vips, vip.name, (is) => (isRegistered(is) ? change(is) : is))) ?? vip;
}

/** A VIP that cannot be looked at or moved now is looked at again; a mistake of ours is thrown when the others are done. */
async function eachVip(
  names: readonly string[],
  work: (name: string) => Promise<State>,
): Promise<ReadonlyMap<string, State>> {
  const found = new Map<string, State>();
  const queue = [...names];
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      try {
        found.set(name, await work(name));
      } catch (error) {
        found.set(name, { is: 'moving', fault: toFault(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const state of found.values())
    if (state.is === 'moving' && state.fault?.kind === 'bug') throw state.fault;
  return found;
}

function stuckNotice({ stage, execution, story: { input } }: StepInput, stuck: readonly string[]): Notice {
  const { node, why, untilMs } = input;
  return {
    subject: subjectOf(`vipshift ${stage}: ${node} is about to go, and keeps VIPs`),
    text: textOf([
      `${node} is about to go (${why}), and keeps VIPs that stay there (stage ${stage})`,
      ...listLines(stuck, 'VIPs'),
      `It is drained until ${iso(epochMs(untilMs))}; each goes as soon as nothing is in its way`,
      `Execution: ${execution}`,
    ]),
  };
}

export interface DepartureReport extends Notice {
  /** For the workflow's own end. */
  readonly error: string;
  readonly cause: string;
}

/** The message about all of it, and the reason that the workflow ends with. Pure. */
export function reportDeparture({ stage, execution, story }: StepInput, region?: string): DepartureReport {
  const { input, left } = story;
  const { node, why, by, untilMs } = input;
  const owns = left?.owns ?? [];
  const count = left?.drained.length ?? 0;
  const isEmpty = left?.outcome === 'left';
  const vips = count === 1 ? '1 VIP' : `${count} VIPs`;
  const end = isEmpty
    ? `nothing is left to move, of ${vips}`
    : owns.length > 0
      ? `it still owns ${listText(owns)}`
      : 'the workflow failed before it knew';
  return {
    subject: subjectOf(`vipshift ${stage}: ${node} ${isEmpty ? 'has left' : 'has not left'}`),
    text: textOf([
      `Departure of ${node}, stage ${stage}: ${end}`,
      ...(left?.faults ?? []),
      `Cause: ${why} (${by})`,
      `Drained until ${iso(epochMs(untilMs))}`,
      `Next: ${ownCommand(owns[0] === undefined ? 'status' : `status ${owns[0]}`, { stage, region })}`,
      `Execution: ${execution}`,
    ]),
    error: 'DepartureFailed',
    cause: `${node}: ${end}`,
  };
}
