// An order is on record before it takes effect, and so is that it was without effect.
import { expect, test } from 'vitest';
import { epochMs } from '../../../shared/time.ts';
import { type OperatorAction, onRecord, operatorAction } from '../../../shared/timeline/operator-action.ts';

function record() {
  const said: string[] = [];
  let nonces = 0;
  return {
    said,
    orders: {
      async put({ order, of, why }: OperatorAction) {
        said.push([order, of, why].filter((part) => part !== undefined).join(' '));
      },
    },
    now: () => epochMs(2000),
    nonce: () => `n${++nonces}`,
  };
}
const pin = { vip: 'web', order: 'pin', by: 'me', reason: 'patching', atMs: epochMs(1000) } as const;

test('an order is put before it is carried out, and only once when that succeeds', async () => {
  const ports = record();
  const work = async () => {
    ports.said.push('carried out');
    return 42;
  };
  expect(await onRecord(ports, pin, work)).toBe(42);
  expect(ports.said).toEqual(['pin', 'carried out']);
});

test('an order that fails is followed by an entry that names it and says why, and the caller learns of it', async () => {
  const ports = record();
  const work = () => Promise.reject(new Error('there is no VIP web'));
  await expect(onRecord(ports, pin, work)).rejects.toThrow('there is no VIP web');
  expect(ports.said).toEqual([
    'pin',
    expect.stringMatching(/^not-carried-out order\/1970-01-01T00:00:01.000Z\/n1 .*there is no VIP web$/),
  ]);
});

test('an order that cannot be recorded is not carried out', async () => {
  const ports = { ...record(), orders: { put: () => Promise.reject(new Error('no table')) } };
  const work = () => Promise.reject(new Error('carried out'));
  await expect(onRecord(ports, pin, work)).rejects.toThrow('no table');
});

test.each([
  ['pin', '', 'found only blanks'],
  ['freeze', ' \t', 'found only blanks'],
  ['drain', '', 'found only blanks'],
  ['unpin', ' ', 'found only blanks'],
  ['set', 'x'.repeat(501), 'found 501 characters, expected at most 500: say it in a sentence'],
] as const)(
  'an order %s whose reason is %j is neither recorded nor carried out',
  async (order, reason, why) => {
    const ports = record();
    const work = () => Promise.reject(new Error('carried out'));
    await expect(onRecord(ports, { ...pin, order, reason }, work)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(why),
    });
    expect(ports.said).toEqual([]);
  },
);

test.each([
  ['pin', 'x'.repeat(500)],
  ['unpin', ''],
] as const)('an order %s whose reason is %j is carried out', async (order, reason) => {
  expect(await onRecord(record(), { ...pin, order, reason }, async () => 42)).toBe(42);
});

test('what vipshift itself says of an order is cut to a sentence', () => {
  const long = operatorAction({ ...pin, reason: `via: ${'x'.repeat(2000)}`, why: 'y'.repeat(9000) }, 'n');
  expect([long.reason.length, long.why!.length]).toEqual([1000, 1000]);
});
