// `npm run judges`: the table of questions before both judges, and every rule pattern before AWS's own rule engine, over the template as it
// is packaged.
//
// Exit status: 0 all as expected, 1 a judge found otherwise, 3 a judge could not be fetched or a program is missing.
import { packaged } from '../support/packaged.ts';
import type { Template } from '../support/template.ts';
import { iamJudge } from './iam-judge.ts';
import { NotFetchedError } from './pinned.ts';
import { PARAMS } from './principals.ts';
import { caseOf, isHonest, ourVerdict, textOf } from './question.ts';
import { ruleReport } from './rule-report.ts';
import { table } from './table.ts';

async function policyReport(template: Template): Promise<number> {
  const judge = await iamJudge();
  process.stdout.write(`${columns('EXPECTED', 'OURS', 'OTHER', 'QUESTION')}\n`);
  let wrong = 0;
  for (const row of table) {
    const asked = caseOf(template, row);
    const [ours, other] = [ourVerdict(asked), await judge(asked)];
    const isRight = ours === row.expected && other === (row.other?.expected ?? row.expected);
    if (!isRight) wrong += 1;
    const remark = row.other === undefined ? '' : ` (${row.other.why})`;
    process.stdout.write(
      `${columns(row.expected, ours, other, textOf(row))}${remark}${isRight ? '' : '  <- not as expected'}\n`,
    );
  }
  const honest = table.filter(isHonest).length;
  process.stdout.write(
    `policies: ${table.length} questions, ${honest} of honest parties, two judges: ${wrong} not as expected\n`,
  );
  return wrong;
}

const columns = (...[expected, ours, other, question]: readonly [string, string, string, string]): string =>
  `${expected.padEnd(18)} ${ours.padEnd(18)} ${other.padEnd(18)} ${question}`;

try {
  const template = JSON.parse(await packaged('prod', PARAMS)) as Template;
  const wrong = (await policyReport(template)) + (await ruleReport(template));
  process.exitCode = wrong === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof NotFetchedError)) throw error;
  process.stderr.write(`judges: ${error.message}\n`);
  process.exitCode = 3;
}
