// What a shim owes: every state that keepalived wrote is on the bus once it can be reached, as long as the node lives; the newest of each
// VIP is there no later than one that it superseded; and nothing is said of an instance that keepalived does not have. Measured at
// keepalived and at the bus, and never at the shim.
import { bootId } from '../node/machine.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

type Reported = World['reported'][number];

export function reports(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const [key, words] of byInstance(world.reported)) {
    const [vip, node] = key.split(' ') as [string, string];
    const say = ({ atMs, word }: Reported, what: string) =>
      found.push({
        guarantee: 'reports',
        vip,
        atMs,
        what: `${node} reported ${word.state} since ${word.since} as ${word.kind} ${what}`,
      });
    for (const one of words) {
      if (isOvertaking(one, words)) say(one, 'before what had superseded it');
      if (isOfNone(world, one, node)) say(one, 'of an instance that its keepalived does not have');
    }
  }
  return [...found, ...kept(world)];
}

function byInstance(reported: readonly Reported[]): ReadonlyMap<string, readonly Reported[]> {
  const by = new Map<string, Reported[]>();
  for (const one of reported) {
    const { vip, node, bootId: boot } = one.word;
    const key = `${vip} ${node} ${boot}`;
    const of = by.get(key);
    if (of === undefined) by.set(key, [one]);
    else of.push(one);
  }
  return by;
}

/** A superseded word was taken although a newer transition, read before that request was made, had not been. */
const isOvertaking = ({ atMs, word }: Reported, words: readonly Reported[]): boolean =>
  word.kind === 'transition' &&
  word.superseded &&
  !words.some((w) => w.atMs <= atMs && w.word.kind === 'transition' && w.word.since > word.since) &&
  words.some(
    (w) => w.word.kind === 'transition' && w.word.since > word.since && w.word.since < word.uptimeMs * 1000,
  );

/** keepalived had given it another name when the word was made. */
function isOfNone({ named, known }: World, { word }: Reported, node: string): boolean {
  if (word.kind === 'transition') return false;
  const madeAtMs = known.at(word.bootId, word.seq / 1000) ?? 0;
  const last = named.findLast((n) => n.node === node && n.vip === word.vip && n.atMs < madeAtMs);
  return last !== undefined && !last.named;
}

/** Of the nodes that live: the states that keepalived wrote since their boot, and those that are on the bus, in their order. */
function kept(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const machine of world.machines) {
    if (!machine.alive) continue;
    const boot = bootId(machine);
    for (const { vipName: vip } of machine.instances) {
      const isOf = (of: { readonly vip: string; readonly bootId: string }) =>
        of.vip === vip && of.bootId === boot;
      const wrote = world.transitions.filter((t) => t.written && isOf(t)).map((t) => t.state);
      const words = world.reported.filter(({ word }) => word.kind === 'transition' && isOf(word));
      const told = [...new Map(words.map(({ word }) => [word.seq, word.state])).entries()]
        .sort(([a], [b]) => a - b)
        .map(([, state]) => state);
      if (told.join(' ') === wrote.join(' ')) continue;
      const what = `${machine.id} wrote ${wrote.join(' ')}; on the bus are ${told.join(' ')}`;
      found.push({ guarantee: 'reports', vip, atMs: world.sched.now(), what });
    }
  }
  return found;
}
