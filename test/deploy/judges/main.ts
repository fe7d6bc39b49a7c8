// `npm run judges`: the table of questions and all that a deployment asks before both judges, and every rule pattern before AWS's own rule
// engine, over the template as it is packaged.
//
// Exit status: 0 all as expected, 1 a judge found otherwise, 3 a judge could not be fetched or a program is missing.
import { deployerPolicies, whatADeploymentAsks } from '../deployer/policies.ts';
import { packaged } from '../support/packaged.ts';
import { evaluate } from '../support/policy.ts';
import { roleArn } from '../support/resolve.ts';
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

/** Of those only what is not allowed is printed: they are hundreds. */
async function deployerReport(): Promise<number> {
  const judge = await iamJudge();
  const policies = Object.values(deployerPolicies());
  const principal = { arn: roleArn('deployer'), userid: 'AROADEPLOYER:session', policies };
  const { questions } = await whatADeploymentAsks();
  let wrong = 0;
  for (const question of questions) {
    const { action, resources, context = {} } = question;
    const things = resources.map((arn) => ({ arn, keys: {} }));
    const verdicts = [
      evaluate(policies, question),
      await judge({ principal, action, things, context }),
    ] as const;
    if (verdicts.every((verdict) => verdict === 'allowed')) continue;
    wrong += 1;
    process.stdout.write(`${columns('allowed', ...verdicts, `deployer ${action} ${resources.join(' ')}`)}\n`);
  }
  process.stdout.write(`deployer: ${questions.length} questions, two judges: ${wrong} not as expected\n`);
  return wrong;
}

const columns = (...[expected, ours, other, question]: readonly [string, string, string, string]): string =>
  `${expected.padEnd(18)} ${ours.padEnd(18)} ${other.padEnd(18)} ${question}`;

try {
  const template = JSON.parse(await packaged('prod', PARAMS)) as Template;
  const wrong = (await policyReport(template)) + (await deployerReport()) + (await ruleReport(template));
  process.exitCode = wrong === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof NotFetchedError)) throw error;
  process.stderr.write(`judges: ${error.message}\n`);
  process.exitCode = 3;
}
