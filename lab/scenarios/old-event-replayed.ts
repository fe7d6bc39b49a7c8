/** After a failover, every claim of the old master is put onto the bus again: an old claim delivered late moves nothing. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const oldEventReplayed: Scenario = {
  name: 'old-event-replayed',
  says: 'all claims of the old master are delivered once more after the failover: nothing moves',
  hold: 'both',
  asks: 'vip',
  ends: {
    owner: 'b',
    longestOutageMs: 500,
    failedConnections: 0,
    splitBrain: 'never',
    settlesWithinMs: 15_000,
  },
  async run(context) {
    const { cloud, nodes } = context;
    context.fault();
    await nodes.a.stop('keepalived');
    await context.settled('b', 15_000);
    const old = cloud
      .claims()
      .filter(({ node, kind }) => node === nodes.a.instanceId && kind === 'transition');
    const changesBefore = cloud.mirror.changes.length;
    const epochBefore = (await cloud.vip()).epoch;
    const heardBefore = cloud.store.exchanges.length;
    await cloud.putEvents(old.map(({ entry }) => entry));
    await context.until(
      'the controller to read each of them',
      () => cloud.store.exchanges.length >= heardBefore + old.length,
      10_000,
    );
    await context.pause(500);
    const { epoch } = await cloud.vip();
    if (cloud.mirror.changes.length !== changesBefore || epoch !== epochBefore) {
      throw new Error(`${old.length} old claims moved something: epoch was ${epochBefore}, is ${epoch}`);
    }
  },
};
