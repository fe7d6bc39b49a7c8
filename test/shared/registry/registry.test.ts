// What the registry makes of an item, of a file and of a backup: every field, in each way that it may come.
import { describe, expect, it } from 'vitest';
import { addressText, rangeFrom } from '../../../shared/registry/ip-range.ts';
import { manifestFrom } from '../../../shared/registry/manifest.ts';
import { changed, differences, entryOf, registered, removed } from '../../../shared/registry/registry.ts';
import { EPOCH_MARGIN, restored } from '../../../shared/registry/restore.ts';
import { clashes, entryRefused, nextFree } from '../../../shared/registry/validate.ts';
import { hours, plus } from '../../../shared/time.ts';
import { newVip, type RegistryEntry, type Vip } from '../../../shared/vip/vip.ts';
import { entry, memberOf, START } from '../../support/world.ts';

const members = { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') };
const until = { untilMs: plus(START, hours(1)), by: 'ann', reason: 'why' };
const claim = { state: 'MASTER' } as never;
/** A VIP that has everything that an item may have. */
const lived: Vip = {
  ...newVip({ ...entry, priority: 'first' }),
  ...{ rev: 9, epoch: 7, owner: 'i-a', members, claims: { 'i-a': claim }, heard: [1, 2], wrote: ['eni-1'] },
  ...{ pin: { node: 'i-a', ...until }, freeze: until, awaitedSinceMs: START, touchedAtMs: START },
  drains: { 'i-a': until },
  forced: { node: 'i-a', execution: 'run', atMs: START, ...until },
  lease: { holder: 'h', epoch: 7, expiresAtMs: START, cause: { kind: 'claim', why: 'w', atMs: START } },
  open: { h: { epoch: 7, cause: { kind: 'claim', why: 'w', atMs: START } } },
};

describe('a VIP', () => {
  it('that is registered has its entry and its members, and nothing else', () => {
    expect(registered(undefined, entry, members)).toEqual({ ...newVip(entry), members });
  });

  it('that is registered again goes on from its epoch, and forgets what was said and ordered before', () => {
    const again = registered(removed(lived, START), { ...entry, hold: 'master' }, { 'i-b': memberOf('i-b') });
    const {
      owner: _owner,
      pin: _pin,
      freeze: _freeze,
      drains: _drains,
      forced: _forced,
      awaitedSinceMs: _awaited,
      ...kept
    } = lived;
    const { priority: _priority, ...without } = kept;
    expect(again).toEqual({
      ...without,
      hold: 'master',
      members: { 'i-b': memberOf('i-b') },
      claims: {},
      heard: [],
    });
  });

  it('that is changed keeps what was said and ordered, and drops what the new entry leaves out', () => {
    const { priority: _priority, awaitedSinceMs: _awaited, ...kept } = lived;
    expect(changed(lived, { ...entry, addresses: [] }, {})).toEqual({ ...kept, addresses: [], members: {} });
    expect(changed(lived, { ...entry, priority: 'first' }, members)).toMatchObject({ priority: 'first' });
  });

  it('is compared field by field', () => {
    const other: RegistryEntry = {
      ...{ name: 'web', addresses: ['192.0.2.1/32', '192.0.2.2/32'], eips: [], vpc: 'vpc-2', account: '2' },
      ...{ tableLabels: ['t'], nodeLabels: ['n'], hold: 'master', priority: 'first' },
    };
    const found = differences(entry, other);
    expect(found.map(({ field, to }) => [field, to])).toEqual([
      ...[
        ['addresses', '192.0.2.1/32, 192.0.2.2/32'],
        ['eips', ''],
        ['vpc', 'vpc-2'],
        ['account', '2'],
      ],
      ...[
        ['tableLabels', 't'],
        ['nodeLabels', 'n'],
        ['hold', 'master'],
        ['priority', 'first'],
      ],
    ]);
    expect(found.at(-1)!.from).toBe('normal');
    expect(differences(other, other)).toEqual([]);
    expect(differences(undefined, entry).map(({ field }) => field)).not.toContain('priority');
    expect(entryOf(lived)).toEqual({ ...entry, priority: 'first' });
  });
});

describe('a VIP that is restored', () => {
  const known = { present: undefined, recorded: 0, atMs: START };

  it.each([
    ['of the backup', {}, 7],
    ['of the item as it is now', { present: { ...lived, epoch: 50 } }, 50],
    ['of the record', { present: { ...lived, epoch: 50 }, recorded: 51 }, 51],
  ])('continues above the last epoch %s', (_what, over, epoch) => {
    expect(restored(lived, { ...known, ...over }).epoch).toBe(epoch + EPOCH_MARGIN);
  });

  it('has what was registered, live orders, every ENI ever routed to, and nothing that was true at the time only', () => {
    const { lease: _lease, owner: _owner, awaitedSinceMs: _awaited, forced: _forced, ...kept } = lived;
    const present = { ...lived, wrote: ['eni-1', 'eni-2'] };
    expect(restored(lived, { ...known, present, atMs: plus(START, hours(0.5)) })).toEqual({
      ...{ ...kept, epoch: 7 + EPOCH_MARGIN, open: {}, claims: {}, heard: [], wrote: ['eni-1', 'eni-2'] },
      touchedAtMs: plus(START, hours(0.5)),
    });
    const after = restored(lived, { ...known, atMs: plus(START, hours(1)) });
    expect([after.pin, after.freeze]).toEqual([undefined, undefined]);
  });
});

describe('a file', () => {
  const least = { name: 'web', addresses: [], eips: [], tableLabels: ['web'], nodeLabels: ['web'] };
  const defaults = { ...least, hold: 'both', priority: 'normal', allowPublic: false };

  it.each([
    ['nothing', {}, {}],
    ['its tables only', { tableLabels: ['t'] }, {}],
    ['its nodes only', { nodeLabels: ['n'] }, {}],
    [
      'all that there is',
      {
        addresses: ['a'],
        eips: ['e'],
        vpc: 'v',
        pool: 'p',
        hold: 'master',
        priority: 'first',
        allowPublic: true,
      },
      {},
    ],
  ])('that says %s of a VIP: the rest has its default', (_what, said, more) => {
    expect(manifestFrom({ vips: { web: said } })).toEqual({
      ok: true,
      entries: [{ ...defaults, ...said, ...more }],
    });
  });

  it('names every wrong place', () => {
    const wrong = {
      addresses: 'a',
      eips: [1],
      vpc: 5,
      pool: [],
      hold: 'none',
      priority: 'last',
      allowPublic: 'true',
      x: 1,
    };
    const found = manifestFrom({ vips: { web: wrong, db: 7 }, other: 1 });
    const { problems } = found as { problems: readonly string[] };
    const places = problems.map((problem) => problem.split(':')[0]!);
    expect(new Set(places)).toEqual(
      new Set(['other', 'vips.db', ...Object.keys(wrong).map((key) => `vips.web.${key}`)]),
    );
    expect(places).toHaveLength(10);
    for (const none of [undefined, [], 'x', {}, { vips: [] }])
      expect(manifestFrom(none)).toMatchObject({ ok: false });
  });
});

describe('what an entry may be', () => {
  const vpc = { vpc: 'vpc-01234567', account: '1', cidrs: ['10.0.0.0/16'] };
  const addresses = (count: number) => Array.from({ length: count }, (_, n) => `192.168.0.${n}/32`);
  const refusals = (over: Partial<RegistryEntry>, toCome = 0) =>
    entryRefused({ ...entry, vpc: vpc.vpc, eips: [], ...over }, vpc, toCome).map(
      ({ what, found }) => `${what} ${found}`,
    );

  it('sixteen addresses, those included that a pool will give; sixteen EIPs', () => {
    const eips = (count: number) =>
      Array.from({ length: count }, (_, n) => `eipalloc-0000000${n.toString(16).padStart(2, '0')}`);
    expect(refusals({ addresses: addresses(16), eips: eips(16) })).toEqual([]);
    expect(refusals({ addresses: addresses(15) }, 1)).toEqual([]);
    expect(refusals({ addresses: addresses(16) }, 1)).toEqual(['addresses 17']);
    expect(refusals({ addresses: addresses(17) })).toEqual(['addresses 17']);
    expect(refusals({ eips: eips(17) })).toEqual(['EIPs 17']);
    expect(refusals({ addresses: [] }, 1)).toEqual([]);
    expect(refusals({ addresses: [] })).toEqual(['addresses none']);
  });

  it('no thing of another VIP, address or EIP; its own are no clash', () => {
    const other = { ...entry, name: 'db' };
    expect(clashes(entry, [other, entry]).map(({ found }) => found)).toEqual(
      [...entry.addresses, ...entry.eips].map((thing) => `${thing} belongs to VIP db`),
    );
  });

  it('from a pool: the lowest free address, neither of the two ends of an IPv4 range, outside the VPC', () => {
    const next = (pool: string, taken: readonly string[] = []) =>
      nextFree(rangeFrom(pool)!, new Set(taken), vpc);
    expect(next('192.168.1.0/30')).toBe('192.168.1.1/32');
    expect(next('192.168.1.0/30', ['192.168.1.1/32'])).toBe('192.168.1.2/32');
    expect(next('192.168.1.0/30', ['192.168.1.1/32', '192.168.1.2/32'])).toBeUndefined();
    expect(next('192.168.1.0/31')).toBe('192.168.1.0/32');
    expect(next('fd00::/127')).toBe('fd00::/128');
    expect(next('10.0.255.254/31')).toBeUndefined();
  });

  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:0:1:0:0:1', '2001::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fd00:0:0:0:0:0:0:0', 'fd00::'],
  ])(
    '%s as EC2 spells it (RFC 5952): of two runs of zeros the longer one, of equal ones the first',
    (text, spelled) => {
      expect(addressText(rangeFrom(text)!)).toBe(spelled);
    },
  );
});
