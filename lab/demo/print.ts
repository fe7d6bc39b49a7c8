// How the demo shows what it did: tables, Elastic IP and timeline as an operator would see them.
import { conflictText } from '../../shared/network/conflict.ts';
import { decisionText } from '../../shared/timeline/decision.ts';
import { keyOf, milestoneText } from '../../shared/timeline/milestone.ts';
import { beganAt } from '../../shared/timeline/query.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import type { Stack } from '../aws/stack/stack.ts';
import { describeVpc, nameOf, type VpcView } from '../aws/stack/vpc-view.ts';

/** One chapter of the demo's story, as it is printed and as --json gives it. */
export interface Chapter {
  readonly title: string;
  readonly network: VpcView;
  readonly failover?: Failover;
  readonly remark?: string;
}

export async function chapter(
  stack: Stack,
  title: string,
  more: Omit<Chapter, 'title' | 'network'>,
): Promise<Chapter> {
  return { title, network: await describeVpc(stack.ec2, stack.vpc), ...more };
}

export function print(stack: Stack, chapter: Chapter, number: number): string {
  const { network } = chapter;
  const name = (id: string | undefined) => nameOf(stack.vpc, id || undefined);
  const rows = network.tables.map((t) => [
    t.name,
    t.labelled ? stack.vpc.label : '-',
    name(t.ipv4),
    name(t.ipv6),
    t.others.map((r) => `${r.destination} → ${r.target.split('-')[0]}`).join(', '),
  ]);
  const header = ['route table', 'label', stack.vpc.vip.ipv4, stack.vpc.vip.ipv6, 'untouched'];
  const eips = [network.eip, network.own.a, network.own.b].map(
    (e) => `  ${e.name.padEnd(14)} ${e.publicIp.padEnd(15)} → ${name(e.eni)} ${e.privateIp ?? ''}`,
  );
  return [
    `\n${number}. ${chapter.title}`,
    ...columns([header, ...rows]).map((line) => `  ${line}`),
    '  Elastic IPs',
    ...eips.map((line) => `  ${line.trimEnd()}`),
    ...(chapter.failover === undefined ? [] : printFailover(stack, chapter.failover)),
    ...(chapter.remark === undefined ? [] : [`  ${chapter.remark}`]),
  ].join('\n');
}

function printFailover(stack: Stack, failover: Failover): string[] {
  const node = (id: string | undefined) =>
    [stack.vpc.nodes.a, stack.vpc.nodes.b]
      .filter((n) => n.instanceId === id)
      .map((n) => `node-${n.name}`)[0] ?? '-';
  const began = beganAt(failover);
  const offset = (atMs: number) =>
    `${atMs >= began ? '+' : '-'}${String(Math.abs(atMs - began)).padStart(4)} ms`;
  const moves = failover.steps.map((s) => ({
    atMs: s.doneAtMs ?? 0,
    text: `${s.call} ${s.cell}: ${s.from} → ${s.to}`,
  }));
  const milestones = failover.stages
    .filter((m) => keyOf(m) !== 'bus-accepted')
    .map((m) => ({ atMs: m.atMs as number, text: milestoneText(m) }));
  const lines = [...milestones, ...moves];
  return [
    `  Timeline of epoch ${failover.epoch}: ${failover.outcome}, ${node(failover.from)} → ${node(failover.to)}, ${decisionText(failover)}`,
    ...lines
      .filter((l) => l.atMs > 0)
      .sort((a, b) => a.atMs - b.atMs)
      .map((l) => `    ${offset(l.atMs)}  ${l.text}`),
    ...failover.conflicts.map((c) => `    left alone: ${c.cell}: ${conflictText(c)}`),
    ...failover.notes.map((n) => `    note: ${n}`),
  ];
}

export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, n) => Math.max(...rows.map((row) => row[n]!.length)));
  return rows.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n]!))
      .join('  ')
      .trimEnd(),
  );
}
