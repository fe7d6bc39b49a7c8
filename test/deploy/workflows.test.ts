// The workflows as text: valid, and of the same words as the code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { deadLetterFrom } from '../../shared/aws/events/dead-letter.ts';
import { orderFrom } from '../../shared/aws/step-functions/order-input.ts';
import { APPROVAL_WAIT, steps } from '../../shared/forced-failover/steps.ts';

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
  readonly ItemProcessor?: Pick<Workflow, 'States'>;
}
interface Workflow {
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, State>>;
}
/** Those within Map states, too. */
const allStates = ({ States }: Pick<Workflow, 'States'>): readonly [string, State][] =>
  Object.entries(States).flatMap(([name, state]) => [
    [name, state],
    ...(state.ItemProcessor === undefined ? [] : allStates(state.ItemProcessor)),
  ]);
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

describe('who waits for a function', () => {
  const timeoutS = Number(
    /^ {2}timeout: (\d+)$/m.exec(readFileSync(join(folder, '..', 'serverless.yml'), 'utf8'))?.[1],
  );
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');

  it('waits longer than it may take: else a failover goes on that the workflow has given up', () => {
    expect(timeoutS).toBeGreaterThan(0);
    const waits = files
      .flatMap((name) => allStates(JSON.parse(text(name))))
      .filter(([, s]) => /(RunbookFunction|lambda:invoke$)/.test(s.Resource ?? ''))
      .map(([name, s]) => [name, s.TimeoutSeconds!] as const);
    expect(waits.length).toBeGreaterThan(8);
    for (const [name, seconds] of waits) expect(seconds, name).toBeGreaterThan(timeoutS);
  });

  it.each(['departure.asl.json', 'warning.asl.json'])('%s asks again, whatever ended a step', (name) => {
    // AWS's warning comes once: an invocation that was killed, or a read that failed, must not be the end of it. Each step may run twice.
    const own = allStates(workflow(name)).filter(([, { Resource }]) => Resource === '${ReconcileFunction}');
    expect(own.length).toBeGreaterThan(0);
    for (const [state, { Retry }] of own)
      expect(Retry, state).toEqual([
        { ErrorEquals: ['States.ALL'], IntervalSeconds: 1, MaxAttempts: 4, BackoffRate: 2 },
      ]);
  });

  it('keeps a dead letter from others for as long: no one drives it twice at the same time', () => {
    const { Parameters } = workflow('redrive.asl.json').States.receive as unknown as {
      Parameters: { VisibilityTimeout: number; MaxNumberOfMessages: number };
    };
    const each = workflow('redrive.asl.json').States.each as unknown as { MaxConcurrency: number };
    expect(Parameters.MaxNumberOfMessages, 'none waits for its turn').toBeLessThanOrEqual(
      each.MaxConcurrency,
    );
    // It is read, its function runs, it is deleted.
    expect(Parameters.VisibilityTimeout).toBeGreaterThan(310 + 310 + 30);
  });

  it('refuses a reason that is blank or longer than 500 characters, and says what was found', () => {
    const input = { vip: 'web', to: 'i-0123456789abcdef0', mode: 'routes-only', by: 'b' };
    expect(orderFrom({ ...input, reason: 'x'.repeat(500) }).ok).toBe(true);
    expect(orderFrom({ ...input, reason: ' ' })).toEqual({
      ok: false,
      reasons: ['reason: found only blanks, expected words: say why, for the record'],
    });
    expect(orderFrom({ ...input, reason: 'x'.repeat(501) })).toMatchObject({
      reasons: [expect.stringMatching(/^reason: found 501 characters, expected at most 500/)],
    });
  });

  it('lets a claim be awaited for no longer than the function lives', () => {
    const input = { vip: 'web', to: 'i-0123456789abcdef0', mode: 'via-keepalived', reason: 'r', by: 'b' };
    const waits = [1, 240, 241].map((claimWaitSeconds) => orderFrom({ ...input, claimWaitSeconds }).ok);
    expect(waits).toEqual([true, true, false]);
    expect(240 + 30).toBeLessThan(timeoutS);
  });
});

describe('redrive.asl.json', () => {
  const { each } = workflow('redrive.asl.json').States as unknown as {
    each: { ItemSelector: object; ItemProcessor: Pick<Workflow, 'States'> };
  };
  const one = allStates(each.ItemProcessor);

  it('fails for no message: whatever runs for one is caught, and the message stays in the queue', () => {
    const tasks = one.filter(([, s]) => s.Type === 'Task');
    expect(tasks.map(([name]) => name).sort()).toEqual(
      ['forget', 'readLetter', 'toFailover', 'toNotice', 'toReconcile'].sort(),
    );
    for (const [name, { Catch }] of tasks)
      expect(Catch, name).toMatchObject([{ ErrorEquals: ['States.ALL'], Next: 'failedAgain' }]);
    expect(one.filter(([, s]) => s.Type === 'Fail')).toEqual([]);
  });

  it('reads nothing of a message itself: Step Functions cannot catch what goes wrong with it there', () => {
    expect(JSON.stringify(each.ItemSelector)).not.toMatch(/States\./);
    expect(JSON.stringify(one)).not.toMatch(/StringToJson|\$\.body[.[]|\$\.letter\.event[.[]/);
    for (const [name, { Type, Choices }] of one)
      if (Type === 'Choice') expect(JSON.stringify(Choices), name).toMatch(/"\$\.letter\.kind"/);
  });

  it('counts each message once, however it ends', () => {
    const ends = one.filter(([, s]) => 'End' in s) as unknown as [
      string,
      { Result: Record<string, unknown[]> },
    ][];
    expect(ends.map(([name, { Result }]) => [name, ...Object.keys(Result)])).toEqual(
      ['redriven', 'failedAgain', 'notUnderstood'].map((name) => [
        name,
        'redriven',
        'failedAgain',
        'notUnderstood',
      ]),
    );
    for (const [name, { Result }] of ends)
      expect(Object.entries(Result).filter(([, counted]) => counted.length > 0)).toEqual([[name, [1]]]);
  });

  it('knows every kind of dead letter that the function answers', () => {
    const { forWhom } = each.ItemProcessor.States as unknown as {
      forWhom: { Choices: { StringEquals: string }[]; Default: string };
    };
    const kinds = [
      JSON.stringify({ 'detail-type': 'VRRP State Change', source: 'x' }),
      JSON.stringify({ 'detail-type': 'VIP Failover Finished', source: 'vipshift.controller' }),
      JSON.stringify({ 'detail-type': 'Scheduled Event', source: 'aws.events' }),
    ].map((body) => deadLetterFrom(body).kind);
    expect(forWhom.Choices.map((c) => c.StringEquals)).toEqual(kinds);
    expect(forWhom.Default).toBe('notUnderstood');
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
    // No one goes back for not having been able to look.
    expect(after.map((name) => States[name]!.Catch![0]!.Next)).toEqual(['undo', 'undo', 'failed']);
  });

  it('waits for an approval as long as the request says', () => {
    expect(States.requestApproval!.TimeoutSeconds! * 1000).toBe(APPROVAL_WAIT);
  });
});
