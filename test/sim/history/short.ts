// A story in short, for people: what there is, what may go wrong, what happens when.
import type { Violation } from '../violation.ts';
import type { Act, History } from './history.ts';

export const clock = (ms: number): string => `${(ms / 1000).toFixed(3)}s`;
export const row = (atMs: number, text: string): string => `${clock(atMs).padStart(12)}  ${text}`;

export function shortStory(history: History, violations: readonly Violation[]): string {
  const { seed, nodes, vips, odds, acts, quietAtMs } = history;
  const things = vips.map((v) => `${v.name} (${v.tables} tables, ${v.eips.length} EIPs)`).join(', ');
  const chances = Object.entries(odds).map(([fault, p]) => `${fault} ${Math.round(p * 100)} %`);
  const quirks = nodes.map((n) =>
    [
      `${n.id} (${n.priorities.join(' ')}`,
      n.clockMs === 0 ? '' : `, clock off by ${clock(n.clockMs)}`,
      n.hasEipEni ? '' : ', no ENI for EIPs',
      n.direct ? ', direct path' : '',
      ')',
    ].join(''),
  );
  const quiet = { atMs: quietAtMs, text: 'quiet: nothing goes wrong from here on' };
  const told = [...acts.map((act) => ({ atMs: act.atMs, text: actText(history, act) })), quiet];
  return [
    `seed ${seed}: VIPs ${things}; nodes ${quirks.join(', ')}; ${history.preempt ? 'preempting' : 'nopreempt'}`,
    `chances: ${chances.join(', ') || 'none'}`,
    ...told.sort((a, b) => a.atMs - b.atMs).map(({ atMs, text }) => row(atMs, text)),
    ...violations.map(({ atMs, guarantee, vip, what }) =>
      row(atMs, `VIOLATION of ${guarantee}: ${vip}: ${what}`),
    ),
  ].join('\n');
}

export function actText({ nodes, vips }: History, act: Act): string {
  const { does, atMs: _at, ...rest } = act;
  const words = Object.entries(rest).map(([field, value]) => {
    if (field === 'vip') return vips[value as number]!.name;
    if (field === 'node') return nodes[value as number]!.id;
    if (field === 'vips') return (value as number[]).map((n) => vips[n]!.name).join(' ');
    if (field === 'nodes') return (value as number[]).map((n) => nodes[n]!.id).join(' ');
    if (field.endsWith('Ms')) return `${field.slice(0, -2)} ${clock(value as number)}`;
    return `${field} ${value}`;
  });
  return words.length === 0 ? does : `${does}: ${words.join(', ')}`;
}
