// The page's chart: for each VIP a band of its owners, a mark for each failover and for each order of an operator, and a bar
// for each pin and freeze while it stood. Positions are shares of the width, so that text is as large on a phone as on a desk.
import { momentText } from '../../shared/instants.ts';
import { type EpochMs, epochMs } from '../../shared/time.ts';
import { actionText, type OperatorAction } from '../../shared/timeline/operator-action.ts';
import type { Window } from '../../shared/timeline/query.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import { type OwnerBand, ownerBands, type Standing, spanOf, standing } from './bands.ts';
import { html, type Markup } from './html.ts';
import { outcomePaint } from './rows.ts';

export interface Charted extends Window {
  readonly zone: string;
  /** As they are numbered on the page: `#f0`, `#o0`. */
  readonly failovers: readonly Failover[];
  readonly orders: readonly OperatorAction[];
}

const TICKS = 4;
/** Colours of nodes in the style; more nodes use them again. */
const COLOURS = 6;

interface Scale extends Window {
  readonly zone: string;
  /** Ids in the order of their colours. */
  readonly nodes: readonly string[];
}

export function chart(charted: Charted): Markup {
  const { zone, failovers, orders } = charted;
  const shown = [...failovers, ...orders];
  const span = spanOf(
    shown.map((record) => record.atMs),
    charted,
  );
  const owners = failovers.flatMap(({ from, to }) => [from, to]).filter((node) => node !== undefined);
  const nodes = [...new Set(owners)].sort();
  const scale = { ...span, zone, nodes };
  const vips = [...new Set(shown.map(({ vip }) => vip))].sort();
  return html`<div class="chart" role="group" aria-label="Failovers, owners and orders over time">
${vips.map((vip) => row(vip, charted, scale))}${axis(scale)}</div>
<p class="note keys">${nodes.map(
    (node) => html`<span class="key"><i class="${colourOf(node, nodes)}"></i><code>${node}</code></span> `,
  )}</p>
<p class="note">The band is the owner. ● went well, ◆ superseded, ■ failed, partial or abandoned, ▲ an operator’s order; a bar is a pin or a freeze while it stood. Each mark leads to its record.</p>`;
}

const colourOf = (node: string | undefined, nodes: readonly string[]): string =>
  node === undefined ? 'none' : `n${nodes.indexOf(node) % COLOURS}`;

function row(vip: string, { failovers, orders }: Charted, scale: Scale): Markup {
  const own = orders.filter((order) => order.vip === vip);
  const bands = ownerBands(
    failovers.filter((failover) => failover.vip === vip),
    scale,
  );
  const bars = standing(own, scale);
  const of = <T extends { readonly vip: string }>(all: readonly T[], draw: (one: T, n: number) => Markup) =>
    all.flatMap((one, n) => (one.vip === vip ? [draw(one, n)] : []));
  return html`<div class="row"><h4>${vip}</h4>
<div class="band">${bands.map((band) => bandMarkup(band, scale))}</div>
<div class="marks">${of(failovers, (failover, n) => failoverMark(failover, n, scale))}</div>
${own.length === 0 ? html`` : html`<div class="marks">${of(orders, (order, n) => orderMark(order, n, scale))}</div>`}
${(['pin', 'freeze'] as const).map((kind) => {
  const lane = bars.filter((bar) => bar.kind === kind);
  return lane.length === 0
    ? html``
    : html`<div class="lane">${lane.map((bar) => barMarkup(bar, scale))}</div>`;
})}${said(own, orders, scale.zone)}</div>
`;
}

/** In words, for who cannot hover; the newest first, as they come. */
const SAID_MAX = 5;

function said(own: readonly OperatorAction[], all: readonly OperatorAction[], zone: string): Markup {
  if (own.length === 0) return html``;
  const more = own.length - SAID_MAX;
  return html`<ul>${own
    .slice(0, SAID_MAX)
    .map(
      (order) =>
        html`<li><a href="#o${all.indexOf(order)}">${momentText(order.atMs, zone).slice(11, 19)}</a> ${actionText(order.order)}${order.node === undefined ? '' : ` ${order.node}`} by ${byText(order)}: ${whyText(order)}</li>`,
    )}${more > 0 ? html`<li>and ${more} more, <a href="#others">below</a></li>` : html``}</ul>`;
}

const share = (instant: number, { sinceMs, untilMs }: Window): number =>
  ((Math.min(untilMs, Math.max(sinceMs, instant)) - sinceMs) / Math.max(1, untilMs - sinceMs)) * 100;
const left = (instant: number, scale: Scale): string => `left:${share(instant, scale).toFixed(3)}%`;
const wide = (window: Window, scale: Scale): string =>
  `${left(window.sinceMs, scale)};width:${(share(window.untilMs, scale) - share(window.sinceMs, scale)).toFixed(3)}%`;
const during = ({ sinceMs, untilMs }: Window, zone: string): string =>
  `${momentText(sinceMs, zone)} to ${momentText(untilMs, zone)}`;

const bandMarkup = (band: OwnerBand, scale: Scale): Markup =>
  html`<div class="${colourOf(band.node, scale.nodes)}" style="${wide(band, scale)}" title="${band.node ?? 'no owner'}, ${during(band, scale.zone)}">${band.node ?? 'no owner'}</div>`;

const barMarkup = (bar: Standing, scale: Scale): Markup =>
  html`<div class="${bar.kind}" style="${wide(bar, scale)}" title="${barText(bar)}, ${during(bar, scale.zone)}">${barText(bar)}</div>`;

const barText = ({ kind, order }: Standing): string =>
  `${kind === 'pin' ? `pinned to ${order.node}` : 'frozen'} by ${byText(order)}: ${whyText(order)}`;

function failoverMark(failover: Failover, n: number, scale: Scale): Markup {
  const label = labelOf(failover, scale.zone);
  const tone = outcomePaint[failover.outcome];
  const shape =
    tone === 'bad'
      ? html`<rect class="mark ${tone}" x="-6" y="-6" width="12" height="12"/>`
      : tone === 'warn'
        ? html`<path class="mark ${tone}" d="M0-8l8 8l-8 8l-8-8z"/>`
        : html`<circle class="mark ${tone}" r="6"/>`;
  return html`<a href="#f${n}" style="${left(failover.atMs, scale)}" aria-label="${label}" title="${label}"><svg viewBox="-9 -9 18 18" aria-hidden="true">${shape}</svg></a>`;
}

function orderMark(order: OperatorAction, n: number, scale: Scale): Markup {
  const label = `${actionText(order.order)} ${order.vip}${order.node === undefined ? '' : ` ${order.node}`} by ${byText(order)}: ${whyText(order)}, ${momentText(order.atMs, scale.zone)}`;
  return html`<a class="order" href="#o${n}" style="${left(order.atMs, scale)}" aria-label="${label}" title="${label}"><svg viewBox="-9 -9 18 18" aria-hidden="true"><path class="mark order" d="M0-7l7 13h-14z"/></svg></a>`;
}

/** Who, without the account: `arn:aws:sts::…:assumed-role/ops/alice` is `ops/alice`. */
export const byText = ({ by }: OperatorAction): string => /^arn:[^/]*\/(.+)$/.exec(by)?.[1] ?? by;
export const whyText = ({ reason, why }: OperatorAction): string => reason || why || 'no reason given';

export const labelOf = (f: Failover, zone: string): string =>
  `${f.vip}/${f.epoch} ${f.outcome}, ${f.from ?? 'no one'} to ${f.to ?? 'no one'}, ${momentText(f.atMs, zone)}`;

const DAY_MS = 86_400_000;

function axis(scale: Scale): Markup {
  const spanMs = scale.untilMs - scale.sinceMs;
  const ticks = Array.from({ length: TICKS }, (_, n) =>
    epochMs(Math.round(scale.sinceMs + (spanMs * n) / (TICKS - 1))),
  );
  return html`<div class="axis" aria-hidden="true">${ticks.map((tick) => html`<span>${tickText(tick, spanMs, scale.zone)}</span>`)}</div>
`;
}

function tickText(tick: EpochMs, spanMs: number, zone: string): string {
  const text = momentText(tick, zone);
  return spanMs > 2 * DAY_MS ? text.slice(0, 10) : spanMs > 60_000 ? text.slice(11, 19) : text.slice(11, 23);
}
