// The registry's refusals and addresses, as pure functions; and the pool, fifty at once, on the local AWS's own table.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSession } from '../../../cli/command/session.ts';
import { lookups } from '../../../cli/vip/lookups.ts';
import { prepare } from '../../../cli/vip/prepare.ts';
import { register } from '../../../cli/vip/register.ts';
import {
  addressText,
  forbiddenBy,
  hasHostBits,
  isPublic,
  overlaps,
  rangeFrom,
  rangeText,
} from '../../../shared/registry/ip-range.ts';
import { nextFree, prefixListRefused, vipAddress } from '../../../shared/registry/validate.ts';
import { entry } from '../../support/world.ts';
import { type Region, startRegion } from '../region.ts';

describe('addresses', () => {
  test('any IPv6 address reads back from its own text, in the one form that EC2 uses', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (base) => {
        const text = addressText({ family: 6, base });
        expect(rangeFrom(text)).toEqual({ family: 6, base, prefix: 128 });
        // The URL parser knows RFC 5952, too.
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
  });
  test('any IPv4 range reads back from its own text', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }),
        fc.integer({ min: 0, max: 32 }),
        (base, prefix) => {
          const range = { family: 4, base, prefix } as const;
          expect(rangeFrom(rangeText(range))).toEqual(range);
        },
      ),
    );
  });
  test('overlap is containment of one in the other, whichever way round', () => {
    const arbitrary = fc
      .tuple(fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }), fc.integer({ min: 20, max: 32 }))
      .map(
        ([base, prefix]) =>
          ({ family: 4, base: (base >> BigInt(32 - prefix)) << BigInt(32 - prefix), prefix }) as const,
      );
    fc.assert(
      fc.property(arbitrary, arbitrary, (a, b) => {
        const [wide, narrow] = a.prefix <= b.prefix ? [a, b] : [b, a];
        const inside = wide.base >> BigInt(32 - wide.prefix) === narrow.base >> BigInt(32 - wide.prefix);
        expect(overlaps(a, b)).toBe(inside);
        expect(overlaps(b, a)).toBe(inside);
      }),
    );
  });
  test.each([
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.4/33',
    '1.2.3.4/',
    '1::2::3',
    '1:2:3:4:5:6:7',
    'g::',
    '::1/129',
    '',
    'x',
  ])('%j is no address', (text) => expect(rangeFrom(text)).toBeUndefined());
  test.each([
    ['10.1.2.3', false],
    ['172.31.255.255', false],
    ['172.32.0.0', true],
    ['100.64.0.1', false],
    ['192.0.2.1', true],
    ['fd00::1', false],
    ['2001:db8::1', true],
    ['10.0.0.0/7', true],
  ])('%s is public: %s', (text, is) => expect(isPublic(rangeFrom(text)!)).toBe(is));
  test.each([
    '169.254.168.0/22',
    '169.254.1.1',
    '127.0.0.1',
    '0.1.2.3',
    '224.0.0.18',
    '255.255.255.255',
    'fe80::1',
    'ff02::12',
    '::1',
    'fd00:ec2::23',
  ])('%s is reserved', (text) => expect(forbiddenBy(rangeFrom(text)!)).toBeDefined());
  test('host bits are seen', () => {
    expect(hasHostBits(rangeFrom('10.0.0.1/24')!)).toBe(true);
    expect(hasHostBits(rangeFrom('10.0.0.0/24')!)).toBe(false);
  });
  test('an IPv6 VIP is spelt as EC2 spells it', () => {
    expect(vipAddress('FD77:7669:7073:0:0:0:0:0010', false)).toBe('fd77:7669:7073::10/128');
  });
});

describe('a managed prefix list', () => {
  const vpc = { vpc: 'vpc-1', account: '1', cidrs: ['10.0.0.0/16'] };
  const list = 'pl-0123456789abcdef0';
  const refused = (entries: readonly string[] | undefined) =>
    prefixListRefused(
      { list, entries },
      { vpc, others: [{ ...entry, addresses: ['192.168.1.1/32'] }], allowPublic: false },
    ).map((r) => r.found);
  test('is an address like any other', () => expect(vipAddress(list, false)).toBe(list));
  test('passes when each of its ranges does', () => {
    expect(refused(['192.168.2.0/24', 'fd77::/64'])).toEqual([]);
  });
  test('is refused by the range that does not', () => {
    expect(refused(['10.0.3.0/24'])).toEqual([
      expect.stringMatching(/10\.0\.3\.0\/24 is inside 10\.0\.0\.0\/16/),
    ]);
    expect(refused(['169.254.0.0/24'])).toContain('169.254.0.0/24');
    expect(refused(['198.51.100.0/24'])).toEqual(['198.51.100.0/24']);
    expect(refused(['192.168.0.0/16'])).toEqual(['192.168.0.0/16 holds an address of VIP web']);
    expect(refused(undefined)).toEqual(['does not exist, or is empty']);
    expect(refused([])).toEqual(['does not exist, or is empty']);
  });
});

describe('the next free address', () => {
  const vpc = { vpc: 'vpc-1', account: '1', cidrs: ['10.0.0.0/16'] };
  test('leaves out both ends of a range, what is taken, and what lies inside the VPC', () => {
    const pool = rangeFrom('192.168.1.0/30')!;
    expect(nextFree(pool, new Set(), vpc)).toBe('192.168.1.1/32');
    expect(nextFree(pool, new Set(['192.168.1.1/32']), vpc)).toBe('192.168.1.2/32');
    expect(nextFree(pool, new Set(['192.168.1.1/32', '192.168.1.2/32']), vpc)).toBeUndefined();
    expect(nextFree(rangeFrom('10.0.255.254/31')!, new Set(), vpc)).toBeUndefined();
  });
  test('ends in a huge pool that is taken from its beginning on', () => {
    expect(nextFree(rangeFrom('fd00:1::/64')!, new Set(['fd00:1::/128']), vpc)).toBe('fd00:1::1/128');
  });
});

describe('a pool under pressure', () => {
  let region: Region;
  beforeAll(async () => {
    region = await startRegion();
    Object.assign(process.env, region.aws.env);
  });
  afterAll(() => region?.stop());

  test('gives fifty at once fifty different addresses, and each VIP its own', async () => {
    const session = await openSession({ stage: 'dev' });
    const names = Array.from({ length: 50 }, (_, n) => `vip-${n}`);
    const made = await Promise.all(
      names.map(async (name) => {
        const wanted = { name, pool: '192.168.254.0/24', vpc: region.vpc.vpcId };
        return register(
          session,
          await prepare({ session, look: lookups(session) }, wanted, undefined, []),
          'add',
          'pressure',
        );
      }),
    );
    const addresses = made.flatMap((vip) => vip.addresses);
    expect(new Set(addresses).size).toBe(50);
    expect((await region.vips.list()).map((vip) => vip.name)).toHaveLength(50);
    const all = names.map((_, n) => `192.168.254.${n + 1}/32`);
    expect(new Set(addresses)).toEqual(new Set(all));
  });

  test('two VIPs that ask for one address at once: one gets it, the other learns who has it', async () => {
    const session = await openSession({ stage: 'dev' });
    const results = await Promise.allSettled(
      ['left', 'right'].map(async (name) => {
        const wanted = { name, addresses: ['192.168.253.1'], vpc: region.vpc.vpcId };
        return register(
          session,
          await prepare({ session, look: lookups(session) }, wanted, undefined, []),
          'add',
          '',
        );
      }),
    );
    expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = results.find((r) => r.status === 'rejected')!;
    expect(String((lost as PromiseRejectedResult).reason)).toMatch(/belongs to VIP (left|right)/);
  });
});
