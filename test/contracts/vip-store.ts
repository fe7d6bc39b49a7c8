// What every VipStore must do, on memory and on DynamoDB alike.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type EpochMs, minutes, plus } from '../../shared/time.ts';
import type { Claim } from '../../shared/vip/claim.ts';
import { FLAPS_MIN, FLAPS_STORED_MAX } from '../../shared/vip/flapping.ts';
import { LEASE_TTL, type Lease, SKEW } from '../../shared/vip/lease.ts';
import { windowOf } from '../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../shared/vip/node-state.ts';
import { afterClaimWrite, type ClaimWrite, type VipStore } from '../../shared/vip/store.ts';
import { isNews, newVip, type Vip, withDrain, withLease, withoutDrain } from '../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../support/world.ts';

const seconds = (n: number): EpochMs => plus(START, (n * 1000) as Parameters<typeof plus>[1]);
const cause = { kind: 'claim', why: 'test', atMs: START } as const;
const leaseOf = (holder: string, from: EpochMs) => ({ holder, expiresAtMs: plus(from, LEASE_TTL), cause });

export function telling(claim: Claim, more: Partial<ClaimWrite> = {}): ClaimWrite {
  const base = {
    vip: claim.vip,
    node: claim.node,
    nodeState: nodeStateFrom(claim, claim.timeMs),
    window: windowOf(claim.timeMs),
  };
  return { ...base, as: 'news', ...more };
}

let names = 0;
/** A fresh VIP with two members, so that tests do not meet. */
async function seeded(store: VipStore, over: Partial<Vip> = {}): Promise<Vip> {
  const name = `vip-${++names}`;
  const members = { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') };
  const written = await store.write(undefined, { ...newVip({ ...entry, name }), members, ...over });
  return written!;
}
const says = (vip: Vip, node: string, words: Words = {}): Claim => ({
  ...claimOf(node, words),
  vip: vip.name,
});

/** `settle`: until then a list may show what was before the last write. */
export function vipStoreContract(open: () => VipStore, settle: () => void = () => undefined): void {
  it('knows nothing of a name that was never registered', async () => {
    expect(await open().read('never-registered')).toBeUndefined();
    const told = await open().recordClaim(telling({ ...claimOf('i-a'), vip: 'never-registered' }), START);
    expect(told).toEqual({ answer: 'refused', vip: undefined });
    expect(await open().read('never-registered'), 'a refused claim leaves no item behind').toBeUndefined();
  });

  it('gives back what was written, every field of it, also in a list of all: to the last page, removed ones too', async () => {
    const store = open();
    const pin = { node: 'i-a', untilMs: seconds(60), by: 'op', reason: 'test' };
    const vip = await seeded(store, {
      owner: 'i-a',
      wrote: ['eni-1'],
      heard: [1, 2, 3],
      heardDirectly: [3, 4],
      pin,
      touchedAtMs: START,
    });
    expect(await store.read(vip.name)).toEqual(vip);
    const others = await Promise.all(Array.from({ length: 6 }, () => seeded(store)));
    const removed = (await store.write(others[3], { ...others[3]!, removedAtMs: START }))!;
    const all = new Map([vip, ...others.with(3, removed)].map((one) => [one.name, one]));
    settle();
    // Asked once: what is asked again may be given an old answer.
    const found = (await store.list()).filter(({ name }) => all.has(name));
    expect(new Map(found.map((one) => [one.name, one]))).toEqual(all);
    expect(found).toHaveLength(all.size);
  });

  it('writes only over the item that was read: the loser changes nothing', async () => {
    const store = open();
    const vip = await seeded(store);
    const first = await store.write(vip, { ...vip, owner: 'i-a' });
    expect(first).toMatchObject({ owner: 'i-a', rev: vip.rev + 1 });
    expect(await store.write(vip, { ...vip, owner: 'i-b' })).toBeUndefined();
    expect(
      await store.write(undefined, { ...vip, owner: 'i-b' }),
      'nor does a second registration',
    ).toBeUndefined();
    expect(await store.read(vip.name)).toEqual(first);
  });

  it('removes what a write leaves out: owner, lease, open epochs, members, claims', async () => {
    const store = open();
    const vip = await seeded(store, { owner: 'i-a' });
    const held = (await store.write(vip, withLease(vip, leaseOf('n', START))))!;
    const told = await store.recordClaim(telling(says(vip, 'i-a')), START);
    const { owner: _owner, lease: _lease, ...bare } = told.vip!;
    expect(held.lease).toMatchObject({ holder: 'n', epoch: 1 });
    const after = await store.write(told.vip, { ...bare, open: {}, members: {}, claims: {}, heard: [] });
    expect(after).toEqual({ ...bare, open: {}, members: {}, claims: {}, heard: [], rev: told.vip!.rev + 1 });
    expect(await store.read(vip.name)).toEqual(after);
  });

  it('takes claim and lease in one write, and opens the epoch in the record', async () => {
    const store = open();
    const vip = await seeded(store);
    const claim = says(vip, 'i-a');
    const told = await store.recordClaim(telling(claim, { lease: leaseOf('n-1', START) }), START);
    expect(told.answer).toBe('recorded');
    expect(told.vip).toMatchObject({ epoch: 1, rev: vip.rev + 1, lease: { holder: 'n-1', epoch: 1 } });
    expect(told.vip!.open).toEqual({ 'n-1': { epoch: 1, cause } });
    expect(told.vip!.claims['i-a']).toEqual(nodeStateFrom(claim, claim.timeMs));
    expect(await store.read(vip.name)).toEqual(told.vip);
  });

  it('refuses a live lease, and shows the holder in the same answer', async () => {
    const store = open();
    const vip = await seeded(store);
    await store.recordClaim(telling(says(vip, 'i-a'), { lease: leaseOf('n-1', START) }), START);
    const told = await store.recordClaim(telling(says(vip, 'i-b'), { lease: leaseOf('n-2', START) }), START);
    expect(told).toMatchObject({ answer: 'refused', vip: { lease: { holder: 'n-1' } } });
    expect(told.vip!.claims['i-b'], 'the refused claim was not recorded').toBeUndefined();
  });

  it('shows the same acquire, sent again after a lost reply, that it holds: the holder is a nonce per acquire', async () => {
    const store = open();
    const vip = await seeded(store);
    const acquire = telling(says(vip, 'i-a'), { lease: leaseOf('n-1', START) });
    await store.recordClaim(acquire, START);
    expect(await store.recordClaim(acquire, START)).toMatchObject({
      answer: 'refused',
      vip: { epoch: 1, lease: { holder: 'n-1' } },
    });
  });

  it('adds each transition to those of its node, where there are none yet and beside what is there', async () => {
    const store = open();
    const vip = await seeded(store);
    for (const atMs of [0, 1000, 2000]) await store.recordClaim(telling(says(vip, 'i-a', { atMs })), START);
    await store.recordClaim(telling(says(vip, 'i-b', { atMs: 500 })), START);
    await store.recordClaim(
      telling(says(vip, 'i-a', { atMs: 3000, sinceMs: 2000 }), { as: 'refresh' }),
      START,
    );
    const read = (await store.read(vip.name))!;
    const madeAt = (node: string) => read.transitions?.[node]?.map(({ atMs }) => atMs - START);
    expect([madeAt('i-a'), madeAt('i-b')]).toEqual([[2000, 1000, 0], [0]]);
    const { transitions: _none, ...bare } = read;
    const after = await store.write(read, { ...bare, transitions: { 'i-b': read.transitions!['i-b']! } });
    expect(after?.transitions).toEqual({ 'i-b': read.transitions!['i-b'] });
    expect(await store.write(after, bare)).not.toHaveProperty('transitions');
  });

  it('keeps that a node leaves, and forgets it with the next word without it', async () => {
    const store = open();
    const vip = await seeded(store);
    const leaving = { leaving: 'spot-terminate', atRisk: true };
    const word = (atMs: number) => says(vip, 'i-a', { atMs, sinceMs: 0 });
    await store.recordClaim(telling(word(0)), START);
    const goes = { ...word(1000), ...leaving };
    expect(
      (await store.recordClaim(telling(goes, { as: 'refresh' }), START)).vip!.claims['i-a'],
    ).toMatchObject(leaving);
    expect((await store.read(vip.name))!.claims['i-a']).toMatchObject(leaving);
    await store.recordClaim(telling(word(2000), { as: 'refresh' }), START);
    expect((await store.read(vip.name))!.claims['i-a']).not.toHaveProperty('leaving');
    expect((await store.read(vip.name))!.claims['i-a']).not.toHaveProperty('atRisk');
  });

  it('keeps the drains of nodes, one by one, and nothing where there are none', async () => {
    const store = open();
    const vip = await seeded(store);
    const drain = { untilMs: plus(START, minutes(5)), by: 'ann', reason: 'kernel' };
    const one = (await store.write(vip, withDrain(vip, 'i-a', drain)))!;
    const two = (await store.write(one, withDrain(one, 'i-b', drain)))!;
    expect((await store.read(vip.name))?.drains).toEqual({ 'i-a': drain, 'i-b': drain });
    const back = (await store.write(two, withoutDrain(two, 'i-a')))!;
    expect(back.drains).toEqual({ 'i-b': drain });
    expect(await store.write(back, withoutDrain(back, 'i-b'))).not.toHaveProperty('drains');
  });

  it('takes no lease blindly for a node that the next transition would damp, and adds no more than can be removed again', async () => {
    const store = open();
    const vip = await seeded(store);
    const tell = (node: string, n: number, more: Partial<ClaimWrite> = {}) =>
      store.recordClaim(telling(says(vip, node, { atMs: n * 10 }), more), START);
    const most = FLAPS_MIN - 1;
    for (let n = 0; n < most; n++) expect((await tell('i-a', n)).answer).toBe('recorded');
    const lease = leaseOf('n-1', START);
    expect(await tell('i-a', 10, { lease })).toMatchObject({ answer: 'refused', vip: { epoch: 0 } });
    for (let n = most; n < FLAPS_STORED_MAX; n++) expect((await tell('i-a', 10 + n)).answer).toBe('recorded');
    const full = await tell('i-a', 100);
    expect(full).toMatchObject({ answer: 'refused' });
    expect(full.vip!.transitions!['i-a']).toHaveLength(FLAPS_STORED_MAX);
    expect(await tell('i-b', 100, { lease }), 'another node is not touched').toMatchObject({
      answer: 'recorded',
      vip: { lease: { holder: 'n-1' } },
    });
  });

  it('grants a lease when the last one has run out by everybody’s clock, and not a millisecond earlier', async () => {
    const store = open();
    const vip = await seeded(store);
    await store.recordClaim(telling(says(vip, 'i-a'), { lease: leaseOf('n-1', START) }), START);
    const free = plus(plus(START, LEASE_TTL), SKEW);
    const next = telling(says(vip, 'i-b', { atMs: 1000 }), { lease: leaseOf('n-2', free) });
    const early = await store.recordClaim(next, (free - 1) as EpochMs);
    expect(early.answer).toBe('refused');
    expect(await store.recordClaim(next, free)).toMatchObject({
      answer: 'recorded',
      vip: { epoch: 2, lease: { holder: 'n-2' } },
    });
    const item = await store.read(vip.name);
    expect(item!.open, 'the dead holder’s epoch stays open until someone closes it').toMatchObject({
      'n-1': { epoch: 1 },
      'n-2': { epoch: 2 },
    });
  });

  it('lets one of twenty that ask at once have the lease', async () => {
    const store = open();
    const vip = await seeded(store);
    const asks = Array.from({ length: 20 }, (_, n) => {
      const claim = says(vip, n % 2 === 0 ? 'i-a' : 'i-b', { atMs: n });
      return store.recordClaim(telling(claim, { lease: leaseOf(`n-${n}`, START) }), START);
    });
    const told = await Promise.all(asks);
    expect(told.filter((t) => t.answer === 'recorded')).toHaveLength(1);
    expect((await store.read(vip.name))!.epoch).toBe(1);
  });

  it('refuses the claim of a node that is not a member, and of any node once the VIP is removed', async () => {
    const store = open();
    const vip = await seeded(store);
    expect((await store.recordClaim(telling(says(vip, 'i-stranger')), START)).answer).toBe('refused');
    const removed = (await store.write(vip, { ...vip, removedAtMs: START }))!;
    expect((await store.recordClaim(telling(says(vip, 'i-a')), START)).answer).toBe('refused');
    expect(await store.read(vip.name), 'the tombstone stands').toEqual(removed);
  });

  it('prolongs a lease for its holder and its epoch only, never shortens it, and raises rev', async () => {
    const store = open();
    const vip = await seeded(store);
    const { vip: held } = await store.recordClaim(
      telling(says(vip, 'i-a'), { lease: leaseOf('n-1', START) }),
      START,
    );
    const lease = held!.lease as Lease;
    expect(await store.renew(vip.name, { ...lease, holder: 'n-2' }, seconds(20))).toBeUndefined();
    expect(await store.renew(vip.name, { ...lease, epoch: 2 }, seconds(20))).toBeUndefined();
    const prolonged = await store.renew(vip.name, lease, seconds(20));
    const renewed = { ...held, rev: held!.rev + 1, lease: { ...lease, expiresAtMs: seconds(20) } };
    expect(prolonged, 'its holder sees what came meanwhile').toEqual(renewed);
    expect(await store.read(vip.name), 'who read the lease as run out must not take it now').toEqual(renewed);
    const late = await store.renew(vip.name, lease, seconds(15));
    expect(late, 'a late renewal takes nothing back').toEqual(renewed);
    expect(await store.read(vip.name)).toEqual(renewed);
  });

  it('agrees with the domain on every claim, recorded or refused: the condition is the same rule twice', async () => {
    const store = open();
    const words = fc.record({
      node: fc.constantFrom('i-a', 'i-b', 'i-stranger'),
      kind: fc.constantFrom('transition', 'assertion', 'lower-advert'),
      state: fc.constantFrom('MASTER', 'BACKUP'),
      bootId: fc.constantFrom('boot-1', 'boot-2'),
      sinceMs: fc.integer({ min: 0, max: 3 }).map((n) => n * 700),
      laterMs: fc.constantFrom(0, 1, 999, 1000, 14_999, 15_001, 26_000, 70_000),
      sentLaterMs: fc.constantFrom(0, 40, 1500),
      /** Of the uptime: two reports may tie in whole milliseconds. */
      fractionMs: fc.constantFrom(0, 0, 0.25, 0.5),
      /** Of the node's own clock, which decides between bounds that tie. */
      clockMs: fc.constantFrom(0, 0, 1, -1),
      /** The report before it once more, whole seconds later: their bounds tie. */
      repeats: fc.constantFrom(undefined, undefined, 0, 1000, 26_000),
      /** Uptime that is not true. */
      aheadMs: fc.constantFrom(0, 0, 0, 0, 1500, 6000, 400_000),
      /** When the second boot speaks; at once with the first one neither is believed blindly. */
      secondAfterMs: fc.constantFrom(3_600_000, 3_600_000, 3_600_000, 10_000),
      lease: fc.boolean(),
      /** By the function URL, stamped in milliseconds. */
      direct: fc.constantFrom(false, false, true),
      /** After its stamp: one that comes late fills no evidence window. */
      arrivesMs: fc.constantFrom(0, 0, 0, 90_000),
    } as const);
    const counts = { recorded: 0, refused: 0 };
    let [ties, late] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(words, { minLength: 4, maxLength: 12 }), async (all) => {
        let model = await seeded(store);
        for (const [n, drawn] of all.entries()) {
          const before = all[n - 1];
          const { repeats, clockMs, lease } = drawn;
          const w =
            repeats === undefined || before === undefined
              ? drawn
              : { ...before, laterMs: before.laterMs + repeats, kind: 'assertion' as const, clockMs, lease };
          const spoken = says(model, w.node, { ...w, atMs: w.sinceMs + w.laterMs });
          const boot = w.bootId === 'boot-2' ? w.secondAfterMs : 0;
          const upMs = spoken.uptimeMs - (w.bootId === 'boot-2' ? 3_599_990 : 0);
          const claim: Claim = {
            ...spoken,
            uptimeMs: upMs + w.sentLaterMs + w.aheadMs + w.fractionMs,
            atMs: spoken.atMs + w.clockMs,
            ...(w.laterMs % 2 === 0 ? {} : { leaving: 'spot-stop', atRisk: true }),
            seq: spoken.seq - (spoken.uptimeMs - upMs) * 1000,
            since: spoken.since - (spoken.uptimeMs - upMs) * 1000,
            timeMs: (spoken.timeMs + boot + Math.floor(w.sentLaterMs / 1000) * 1000) as EpochMs,
            ...(w.direct ? { way: 'direct' as const } : {}),
          };
          const nodeState = nodeStateFrom(claim, (claim.timeMs + w.arrivesMs) as EpochMs);
          const known = model.claims[w.node];
          if (known?.since === nodeState.since && known.hiMs === nodeState.hiMs) ties += 1;
          const as = isNews(known, nodeState) ? 'news' : 'refresh';
          const ask = telling(claim, {
            as,
            nodeState,
            ...(w.lease ? { lease: leaseOf(`n-${n}`, claim.timeMs) } : {}),
          });
          const expected =
            as === 'refresh' && w.lease ? undefined : afterClaimWrite(model, ask, claim.timeMs);
          if (as === 'refresh' && w.lease) continue;
          const told = await store.recordClaim(ask, claim.timeMs);
          expect(told.answer).toBe(expected === undefined ? 'refused' : 'recorded');
          expect(told.vip).toEqual(expected ?? model);
          counts[told.answer] += 1;
          if (told.answer === 'recorded' && w.arrivesMs > 0) late += 1;
          model = told.vip!;
        }
      }),
      { numRuns: 40, seed: 20261122 },
    );
    expect(counts.recorded, 'claims that were recorded').toBeGreaterThan(50);
    expect(counts.refused, 'claims that were refused').toBeGreaterThan(50);
    expect(ties, 'bounds that tie').toBeGreaterThan(10);
    expect(late, 'late ones that were recorded').toBeGreaterThan(10);
  });
}
