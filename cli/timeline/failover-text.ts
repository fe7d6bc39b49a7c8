// One failover in full: cause, decision, each stage and step with its milliseconds, each cell before and after.

import { momentText } from '../../shared/instants.ts';
import { conflictText } from '../../shared/network/conflict.ts';
import { type Nodes, nodeInFull, withNames } from '../../shared/network/node-facts.ts';
import { decisionText } from '../../shared/timeline/decision.ts';
import { omittedText } from '../../shared/timeline/fit.ts';
import { actionText, type OperatorAction } from '../../shared/timeline/operator-action.ts';
import {
  type Bar,
  beganAt,
  dueAt,
  newsAge,
  type RejectionCount,
  took,
  waterfall,
} from '../../shared/timeline/query.ts';
import type { Failover, Intent } from '../../shared/timeline/timeline.ts';
import { type Output, plain } from '../command/output.ts';
import { ageText, millis, outcomePaint, stepWhy } from './rows.ts';

export function printFailover(out: Output, failover: Failover, zone: string, nodes: Nodes = new Map()): void {
  const { vip, epoch, cause, outcome } = failover;
  const say = (label: string, text: string | undefined) => {
    if (text !== undefined && text !== '')
      out.line(`${out.paint('dim', label.padEnd(10))} ${plain(withNames(text, nodes))}`);
  };
  out.line(
    `${out.paint('strong', plain(`${vip}/${epoch}`))}  ${out.paint(outcomePaint[outcome], outcome)}  ${plain(withNames(`${failover.from ?? 'no one'} → ${failover.to ?? 'no one'}`, nodes))}`,
  );
  say('recorded', momentText(failover.atMs, zone));
  say('cause', `${cause.kind}: ${cause.why} (${momentText(cause.atMs, zone)})`);
  say('by', cause.by);
  const age = newsAge(failover);
  const heard = age === undefined ? '' : `; the node had reported ${ageText(age)} earlier, by its clock`;
  const due = dueAt(failover);
  say('began', `${momentText(beganAt(failover), zone)}${heard}`);
  say('took', `${millis(took(failover))} from there to the last call that EC2 accepted`);
  if (due !== undefined)
    say(
      'due',
      `${momentText(due, zone)}, as EC2’s request budget was: there were more calls than it allows at once`,
    );
  say('elected', decisionText(failover));
  say('verified', failover.verified ? 'yes, read back from EC2' : 'no');
  for (const [node, nodeState] of Object.entries(failover.claims))
    say(
      'claim',
      `${node} said ${nodeState.state}, priority ${nodeState.priority}, heard ${momentText(nodeState.seenMs as never, zone)}`,
    );
  if (failover.splitBrain.length > 0) say('split', `${failover.splitBrain.join(' and ')} both said MASTER`);
  for (const conflict of failover.conflicts)
    say('conflict', `${conflict.cell} found ${conflict.found}: ${conflictText(conflict)}`);
  for (const note of failover.notes) say('note', note);
  if (failover.steps.length > 0) {
    out.line();
    printSteps(out, failover);
  }
  out.line();
  printWaterfall(out, waterfall(failover));
}

function printSteps(out: Output, failover: Failover): void {
  const ms = (at: number | undefined) => (at === undefined ? '-' : `${at - beganAt(failover)}`);
  // What must not be cut stands in the last column.
  out.table(
    ['call', 'result', 'tries', 'sent ms', 'done ms', 'cell, before and after'],
    failover.steps.map((s) => [
      s.call,
      { text: s.result, paint: s.result === 'done' ? 'good' : 'bad' },
      String(s.attempts),
      ms(s.sentAtMs),
      ms(s.doneAtMs),
      `${s.cell}: ${s.from} → ${s.to}${s.result === 'done' ? '' : `: ${stepWhy(s)}`.trimEnd()}`,
    ]),
  );
  out.line(out.paint('dim', 'milliseconds after the controller began'));
}

const WIDTH = 40;

function printWaterfall(out: Output, bars: readonly Bar[]): void {
  const end = Math.max(1, ...bars.map((b) => b.toMs));
  const column = (ms: number) => Math.min(WIDTH - 1, Math.max(0, Math.floor((ms / end) * WIDTH)));
  out.table(
    ['from', 'to', 'waterfall', 'stage'],
    bars.map((b) => {
      const from = column(b.fromMs);
      const length = Math.max(1, column(b.toMs) - from + 1);
      const drawn = `${' '.repeat(from)}${'█'.repeat(length)}`.padEnd(WIDTH);
      return [`${b.fromMs} ms`, `${b.toMs} ms`, drawn, b.label];
    }),
  );
}

export function printIntent(out: Output, intent: Intent, zone: string, nodes: Nodes = new Map()): void {
  const named = (text: string) => plain(withNames(text, nodes));
  out.line(
    `${out.paint('strong', plain(`${intent.vip}/${intent.epoch}`))}  has no outcome in the record yet`,
  );
  out.line(`cause     ${named(intent.cause.why)} (${momentText(intent.cause.atMs, zone)})`);
  out.line(`meant     ${named(`${intent.from ?? 'no one'} → ${intent.to}: ${decisionText(intent)}`)}`);
  if (intent.dueAtMs !== undefined)
    out.line(
      `due       ${momentText(intent.dueAtMs, zone)}: when the last call goes out, by EC2’s request budget`,
    );
  if (intent.omitted !== undefined) out.line(`left out  ${plain(omittedText(intent.omitted))}`);
  for (const step of intent.steps)
    out.line(`step      ${plain(`${step.call} ${step.cell}: ${step.from} → ${step.to}`)}`);
}

export function printOrder(out: Output, order: OperatorAction, zone: string, nodes: Nodes = new Map()): void {
  out.line(`${out.paint('strong', plain(order.vip))}  ${actionText(order.order)}`);
  const rows: (readonly [string, string | undefined])[] = [
    ['given', momentText(order.atMs, zone)],
    ['by', order.by],
    ['reason', order.reason || 'none given'],
    ['node', order.node === undefined ? undefined : nodeInFull(order.node, nodes)],
    ['until', order.untilMs === undefined ? undefined : momentText(order.untilMs, zone)],
    ['of', order.of],
    ['why', order.why],
    ['before', order.before === undefined ? undefined : JSON.stringify(order.before)],
    ['after', order.after === undefined ? undefined : JSON.stringify(order.after)],
  ];
  printRows(out, rows);
}

export function printRejection(out: Output, rejected: RejectionCount, zone: string): void {
  out.line(
    `${out.paint('strong', plain(rejected.vip))}  ${rejected.reason === 'contradiction' ? 'counted' : 'rejected'} ${rejected.reason}`,
  );
  printRows(out, [
    ['node', rejected.node],
    ['count', `${rejected.count} in the hour ${rejected.hour}`],
    ['last', momentText(rejected.atMs, zone)],
    ['why', rejected.message],
    ['example', rejected.example],
  ]);
}

function printRows(out: Output, rows: readonly (readonly [string, string | undefined])[]): void {
  for (const [label, text] of rows)
    if (text !== undefined) out.line(`${out.paint('dim', label.padEnd(10))} ${plain(text)}`);
}
