// Every row before the doctor: it is named, with the VIP that it touches; the command that is printed is carried out on the world,
// and the finding is gone, with no other in its place.
import { afterAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../shared/doctor/finding.ts';
import { carryOut, pastes } from './changes.ts';
import { reconciled } from './controller.ts';
import { look } from './look.ts';
import { rows } from './rows/rows.ts';
import { rightWorld } from './world.ts';

const ports = { port: [{ protocol: 'tcp', port: 443 }] } as const;

test('a right world has nothing wrong, with the ports named or not', async () => {
  expect((await look(rightWorld(), ports)).findings).toEqual([]);
  expect((await look(rightWorld())).findings).toEqual([]);
});

const ROUNDS_MAX = 3;

describe('what operators get wrong', () => {
  const counted = { found: 0, repaired: 0, byHand: 0 };
  afterAll(() =>
    console.log(
      `${rows.length} rows: ${counted.found} found, ${counted.repaired} repaired by the command that is printed, ${counted.byHand} by hand`,
    ),
  );

  test.each(rows.map((row) => [row.what, row] as const))('%s', async (_what, row) => {
    const world = rightWorld();
    row.seed(world);
    const options = row.ports === true ? ports : {};
    const { findings } = await look(world, options);
    const found = findings.filter((one) => one.check === row.check);
    expect(findings.map((one) => one.check)).toContain(row.check);
    counted.found += 1;
    if (row.byHand === true) {
      expect(found.filter((one) => pastes(one.remedy))).toEqual([]);
      expect(found[0]!.remedy).not.toBe('');
      counted.byHand += 1;
      return;
    }
    const key = ({ check, subject }: Finding) => `${check} ${subject}`;
    for (const remedy of new Set(found.map((one) => one.remedy))) carryOut(world, remedy);
    await reconciled(world);
    let left = (await look(world, options)).findings;
    expect(left.map(key)).toEqual(expect.not.arrayContaining(found.map(key)));
    // What else the mistake entailed is repaired as it is printed, too.
    for (let round = 0; round < ROUNDS_MAX && left.length > 0; round++) {
      for (const remedy of new Set(left.map((one) => one.remedy).filter(pastes))) carryOut(world, remedy);
      await reconciled(world);
      left = (await look(world, options)).findings;
    }
    expect(left).toEqual([]);
    counted.repaired += 1;
  });
});
