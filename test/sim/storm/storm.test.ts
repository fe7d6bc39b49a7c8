// A storm in bounds, in the simulation's time: what it may cost, and what it may cost an honest failover next to it. Each protection
// is taken out, too, and then the bound does not hold.
import { expect, test } from 'vitest';
import { type Patch, variant } from '../controls/variant.ts';
import { simulate } from '../world/simulate.ts';
import {
  BOUND_DAMPED_MS,
  boundBeforeMs,
  DAMPED_FROM_MS,
  honestFailover,
  type Storm,
  stormFigures,
} from './figures.ts';
import { undamped } from './undamped.ts';

/** A transition as often as one VIP of nine cells was answered. */
const storm: Storm = { hold: 'both', everyMs: 1570, forMs: 60_000 };
const without = async (...patches: readonly Patch[]) => (await variant(patches)).simulate;

test('a storm on ten VIPs costs a notice for each and a few failovers, however long it lasts', async () => {
  const is = await stormFigures({ ...storm, forMs: 300_000 }, simulate);
  expect(is.notices).toBeLessThanOrEqual(20);
  expect(is.epochs).toBeLessThanOrEqual(60);
  expect(is.mutations).toBeLessThanOrEqual(300);
  const was = await stormFigures({ ...storm, forMs: 300_000 }, await without(...undamped));
  expect(was.epochs, 'without damping').toBeGreaterThan(300);
  expect(was.describes).toBeGreaterThan(10 * is.describes);
}, 600_000);

test('an honest failover next to it: within the tokens that are left and a second, from the fifteenth second on within two', async () => {
  for (const second of [8, 12, 15, 20, 45]) {
    const is = await honestFailover({ ...storm, honestAtMs: second * 1000 }, simulate);
    const most = is.atMs < DAMPED_FROM_MS ? boundBeforeMs(is) : BOUND_DAMPED_MS;
    expect(
      is.tookMs,
      `${is.atMs} ms after the storm began, ${is.tokensLeft} tokens left`,
    ).toBeLessThanOrEqual(most);
  }
}, 600_000);

/** No calm node is left, and with hold master the VIP follows each time. */
const follows: Storm = { ...storm, hold: 'master', inTurn: true };

test('the same where the VIPs cannot rest: what they move goes last', async () => {
  const { mutations } = await stormFigures(follows, simulate);
  expect(mutations, 'they do move').toBeGreaterThan(150);
  for (const second of [15, 20, 45]) {
    const is = await honestFailover({ ...follows, honestAtMs: second * 1000 }, simulate);
    expect(
      is.tookMs,
      `${is.atMs} ms after the storm began, ${is.tokensLeft} tokens left`,
    ).toBeLessThanOrEqual(BOUND_DAMPED_MS);
  }
  const inLine: Patch = {
    file: 'shared/rate-limit/call-queue.ts',
    replace: "return callQueue(ports, 'last');",
    by: "return callQueue(ports, 'back');",
  };
  const was = await honestFailover({ ...follows, honestAtMs: 45_000 }, await without(inLine));
  expect(was.tookMs, 'in line like everyone else').toBeGreaterThan(BOUND_DAMPED_MS);
}, 600_000);

const slots: Patch = {
  file: 'shared/rate-limit/action-queue.ts',
  replace: 'const unused = free.length + this.#given;',
  by: 'const unused = free.length;',
};
const look: Patch = {
  file: 'shared/switch/execute.ts',
  replace: 'await heldLease.lookIfDue();',
  by: '',
};

test.each([
  ['a node that flaps is not damped', undamped],
  ['slots of calls that were not sent stay reserved', [slots]],
  ['a holder that waits does not look at the item, nor are its slots refunded', [look, slots]],
] as const)(
  'it takes longer where %s',
  async (_what, patches) => {
    const was = await honestFailover({ ...storm, honestAtMs: 15_000 }, await without(...patches));
    expect(was.atMs).toBeGreaterThan(DAMPED_FROM_MS);
    expect(was.tookMs).toBeGreaterThan(BOUND_DAMPED_MS);
  },
  600_000,
);
