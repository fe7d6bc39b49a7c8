// A history told: in short, then the record as `vipshift timeline` shows it, then step by step from what happened to the
// items, to EC2 and to the timeline.
import type { Entry } from '../../../shared/timeline/timeline.ts';
import { transitionAt } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { actText, clock, row, shortStory } from '../history/short.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';
import type { Written } from './log.ts';
import { timelineText } from './record.ts';

interface Line {
  readonly atMs: number;
  readonly text: string;
}

export function retell(world: World, violations: readonly Violation[]): string {
  const { story: history, log, region } = world;
  const lines: Line[] = [
    ...history.acts.map((act) => ({ atMs: act.atMs, text: `ACT ${actText(history, act)}` })),
    { atMs: history.quietAtMs, text: 'QUIET: nothing goes wrong from here on' },
    ...log.writes.map((w) => ({
      atMs: w.atMs,
      text: `item ${w.after.name} rev ${w.after.rev}: ${changeOf(w)} (${w.by?.name ?? 'operator'})`,
    })),
    ...log.sends.map((s) => ({
      atMs: s.atMs,
      text: `send #${s.id} ${s.step.call} ${s.step.cell} → ${s.step.eni} (${s.by.name}; ${s.landed} at ${clock(s.landedAtMs)})`,
    })),
    ...region.changes.map((c) => ({
      atMs: c.atMs,
      text: `EC2 ${c.cell}: ${c.was ?? 'nothing'} → ${c.is ?? 'nothing'} (${c.by === undefined ? 'not by us' : `#${c.by}`})`,
    })),
    ...world.net.timeline.entries.map((e, i) => ({ atMs: log.filedAtMs[i]!, text: entryLine(e) })),
    ...log.answers
      .filter((a) => a.word.kind === 'transition' || a.word.kind === 'lower-advert')
      .map((a) => ({
        atMs: a.atMs,
        text: `answered: ${a.word.node} ${a.word.state} ${a.word.kind} of ${a.word.vip} seq ${a.word.seq}: ${a.answer} (stamped ${clock(a.stampMs)}, delivered ${clock(a.deliveredAtMs)})`,
      })),
    ...world.executions.flatMap((e) =>
      [...e.answeredAtMs].map(([state, atMs]) => ({ atMs, text: `${e.name} (${e.order.mode}): ${state}` })),
    ),
    ...violations.map((v) => ({ atMs: v.atMs, text: `VIOLATION of ${v.guarantee}: ${v.vip}: ${v.what}` })),
  ];
  const body = lines.map((l, i) => ({ ...l, i })).sort((a, b) => a.atMs - b.atMs || a.i - b.i);
  return [
    shortStory(history, violations),
    `\nthe record (vipshift timeline):\n${timelineText(world)}`,
    '\nstep by step:',
    ...body.map((l) => row(l.atMs, l.text)),
  ].join('\n');
}

function changeOf({ before, after }: Written): string {
  const said: string[] = [];
  for (const node of Object.keys(after.claims)) {
    const is = after.claims[node]!;
    const was = before?.claims[node];
    if (was === is) continue;
    if (was !== undefined && was.since === is.since && was.bootId === is.bootId && was.state === is.state)
      said.push(`${node} asserted slot ${is.slot}`);
    else
      said.push(`${node} ${is.state} since ${is.since} at ${transitionAt(is) % 10_000_000} slot ${is.slot}`);
    if (was?.affSeq !== is.affSeq && is.affSeq !== undefined) said.push(`${node} lower-advert`);
  }
  const lease = (vip: Vip | undefined) =>
    vip?.lease === undefined
      ? 'free'
      : `${vip.lease.epoch} ${vip.lease.holder} until ${vip.lease.expiresAtMs % 10_000_000}`;
  if (lease(before) !== lease(after)) said.push(`lease ${lease(before)} → ${lease(after)}`);
  if (before?.owner !== after.owner) said.push(`owner ${before?.owner} → ${after.owner}`);
  const members = Object.keys(after.members).join(' ');
  if (Object.keys(before?.members ?? {}).join(' ') !== members) said.push(`members ${members}`);
  if (before?.pin !== after.pin) said.push(`pin ${after.pin?.node}`);
  if (before?.freeze !== after.freeze) said.push('freeze');
  if (before?.drains !== after.drains) said.push(`drained ${Object.keys(after.drains ?? {}).join(' ')}`);
  if (before?.touchedAtMs !== after.touchedAtMs) said.push(`touched ${after.touchedAtMs % 10_000_000}`);
  const open = Object.values(after.open)
    .map((o) => o.epoch)
    .join(' ');
  if (
    Object.values(before?.open ?? {})
      .map((o) => o.epoch)
      .join(' ') !== open
  )
    said.push(`open {${open}}`);
  return said.join(', ') || 'nothing that matters';
}

const entryLine = (e: Entry): string =>
  e.entry === 'intent'
    ? `record ${e.vip} epoch ${e.epoch} intent → ${e.to}: ${e.why}`
    : `record ${e.vip} epoch ${e.epoch} ${e.outcome} → ${e.to ?? 'nowhere'}${e.verified ? ' verified' : ''}: ${e.why} [${e.cause.kind}: ${e.cause.why}] ${e.notes.filter((n) => !n.startsWith('found')).join('; ')}`;
