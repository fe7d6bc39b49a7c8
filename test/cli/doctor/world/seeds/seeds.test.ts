// Seeds that no one listed: one field of a right world changed at a time. Where a failover to each member does not work any more, or no
// one would notice, the doctor names a fault; where everything works it names none.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { look } from '../look.ts';
import { rightWorld } from '../world.ts';
import { type Mutation, mutations } from './mutations.ts';
import { failure } from './works.ts';

const DRAWN = 40;
const MISSED_MAX = 2;

async function judged(mutation: Mutation) {
  const world = rightWorld();
  mutation.change(world);
  const why = await failure(structuredClone(world));
  const { findings } = await look(world, { port: [{ protocol: 'tcp', port: 443 }] });
  return { why, faults: findings.filter((one) => one.severity === 'fault').map((one) => one.check) };
}

test('a right world works', async () => {
  expect(await failure(rightWorld())).toBeUndefined();
});

test('of 40 drawn that break something at least 38 are found, and of 40 that break nothing none is called a fault', async () => {
  const all = fc.sample(fc.shuffledSubarray([...mutations()], { minLength: mutations().length }), {
    ...{ numRuns: 1, seed: 20_261_122 },
  })[0]!;
  const broken: string[] = [];
  const whole: string[] = [];
  const missed: string[] = [];
  const alarms: string[] = [];
  for (const mutation of all) {
    if (broken.length >= DRAWN && whole.length >= DRAWN) break;
    const { why, faults } = await judged(mutation);
    const what = `${mutation.at} → ${mutation.to}`;
    if (why !== undefined && broken.length < DRAWN) {
      broken.push(what);
      if (faults.length === 0) missed.push(`${what}: ${why}`);
    } else if (why === undefined && whole.length < DRAWN) {
      whole.push(what);
      if (faults.length > 0) alarms.push(`${what}: ${faults.join(', ')}`);
    }
  }
  console.log(
    `${broken.length} that break: ${broken.length - missed.length} found; ${whole.length} that do not: ${alarms.length} called a fault${[...missed, ...alarms].map((one) => `\n  ${one}`).join('')}`,
  );
  expect([broken.length, whole.length]).toEqual([DRAWN, DRAWN]);
  expect(missed.length, missed.join('\n')).toBeLessThanOrEqual(MISSED_MAX);
  expect(alarms).toEqual([]);
});
