// An attacker with a node's identity may report anything for it, and not silence it: what the node says itself a few
// seconds after the stamp of a made-up word is recorded in its place. And what a node truly says is never called a contradiction.
import { forgedAs } from '../node/forge.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

/** A made-up word may run ahead of the boot's clock by 5 s unrecognised, and stamps are whole seconds. */
const OVERTAKEN_MS = 7000;

/** An assertion is made when it is sent. */
const SPOOLED_MS = 200;

export function noNodeSilenced(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const { word, item, stampMs, atMs, answer } of world.log.answers) {
    const nodeState = item?.claims[word.node];
    if (word.forged || nodeState === undefined || (answer !== 'recorded' && answer !== 'switched')) continue;
    const lie = forgedAs(world, word.vip, word.node, nodeState);
    if (lie === undefined) continue;
    // The same words as the node's own, and not come yet.
    const came = lie.came.filter((c) => c.atMs <= atMs);
    if (came.length === 0) continue;
    const lastMs = Math.max(...came.map((c) => c.stampMs));
    const saidMs = stampMs - word.ageMs;
    if (saidMs < lastMs + OVERTAKEN_MS) continue;
    // It lay in the spool, and the node said it before the lie by its own clock, which may have stood still; the assertion after it counts.
    if (word.ageMs > SPOOLED_MS && word.seq < lie.word.seq) continue;
    const what = `${word.node} said ${word.state} at ${Math.round(saidMs)}, answered ${answer}; a made-up ${nodeState.state} of ${Math.round(lastMs)} stands`;
    found.push({ guarantee: 'no node silenced', vip: word.vip, atMs, what });
  }
  for (const { vip, node, reason, message, atMs } of world.net.timeline.rejections) {
    if (reason !== 'contradiction' || world.forged.some(({ word }) => word.node === node)) continue;
    const what = `${node} told nothing but the truth: ${message}`;
    found.push({ guarantee: 'no node silenced', vip, atMs: atMs - world.epochAt, what });
  }
  return found;
}
