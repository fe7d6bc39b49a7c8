// What floods of claims make the controller ask of EC2: a describe without use is one that an honest failover lacks.
import { describe, expect, test } from 'vitest';
import { handleClaim } from '../../../shared/controller/handle-claim.ts';
import { lookFor } from '../../../shared/controller/prefetch.ts';
import { prefetchMemory } from '../../../shared/rate-limit/prefetch-memory.ts';
import { durationMs, seconds } from '../../../shared/time.ts';
import {
  addNode,
  anyNode,
  change,
  claimOf,
  finish,
  heard,
  item,
  memberOf,
  owned,
  START,
  targets,
  type Words,
  type World,
} from '../../support/world.ts';

interface Asked {
  readonly w: World;
  readonly observes: () => number;
  readonly tell: (node: string, words?: Words) => Promise<string>;
}

/** An execution environment that has met nothing; the VIP `web` exists. */
async function asked(): Promise<Asked> {
  const w = await owned();
  let observes = 0;
  const observe = w.ec2.observe.bind(w.ec2);
  const ec2 = {
    ...w.ec2,
    observe: (scope: Parameters<typeof observe>[0]) => {
      observes += 1;
      return observe(scope);
    },
  };
  const ports = { ...w.ports, ec2, prefetchMemory: prefetchMemory() };
  const tell = async (node: string, words: Words = {}) => {
    const told = heard(node, { atMs: w.clock.now() - START, ...words });
    return (await finish(w, handleClaim(ports, told, anyNode))).answer;
  };
  return { w, observes: () => observes, tell };
}

test('what was begun in advance serves for less than two seconds: another holder may have written since', async () => {
  const w = await owned();
  w.ports.prefetchMemory.meet(item(w));
  const served = async (lateByMs: number) => {
    const look = lookFor(w.ports, claimOf('i-b', { atMs: w.clock.now() - START }), 'now');
    const first = w.ec2.observe.bind(w.ec2);
    let again = 0;
    w.ports.ec2.observe = (scope) => {
      again += 1;
      return first(scope);
    };
    await w.clock.advance(durationMs(lateByMs));
    await look.at(item(w));
    w.ports.ec2.observe = first;
    return again === 0;
  };
  expect([await served(1999), await served(2000)]).toEqual([true, false]);
});

describe('describes', () => {
  test('100 claims for VIPs that do not exist: three', async () => {
    const { observes, tell } = await asked();
    for (let n = 0; n < 100; n++) expect(await tell('i-b', { over: { vip: `none-${n}` } })).toBe('rejected');
    expect(observes()).toBe(3);
  });

  test('100 claims for one VIP that does not exist: one', async () => {
    const { w, observes, tell } = await asked();
    for (let n = 0; n < 100; n++) {
      await tell('i-b', { over: { vip: 'none' } });
      await w.clock.advance(durationMs(100));
    }
    expect(observes()).toBe(1);
  });

  test('one event delivered 100 times: those of its own switch', async () => {
    const { w, observes, tell } = await asked();
    const atMs = w.clock.now() - START;
    await tell('i-b', { atMs });
    const once = observes();
    expect(once).toBe(2);
    for (let n = 0; n < 99; n++) expect(await tell('i-b', { atMs })).toBe('recorded');
    expect(observes()).toBe(once);
  });

  test('seven claims a second for a minute, for VIPs that do not exist: three and one in ten seconds', async () => {
    const { w, observes, tell } = await asked();
    for (let n = 0; n < 7 * 60; n++) {
      await tell('i-b', { over: { vip: `none-${n}` } });
      await w.clock.advance(durationMs(143));
    }
    expect([observes() >= 8, observes() <= 9]).toEqual([true, true]);
  });

  test('seven claims a second for a minute, of a node that is not a member: the same', async () => {
    const { w, observes, tell } = await asked();
    for (let n = 0; n < 7 * 60; n++) {
      expect(await tell('i-stranger')).toBe('rejected');
      await w.clock.advance(durationMs(143));
    }
    expect([observes() >= 8, observes() <= 9]).toEqual([true, true]);
  });

  test('a node that was refused and is labelled since is looked up, and its MASTER followed', async () => {
    const { w, tell } = await asked();
    for (let n = 0; n < 7 * 10; n++) {
      await tell('i-c');
      await w.clock.advance(durationMs(143));
    }
    addNode(w.ec2, 'i-c');
    await w.clock.advance(seconds(10));
    expect(await tell('i-c')).toBe('switched');
    expect(targets(w)).toEqual([memberOf('i-c').eni]);
  });

  test('of an honest failover beside such a flood begin with the write, after one assertion', async () => {
    const { w, observes, tell } = await asked();
    await tell('i-a', { kind: 'assertion', sinceMs: 0 });
    for (let n = 0; n < 100; n++) await tell('i-b', { over: { vip: `none-${n}` } });
    const before = observes();
    const recordClaim = w.vips.recordClaim.bind(w.vips);
    let besideTheWrite = 0;
    w.ports.vips.recordClaim = (write, now) => {
      besideTheWrite = observes() - before;
      return recordClaim(write, now);
    };
    expect(await tell('i-b')).toBe('switched');
    expect([besideTheWrite, item(w).owner]).toEqual([1, 'i-b']);
  });

  test('of a VIP whose labels an assertion has shown go by these', async () => {
    const { w, observes, tell } = await asked();
    for (const [id, table] of w.ec2.tables)
      if (table.label === 'web') w.ec2.tables.set(id, { ...table, label: 'edge' });
    change(w, { tableLabels: ['edge'] });
    await tell('i-a', { kind: 'assertion', sinceMs: 0 });
    expect(await tell('i-b')).toBe('switched');
    expect(observes()).toBe(2);
  });
});
