// Guarantee 4: no claim is lost to a held lease. What an invocation answered as recorded stands in the item, or something
// newer of that node does; nothing that stands there is ever replaced by something older, except AWS's hint that an instance
// stopped, by what AWS stamped after that; and the hint withdraws no word of a node that spoke after its end.
import type { NodeState } from '../../../shared/vip/node-state.ts';
import { forgedAs } from '../node/forge.ts';
import { isAccepted } from '../truth/known.ts';
import { registrations } from '../truth/registrations.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

const boot = (bootId: string): number => Number(bootId.split('-')[1]);

/** By the numbers of the boots, which no one but the simulation knows. */
const older = (
  a: Pick<NodeState, 'bootId' | 'since' | 'seq'>,
  b: Pick<NodeState, 'bootId' | 'since' | 'seq'>,
): boolean =>
  a.bootId === b.bootId
    ? a.since < b.since || (a.since === b.since && a.seq < b.seq)
    : boot(a.bootId) < boot(b.bootId);

export function noClaimLost(world: World): readonly Violation[] {
  const found: Violation[] = [];
  // What is made up may stand for a while: no-node-silenced.ts.
  const madeUp = (vip: string, node: string, nodeState: NodeState) =>
    forgedAs(world, vip, node, nodeState) !== undefined;
  const registered = registrations(world);
  for (const { answer, word, item, deliveredAtMs, atMs } of world.log.answers) {
    if (word.forged || !isAccepted(answer)) continue;
    if (registered(word.vip).some((at) => at >= deliveredAtMs && at <= atMs)) continue;
    const nodeState = item?.claims[word.node];
    if (nodeState !== undefined && (madeUp(word.vip, word.node, nodeState) || !older(nodeState, word)))
      continue;
    const stands =
      nodeState === undefined
        ? 'nothing'
        : `${nodeState.state} since ${nodeState.since} seq ${nodeState.seq}`;
    found.push({
      guarantee: 'no claim lost',
      vip: word.vip,
      atMs,
      what: `${word.node} said ${word.state} since ${word.since} seq ${word.seq}, answered ${answer}; the item has ${stands}`,
    });
  }
  // By the seq that the hint gave it: what only refreshes the claim leaves that alone.
  const hinted = new Map<string, number>();
  const word = (vip: string, node: string, { bootId, seq }: NodeState) => [vip, node, bootId, seq].join(' ');
  for (const { by, before, after, atMs } of world.log.writes) {
    if (before === undefined || before.claims === after.claims || before.removedAtMs !== undefined) continue;
    for (const [node, was] of Object.entries(before.claims)) {
      const is = after.claims[node];
      if (is === was) continue;
      if (is !== undefined && is.seq !== was.seq && by?.hint?.kind === 'node')
        hinted.set(word(after.name, node, is), by.hint.atMs);
      if (madeUp(after.name, node, was) || (is !== undefined && madeUp(after.name, node, is))) continue;
      if (is !== undefined && !older(is, was)) continue;
      const goneAtMs = hinted.get(word(after.name, node, was));
      if (is !== undefined && goneAtMs !== undefined && is.stampMs > goneAtMs) continue;
      const what = `${node} ${was.state} since ${was.since} seq ${was.seq} gave way to ${is === undefined ? 'nothing' : `${is.state} since ${is.since} seq ${is.seq}`}`;
      found.push({ guarantee: 'no claim lost', vip: after.name, atMs, what });
    }
  }
  return [...found, ...withdrawn(world)];
}

/** EC2's stamps are whole seconds, and a node may speak while it is being stopped. */
const DOUBT_MS = 2500;

function withdrawn(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const { by, before, after, atMs } of world.log.writes) {
    if (by?.hint?.kind !== 'node' || before === undefined || before.claims === after.claims) continue;
    for (const [node, is] of Object.entries(after.claims)) {
      const was = before.claims[node];
      if (was === undefined || was.since !== is.since || was.state === is.state) continue;
      if (forgedAs(world, after.name, node, was) !== undefined) continue;
      const saidAtMs = world.known.at(was.bootId, was.seq / 1000) ?? 0;
      const ended = world.deaths.some(
        (d) => d.node === node && d.atMs > saidAtMs - DOUBT_MS && d.atMs <= atMs,
      );
      // It came up again in the very second in which EC2 says that it stopped: its next assertion tells.
      const again = Math.abs(by.hint.atMs - world.epochAt - saidAtMs) < DOUBT_MS;
      if (ended || again) continue;
      const what = `${by.name} withdrew ${was.state} of ${node}, which has spoken since`;
      found.push({ guarantee: 'no claim lost', vip: after.name, atMs, what });
    }
  }
  return found;
}
