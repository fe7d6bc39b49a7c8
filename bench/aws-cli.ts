// The AWS CLI as scripts on nodes use it, the same one on every machine: a pinned version in a Python environment of its own,
// made when it is asked for first (needs python3 with venv, and the network that once).
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePython } from '../lab/aws/python.ts';

export interface AwsCli {
  /** What runs it, and the arguments before its own. */
  readonly program: string;
  readonly first: readonly string[];
  /** As it says itself: `aws-cli/1.45.11`. */
  readonly version: string;
}

export async function awsCli(): Promise<AwsCli> {
  const program = await ensurePython({ requirements: join(import.meta.dirname, 'requirements.txt') });
  // Not its script: that names the folder in which the environment was built, before it was moved to its place.
  const first = ['-m', 'awscli'];
  const { stdout } = await promisify(execFile)(program, [...first, '--version'], { timeout: 60_000 });
  return { program, first, version: stdout.split(' ')[0]! };
}
