// A bounded share of the simulation: the guarantees hold, histories repeat exactly, failures shrink. Many more run with
// `npm run sim`.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { violationsOf } from './checkers.ts';
import { controls } from './controls/protocol.ts';
import { variant } from './controls/variant.ts';
import { historyFrom } from './history/generator.ts';
import type { History } from './history/history.ts';
import { shrink } from './history/shrink.ts';
import { median } from './report.ts';
import { emptyTally, runSeeds } from './run.ts';
import { retell } from './truth/retell.ts';
import { simulate } from './world/simulate.ts';

test('600 histories hold all nine guarantees, and are as busy as they have to be', async () => {
  const tally = await runSeeds(1_000_000, 600, emptyTally());
  const [failure] = tally.failures;
  if (failure !== undefined) {
    const world = await simulate(await shrink(historyFrom(failure.seed)));
    throw new Error(`seed ${failure.seed}, shrunk:\n${retell(world, violationsOf(world))}`);
  }
  expect(median(tally.claims)).toBeGreaterThanOrEqual(50);
  expect(median(tally.faults)).toBeGreaterThanOrEqual(3);
  expect(median(tally.awaits)).toBeGreaterThanOrEqual(300);
}, 600_000);

test('the same seed gives the same history, to the last message', async () => {
  for (const seed of [7, 99, 4711]) {
    const [one, other] = [await simulate(historyFrom(seed)), await simulate(historyFrom(seed))];
    expect(retell(other, [])).toBe(retell(one, []));
  }
});

test('a failing history becomes smaller and still fails for the same reason', async () => {
  const control = controls.find((c) => c.name === 'no reconcile')!;
  const { violationsIn, runSeeds: runBroken } = await variant(control.patches);
  const { failures } = await runBroken(1, 200);
  // Made smaller, a bus that goes might never return, which no reconcile heals.
  const has = ({ acts }: History, does: string) => acts.some((act) => act.does === does);
  const histories = failures.map(({ seed }) => historyFrom(seed));
  const history = histories.find((h) => has(h, 'route is changed') && !has(h, 'bus goes'))!;
  const fails = async (of: History) => (await violationsIn(of)).map((v) => v.guarantee);
  const small = await shrink(history, fails);
  expect(small.acts.length).toBeLessThanOrEqual(history.acts.length);
  expect(Object.keys(small.odds).length).toBeLessThanOrEqual(1);
  expect((await fails(small))[0]).toBe((await fails(history))[0]);
  expect(await violationsIn(small)).not.toEqual([]);
  expect(violationsOf(await simulate(small))).toEqual([]);
}, 600_000);

test('a run over several seeds prints them first, has a row for each, and says how to go on after a stop', async () => {
  const run = promisify(execFile);
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const args = [main, '--runs', '2', '--workers', '1'];
  const { stdout, stderr } = await run(process.execPath, [...args, '--seeds', '2']);
  const [, first, second] = /^--runs 2 --seed (\d+),(\d+)\n/.exec(stderr)!;
  expect(stderr).toContain(`what is left: --runs 2 --seed ${second}\n`);
  const rows = stdout.trimEnd().split('\n').slice(1);
  expect(rows.map((row) => row.trim().split(/ +/).slice(0, 3))).toEqual([
    [first, '2', '0'],
    [second, '2', '0'],
  ]);
  const { stdout: again } = await run(process.execPath, [...args, '--seed', `${first},${second}`, '--json']);
  expect(JSON.parse(again)).toMatchObject([{ seed: Number(first) }, { seed: Number(second) }]);
  await expect(run(process.execPath, [...args, '--seeds', '2', '--seed', '1'])).rejects.toThrow(
    '--seed cannot be combined with --seeds',
  );
}, 600_000);

test('a run draws a fresh seed and prints it, unless it is given one', async () => {
  const run = promisify(execFile);
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const seedOf = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, [main, '--runs', '2', '--workers', '1', ...args]);
    return /^2 histories from seed (\d+) on in /.exec(stdout)?.[1];
  };
  const [first, second, given] = await Promise.all([seedOf(), seedOf(), seedOf('--seed', '4711')]);
  expect([first, second]).toEqual([expect.any(String), expect.any(String)]);
  expect([first === second, given]).toEqual([false, '4711']);
}, 600_000);
