// Makes a failing story smaller while it fails for the same reason: leaves out acts, chances of faults, nodes' quirks,
// VIPs and tables. Every stream of chance has a name of its own, so what is left behaves much as before.
//
// Limit: greedy; the result is small, not the smallest. At most SHRINK_TRIES histories are run.
import { violationsOf } from '../checkers.ts';
import type { Guarantee } from '../violation.ts';
import { simulate } from '../world/simulate.ts';
import type { FaultName, History } from './history.ts';

const SHRINK_TRIES = 400;

export type Fails = (history: History) => Promise<readonly Guarantee[]>;

const failsHere: Fails = async (history) => violationsOf(await simulate(history)).map((v) => v.guarantee);

export async function shrink(history: History, fails: Fails = failsHere): Promise<History> {
  const [reason] = await fails(history);
  if (reason === undefined) return history;
  let best = history;
  let tries = 0;
  for (let smaller = true; smaller && tries < SHRINK_TRIES; ) {
    smaller = false;
    for (const candidate of candidates(best)) {
      if (++tries > SHRINK_TRIES) break;
      if (!(await fails(candidate)).includes(reason)) continue;
      best = candidate;
      smaller = true;
      break;
    }
  }
  return best;
}

/** Great cuts first. */
function* candidates(history: History): Generator<History> {
  const { acts, odds } = history;
  for (let size = acts.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < acts.length; from += size) {
      yield { ...history, acts: [...acts.slice(0, from), ...acts.slice(from + size)] };
    }
  }
  for (const [n, act] of acts.entries()) {
    if (act.does !== 'forced failover' || act.beside === undefined) continue;
    for (const [k] of act.beside.entries())
      yield { ...history, acts: acts.with(n, { ...act, beside: act.beside.toSpliced(k, 1) }) };
  }
  const names = Object.keys(odds) as FaultName[];
  if (names.length > 1) yield { ...history, odds: {} };
  for (const name of names) {
    const { [name]: _gone, ...others } = odds;
    yield { ...history, odds: others };
  }
  const last = Math.max(5000, ...acts.map((a) => a.atMs + 1));
  if (last < history.quietAtMs) yield { ...history, quietAtMs: last };
  for (const [n, vip] of history.vips.entries()) {
    const set = (change: Partial<typeof vip>) => ({
      ...history,
      vips: history.vips.map((v, i) => (i === n ? { ...v, ...change } : v)),
    });
    if (vip.tables > 1) yield set({ tables: 1 });
    if (vip.addresses.length > 1) yield set({ addresses: vip.addresses.slice(0, 1) });
    if (vip.eips.length > 0) yield set({ eips: vip.eips.slice(1) });
  }
  for (const [n, node] of history.nodes.entries()) {
    if (node.clockMs === 0) continue;
    yield { ...history, nodes: history.nodes.map((m, i) => (i === n ? { ...node, clockMs: 0 } : m)) };
  }
}
