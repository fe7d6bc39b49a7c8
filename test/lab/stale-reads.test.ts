import { beforeEach, describe, expect, it } from 'vitest';
import type { HttpReply, HttpRequest } from '../../lab/fault/aws-call.ts';
import { type StaleReads, staleReads } from '../../lab/fault/stale-reads.ts';

const read = (what: string): HttpRequest => ({
  method: 'POST',
  path: '/',
  headers: {},
  body: Buffer.from(what),
});

let state: string;
let nowMs: number;
let asked: number;
let reads: StaleReads;

beforeEach(() => {
  state = 'a';
  nowMs = 0;
  asked = 0;
  const ask = (): Promise<HttpReply> => {
    asked += 1;
    return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(state) });
  };
  reads = staleReads(ask, () => nowMs);
});

async function change(atMs: number, to: string): Promise<void> {
  nowMs = atMs;
  await reads.beforeChange();
  reads.changed();
  state = to;
}
const seen = (what: string, atMs: number) => reads.asOf(read(what), atMs)?.body.toString();

describe('stale reads', () => {
  it('know the state at every instant: up to and at a change the old one, 1 ms later the next', async () => {
    reads.note(read('tables'));
    await change(1000, 'b');
    await change(2000, 'c');
    expect([0, 999, 1000].map((atMs) => seen('tables', atMs))).toEqual(['a', 'a', 'a']);
    expect([1001, 2000].map((atMs) => seen('tables', atMs))).toEqual(['b', 'b']);
    expect(seen('tables', 2001), 'nothing has changed since: the emulator knows').toBeUndefined();
  });

  it('keep one state for changes that go out together', async () => {
    reads.note(read('tables'));
    await Promise.all([reads.beforeChange(), reads.beforeChange(), reads.beforeChange()]);
    expect(asked).toBe(1);
  });

  it('know nothing of a read that was never asked before', async () => {
    reads.note(read('tables'));
    await change(1000, 'b');
    expect(seen('addresses', 500)).toBeUndefined();
  });

  it('let a change go out although a read fails', async () => {
    const failing = staleReads(
      () => Promise.reject(new Error('gone')),
      () => 0,
    );
    failing.note(read('tables'));
    await expect(failing.beforeChange()).resolves.toBeUndefined();
    expect(failing.asOf(read('tables'), 0)).toBeUndefined();
  });
});
