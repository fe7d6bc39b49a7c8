import { describe, expect, test } from 'vitest';
import { membersSeen } from '../../../shared/network/observation.ts';
import { minutes } from '../../../shared/time.ts';
import { enisOf } from '../../../shared/vip/member.ts';
import {
  addNode,
  item,
  memberOf,
  reconciles,
  says,
  targets,
  type World,
  world,
} from '../../support/world.ts';

const [A, B] = [memberOf('i-a'), memberOf('i-b')];

describe('members', () => {
  test('are sixteen at most: the seventeenth node is left out, and never one that is a member already', async () => {
    const w = world([]);
    for (let n = 17; n >= 1; n--) addNode(w.ec2, `i-${String(n).padStart(2, '0')}`);
    const seen = await w.ec2.observe(item(w));
    expect(Object.keys(membersSeen(item(w), seen, {}))).toEqual(
      Array.from({ length: 16 }, (_, n) => `i-${String(n + 1).padStart(2, '0')}`),
    );
    expect(Object.keys(membersSeen(item(w), seen, { 'i-17': memberOf('i-17') }))).toContain('i-17');
  });

  test('are known by both of their ENIs, where they have two', () => {
    const { eipEni: _none, ...single } = B;
    expect(enisOf({ 'i-a': A, 'i-b': single })).toEqual(new Set([A.eni, A.eipEni, B.eni]));
    expect(enisOf({})).toEqual(new Set());
  });
});

/** Takes both labels off a node's ENIs, as an operator does; they live on. */
function leaves(w: World, node: string): void {
  for (const eni of [memberOf(node).eni, memberOf(node).eipEni]) {
    const { label: _label, ...bare } = w.ec2.enis.get(eni)!;
    w.ec2.enis.set(eni, bare);
  }
}

describe('a member that departs', () => {
  async function departed(node: string): Promise<World> {
    const w = world(['i-a', 'i-b', 'i-c']);
    await says(w, 'i-a');
    await w.clock.advance(minutes(1));
    leaves(w, node);
    await reconciles(w);
    return w;
  }

  test('leaves its ENIs behind as ours, each once: what still points there is no stranger’s', async () => {
    const owner = await departed('i-a');
    expect(item(owner).members['i-a']).toBeUndefined();
    expect([...item(owner).wrote].sort()).toEqual([A.eipEni, A.eni].sort());
    const other = await departed('i-b');
    expect([...item(other).wrote].sort()).toEqual([A.eipEni, A.eni, B.eipEni, B.eni].sort());
  });

  test('so its routes can be taken from it, though it lives on', async () => {
    const w = await departed('i-a');
    await w.clock.advance(minutes(1));
    await says(w, 'i-b');
    expect(targets(w)).toEqual([B.eni]);
    expect(item(w).owner).toBe('i-b');
  });

  test('is forgotten by the next good commit: nothing of ours lies there any more', async () => {
    const w = await departed('i-b');
    await w.clock.advance(minutes(1));
    await says(w, 'i-c');
    const C = memberOf('i-c');
    expect([...item(w).wrote].sort()).toEqual([C.eipEni, C.eni].sort());
  });

  test('while the others stay changes nothing of what is ours', async () => {
    const w = world();
    await says(w, 'i-a');
    await w.clock.advance(minutes(1));
    const { wrote } = item(w);
    addNode(w.ec2, 'i-c');
    await reconciles(w);
    expect(Object.keys(item(w).members)).toContain('i-c');
    expect(item(w).wrote).toEqual(wrote);
  });
});
