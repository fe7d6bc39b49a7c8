// The notice: one failover as a person reads it at night: what moved, why, what became of it, what clients felt, and
// the one command to run next. Pure; the event that announces a failover carries it.
//
// Limit: what clients felt is computed from the node's own report, whose clock is not trusted, to the last route that EC2
// accepted; how long VRRP itself took to notice is not in it.
import { listLines, listText, readable, SENTENCE_MAX } from '../bounded.ts';
import { conflictText } from '../network/conflict.ts';
import { ownCommand, type Place } from '../place.ts';
import { iso } from '../time.ts';
import type { Flapping } from '../vip/flapping.ts';
import type { Stranded } from '../vip/vip.ts';
import { type Milestone, milestoneAt } from './milestone.ts';
import type { Failover } from './timeline.ts';

export interface Notice {
  /** One line, plain ASCII, at most 100 characters: SNS refuses anything else as a subject. */
  readonly subject: string;
  readonly text: string;
}

const SUBJECT_MAX = 100;

export function noticeOf(failover: Failover, place: Place): Notice {
  const { stage } = place;
  const { vip, outcome, cause, verified } = failover;
  const from = failover.from ?? 'no node';
  const to = failover.to ?? 'no node';
  const moved = movedText(failover, from, to);
  const ordered = cause.by === undefined ? '' : `, ordered by ${cause.by}`;
  const lines = [
    `VIP ${vip} (stage ${stage}): ${moved}`,
    `Cause: ${cause.why} (${cause.kind}${ordered})`,
    `Outcome: ${outcome}, epoch ${failover.epoch}; ${stepsText(failover)}; ${readBackText(verified)}`,
    `Clients: ${feltBy(failover)}`,
    ...listLines(
      failover.conflicts.map((c) => `Left alone: ${c.cell} (${c.found}): ${conflictText(c)}`),
      'left alone',
    ),
    ...(failover.splitBrain.length === 0 ? [] : [`Split brain: ${listText(failover.splitBrain, ' and ')}`]),
    ...listLines(
      failover.notes.map((note) => `Note: ${note}`),
      'notes',
    ),
    `Next: ${nextCommand(failover, place)}`,
  ];
  return { subject: subjectOf(`vipshift ${stage}: ${vip} ${moved}`), text: textOf(lines) };
}

/** The one message about a storm: what its failovers do is in the timeline. */
export function flappingNotice(vip: string, flapping: Flapping, place: Place): Notice {
  const { stage } = place;
  const { node, sinceMs, transitions } = flapping;
  const lines = [
    `VIP ${vip} (stage ${stage}): ${node} flaps: it became MASTER ${transitions} times since ${iso(sinceMs)}`,
    'It is damped: it gets the VIP only where no other member can have it, and its moves wait behind those of other VIPs.',
    'Damping ends a minute after it became MASTER last. Until then no failover of this VIP is announced here.',
    `Look at what makes keepalived on ${node} change its state: its log, and the scripts and files that it tracks.`,
    `Next: ${ownCommand(`status ${vip}`, place)}`,
  ];
  return { subject: subjectOf(`vipshift ${stage}: ${vip}: ${node} flaps`), text: textOf(lines) };
}

/** Why a VIP stays with a node that is about to go. */
export const keptText: Readonly<Record<Stranded['key'], string>> = {
  frozen: 'it is frozen',
  last: 'no other node is eligible',
  'not-taken': 'its keepalived gave it away, and no other node took it',
};

/** The one message about a node that is about to go with the VIP: it may have two minutes. */
export function leavingNotice(vip: string, { key, node, cause }: Stranded, place: Place): Notice {
  const { stage } = place;
  const isFrozen = key === 'frozen';
  const lines = [
    `VIP ${vip} (stage ${stage}): ${node} is about to go (${cause}), and keeps the VIP: ${keptText[key]}`,
    isFrozen
      ? 'Nothing moves before it is unfrozen. When the node is gone, its clients have no server.'
      : 'It moves as soon as another node takes it. When the node is gone before that, its clients have no server.',
    `Next: ${ownCommand(`${isFrozen ? 'unfreeze' : 'status'} ${vip}`, place)}`,
  ];
  return { subject: subjectOf(`vipshift ${stage}: ${vip}: ${node} is about to go`), text: textOf(lines) };
}

/** SNS and EventBridge take 256 KB; this is far below, whatever was said. */
export const textOf = (lines: readonly string[]): string =>
  lines.map((line) => readable(line, SENTENCE_MAX)).join('\n');

export const subjectOf = (text: string): string =>
  text
    .replace(/→/g, '->')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .slice(0, SUBJECT_MAX);

function movedText({ outcome }: Failover, from: string, to: string): string {
  if (outcome === 'switched') return `moved from ${from} to ${to}`;
  if (outcome === 'partial') return `moved only in part from ${from} to ${to}`;
  if (outcome === 'failed') return `did not move from ${from} to ${to}`;
  return `${outcome} (from ${from}, to ${to})`;
}

function stepsText({ steps }: Failover): string {
  const done = steps.filter((s) => s.result === 'done').length;
  return `${done} of ${steps.length} EC2 calls carried out`;
}

const readBackText = (verified: boolean): string =>
  verified ? 'read back and right' : 'not confirmed by reading back; the next reconcile looks again';

/** In the record's own stages; absent ones (an order, a reconcile) have no report to count from. */
export function feltMs(stages: readonly Milestone[]): number | undefined {
  const reported = milestoneAt(stages, 'node-reported');
  const moved = milestoneAt(stages, 'last-accepted');
  return reported === undefined || moved === undefined || moved < reported ? undefined : moved - reported;
}

function feltBy(failover: Failover): string {
  if (failover.outcome === 'failed') return 'still where they were: nothing was moved, or not all of it';
  if (failover.steps.length === 0) return 'nothing';
  const ms = feltMs(failover.stages);
  const gap =
    ms === undefined
      ? 'their route changed while it worked'
      : `about ${(ms / 1000).toFixed(1)} s from the node's report to the last route, after VRRP had noticed`;
  return `${gap}; open TCP connections broke`;
}

function nextCommand({ vip, outcome, splitBrain, conflicts }: Failover, place: Place): string {
  if (splitBrain.length > 0 || conflicts.length > 0 || outcome === 'partial' || outcome === 'failed')
    return ownCommand(`status ${vip}`, place);
  return ownCommand(`timeline ${vip} --limit 5`, place);
}
