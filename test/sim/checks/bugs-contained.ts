// A mistake in our own code, thrown in the middle of one call, is contained: the call is not repeated under the same lease,
// the record has it by its name, and every other cell of the plan was sent, or the record says what kept it.
import type { Failover } from '../../../shared/timeline/timeline.ts';
import type { FaultName } from '../history/history.ts';
import type { Broke } from '../truth/log.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export function bugsContained(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const bug of world.log.bugs) {
    const { vip, cell, lease, atMs } = bug;
    if (lease === undefined) continue;
    const say = (what: string) => found.push({ guarantee: 'bugs contained', vip, atMs, what });
    if (isRepeated(world, bug)) say(`${cell} was tried again after a bug, in epoch ${lease.epoch}`);
    const outcome = outcomeOf(world, bug);
    if (outcome === undefined) {
      if (mustEnd(world)) say(`a bug at ${cell} left epoch ${lease.epoch} without an outcome of its own`);
      continue;
    }
    const own = outcome.steps.find((step) => step.cell === cell);
    if (own !== undefined && own.fault !== 'bug')
      say(`epoch ${lease.epoch} does not say that ${cell} met a bug`);
    for (const { cell: other, result, code } of outcome.steps)
      if (result === 'unsent' && code === undefined)
        say(`the bug at ${cell} kept ${other} from being sent in epoch ${lease.epoch}`);
  }
  return found;
}

function isRepeated({ log }: World, { by, cell, lease, atMs }: Broke): boolean {
  const again = log.bugs.some(
    (b) => b.by === by && b.cell === cell && b.lease?.epoch === lease!.epoch && b.atMs > atMs,
  );
  const sent = log.sends.some(
    (s) => s.by === by && s.step.cell === cell && s.item?.lease?.epoch === lease!.epoch && s.atMs > atMs,
  );
  return again || sent;
}

const outcomeOf = ({ net }: World, { vip, lease }: Broke): Failover | undefined =>
  net.timeline.entries.find(
    (e): e is Failover =>
      e.entry === 'outcome' && e.vip === vip && e.epoch === lease!.epoch && e.outcome !== 'abandoned',
  );

/** Whatever else may end an invocation in the middle of an epoch, or keep its outcome out of the record. */
const endings: readonly FaultName[] = [
  'invocation killed',
  'invocation paused',
  'first carrier dies',
  'record failed',
  'store failed before effect',
  'store reply lost',
  'store write repeated',
  'store write landed late',
];

/** Where nothing else may end an invocation every epoch has the outcome of its own holder. */
const mustEnd = ({ story: { odds, blows = [] } }: World): boolean =>
  blows.length === 0 && endings.every((name) => odds[name] === undefined);
