// A node that is about to go and keeps a VIP, claim by claim, through the real failover function: people hear of it at once, and once.
import { describe, expect, test } from 'vitest';
import { goesWithTheVip } from '../../../../shared/controller/drained.ts';
import type { Answer } from '../../../../shared/controller/handle-claim.ts';
import { noteLeaving } from '../../../../shared/controller/notices/leaving.ts';
import { Fault } from '../../../../shared/fault.ts';
import { hours, plus, seconds } from '../../../../shared/time.ts';
import { leavingNotice } from '../../../../shared/timeline/message.ts';
import { nodeStateFrom } from '../../../../shared/vip/node-state.ts';
import type { Vip } from '../../../../shared/vip/vip.ts';
import {
  claimOf,
  item,
  memberOf,
  owned,
  reconciles,
  START,
  says,
  type Words,
  type World,
} from '../../../support/world.ts';

const freeze = { untilMs: plus(START, hours(4)), by: 'ann', reason: 'change' };
const CAUSE = 'spot-terminate';

/** Node a is master and owns the VIP, b stands by. */
async function owner(over: Partial<Vip> = {}): Promise<World> {
  const w = await owned();
  await says(w, 'i-b', { state: 'BACKUP', priority: 90 });
  w.vips.items.set('web', { ...item(w), hold: 'both', ...over });
  return w;
}

/** The owner's next assertion, a second later. */
async function asserts(w: World, leaving?: string, node = 'i-a'): Promise<Answer> {
  await w.clock.advance(seconds(1));
  const over = leaving === undefined ? {} : { leaving };
  const state = node === 'i-a' ? ('MASTER' as const) : ('BACKUP' as const);
  return says(w, node, { kind: 'assertion', state, sinceMs: 0, atMs: w.clock.now() - START, over });
}

describe('an owner whose claims say that AWS is about to take it', () => {
  test('is told with the claim itself while the VIP is frozen, not by the next reconcile', async () => {
    const w = await owner({ freeze });
    await asserts(w, CAUSE);
    expect(w.leavings).toEqual([{ vip: 'web', key: 'frozen', node: 'i-a', cause: CAUSE }]);
    expect(item(w).owner).toBe('i-a');
  });

  test('is told where no other node is eligible', async () => {
    const w = await owner();
    await w.clock.advance(seconds(1));
    await says(w, 'i-b', { state: 'FAULT' });
    await asserts(w, CAUSE);
    expect(w.leavings).toEqual([{ vip: 'web', key: 'last', node: 'i-a', cause: CAUSE }]);
  });

  test('is no news where the VIP moves', async () => {
    const w = await owner();
    await asserts(w, CAUSE);
    expect([item(w).owner, w.leavings]).toEqual(['i-b', []]);
  });

  test('is no news with hold master while its keepalived can still give the VIP away', async () => {
    const w = await owner({ hold: 'master' });
    await asserts(w, CAUSE);
    expect([item(w).owner, w.leavings]).toEqual(['i-a', []]);
    await w.clock.advance(seconds(1));
    await says(w, 'i-b', { state: 'FAULT' });
    expect(w.leavings).toMatchObject([{ key: 'last' }]);
  });

  test('with hold master is told when it is MASTER again: its keepalived gave the VIP away, and no other one took it', async () => {
    const w = await owner({ hold: 'master' });
    const enters = async (state: 'FAULT' | 'BACKUP' | 'MASTER') => {
      await w.clock.advance(seconds(3));
      await says(w, 'i-a', { state, atMs: w.clock.now() - START, over: { leaving: CAUSE } });
    };
    await asserts(w, CAUSE);
    for (const state of ['FAULT', 'BACKUP'] as const) await enters(state);
    expect(w.leavings).toEqual([]);
    await enters('MASTER');
    const stranded = { vip: 'web', key: 'not-taken', node: 'i-a', cause: CAUSE };
    expect([item(w).owner, w.leavings]).toEqual(['i-a', [stranded]]);
    await asserts(w, undefined, 'i-b');
    await enters('MASTER');
    expect(w.leavings).toEqual([stranded]);
    expect(goesWithTheVip(item(w), w.clock.now())).toContain('no other node took it');
  });

  test('is told once: not by each assertion, by a second copy, by the standby’s claims or by reconcile', async () => {
    const w = await owner({ freeze });
    for (let n = 0; n < 5; n++) await asserts(w, CAUSE);
    const atMs = w.clock.now() - START;
    await says(w, 'i-a', { kind: 'assertion', sinceMs: 0, atMs, over: { leaving: CAUSE, way: 'direct' } });
    await asserts(w, undefined, 'i-b');
    await reconciles(w);
    await asserts(w, CAUSE);
    expect(w.leavings).toHaveLength(1);
  });

  test('is told once by two claims that are handled at the same time', async () => {
    const w = await owner({ freeze });
    await w.clock.advance(seconds(1));
    const over = { leaving: CAUSE };
    await Promise.all(
      [1000, 1000, 1001].map((atMs) => says(w, 'i-a', { kind: 'assertion', sinceMs: 0, atMs, over })),
    );
    expect(w.leavings).toHaveLength(1);
  });

  test('is told again when it leaves again, and when AWS’s word is another one', async () => {
    const w = await owner({ freeze });
    await asserts(w, 'system-reboot');
    await asserts(w);
    expect(item(w)).not.toHaveProperty('strandedTold');
    await asserts(w, 'system-reboot');
    await asserts(w, CAUSE);
    expect(w.leavings.map(({ cause }) => cause)).toEqual(['system-reboot', 'system-reboot', CAUSE]);
  });

  test('is told when the VIP is frozen later', async () => {
    const w = await owner({ hold: 'master' });
    await asserts(w, CAUSE);
    w.vips.items.set('web', { ...item(w), freeze });
    await asserts(w, CAUSE);
    expect(w.leavings).toMatchObject([{ key: 'frozen' }]);
  });

  test('is told once though the reply to the write that notes it is lost', async () => {
    const w = await owner({ freeze });
    const write = w.vips.write.bind(w.vips);
    let lost = 0;
    w.vips.write = async (before, after) => {
      const written = await write(before, after);
      if (lost++ === 0) throw new Fault('unknown', 'TimeoutError', 'no reply');
      return written;
    };
    await asserts(w, CAUSE);
    await asserts(w, CAUSE);
    expect(w.leavings).toHaveLength(1);
  });

  test('is not noted again at once where the write was not carried out: the next assertion reports it', async () => {
    const w = await owner({ freeze });
    const write = w.vips.write.bind(w.vips);
    const held = new Fault('throttled', 'ThrottlingException', 'slow down');
    let tries = 0;
    w.vips.write = () => {
      tries += 1;
      return Promise.reject(held);
    };
    await asserts(w, CAUSE);
    expect([tries, w.leavings]).toEqual([1, []]);
    w.vips.write = write;
    await asserts(w, CAUSE);
    expect(w.leavings).toHaveLength(1);
  });

  test('costs nothing else where the bus does not take it; a mistake of ours is thrown', async () => {
    const w = await owner({ freeze });
    Object.assign(w.ports.bus, { leaving: () => Promise.reject(new Error('no')) });
    const told = await asserts(w, CAUSE);
    expect(item(w).claims['i-a']).toMatchObject({ leaving: CAUSE });
    expect(told, 'for the log and the alarm').toMatchObject({ stranded: { key: 'frozen', node: 'i-a' } });
    const other = await owner({ freeze });
    Object.assign(other.ports.bus, { leaving: () => Promise.reject(new TypeError('ours')) });
    await expect(asserts(other, CAUSE)).rejects.toThrow('ours');
  });
});

describe('that its keepalived took the VIP back', () => {
  const of = { state: 'MASTER', sinceMs: 5000, atMs: 5000, over: { leaving: CAUSE } } as const;
  const rows: readonly (readonly [what: string, node: string, words: Words, told: boolean])[] = [
    ['the transition that stands in the item', 'i-a', of, true],
    ['one of another boot', 'i-a', { ...of, bootId: 'boot-before' }, false],
    ['an older one that comes late', 'i-a', { ...of, sinceMs: 1000, atMs: 1000 }, false],
    ['one of the standby', 'i-b', of, false],
    ['an assertion', 'i-a', { ...of, kind: 'assertion' }, false],
    ['a transition to BACKUP', 'i-a', { ...of, state: 'BACKUP' }, false],
    ['one of a node that stays', 'i-a', { ...of, over: {} }, false],
  ];

  test.each(rows)('is told by %s', async (_what, node, words, told) => {
    const w = await owner({ hold: 'master' });
    const { claims } = item(w);
    const standing = nodeStateFrom(claimOf('i-a', of), START);
    w.vips.items.set('web', { ...item(w), claims: { ...claims, 'i-a': standing } });
    const { stranded } = await noteLeaving(w.ports, item(w), claimOf(node, words));
    expect(stranded).toEqual(told ? { key: 'not-taken', node: 'i-a', cause: CAUSE } : undefined);
  });
});

test('no standby’s own word says that the owner took the VIP back: two nodes leave, and a third stays', async () => {
  const w = await owner({ hold: 'master' });
  const said = (node: string, sinceMs: number, state: 'MASTER' | 'BACKUP' = 'MASTER') =>
    claimOf(node, { state, sinceMs, atMs: sinceMs, over: state === 'MASTER' ? { leaving: CAUSE } : {} });
  const claims = { 'i-a': said('i-a', 5000), 'i-b': said('i-b', 1000), 'i-c': said('i-c', 0, 'BACKUP') };
  const members = { ...item(w).members, 'i-c': memberOf('i-c') };
  const standing = Object.entries(claims).map(([node, one]) => [node, nodeStateFrom(one, START)] as const);
  w.vips.items.set('web', { ...item(w), members, claims: Object.fromEntries(standing) });
  expect((await noteLeaving(w.ports, item(w), claims['i-b'])).stranded).toBeUndefined();
  expect((await noteLeaving(w.ports, item(w), claims['i-a'])).stranded).toMatchObject({ key: 'not-taken' });
});

test('the notice has the command for this stage and Region', () => {
  const place = { stage: 'prod', region: 'eu-central-1' };
  const { subject, text } = leavingNotice('web', { key: 'frozen', node: 'i-a', cause: CAUSE }, place);
  expect(subject).toBe('vipshift prod: web: i-a is about to go');
  expect(text).toContain('Next: vipshift unfreeze web --stage prod --region eu-central-1');
  const last = leavingNotice('web', { key: 'last', node: 'i-a', cause: CAUSE }, place);
  expect(last.text).toContain('Next: vipshift status web --stage prod');
});
