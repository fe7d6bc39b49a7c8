// How `vipshift status` shows VIPs: first what an engineer on call asks (where it is, since when, whether a standby is ready, what is
// wrong), then the details.

import { listLines, listText } from '../../shared/bounded.ts';
import type { ClaimStatus, Health, VipStatus } from '../../shared/controller/status/status.ts';
import { durationText } from '../../shared/instants.ts';
import { type Nodes, nodeInFull, nodeText, withNames } from '../../shared/network/node-facts.ts';
import { iso } from '../../shared/time.ts';
import type { Declined } from '../../shared/vip/vip.ts';
import { hint } from '../command/hint.ts';
import { type Cell, type Output, type Paint, plain } from '../command/output.ts';

const paints: Readonly<Record<Health, Paint>> = {
  well: 'good',
  moving: 'warn',
  frozen: 'warn',
  unheard: 'bad',
  'no owner': 'warn',
  drift: 'bad',
  conflict: 'bad',
  'split brain': 'bad',
  unfit: 'bad',
  flapping: 'bad',
  mislabelled: 'bad',
  'no standby': 'bad',
  unseen: 'bad',
};

export function tell(out: Output, statuses: readonly VipStatus[], full: boolean): void {
  if (out.json) out.documents(statuses);
  else if (full) for (const s of statuses) tellFull(out, s);
  else if (statuses.length === 0) out.note(`no VIP is registered; ${hint('vip add --help')}`);
  else tellAll(out, statuses);
}

const nodesIn = (s: VipStatus): Nodes => new Map(Object.entries(s.nodes));
const nameIn = (s: VipStatus, node: string): string => s.nodes[node]?.name ?? node;

function tellAll(out: Output, statuses: readonly VipStatus[]): void {
  out.table(
    ['vip', 'health', 'node', 'zone', 'since', 'standby', 'routes', 'eips'],
    statuses.map((s) => [
      { text: s.vip, paint: 'strong' },
      { text: s.health, paint: paints[s.health] },
      s.owner === undefined ? '-' : nameIn(s, s.owner),
      (s.owner === undefined ? undefined : s.nodes[s.owner]?.zone) ?? '-',
      sinceCell(s),
      standbyCell(s),
      counted(s.health === 'unseen' ? undefined : s.routes),
      counted(s.health === 'unseen' ? undefined : s.eips),
    ]),
  );
  for (const s of statuses)
    if (s.health !== 'well')
      out.line(`${out.paint(paints[s.health], plain(s.vip))}: ${plain(withNames(whyLine(s), nodesIn(s)))}`);
  const late = statuses.filter((s) => s.isReconcileLate === true);
  if (late.length > 0)
    out.line(`reconcile is late for ${listText(late.map((s) => s.vip))}: ${hint('doctor')}`);
  for (const s of statuses)
    for (const { node } of s.claims.filter(({ atRisk }) => atRisk === true))
      out.line(
        plain(`${s.vip}: ${nameIn(s, node)} is at risk: AWS recommends to rebalance it; nothing moves`),
      );
  tellIds(out, statuses);
}

/** The ids of the nodes that the table names: in it they would not fit a terminal. */
function tellIds(out: Output, statuses: readonly VipStatus[]): void {
  const nodes: Nodes = new Map(statuses.flatMap((s) => Object.entries(s.nodes)));
  const named = [...nodes.keys()].filter((node) => nodes.get(node)?.name !== undefined).sort();
  for (const line of listLines(
    named.map((node) => nodeInFull(node, nodes)),
    'nodes; all with --json',
  ))
    out.note(plain(line));
}

const whyLine = (s: VipStatus): string => [s.why, ...dueText(s)].join('; ');

const counted = (cells: readonly { readonly right: boolean }[] | undefined): string =>
  cells === undefined ? '?' : `${cells.filter((cell) => cell.right).length}/${cells.length}`;

/** `3 d`, or `> 3 d` where the record's newest entry found the owner there already. */
const sinceCell = ({ since, atMs }: VipStatus): string =>
  since === undefined ? '-' : `${since.isAtLeast ? '> ' : ''}${durationText(Math.max(0, atMs - since.atMs))}`;

/** Those that are ready, else that there is none. */
function standbyCell(s: VipStatus): Cell {
  const ready = s.standbys.filter((one) => one.ready).map((one) => nameIn(s, one.node));
  if (ready.length === 0) return { text: 'none', paint: 'bad' };
  return ready.length === 1 ? ready[0]! : `${ready[0]} +${ready.length - 1}`;
}

const dueText = (s: VipStatus): readonly string[] =>
  s.dueAtMs === undefined ? [] : [`the last call to EC2 is due ${iso(s.dueAtMs)}, by its request budget`];

function tellFull(out: Output, s: VipStatus): void {
  const nodes = nodesIn(s);
  const named = (text: string) => plain(withNames(text, nodes));
  out.line(`${out.paint('strong', s.vip)}  ${out.paint(paints[s.health], s.health)}  ${named(s.why)}`);
  const say = (label: string, text: string) => out.line(`${out.paint('dim', label.padEnd(9))}  ${text}`);
  for (const [label, text] of summary(s, nodes)) say(label, plain(text));
  for (const text of [...s.reasons.slice(1), ...remarks(s)]) say('also', named(text));
  for (const [label, text] of nextSteps(s)) say(label, text);
  out.line();
  if (s.claims.length > 0) {
    tellNodes(out, s);
    out.line();
  }
  tellCells(out, s);
}

type Line = readonly [label: string, text: string];

/** What is asked first. */
function summary(s: VipStatus, nodes: Nodes): readonly Line[] {
  const at = s.owner === undefined ? 'no node yet' : nodeInFull(s.owner, nodes);
  const elected = s.elected === undefined ? '' : `; the claims elect ${nodeText(s.elected, nodes)}`;
  return [
    ['at', `${at}${elected}`],
    ['since', sinceText(s)],
    ...s.standbys.map((one): Line => {
      const age = one.ageMs === undefined ? 'never heard' : `heard ${durationText(one.ageMs)} ago`;
      const who = nodeInFull(one.node, nodes);
      if (one.ready) return ['standby', `ready: ${who}, ${age}`];
      return ['standby', `NOT ready: ${who} ${withNames(one.why.join(', '), nodes)}`];
    }),
    ...(s.standbys.length === 0 ? [['standby', 'none: there is no second node'] as const] : []),
    ['last', lastText(s, nodes)],
    ...(s.lastFailover === undefined ? [] : outageText(s.lastFailover)),
    ['reconcile', reconcileText(s)],
  ];
}

function sinceText({ since, atMs, epoch }: VipStatus): string {
  if (since === undefined) return `not in the record; epoch ${epoch}`;
  const length = durationText(Math.max(0, atMs - since.atMs));
  return since.isAtLeast
    ? `before ${iso(since.atMs)} (more than ${length}), epoch ${epoch}`
    : `${iso(since.atMs)} (${length}), epoch ${epoch}`;
}

function lastText({ vip, lastFailover: last }: VipStatus, nodes: Nodes): string {
  if (last === undefined) return 'no failover in the record';
  const name = (node: string | undefined) =>
    node === undefined ? 'no node' : (nodes.get(node)?.name ?? node);
  const way =
    last.from === last.to ? `set again at ${name(last.to)}` : `${name(last.from)} → ${name(last.to)}`;
  return `${vip}/${last.epoch} ${iso(last.atMs)}: ${last.outcome}, ${way}`;
}

/** What keepalived took to notice comes before it. */
function outageText({ outageMs, tookMs }: NonNullable<VipStatus['lastFailover']>): readonly Line[] {
  if (outageMs === undefined || tookMs === undefined) return [];
  const from = outageMs > tookMs ? 'from the node’s report' : 'from the order';
  return [['outage', `${durationText(outageMs)} ${from}; ${tookMs} ms of it in the controller and EC2`]];
}

function reconcileText({ reconciledAtMs, isReconcileLate, atMs }: VipStatus): string {
  if (reconciledAtMs === undefined) return 'has not confirmed this VIP yet';
  const ago = `confirmed ${durationText(Math.max(0, atMs - reconciledAtMs))} ago`;
  return isReconcileLate === true
    ? `LATE: last ${ago}, expected every 30 min; ${hint('doctor')}`
    : `${ago} (noted every 30 min, and on a change)`;
}

/** What to run about it, as commands. */
function nextSteps(s: VipStatus): readonly Line[] {
  const next: string[] = [];
  if (s.health === 'unheard')
    next.push(`${hint(`timeline ${s.vip} --kind rejected`)}, then docs/operations.md#no-claims`);
  else if (s.health === 'moving') next.push(hint(`status ${s.vip} --watch`));
  else if (keepsOutgoing(s)) next.push(...wayOff(s));
  else if (s.health !== 'well' && s.health !== 'frozen') next.push(hint(`doctor ${s.vip}`));
  if (s.lastFailover !== undefined) next.push(hint(`explain ${s.vip}/${s.lastFailover.epoch}`));
  return next.map((text) => ['next', text]);
}

/** Its owner is drained or about to go, and nothing takes the VIP elsewhere. */
const keepsOutgoing = (s: VipStatus): boolean =>
  s.elected === undefined &&
  s.claims.some((c) => c.node === s.owner && (c.drained !== undefined || c.leaving !== undefined));

function wayOff({ vip, freeze, standbys }: VipStatus): readonly string[] {
  if (freeze !== undefined) return [hint(`unfreeze ${vip}`)];
  const ready = standbys.find((one) => one.ready);
  return [hint(ready === undefined ? `doctor ${vip}` : `failover ${vip} --to ${ready.node} --reason …`)];
}

function tellNodes(out: Output, s: VipStatus): void {
  out.table(
    ['node', 'last report', 'priority', 'received', 'id', 'remark'],
    s.claims.map((c) => {
      const received = `${durationText(c.ageMs)} ago`;
      const remark = claimRemarks(c).join(', ');
      const name = s.nodes[c.node]?.name ?? '-';
      return [name, c.state, String(c.priority), received, c.node, remark];
    }),
  );
}

function tellCells(out: Output, s: VipStatus): void {
  if (s.health === 'unseen') return;
  const mark = (right: boolean) =>
    s.owner === undefined ? '-' : ({ text: right ? 'yes' : 'NO', paint: right ? 'good' : 'bad' } as const);
  const node = (id: string | undefined) => (id === undefined ? '-' : nameIn(s, id));
  out.table(
    ['table or eip', 'address', 'target', 'node', 'in sync'],
    [
      ...s.routes.map((r) => [
        r.table,
        r.address,
        r.blackhole ? `${r.target} (blackhole)` : r.target,
        node(r.node),
        mark(r.right),
      ]),
      ...s.eips.map((e) => [e.eip, e.publicAddress, e.target, node(e.node), mark(e.right)]),
    ],
  );
}

/** What else is to be known of a node, one phrase each. */
export const claimRemarks = ({
  silent,
  member,
  drained,
  declined,
  leaving,
  atRisk,
  dampedUntilMs,
  ways,
}: ClaimStatus): readonly string[] => [
  ...(silent ? ['silent'] : []),
  ...(member ? [] : ['no longer a member']),
  ...(ways === 'direct' ? ['heard by the function URL alone, not by the bus'] : []),
  ...(drained === undefined
    ? []
    : [`drained until ${iso(drained.untilMs)} by ${drained.by}: ${drained.reason}`]),
  ...(declined === undefined ? [] : [declinedRemark(declined)]),
  ...(leaving === undefined ? [] : [`is about to go: ${leaving}`]),
  ...(atRisk === undefined ? [] : ['at risk: AWS recommends to rebalance']),
  ...(dampedUntilMs === undefined ? [] : [`damped until ${iso(dampedUntilMs)}`]),
];

const declinedRemark = ({ startsAtMs, againMs }: Declined): string =>
  `not drained for AWS’s maintenance at ${iso(startsAtMs)}${againMs === undefined ? '' : ` before ${iso(againMs)}`}, by an operator’s word`;

/** What is not wrong and has to be known all the same. */
const remarks = (s: VipStatus): readonly string[] => [
  ...dueText(s),
  ...(s.lease === undefined || s.lease.live
    ? []
    : [`lease left behind until ${iso(s.lease.expiresAtMs)}: ${s.lease.cause.why}`]),
  ...(s.pin === undefined
    ? []
    : [`pinned to ${s.pin.node} until ${iso(s.pin.untilMs)} by ${s.pin.by}: ${s.pin.reason}`]),
  ...s.strays.map((x) => `left alone: ${x.id} ${x.why}`),
];
