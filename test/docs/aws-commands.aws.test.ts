// Every `aws` command of the pages is one that the AWS CLI has, with options that it takes: a page that is followed at night must not end in
// a usage message.
import { beforeAll, describe, expect, it } from 'vitest';
import { awsProblems } from './aws-cli.ts';
import { code, pages } from './pages.ts';

/** The words of each `aws` command of a line, options without their values. */
function commandsIn(line: string): readonly (readonly string[])[] {
  return [...line.matchAll(/(?:^|[^\w/.-])aws ([a-z][a-z0-9-]*) ([a-z][a-z0-9-]*)((?:[^|;]|\|\|)*)/g)].map(
    ([, service, operation, rest]) => {
      const unquoted = rest!.replace(/'[^']*'/g, '').replace(/"[^"]*"/g, '');
      const own = unquoted.split(/&&|\)|#|>/)[0]!;
      const words = own.split(/\s+/).filter((word) => /^--?[a-z]|^[a-z-]+$/.test(word));
      return [service!, operation!, ...words];
    },
  );
}

describe('the `aws` commands of the pages', () => {
  const found = pages.flatMap((page) =>
    code(page).flatMap((line) => commandsIn(line).map((words) => ({ page, words }))),
  );
  let problems: readonly (string | null)[];
  beforeAll(async () => {
    problems = await awsProblems(found.map(({ words }) => words));
  });

  it('are a good many', () => expect(found.length).toBeGreaterThan(60));

  it('are the AWS CLI’s, with options that it takes', () => {
    const wrong = found.flatMap(({ page, words }, at) =>
      problems[at] === null ? [] : [`${page}: aws ${words.join(' ')}: ${problems[at]}`],
    );
    expect(wrong).toEqual([]);
  });

  it('would be found if they were not', async () => {
    const lines = [
      'aws ec2 replace-routes --route-table-id rtb-1',
      'aws ec2 replace-route --table rtb-1',
      'aws ec3 describe-vpcs',
      'aws ec2 wait instance-ready',
      'for t in $(aws ec2 describe-route-tables --filter x --output text); do',
    ];
    expect(await awsProblems(lines.flatMap(commandsIn))).toEqual([
      'ec2 has no replace-routes',
      'replace-route has no --table',
      'no service ec3',
      'nothing to wait for: instance-ready',
      'describe-route-tables has no --filter',
    ]);
  });
});
