/** The partition lasts: both masters are heard again and again, which is what split brain means, and the record must say so. */
import type { Scenario } from '../netns/scenario/scenario.ts';

/** The rule's 2 s, and the whole second to which the bus rounds down. */
const SPLIT_MS = 3_100;

export const partitionLasts: Scenario = {
  name: 'partition-lasts',
  says: 'VRRP stays partitioned, both nodes assert MASTER: split brain is reported, the routes follow the newer one and then the healing',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 500, splitBrain: 'reported', settlesWithinMs: 15_000 },
  async play(stage) {
    const [a, b] = [stage.nodes.a.instanceId, stage.nodes.b.instanceId];
    stage.fault();
    const taken = stage.nodes.b.entered('MASTER');
    const mend = await stage.router.partition();
    const { atMs } = await taken;
    await stage.settled('b', 5_000);
    // A master asserts every 10 s: only once both were heard after the other's transition can anybody know.
    await stage.until(
      'both nodes to assert MASTER',
      () =>
        [a, b].every((node) =>
          stage.cloud
            .told()
            .some(
              (told) =>
                told.node === node &&
                told.kind === 'assertion' &&
                told.state === 'MASTER' &&
                told.atMs > atMs + SPLIT_MS,
            ),
        ),
      15_000,
    );
    await stage.pause(500);
    const steppedDown = stage.nodes.b.entered('BACKUP');
    stage.fault();
    await mend();
    await steppedDown;
  },
};
