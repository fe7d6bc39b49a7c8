// A row before the doctor: it is named; the commands that are printed are carried out on the world, and the finding is gone, with no
// other in its place.
import { expect } from 'vitest';
import type { Finding } from '../../../../../shared/doctor/finding.ts';
import { carryOut, pastes } from '../changes.ts';
import { reconciled } from '../controller.ts';
import { look } from '../look.ts';
import { rightWorld } from '../world.ts';
import type { Row } from './row.ts';

const ports = { port: [{ protocol: 'tcp', port: 443 }] } as const;
const ROUNDS_MAX = 3;

/** Throws where the doctor does not name it, or where what it prints does not repair it. */
export async function carriedOut(row: Row): Promise<'repaired' | 'by hand'> {
  const world = rightWorld();
  row.seed(world);
  const options = row.ports === true ? ports : {};
  const { findings } = await look(world, options);
  const found = findings.filter((one) => one.check === row.check);
  expect(findings.map((one) => one.check)).toContain(row.check);
  if (row.byHand === true) {
    expect(found.filter((one) => pastes(one.remedy))).toEqual([]);
    expect(found[0]!.remedy).not.toBe('');
    return 'by hand';
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
  return 'repaired';
}
