// Answers to a request for approval: a principal that may answer may send anything, and only a decision decides.
import { describe, expect, it } from 'vitest';
import { answerFrom } from '../../../shared/forced-failover/approval.ts';
import type { ExecutionState } from '../../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import type { Preflight } from '../../../shared/forced-failover/preflight.ts';
import { report } from '../../../shared/forced-failover/report.ts';
import { steps } from '../../../shared/forced-failover/steps.ts';
import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import { world } from '../../support/world.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'via-keepalived', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: true, pinMinutes: 0, claimWaitSeconds: 30 },
};
const looked: Preflight = {
  ...{ outcome: 'fit', atLeastMs: 0, before: { owner: 'i-a' } },
  ...{ reasons: [], plan: [], conflicts: [] },
};
const preflight = { ...looked, order };

describe('an answer', () => {
  it.each([
    [{ approved: true, by: 'bob' }, 'approved'],
    [{ approved: true, by: 'bob', reason: 'go', more: 1 }, 'approved'],
    [{ approved: false, by: 'bob' }, 'denied'],
    [{ approved: 'true', by: 'bob' }, 'malformed'],
    [{ approved: 1, by: 'bob' }, 'malformed'],
    [{ approved: true }, 'malformed'],
    [{ approved: true, by: '' }, 'malformed'],
    [{ approved: true, by: 'bob', reason: 7 }, 'malformed'],
    [{ approved: true, by: 'bob', reason: 'x'.repeat(500) }, 'approved'],
    [{ approved: true, by: 'bob', reason: 'x'.repeat(501) }, 'malformed'],
    [{ approved: true, by: 'bob', reason: ' ' }, 'malformed'],
    [{ approved: false, by: 'bob', reason: '' }, 'denied'],
    [{ approved: true, by: 'b'.repeat(501) }, 'malformed'],
    [{}, 'malformed'],
    [[true], 'malformed'],
    ['yes', 'malformed'],
    [null, 'malformed'],
    [true, 'malformed'],
  ])('%j is %s, and record, report and workflow agree on it', async (decision, outcome) => {
    const put: OperatorAction[] = [];
    const ports = { ...world().ports, orders: { put: async (o: OperatorAction) => void put.push(o) } };
    const history: ExecutionState = { preflight, decision };
    const asked = { execution: 'run-1', stage: 'dev', story: history };
    expect(await steps.recordDecision(ports as never, asked)).toMatchObject({ outcome });
    expect(put.map((o) => o.order)).toEqual([outcome === 'approved' ? 'approve' : 'deny']);
    const end = { outcome: outcome === 'approved' ? 'done' : 'denied' } as const;
    const { text, error, cause } = report({ ...asked, story: { ...history, end } });
    expect(text).toMatch(
      { approved: /\nApproved by bob\n/, denied: /\nDenied by bob\n/, malformed: /\nNot approved: / }[
        outcome
      ]!,
    );
    expect(error).toBe(outcome === 'approved' ? 'FailoverDone' : 'FailoverDenied');
    if (outcome === 'malformed')
      expect(cause).toMatch(/^the answer .* is no decision: .*vipshift approve or deny$/);
  });

  it('that is a decision has its three fields, and no other', () => {
    expect(answerFrom({ approved: false, by: 'bob', reason: '', more: 1 })).toEqual({
      outcome: 'denied',
      decision: { approved: false, by: 'bob', reason: '' },
    });
    const by = 'b'.repeat(500);
    expect(answerFrom({ approved: true, by })).toStrictEqual({
      outcome: 'approved',
      decision: { approved: true, by },
    });
  });

  it.each([
    [{ approved: true, by: 'bob', reason: 7 }, 'no decision: reason is 7, expected text. Order'],
    [{ approved: true, by: 'bob', reason: ' ' }, 'no decision: reason: found only blanks, expected words'],
    [{ approved: true, by: 7 }, 'no decision: by is 7, expected who answers. Order'],
    [null, 'the answer null is no decision: approved is missing'],
  ])('%j says what is wrong with it', (given, why) => {
    expect(answerFrom(given)).toEqual({ outcome: 'malformed', why: expect.stringContaining(why) });
  });

  it('that is long is shown by its beginning', () => {
    const answer = answerFrom({ approved: true, by: 'x'.repeat(5000) });
    const why = answer.outcome === 'malformed' ? answer.why : '';
    expect(why).toMatch(/^the answer \{"approved":true,"by":"x{177} is no decision: by is "x{199}, expected/);
  });

  it('that is malformed says what was found and what was expected', () => {
    expect(answerFrom({ approved: 'true' })).toEqual({
      outcome: 'malformed',
      why: 'the answer {"approved":"true"} is no decision: approved is "true", expected true or false; by is missing, expected who answers. Order it again, and answer with vipshift approve or deny',
    });
  });
});
