// A template before cfn-lint, AWS's own linter, in a Python environment of its own pinned packages.
//
// Limit: it checks a state machine's definition only as a whole, so the partition, which CloudFormation puts in, is put in
// before.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePython } from '../../../lab/aws/python.ts';

const REGIONS = 'eu-central-1';
/** As its own script does, whose first line names the folder that the environment was built in. */
const START = 'import sys; from cfnlint.runner import main; sys.exit(main())';

export interface LintFinding {
  /** `W3005 Resources/FailoverLambdaFunction/DependsOn`. */
  readonly id: string;
  readonly message: string;
}

interface Match {
  readonly Rule: { readonly Id: string };
  readonly Location: { readonly Path: readonly (string | number)[] | null };
  readonly Message: string;
}

/** Errors and warnings, those of a template that cannot be read too. */
export async function cfnLint(template: string): Promise<readonly LintFinding[]> {
  const python = await ensurePython({ requirements: join(import.meta.dirname, 'requirements.txt') });
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-lint-'));
  try {
    const file = join(folder, 'template.json');
    writeFileSync(file, template.replaceAll('arn:${Partition}:', 'arn:aws:'));
    const args = ['-c', START, '--format', 'json', '--regions', REGIONS, '--template', file];
    return (await matches(python, args)).map(({ Rule, Location, Message }) => ({
      id: `${Rule.Id} ${(Location.Path ?? []).join('/')}`,
      message: Message,
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** It ends with the sum of 2 for errors, 4 for warnings and 8 for remarks; anything else is a failure of its own. */
async function matches(python: string, args: readonly string[]): Promise<readonly Match[]> {
  const ended = await promisify(execFile)(python, [...args]).catch(
    (error: { code?: number; stdout: string; stderr: string }) => error,
  );
  const status = 'code' in ended ? ended.code : 0;
  if (status === undefined || (status & ~14) !== 0)
    throw new Error(`cfn-lint ended with ${status}: ${ended.stderr.trim().split('\n').at(-1)}`);
  return JSON.parse(ended.stdout) as readonly Match[];
}
