// The record of a period as one self-contained page: a chart over time, and each failover as a waterfall of its stages.
//
// Invariant: no script, no request: the page's own policy forbids both, and every value is escaped. Links and sections
// are plain HTML, so that the keyboard and a printer get all of it. Limit: at most FAILOVERS_MAX are drawn.

import { momentText } from '../../shared/instants.ts';
import { conflictText } from '../../shared/network/conflict.ts';
import type { EpochMs } from '../../shared/time.ts';
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
import { chart, whyText } from './html-chart.ts';
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
  const orders = page.records.filter((r) => r.entry === 'order');
  const rejections = page.records.filter((r) => r.entry === 'rejected');
  const others = orders.length + rejections.length;
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
<p>${at(page.sinceMs)} to ${at(page.untilMs)}. ${all.length} failovers${all.length > failovers.length ? `, the newest ${failovers.length} shown` : ''}, ${others} orders and rejections. Made ${at(page.madeAtMs)}.${page.readBackToMs === undefined ? '' : ` Read back to ${at(page.readBackToMs)} only.`}</p>
<nav aria-label="Parts"><a href="#chart">Chart</a><a href="#failovers">Failovers</a><a href="#others">Orders and rejections</a></nav>
<h2 id="chart">Over time</h2>
${failovers.length + orders.length === 0 ? html`<p>No failover and no order in this period.</p>` : chart({ ...page, failovers, orders })}
<h2 id="failovers">Failovers, newest first</h2>
${failovers.map((failover, n) => story(failover, n, page.zone))}
<h2 id="others">Orders and rejections</h2>
${others === 0 ? html`<p>None in this period.</p>` : othersTable(orders, rejections, page.zone)}
</body>
</html>
`.markup;
}

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
<h3 id="h${n}">${f.vip}/${f.epoch} <span class="${outcomePaint[f.outcome]}">${f.outcome}</span> <span class="id">${f.from ?? 'no one'}</span> → <span class="id">${f.to ?? 'no one'}</span></h3>
<p class="note">${momentText(f.atMs, zone)}</p>
<table class="facts"><tbody>${rows.map(([label, text]) => html`<tr><th scope="row">${label}</th><td>${text}</td></tr>`)}</tbody></table>
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

const steps = (
  f: Failover,
): Markup => html`<table class="stack"><caption class="note">Each cell before and after</caption>
<thead><tr><th scope="col">cell</th><th scope="col">call</th><th scope="col">before</th><th scope="col">after</th><th scope="col">result</th></tr></thead>
<tbody>${f.steps.map((s) => html`<tr><td data-name="cell"><code>${s.cell}</code></td><td data-name="call">${s.call}</td><td data-name="before"><code>${s.from}</code></td><td data-name="after"><code>${s.to}</code></td><td data-name="result">${s.result}${s.code === undefined ? '' : `: ${stepWhy(s)}`}</td></tr>`)}</tbody></table>`;

interface Row {
  /** What the chart's mark leads to. */
  readonly id?: string;
  readonly atMs: EpochMs;
  readonly vip: string;
  readonly what: string;
  readonly node: string;
  readonly why: string;
}

function othersTable(
  orders: readonly OperatorAction[],
  rejections: readonly RejectionCount[],
  zone: string,
): Markup {
  const rows = [...orders.map((o, n) => orderRow(o, n, zone)), ...rejections.map(rejectionRow)].sort(
    (a, b) => b.atMs - a.atMs,
  );
  return html`<table class="stack"><thead><tr><th scope="col">time</th><th scope="col">VIP</th><th scope="col">what</th><th scope="col">node</th><th scope="col">why</th></tr></thead>
<tbody>${rows.map(({ id, atMs, vip, what, node, why }) => html`<tr${id === undefined ? html`` : html` id="${id}" tabindex="-1"`}><td data-name="time">${momentText(atMs, zone)}</td><td data-name="VIP">${vip}</td><td data-name="what">${what}</td><td data-name="node">${node}</td><td data-name="why">${why}</td></tr>`)}</tbody></table>`;
}

const rejectionRow = (r: RejectionCount): Row => ({
  ...{ atMs: r.atMs, vip: r.vip, what: 'rejected', node: r.node },
  why: `${r.reason}, ${r.count} in the hour ${r.hour}: ${r.message}`,
});

const orderRow = (o: OperatorAction, n: number, zone: string): Row => ({
  ...{ id: `o${n}`, atMs: o.atMs, vip: o.vip, what: actionText(o.order), node: o.node ?? '' },
  why: `${o.by}: ${whyText(o)}${o.untilMs === undefined ? '' : `, until ${momentText(o.untilMs, zone)}`}`,
});
