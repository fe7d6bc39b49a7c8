// Drains (docs/decisions/0039): a drained node, or one that is about to go, is no target while another is eligible; only operators and departures
// (departures.ts) drain, and what they drained stays so until the end that they gave it. Where the VIP goes instead, and that it does, is convergence.ts's to check.
import { unfit } from '../../../shared/vip/election.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import type { Sent } from '../truth/log.ts';
import { eipEni, serviceEni } from '../truth/truth.ts';
import type { Violation } from '../violation.ts';
import { isDeparting } from '../world/outgoing/warnings.ts';
import type { World } from '../world/world.ts';

/** Clocks of sandboxes differ, and whole milliseconds are cut. */
const DOUBT_MS = 300;

export const drained = (world: World): readonly Violation[] => [...targeted(world), ...touched(world)];

/** A step to a node that is drained since its lease was taken, though every version of the item since showed another one that was eligible. */
function targeted(world: World): readonly Violation[] {
  return world.log.sends.flatMap((sent) => {
    const node = world.everMembers.find((id) => isAt(sent, id));
    if (node === undefined || sent.step.call === 'ModifyNetworkInterfaceAttribute') return [];
    const writes = world.log.writes.filter((w) => w.after.name === sent.vip && w.atMs <= sent.atMs);
    const since = writes.filter((w) => w.after.epoch === sent.item?.epoch);
    const takenAtMs = since[0]?.atMs;
    if (takenAtMs === undefined) return [];
    const isLeaving = since.every((w) => w.after.claims[node]?.leaving !== undefined);
    if (!isLeaving && !isDrained(world, sent.vip, node, takenAtMs, sent.atMs)) return [];
    const others = (vip: Vip) =>
      isFrozen(world, vip, takenAtMs)
        ? []
        : eligible(vip).filter(
            (id) =>
              vip.claims[id]?.leaving === undefined &&
              !mayBeDrained(world, sent.vip, id, takenAtMs, sent.atMs),
          );
    // After a lost reply the holder has read a later one than it wrote.
    const seen = since.map((w) => others(w.after));
    if (!seen.every((of) => of.length > 0)) return [];
    const what = `${sent.by.name} moves ${sent.step.cell} to ${node}, which is ${isLeaving ? 'about to go' : 'drained'}, though ${seen[0]![0]} is eligible`;
    return [{ guarantee: 'drained' as const, vip: sent.vip, atMs: sent.atMs, what }];
  });
}

const isFrozen = ({ epochAt }: World, { freeze }: Vip, atMs: number): boolean =>
  freeze !== undefined && freeze.untilMs > epochAt + atMs;

const isAt = ({ step: { eni } }: Sent, node: string): boolean =>
  eni === serviceEni(node) || eni === eipEni(node);

const eligible = (vip: Vip): readonly string[] =>
  Object.keys(vip.members).filter(
    (node) => unfit(vip, node) === undefined && (vip.hold === 'both' || vip.claims[node]!.state === 'MASTER'),
  );

/** For certain, from the first instant to the last one. */
const isDrained = (world: World, vip: string, node: string, ...span: readonly [number, number]): boolean =>
  world.drains.some(
    (d) => d.vip === vip && d.node === node && d.fromMs <= span[0] && d.untilMs > span[1] + DOUBT_MS,
  );

const mayBeDrained = (world: World, vip: string, node: string, ...span: readonly [number, number]): boolean =>
  world.drains.some(
    (d) =>
      d.vip === vip && d.node === node && d.fromMs <= span[1] + DOUBT_MS && d.untilMs > span[0] - DOUBT_MS,
  );

/** The controller takes away what has run out, and nothing else. */
function touched(world: World): readonly Violation[] {
  return world.log.writes.flatMap(({ by, before, after, atMs }) => {
    if (by === undefined || before === undefined || before.drains === after.drains) return [];
    if (isDeparting(world, by.name)) return [];
    const nodes = Object.keys({ ...before.drains, ...after.drains });
    return nodes.flatMap((node) => {
      const [was, is] = [before.drains?.[node], after.drains?.[node]];
      const isOver = was !== undefined && was.untilMs <= world.epochAt + atMs + DOUBT_MS;
      if (was === is || (is === undefined && isOver)) return [];
      return [
        {
          guarantee: 'drained' as const,
          vip: after.name,
          atMs,
          what: `${by.name} touched the drain of ${node}`,
        },
      ];
    });
  });
}
