// Several VIPs and several nodes at once: in which order they are told, what is on record when, and what becomes of those that fail.
import { describe, expect, it } from 'vitest';
import type { Session } from '../../../cli/command/session.ts';
import { eachOrdered, eachVip, order, vipsWith } from '../../../cli/drain/nodes.ts';
import { Fault } from '../../../shared/fault.ts';
import { settleMicrotasks } from '../../../shared/memory/clock.ts';
import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import { item, memberOf, START, world } from '../../support/world.ts';

describe('each VIP', () => {
  it('is told in the order of the names, whichever is done first', async () => {
    const work = async (name: string) => {
      if (name === 'a') for (let n = 0; n < 3; n++) await settleMicrotasks();
      return name.toUpperCase();
    };
    expect(await eachVip(['a', 'b', 'c'], work)).toEqual(['A', 'B', 'C']);
  });

  it('that fails hides none of the others; a mistake of ours is thrown when all are done', async () => {
    const done: string[] = [];
    const failing = (error: Error) => (name: string) => {
      done.push(name);
      return name === 'a' ? Promise.reject(error) : Promise.resolve(name);
    };
    const names = ['a', 'b', 'c'];
    expect(await eachOrdered(names, failing(new Fault('denied', 'AccessDenied', 'no')))).toEqual({
      done: ['b', 'c'],
      failed: [{ vip: 'a', message: 'no' }],
    });
    await expect(eachOrdered(names, failing(new TypeError('ours')))).rejects.toThrow('ours');
    expect(done).toEqual([...names, ...names]);
    await expect(eachOrdered(['a'], failing(new Fault('denied', 'AccessDenied', 'no')))).rejects.toThrow(
      'no',
    );
  });
});

const sessionOf = (w: ReturnType<typeof world>, orders: OperatorAction[] = []): Session => {
  let nonces = 0;
  const put = async (one: OperatorAction) => void orders.push(one);
  const own = { ports: w.ports, orders: { put }, now: () => START, nonce: () => `nonce-${++nonces}` };
  return own as unknown as Session;
};

it('the VIPs of a node are those whose items have it, by name: the list may lag behind', async () => {
  const w = world();
  const { 'i-b': _left, ...members } = item(w).members;
  for (const name of ['old', 'db', 'api']) w.vips.items.set(name, { ...item(w), name });
  const listed = await w.vips.list();
  w.ports.vips.list = async () => listed;
  w.vips.items.set('old', { ...item(w), name: 'old', members });
  w.vips.items.set('api', { ...item(w), name: 'api', removedAtMs: START });
  const found = await vipsWith(sessionOf(w), (vip) => vip.members['i-b'] !== undefined);
  expect(found.map(({ name }) => name)).toEqual(['db', 'web']);
});

it('a drain of two nodes is on record for both, in their order, before the item changes', async () => {
  const w = world();
  const orders: OperatorAction[] = [];
  const words = { kind: 'drain', nodes: ['i-a', 'i-b'], by: 'ann', reason: 'kernel' } as const;
  const after = await order(sessionOf(w, orders), 'web', words, (vip) => {
    expect(orders.map(({ node }) => node)).toEqual(['i-a', 'i-b']);
    return { ...vip, members: { 'i-a': memberOf('i-a') } };
  });
  expect([after.rev, orders.map(({ order: kind }) => kind)]).toEqual([2, ['drain', 'drain']]);
});
