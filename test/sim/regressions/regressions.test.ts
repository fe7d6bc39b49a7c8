// Every bug that the simulation found has a smallest history here. The code as it is tells it without a violation; with
// the bug put back it violates the stated guarantee.
import { expect, test } from 'vitest';
import { violationsOf } from '../checkers.ts';
import { checkers } from '../controls/checkers.ts';
import { every } from '../controls/every-control.ts';
import { found } from '../controls/found.ts';
import { variant } from '../controls/variant.ts';
import { retell } from '../truth/retell.ts';
import { simulate } from '../world/simulate.ts';
import { kept } from './kept.ts';

/** The code changes, and with it the luck of a story; then one of a few other lucks shows the bug. */
const LUCKS = 600;

test.each(kept())(
  '$control',
  async ({ control: name, history }) => {
    const control = every.find((c) => c.name === name);
    if (control === undefined) throw new Error(`${name}: no control of that name; rename one of the two`);
    const { violationsIn } = await variant(control.patches);
    for (let luck = 0; luck < LUCKS; luck++) {
      const lucky = { ...history, seed: history.seed + luck };
      const reasons = (await violationsIn(lucky)).map((v) => v.guarantee);
      if (!control.breaks.some((guarantee) => reasons.includes(guarantee))) continue;
      const world = await simulate(lucky);
      const violations = violationsOf(world);
      expect(violations, retell(world, violations)).toEqual([]);
      return;
    }
    throw new Error(
      `${name}: the bug put back was not seen in ${LUCKS} tellings; find a new story with keep.ts`,
    );
  },
  600_000,
);

test('every bug that was found, in the code or in a checker, has its history', () => {
  const names = [...found, ...checkers].map((c) => c.name);
  expect(kept().map((k) => k.control)).toEqual(expect.arrayContaining(names));
});
