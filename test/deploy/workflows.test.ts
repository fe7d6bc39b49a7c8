// The workflows as text: valid, and of the same words as the code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { APPROVAL_WAIT, steps } from '../../shared/runbook.ts';

const folder = join(import.meta.dirname, '..', '..', 'runbook');
const files = readdirSync(folder).filter((name) => name.endsWith('.asl.json'));

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly Next: string; readonly ErrorEquals: readonly string[] }[];
  readonly TimeoutSeconds?: number;
  readonly Retry?: unknown;
}
interface Workflow {
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, State>>;
}
/** As DefinitionSubstitutions leave it. */
const deployed = (name: string): unknown =>
  JSON.parse(
    readFileSync(join(folder, name), 'utf8')
      .replaceAll('${Partition}', 'aws')
      .replaceAll(
        '${RunbookFunction}',
        'arn:aws:lambda:eu-central-1:111122223333:function:vipshift-prod-runbook',
      ),
  );
const workflow = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Workflow;

describe.each(files)('%s', (name) => {
  it('has no null in it: CloudFormation takes none, also not as a ResultPath', () => {
    expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/: null\b/);
  });

  it('is valid, and ends by itself', () => {
    const { isValid, errors } = aslValidator(deployed(name));
    expect([isValid, errors]).toEqual([true, []]);
    expect(workflow(name).TimeoutSeconds).toBeGreaterThan(0);
    for (const [state, { Type, TimeoutSeconds }] of Object.entries(workflow(name).States))
      if (Type === 'Task') expect(TimeoutSeconds, state).toBeGreaterThan(0);
  });
});

describe('failover.asl.json', () => {
  const { States } = workflow('failover.asl.json');

  it('has a step of the same name for every state that runs code, and a state for every step', () => {
    const running = Object.entries(States).filter(([, s]) =>
      JSON.stringify(s).includes('${RunbookFunction}'),
    );
    expect(running.map(([name]) => name).sort()).toEqual(Object.keys(steps).sort());
  });

  it('catches every fault: none leaves a half-done failover without its way back and its message', () => {
    for (const [name, state] of Object.entries(States))
      if (state.Type === 'Task') expect(state.Catch?.at(-1)?.ErrorEquals, name).toEqual(['States.ALL']);
    const after = ['awaitClaim', 'switchVip', 'verify'];
    expect(after.map((name) => States[name]!.Catch![0]!.Next)).toEqual(['undo', 'undo', 'undo']);
  });

  it('waits for an approval as long as the request says', () => {
    expect(States.requestApproval!.TimeoutSeconds! * 1000).toBe(APPROVAL_WAIT);
  });
});
