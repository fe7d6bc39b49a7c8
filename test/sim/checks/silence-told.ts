// Every reconcile of all VIPs reports of each VIP whether its members are heard: of a VIP whose members' last recorded words are older than
// UNHEARD_AFTER it says unheard, and never of one that answered a member's younger word. Ages are the simulation's own: when a node truly spoke.
//
// Limit: VIPs that were removed, registered again or frozen near the sweep are left out, those of which no one was ever heard,
// and those of which someone forged words.

import { UNHEARD_AFTER } from '../../../shared/vip/unheard.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { SKEW_MAX_MS } from '../functions/lambda.ts';
import { isAccepted } from '../truth/known.ts';
import type { Swept } from '../truth/log.ts';
import { registrations } from '../truth/registrations.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

/** Stamps are whole seconds, and a boot's time is known to one. */
const DOUBT_MS = 2500 + SKEW_MAX_MS;

export function silenceTold(world: World): readonly Violation[] {
  const found: Violation[] = [];
  const registered = registrations(world);
  for (const swept of world.log.swept) {
    const say = (what: string) =>
      found.push({ guarantee: 'silence told', vip: swept.vip, atMs: swept.atMs, what });
    const item = isForged(world, swept) ? undefined : steadyItem(world, swept);
    if (item === undefined) continue;
    const wasHeard = heard(itemAt(world, swept.vip, swept.beganAtMs));
    const words = wordsIn(world, item);
    const silentForMs = swept.beganAtMs - Math.max(...words);
    const isSilent = wasHeard && words.length > 0 && silentForMs > UNHEARD_AFTER + DOUBT_MS;
    if (isSilent && !swept.unheard && !heardLately(world, swept))
      say(`no one was heard for ${Math.round(silentForMs)} ms, and reconcile does not report it`);
    // What was answered before a VIP was registered again is forgotten, and counts for nothing.
    const fromMs = registered(swept.vip).findLast((at) => at <= swept.atMs) ?? 0;
    if (swept.unheard && answeredSince(world, swept, item, fromMs))
      say('a sweep says that no one was heard, and a younger word of a member was answered');
  }
  return found;
}

/** When the words were said that an item has of its members. */
const wordsIn = (world: World, { claims, members }: Vip): readonly number[] =>
  Object.keys(members).flatMap((node) => {
    const nodeState = claims[node];
    if (nodeState === undefined) return [];
    const saidAtMs = world.known.at(nodeState.bootId, nodeState.seq / 1000) ?? 0;
    // A word that was sent only after the clock had stood still seems later by as much: docs/architecture.md, "Limits".
    return [saidAtMs + world.known.stoodSince(nodeState.bootId, saidAtMs)];
  });

/** The item of before had a younger word: behind EC2's hint an older one may take its place, if AWS stamped it later. */
function heardLately(world: World, { vip, beganAtMs }: Swept): boolean {
  const fromMs = beganAtMs - UNHEARD_AFTER - DOUBT_MS;
  return world.log.writes.some(
    ({ after, atMs }) =>
      after.name === vip &&
      atMs >= fromMs &&
      atMs <= beganAtMs &&
      wordsIn(world, after).some((saidAtMs) => saidAtMs > fromMs),
  );
}

/** Before any word was recorded a sweep counts from when it began to wait, and a paused one has not seen what came since. */
const heard = (item: Vip | undefined): boolean =>
  item !== undefined && Object.keys(item.members).some((node) => item.claims[node] !== undefined);

const itemAt = ({ log: { writes } }: World, vip: string, atMs: number): Vip | undefined =>
  writes.findLast((w) => w.after.name === vip && w.atMs <= atMs)?.after;

/** What a forger says of its uptime tells nothing of when it spoke. */
const isForged = ({ story: history }: World, { vip }: Swept): boolean =>
  history.acts.some((act) => act.does === 'forges' && history.vips[act.vip]!.name === vip);

/** The item at the sweep's end; undefined when the sweep's answer may be about another state of things. */
function steadyItem({ log: { writes } }: World, { vip, beganAtMs, atMs }: Swept): Vip | undefined {
  const isOut = ({ removedAtMs, freeze }: Vip) => removedAtMs !== undefined || freeze !== undefined;
  const last = writes.findLastIndex((w) => w.after.name === vip && w.atMs <= atMs);
  const item = writes[last]?.after;
  if (item === undefined || isOut(item)) return undefined;
  for (let n = last; n >= 0 && writes[n]!.atMs >= beganAtMs - DOUBT_MS; n--) {
    const { before, after } = writes[n]!;
    if (after.name === vip && (before === undefined || isOut(before) || isOut(after))) return undefined;
  }
  return item;
}

/** Whether a young word of a member, delivered after `fromMs`, was answered before the sweep began, and stands. A member all the while. */
function answeredSince(world: World, swept: Swept, item: Vip, fromMs: number): boolean {
  const atFirst = itemAt(world, swept.vip, swept.beganAtMs);
  const sinceMs = swept.atMs - UNHEARD_AFTER + DOUBT_MS;
  return world.log.answers.some(
    ({ word, deliveredAtMs, atMs, answer }) =>
      word.vip === swept.vip &&
      deliveredAtMs >= fromMs &&
      atMs < swept.beganAtMs &&
      isAccepted(answer) &&
      item.members[word.node] !== undefined &&
      atFirst?.members[word.node] !== undefined &&
      item.claims[word.node] !== undefined &&
      (world.known.at(word.bootId, word.seq / 1000) ?? 0) > sinceMs,
  );
}
