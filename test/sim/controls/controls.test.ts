// Negative controls: with any one protection taken out of the real code the simulation finds a violation of the stated
// guarantee. Without them a silent checker would look like a sound protocol.
import { expect, test } from 'vitest';
import { caught, every } from './every-control.ts';
import seeds from './seeds.json' with { type: 'json' };
import { patched } from './variant.ts';

/** The seeds were found by chance and move when the code does; then a few more histories are needed. */
const MOST = 400;

const byChance = every.filter((c) => Object.hasOwn(seeds, c.name));

test.each(byChance)(
  'is caught: $name',
  async (control) => {
    const first = await caught(control, (seeds as Record<string, number>)[control.name]!, MOST);
    expect(
      first,
      `not caught in ${MOST} histories; find a new seed with controls-main.ts --keep`,
    ).toBeDefined();
    expect(control.breaks).toContain(first!.guarantee);
  },
  600_000,
);

test('a control that would patch nothing is refused: it would prove nothing', () => {
  const patch = { file: 'shared/vip/lease.ts', replace: 'not there', by: '' };
  expect(() => patched('some text', patch)).toThrow(
    'shared/vip/lease.ts: found 0 times, expected once: "not there"',
  );
  expect(() => patched('a a', { ...patch, replace: 'a' })).toThrow('found 2 times');
});
