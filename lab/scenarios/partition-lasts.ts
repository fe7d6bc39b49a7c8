/** The partition lasts: both masters report again and again, which is what split brain means, and the record must name it. */
import type { Scenario } from '../netns/scenario/scenario.ts';

/** The rule's 2 s, and the whole second to which the bus rounds down. */
const SPLIT_MS = 3_100;

export const partitionLasts: Scenario = {
  name: 'partition-lasts',
  says: 'VRRP stays partitioned, both nodes assert MASTER: split brain is reported, the routes follow the newer one and then the healing',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 500, splitBrain: 'reported', settlesWithinMs: 15_000 },
  async run(context) {
    const [a, b] = [context.nodes.a.instanceId, context.nodes.b.instanceId];
    context.fault();
    const taken = context.nodes.b.entered('MASTER');
    const heal = await context.router.partition();
    const { atMs } = await taken;
    await context.settled('b', 15_000);
    // A master asserts every 10 s: only once both were heard after the other's transition can anybody know.
    await context.until(
      'both nodes to assert MASTER',
      () =>
        [a, b].every((node) =>
          context.cloud
            .claims()
            .some(
              (claim) =>
                claim.node === node &&
                claim.kind === 'assertion' &&
                claim.state === 'MASTER' &&
                claim.atMs > atMs + SPLIT_MS,
            ),
        ),
      15_000,
    );
    await context.pause(500);
    const steppedDown = context.nodes.b.entered('BACKUP');
    context.fault();
    await heal();
    await steppedDown;
  },
};
