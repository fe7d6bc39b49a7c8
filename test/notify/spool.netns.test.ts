import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Fate, VrrpEvent } from '../../lab/shim/bus.ts';
import { type Node, startNode } from '../../lab/shim/node.ts';

let node: Node;
afterEach(() => node.stop());

const transitions = (): VrrpEvent[] =>
  node.bus.accepted.filter((event) => event.detail.kind === 'transition');
/** Each claim once, at its first arrival, in the order of their numbers. */
const claims = (): VrrpEvent['detail'][] =>
  [
    ...new Map(
      transitions()
        .reverse()
        .map(({ detail }) => [detail.seq, detail]),
    ).values(),
  ].sort((a, b) => a.seq - b.seq);
/** Nothing is asserted before the spool is empty. */
const isEmptied = (newest: number): boolean =>
  claims().at(-1)?.priority === label(newest) && node.bus.accepted.at(-1)!.detail.kind === 'assertion';
const isRising = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || numbers[index - 1]! < number);
/** The priority tells lines apart that are not 200 lines from each other. */
const label = (index: number): number => index % 200;
const line = (index: number): string =>
  `INSTANCE "VI_WEB" ${index % 2 ? 'BACKUP' : 'MASTER'} ${label(index)}`;
const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index));
const journal = (): string => `${node.folder}/state/spool`;
const server: Fate = { kind: 'status', status: 500 };

describe('a thousand transitions, as fast as the FIFO takes them, the bus failing half of the time', () => {
  test('all arrive, none twice as new, when the bound allows all; the newest of all does not wait for the others', async () => {
    node = await startNode({ spool_max: 2000 });
    const faults: Fate[] = [
      server,
      { kind: 'reset' },
      { kind: 'lost' },
      { kind: 'partial', code: () => 'InternalFailure' },
    ];
    node.bus.fate = (request) => (request % 2 ? faults[((request - 1) / 2) % 4]! : { kind: 'accept' });
    await node.start();
    await node.write(...lines(1, 1000));
    await node.bus.until(() => claims().length === 1000, 300_000);
    expect(claims().map(({ priority }) => priority)).toEqual(
      Array.from({ length: 1000 }, (_, index) => label(index + 1)),
    );
    const newest = claims().at(-1)!;
    const arrivedAt = transitions().findIndex(({ detail }) => detail.seq === newest.seq);
    expect(arrivedAt, 'those before it were superseded, and waited').toBeLessThan(800);
    expect(claims().filter(({ superseded }) => !superseded).length).toBeLessThan(200);
    expect(transitions().length, 'some replies were lost, so some came twice').toBeGreaterThan(1000);
    expect(newest.dropped).toBe(0);
  }, 330_000);

  test('what the bound drops is the oldest of those that are superseded, and the count that is told is right', async () => {
    node = await startNode({ spool_max: 200 });
    node.bus.fate = (request) => (request % 2 ? server : { kind: 'accept' });
    await node.start();
    await node.write(...lines(1, 1000));
    await node.bus.until(() => isEmptied(1000), 300_000);
    const arrived = claims().map(({ priority }) => priority);
    // But for those that were being sent meanwhile, at most ten.
    expect(arrived.slice(-190)).toEqual(Array.from({ length: 190 }, (_, index) => label(811 + index)));
    expect(node.bus.accepted.at(-1)!.detail.dropped).toBe(1000 - arrived.length);
    expect(node.status()).toMatchObject({ spooled: 0, dropped: 1000 - arrived.length });
  }, 330_000);
});

describe('a shim that is killed', () => {
  test('between FIFO and send goes on with its spool: same numbers, same order', async () => {
    node = await startNode();
    node.bus.fate = () => server;
    await node.start();
    await node.write(...lines(1, 25));
    await node.bus.until(() => node.bus.requests.some((request) => request.entries === 10));
    const numbers = (): number[] =>
      [...readFileSync(journal(), 'utf8').matchAll(/^\+ (\d+) /gm)].map((match) => Number(match[1]));
    await expect.poll(numbers, { timeout: 60_000 }).toHaveLength(25);
    await node.kill('SIGKILL');
    const spooled = numbers();
    node.bus.fate = () => ({ kind: 'accept' });
    await node.start();
    await node.bus.until(() => claims().length === 25);
    expect(claims().map(({ seq }) => seq)).toEqual(spooled.toSorted((a, b) => a - b));
    expect(claims().map(({ priority }) => priority)).toEqual(
      Array.from({ length: 25 }, (_, index) => index + 1),
    );
  });

  test('after the bus took a claim and before it heard so sends it again under the same number', async () => {
    node = await startNode();
    node.bus.fate = () => ({ kind: 'lost' });
    await node.start();
    await node.write(line(1));
    await node.bus.until(() => transitions().length === 1);
    await node.kill('SIGKILL');
    node.bus.fate = () => ({ kind: 'accept' });
    await node.start();
    await node.bus.until(() => transitions().length >= 2);
    expect(claims()).toHaveLength(1);
  });

  test('finds the lines that were written while it was down: the FIFO is held open by someone else', async () => {
    node = await startNode();
    await node.start();
    const { open } = await import('node:fs/promises');
    // As systemd's socket unit does.
    const holder = await open(`${node.folder}/notify.fifo`, 'r+');
    try {
      await node.kill('SIGKILL');
      await node.write(...lines(1, 3));
      await node.start();
      await node.bus.until(() => claims().length === 3);
    } finally {
      await holder.close();
    }
    expect(claims().map(({ priority }) => priority)).toEqual([1, 2, 3]);
  });

  test('again and again under load loses at most the line in its hands, and never order or number', async () => {
    node = await startNode({ spool_max: 2000 });
    node.bus.fate = (request) => (request % 3 === 0 ? { kind: 'lost' } : { kind: 'accept' });
    await node.start();
    const { open } = await import('node:fs/promises');
    const holder = await open(`${node.folder}/notify.fifo`, 'r+');
    const kills = 8;
    try {
      for (let kill = 0; kill < kills; kill++) {
        const seen = node.bus.requests.length;
        const written = node.write(...lines(kill * 40 + 1, kill * 40 + 40));
        await node.bus.until(() => node.bus.requests.length > seen);
        await node.kill('SIGKILL');
        await written;
        await node.start();
      }
      await node.write(line(kills * 40 + 1));
      await node.bus.until(() => isEmptied(kills * 40 + 1));
    } finally {
      await holder.close();
    }
    const arrived = claims().map(({ priority }) => priority);
    expect(
      isRising(
        claims()
          .map(({ atMs }) => atMs * 1000)
          .map((at, index) => at + index),
      ),
    ).toBe(true);
    expect(arrived.filter((one, index) => index > 0 && (one + 200 - arrived[index - 1]!) % 200 > 2)).toEqual(
      [],
    );
    expect(arrived.length).toBeGreaterThanOrEqual(kills * 40 + 1 - kills);
  });

  test('by SIGTERM first sends what it has: the STOP of a node that shuts down must get out', async () => {
    node = await startNode();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => claims().length === 1);
    await node.write('INSTANCE "VI_WEB" STOP 254');
    await node.kill('SIGTERM');
    expect(claims().at(-1)!.state).toBe('STOP');
  });

  test('by SIGTERM while the bus is away ends all the same, its spool kept', async () => {
    node = await startNode();
    node.bus.fate = () => server;
    await node.start();
    await node.write(line(1));
    await node.bus.until(() => node.bus.requests.length > 0);
    await node.kill('SIGTERM');
    node.bus.fate = () => ({ kind: 'accept' });
    await node.start();
    await node.bus.until(() => claims().length === 1);
  });
});

describe('the journal', () => {
  test('of another boot is forgotten: ages of another boot mean nothing', async () => {
    node = await startNode();
    node.bus.fate = () => server;
    await node.start();
    await node.write(...lines(1, 5));
    await node.bus.until(() => node.bus.requests.length > 1);
    await node.kill('SIGKILL');
    const text = readFileSync(journal(), 'utf8');
    writeFileSync(journal(), text.replace(/^boot .*$/m, 'boot 00000000-0000-0000-0000-000000000000'));
    node.bus.fate = () => ({ kind: 'accept' });
    await node.start();
    await node.write(line(6));
    await node.bus.until(() => claims().length >= 1);
    expect(claims().map(({ priority }) => priority)).toEqual([6]);
    expect(claims()[0]!.dropped).toBe(0);
  });

  test('with a torn last line and with lines that mean nothing is read as far as it is whole', async () => {
    node = await startNode();
    node.bus.fate = () => server;
    await node.start();
    await node.write(...lines(1, 2));
    await node.bus.until(() => node.bus.requests.some(({ entries }) => entries === 2));
    await node.kill('SIGKILL');
    appendFileSync(journal(), '+ rubbish\nfoo\n- 12\n+ 99999999999999 9999');
    node.bus.fate = () => ({ kind: 'accept' });
    await node.start();
    await node.bus.until(() => claims().length === 2);
    expect(claims().map(({ priority }) => priority)).toEqual([1, 2]);
  });

  test('stays small however much passes through it', async () => {
    node = await startNode({ spool_max: 20 });
    await node.start();
    for (let round = 0; round < 12; round++) {
      await node.write(...lines(round * 100 + 1, round * 100 + 100));
      await node.bus.until(() => claims().at(-1)?.priority === label(round * 100 + 100));
    }
    expect(readFileSync(journal(), 'utf8').length).toBeLessThan(100_000);
  });
});

test('a torn line, as a killed shim leaves it in the FIFO, is counted and hurts nothing', async () => {
  node = await startNode();
  await node.start();
  await node.write('B" MASTER 254', 'INSTANCE "VI_WEB" BACKUP 7');
  await node.bus.until(() => claims().length === 1);
  expect(claims()[0]!.priority).toBe(7);
  expect(node.status()).toMatchObject({ badLines: 1 });
});
