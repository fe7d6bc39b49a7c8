// The list of 76, one by one, and how many the doctor names: `npx vitest run test/cli/doctor/listed` prints it.
import { expect, test } from 'vitest';
import { judged } from '../../../shared/doctor/keepalived/judge.ts';
import { repaired } from '../../../shared/doctor/keepalived/remedies.ts';
import { look } from '../world/look.ts';
import { EIP } from '../world/names.ts';
import { carriedOut } from '../world/rows/carried-out.ts';
import { retag } from '../world/rows/row.ts';
import { rows } from '../world/rows/rows.ts';
import { failure } from '../world/seeds/works.ts';
import { rightWorld } from '../world/world.ts';
import { type Listed, listed } from './listed.ts';

type Answer = 'found, repaired as printed' | 'found, by hand' | 'right, and called so';

async function answered({ is }: Listed): Promise<Answer> {
  if ('right' in is) {
    const world = rightWorld();
    retag(world, EIP, 'web:eip');
    expect((await look(world)).findings).toEqual([]);
    expect(await failure(world)).toBeUndefined();
    return 'right, and called so';
  }
  if ('row' in is) {
    const row = rows.find(({ what }) => what === is.row);
    expect(row, `no row is called ${is.row}`).toBeDefined();
    return (await carriedOut(row!)) === 'repaired' ? 'found, repaired as printed' : 'found, by hand';
  }
  const found = judged(is.files).filter(({ check }) => check === is.check);
  expect(found.length, is.what).toBeGreaterThan(0);
  if (is.check === 'keepalived-instance') return 'found, by hand';
  const after = found.reduce((files, one) => repaired(files, one), is.files);
  expect(judged(after)).toEqual([]);
  return 'found, repaired as printed';
}

const whatOf = ({ is }: Listed): string => ('row' in is ? is.row : 'right' in is ? is.right : is.what);

const localOf = ({ is, seed, blind }: Listed): string =>
  blind !== undefined
    ? `emulator-blind: ${blind}`
    : seed !== undefined
      ? 'seeded on the local AWS, too'
      : 'files' in is
        ? 'files, no AWS'
        : 'in memory';

test('76 are listed, of which 38 were named', () => {
  expect(listed.map(({ id }) => id)).toEqual(Array.from({ length: 76 }, (_, n) => n + 1));
  expect(listed.filter(({ before }) => before)).toHaveLength(38);
  const names = listed.map(whatOf);
  expect(new Set(names).size).toBe(names.length);
});

test('each is named now, and repaired by what is printed where a command can do it', async () => {
  const lines: string[] = [];
  const counts = new Map<Answer, number>();
  for (const one of listed) {
    const answer = await answered(one);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
    const was = one.before ? 'found' : 'not found';
    lines.push(`${String(one.id).padStart(2)}  ${whatOf(one)}: was ${was}; ${answer}; ${localOf(one)}`);
  }
  const before = listed.filter((one) => one.before).length;
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const blind = listed.filter((one) => one.blind !== undefined).length;
  console.log(
    [
      ...lines,
      `${before} of ${listed.length} → ${total} of ${listed.length}: ${[...counts].map(([what, n]) => `${n} ${what}`).join('; ')}; ${blind} emulator-blind, judged in memory`,
    ].join('\n'),
  );
  expect(total).toBe(listed.length);
});
