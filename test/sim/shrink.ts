// Makes a failing story smaller while it fails for the same reason: leaves out acts, chances of faults, nodes' quirks,
// VIPs and tables. Every stream of chance has a name of its own, so what is left behaves much as before.
//
// Limit: greedy; the result is small, not the smallest. At most SHRINK_TRIES histories are run.
import { violationsOf } from './checks/all.ts';
import type { Guarantee } from './checks/violation.ts';
import type { FaultName, Story } from './story.ts';
import { tell } from './world.ts';

const SHRINK_TRIES = 400;

export type Fails = (story: Story) => Promise<readonly Guarantee[]>;

const failsHere: Fails = async (story) => violationsOf(await tell(story)).map((v) => v.guarantee);

export async function shrink(story: Story, fails: Fails = failsHere): Promise<Story> {
  const [reason] = await fails(story);
  if (reason === undefined) return story;
  let best = story;
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
function* candidates(story: Story): Generator<Story> {
  const { acts, odds } = story;
  for (let size = acts.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < acts.length; from += size) {
      yield { ...story, acts: [...acts.slice(0, from), ...acts.slice(from + size)] };
    }
  }
  for (const [n, act] of acts.entries()) {
    if (act.does !== 'forced failover' || act.beside === undefined) continue;
    for (const [k] of act.beside.entries())
      yield { ...story, acts: acts.with(n, { ...act, beside: act.beside.toSpliced(k, 1) }) };
  }
  const names = Object.keys(odds) as FaultName[];
  if (names.length > 1) yield { ...story, odds: {} };
  for (const name of names) {
    const { [name]: _gone, ...others } = odds;
    yield { ...story, odds: others };
  }
  const last = Math.max(5000, ...acts.map((a) => a.atMs + 1));
  if (last < story.quietAtMs) yield { ...story, quietAtMs: last };
  for (const [n, vip] of story.vips.entries()) {
    const set = (change: Partial<typeof vip>) => ({
      ...story,
      vips: story.vips.map((v, i) => (i === n ? { ...v, ...change } : v)),
    });
    if (vip.tables > 1) yield set({ tables: 1 });
    if (vip.addresses.length > 1) yield set({ addresses: vip.addresses.slice(0, 1) });
    if (vip.eips.length > 0) yield set({ eips: vip.eips.slice(1) });
  }
  for (const [n, node] of story.nodes.entries()) {
    if (node.clockMs === 0) continue;
    yield { ...story, nodes: story.nodes.map((m, i) => (i === n ? { ...node, clockMs: 0 } : m)) };
  }
}
