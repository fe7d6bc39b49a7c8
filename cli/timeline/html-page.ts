// The record of a period as one self-contained page: a chart over time, and each failover as a waterfall of its stages.
//
// Invariant: no script, no request: the page's own policy forbids both, and every value is escaped. Links and sections
// are plain HTML, so that the keyboard and a printer get all of it. Limit: at most FAILOVERS_MAX are drawn.

import { momentText } from '../../shared/instants.ts';
import { conflictText } from '../../shared/network/conflict.ts';
import { type EpochMs, epochMs } from '../../shared/time.ts';
import { decisionText } from '../../shared/timeline/decision.ts';
import { actionText, type OperatorAction } from '../../shared/timeline/operator-action.ts';
import {
  type AuditRecord,
  newsAge,
  type RejectionCount,
  took,
  type Window,
  waterfall,
} from '../../shared/timeline/query.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import { html, type Markup } from './html.ts';
import { style } from './html-style.ts';
import { ageText, outcomePaint, stepWhy } from './rows.ts';

export const FAILOVERS_MAX = 1000;

export interface Page extends Window {
  readonly title: string;
  readonly zone: string;
  readonly madeAtMs: EpochMs;
  /** Newest first. */
  readonly records: readonly AuditRecord[];
  /** Set when the record was read only back to there. */
  readonly readBackToMs?: EpochMs;
}

export function pageText(page: Page): string {
  const all = page.records.filter((r) => r.entry === 'outcome');
  const failovers = all.slice(0, FAILOVERS_MAX);
  const others = page.records.filter((r) => r.entry !== 'outcome');
  const at = (instant: EpochMs) => momentText(instant, page.zone);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title}</title>
${style}
</head>
<body>
<h1>${page.title}</h1>
<p>${at(page.sinceMs)} to ${at(page.untilMs)}. ${all.length} failovers${all.length > failovers.length ? `, the newest ${failovers.length} shown` : ''}, ${others.length} orders and rejections. Made ${at(page.madeAtMs)}.${page.readBackToMs === undefined ? '' : ` Read back to ${at(page.readBackToMs)} only.`}</p>
<nav aria-label="Parts"><a href="#chart">Chart</a><a href="#failovers">Failovers</a><a href="#others">Orders and rejections</a></nav>
<h2 id="chart">Over time</h2>
${failovers.length === 0 ? html`<p>No failover in this period.</p>` : chart(page, failovers)}
<h2 id="failovers">Failovers, newest first</h2>
${failovers.map((failover, n) => story(failover, n, page.zone))}
<h2 id="others">Orders and rejections</h2>
${others.length === 0 ? html`<p>None in this period.</p>` : othersTable(others, page.zone)}
</body>
</html>
`.markup;
}

const WIDTH = 1000;
const LEFT = 130;
const ROW_HEIGHT = 28;
const TICKS = 6;

/** One row for each VIP, a mark for each failover. Shape and colour both show the outcome. */
function chart(page: Page, failovers: readonly Failover[]): Markup {
  const vips = [...new Set(failovers.map((f) => f.vip))].sort();
  const times = failovers.map((f) => f.atMs);
  const from = Math.min(...times);
  const span = Math.max(1, Math.max(...times) - from);
  const x = (atMs: number) => LEFT + ((atMs - from) / span) * (WIDTH - LEFT - 20);
  const y = (vip: string) => vips.indexOf(vip) * ROW_HEIGHT + 20;
  const bottom = vips.length * ROW_HEIGHT + 15;
  const ticks = Array.from({ length: TICKS }, (_, n) => from + (span * n) / (TICKS - 1));
  return html`<div class="wide"><svg viewBox="0 0 ${WIDTH} ${bottom + 25}" role="group" aria-label="Failovers over time">
${vips.map(
  (
    vip,
  ) => html`<text x="0" y="${y(vip) + 4}">${vip.length > 20 ? `${vip.slice(0, 19)}…` : vip}</text><line x1="${LEFT}" x2="${WIDTH - 20}" y1="${y(vip)}" y2="${y(vip)}"/>
`,
)}${ticks.map(
  (
    tick,
    n,
  ) => html`<text x="${Math.round(x(tick))}" y="${bottom + 15}" text-anchor="${n === 0 ? 'start' : n === TICKS - 1 ? 'end' : 'middle'}">${tickText(tick, span, page.zone)}</text>
`,
)}${failovers.map(
  (
    f,
    n,
  ) => html`<a href="#f${n}" aria-label="${labelOf(f, page.zone)}"><title>${labelOf(f, page.zone)}</title>${mark(f, x(f.atMs), y(f.vip))}</a>
`,
)}</svg></div>
<p class="note">● went well, ◆ superseded, ■ failed, partial or abandoned. Each mark leads to its failover.</p>`;
}

function mark(failover: Failover, x: number, y: number): Markup {
  const tone = outcomePaint[failover.outcome];
  const at = Math.round(x);
  if (tone === 'bad')
    return html`<rect class="mark ${tone}" x="${at - 6}" y="${y - 6}" width="12" height="12"/>`;
  if (tone === 'warn') return html`<path class="mark ${tone}" d="M${at} ${y - 8}l8 8l-8 8l-8-8z"/>`;
  return html`<circle class="mark ${tone}" cx="${at}" cy="${y}" r="6"/>`;
}

const DAY_MS = 86_400_000;
const tickText = (tick: number, spanMs: number, zone: string): string => {
  const text = momentText(epochMs(Math.round(tick)), zone);
  return spanMs > 2 * DAY_MS ? text.slice(0, 10) : spanMs > 60_000 ? text.slice(11, 19) : text.slice(11, 23);
};

const labelOf = (f: Failover, zone: string): string =>
  `${f.vip}/${f.epoch} ${f.outcome}, ${f.from ?? 'no one'} to ${f.to ?? 'no one'}, ${momentText(f.atMs, zone)}`;

function story(f: Failover, n: number, zone: string): Markup {
  const rows: (readonly [string, string])[] = [
    ['cause', `${f.cause.kind}: ${f.cause.why}${f.cause.by === undefined ? '' : `, by ${f.cause.by}`}`],
    [
      'took',
      took(f) === undefined
        ? 'EC2 accepted no call'
        : `${took(f)} ms from the controller’s first line to the last call that EC2 accepted`,
    ],
    ...(newsAge(f) === undefined
      ? []
      : [['report delay', `${ageText(newsAge(f))}, by the node’s clock`] as const]),
    ['elected', decisionText(f)],
    ['verified', f.verified ? 'read back from EC2' : 'no'],
    ...f.conflicts.map((c) => ['conflict', `${c.cell} found ${c.found}: ${conflictText(c)}`] as const),
    ...f.notes.map((note) => ['note', note] as const),
  ];
  return html`<section id="f${n}" tabindex="-1" aria-labelledby="h${n}">
<h3 id="h${n}">${f.vip}/${f.epoch} <span class="${outcomePaint[f.outcome]}">${f.outcome}</span> ${f.from ?? 'no one'} → ${f.to ?? 'no one'}</h3>
<p class="note">${momentText(f.atMs, zone)}</p>
<table><tbody>${rows.map(([label, text]) => html`<tr><th scope="row">${label}</th><td>${text}</td></tr>`)}</tbody></table>
${bars(f)}
${f.steps.length === 0 ? html`` : steps(f)}
</section>
`;
}

function bars(f: Failover): Markup {
  const all = waterfall(f);
  const end = Math.max(1, ...all.map((b) => b.toMs));
  const percent = (ms: number) => ((ms / end) * 100).toFixed(2);
  return html`<table class="bars"><caption class="note">Waterfall, milliseconds from the controller’s first line</caption>
<thead><tr><th scope="col">stage</th><th scope="col">from</th><th scope="col">to</th><th scope="col">of ${end} ms</th></tr></thead>
<tbody>${all.map((b) => html`<tr><td>${b.label}</td><td class="ms">${b.fromMs}</td><td class="ms">${b.toMs}</td><td class="track"><div><span style="left:${percent(b.fromMs)}%;width:${percent(b.toMs - b.fromMs)}%"></span></div></td></tr>`)}</tbody></table>`;
}

const steps = (f: Failover): Markup => html`<table><caption class="note">Each cell before and after</caption>
<thead><tr><th scope="col">cell</th><th scope="col">call</th><th scope="col">before</th><th scope="col">after</th><th scope="col">result</th></tr></thead>
<tbody>${f.steps.map((s) => html`<tr><td><code>${s.cell}</code></td><td>${s.call}</td><td><code>${s.from}</code></td><td><code>${s.to}</code></td><td>${s.result}${s.code === undefined ? '' : `: ${stepWhy(s)}`}</td></tr>`)}</tbody></table>`;

type Row = readonly [at: EpochMs, vip: string, what: string, node: string, why: string];

function othersTable(records: readonly AuditRecord[], zone: string): Markup {
  const rows = records.flatMap((r) =>
    r.entry === 'order' ? [orderRow(r, zone)] : r.entry === 'rejected' ? [rejectionRow(r)] : [],
  );
  return html`<table><thead><tr><th scope="col">time</th><th scope="col">VIP</th><th scope="col">what</th><th scope="col">node</th><th scope="col">why</th></tr></thead>
<tbody>${rows.map(([at, vip, what, node, why]) => html`<tr><td>${momentText(at, zone)}</td><td>${vip}</td><td>${what}</td><td>${node}</td><td>${why}</td></tr>`)}</tbody></table>`;
}

const rejectionRow = (r: RejectionCount): Row => [
  r.atMs,
  r.vip,
  'rejected',
  r.node,
  `${r.reason}, ${r.count} in the hour ${r.hour}: ${r.message}`,
];

const orderRow = (o: OperatorAction, zone: string): Row => [
  o.atMs,
  o.vip,
  actionText(o.order),
  o.node ?? '',
  `${o.by}: ${o.reason || o.why || 'no reason given'}${o.untilMs === undefined ? '' : `, until ${momentText(o.untilMs, zone)}`}`,
];
