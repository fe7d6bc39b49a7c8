// Every rule pattern of the template before AWS's event-ruler.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { resolve } from '../support/resolve.ts';
import type { Template } from '../support/template.ts';
import { eventRuler } from './pinned.ts';
import { type RuleRow, ruleTable } from './rows/rules.ts';

const JUDGE = join(import.meta.dirname, 'pinned', 'RulerJudge.java');
const JUDGE_MAX_MS = 120_000;

/** How many were not as expected. */
export async function ruleReport(template: Template): Promise<number> {
  const missing = Object.entries(template.Resources)
    .filter(
      ([, { Type, Properties }]) => Type === 'AWS::Events::Rule' && Properties.EventPattern !== undefined,
    )
    .filter(([id]) => !ruleTable.some(({ rule }) => rule === id));
  for (const [id] of missing) process.stdout.write(`the rule ${id} has no question  <- not as expected\n`);
  const found = await judged(template, ruleTable);
  process.stdout.write(`${'EXPECTED'.padEnd(10)} ${'FOUND'.padEnd(10)} RULE AND EVENT\n`);
  const wrong = ruleTable.filter(({ rule, what, matches }, at) => {
    const isRight = found[at] === String(matches);
    const mark = isRight ? '' : '  <- not as expected';
    process.stdout.write(`${String(matches).padEnd(10)} ${found[at]!.padEnd(10)} ${rule}: ${what}${mark}\n`);
    return !isRight;
  });
  process.stdout.write(
    `rules: ${ruleTable.length} events, ${wrong.length + missing.length} not as expected\n`,
  );
  return wrong.length + missing.length;
}

async function judged(template: Template, rows: readonly RuleRow[]): Promise<readonly string[]> {
  const jars = await eventRuler();
  const judge = spawn('java', ['-cp', join(jars, '*'), JUDGE], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: JUDGE_MAX_MS,
  });
  const patternOf = ({ rule }: RuleRow) =>
    resolve(template, template.Resources[rule]!.Properties.EventPattern);
  // One that ended before is seen by its status.
  judge.stdin.on('error', () => {});
  judge.stdin.end(rows.map((row) => `${JSON.stringify([patternOf(row), row.event])}\n`).join(''));
  const [said, [status]] = await Promise.all([
    text(judge.stdout),
    once(judge, 'close') as Promise<[number | null]>,
  ]);
  const lines = said.split('\n').filter((line) => line !== '');
  if (status !== 0 || lines.length !== rows.length)
    throw new Error(`java ended with ${status} after ${lines.length} of ${rows.length} answers`);
  return lines;
}
