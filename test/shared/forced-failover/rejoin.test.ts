// When a demoted master may stand by again, and what a person reads about it.
import { describe, expect, it, test } from 'vitest';
import type { ExecutionState } from '../../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { awaitRelease, judgeRelease, SETTLE } from '../../../shared/forced-failover/rejoin.ts';
import { report } from '../../../shared/forced-failover/report.ts';
import { minutes, plus, seconds } from '../../../shared/time.ts';
import type { VrrpState } from '../../../shared/vip/claim.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { change, finish, item, owned, START, says, type World } from '../../support/world.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'via-keepalived', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: false, pinMinutes: 0, claimWaitSeconds: 30 },
};

/** Node a was demoted, b has taken over. */
async function handedOver(priorityOfB = 253): Promise<World> {
  const w = await owned();
  await says(w, 'i-a', { state: 'FAULT', priority: 254 });
  await says(w, 'i-b', { priority: priorityOfB });
  await w.clock.advance(seconds(10));
  return w;
}

describe('a demoted master', () => {
  const pin = { node: 'i-b', by: 'x', reason: 'r', untilMs: plus(START, minutes(9)) };
  interface Given {
    readonly order?: Partial<FailoverOrder>;
    readonly vip?: Partial<Vip>;
    /** Of the demoted master. */
    readonly priority?: number;
  }
  const judged = async (given: Given) => {
    const w = await handedOver();
    const was = { node: 'i-a', priority: given.priority };
    return judgeRelease({ ...item(w), ...given.vip }, { ...order, ...given.order }, was, w.clock.now());
  };

  it.each([
    ['does not outrank the new one', { priority: 253 }, 'release'],
    ['is pinned away, and the address lies on both nodes', { vip: { pin }, priority: 254 }, 'release'],
    ['outranks the new one: it would take the VIP back unless it has nopreempt', { priority: 254 }, 'keep'],
    [
      'is pinned away, and keepalived would take the address off the new one',
      { vip: { pin, hold: 'master' }, priority: 254 },
      'keep',
    ],
    ['is pinned away until now only', { vip: { pin: { ...pin, untilMs: START } }, priority: 254 }, 'keep'],
    ['never reported with a priority', {}, 'keep'],
    [
      'outranks, and the order says now: who gives it knows of nopreempt',
      { order: { release: 'now' }, priority: 254 },
      'release',
    ],
    [
      'does not outrank, and the order says by-hand',
      { order: { release: 'by-hand' }, priority: 100 },
      'keep',
    ],
  ] as const)('that %s', async (_, given, outcome) => {
    expect(await judged(given)).toMatchObject({ outcome, why: expect.stringMatching(/.{5}/) });
  });
});

describe('after the release', () => {
  const awaited = async (w: World, after?: { readonly s: number; readonly state: VrrpState }) => {
    const waiting = awaitRelease(w.ports, order, 'i-a');
    if (after !== undefined) {
      await w.clock.advance(seconds(after.s));
      await says(w, 'i-a', { state: after.state, priority: 254 });
    }
    const found = await finish(w, waiting);
    return [found.outcome, w.clock.now()] as const;
  };

  test('it is standby when it has reported it and did not take the VIP back for a while', async () => {
    const w = await handedOver();
    const began = w.clock.now();
    const [outcome, endedAtMs] = await awaited(w, { s: 2, state: 'BACKUP' });
    expect(outcome).toBe('stands-by');
    expect(endedAtMs - began).toBeGreaterThanOrEqual(2000 + SETTLE);
    expect(endedAtMs - began, 'and not a look longer').toBeLessThan(4000 + SETTLE);
  });

  test('keepalived that preempts is found out', async () => {
    expect((await awaited(await handedOver(), { s: 3, state: 'MASTER' }))[0]).toBe('taken-back');
  });

  test('its MASTER is no taking back while a pin keeps the VIP', async () => {
    const w = await handedOver();
    change(w, { pin: { node: 'i-b', by: 'x', reason: 'r', untilMs: plus(w.clock.now(), minutes(5)) } });
    expect((await awaited(w, { s: 3, state: 'MASTER' }))[0]).toBe('stands-by');
  });

  test('it is waited for no longer than 20 s when it says nothing', async () => {
    const w = await handedOver();
    const began = w.clock.now();
    const [outcome, endedAtMs] = await awaited(w);
    expect([outcome, endedAtMs - began < 22_000]).toEqual(['unheard', true]);
  });
});

describe('the message', () => {
  const command = { commandId: 'c' };
  const told = (history: Partial<ExecutionState>, outcome: 'done' | 'failed' = 'done') => {
    const preflight = {
      before: { owner: 'i-a', priority: 254 },
      order,
      reasons: [],
    } as unknown as ExecutionState['preflight'];
    const whole = { preflight, end: { outcome }, ...history } as ExecutionState;
    return report({ execution: 'x', stage: 'prod', story: whole }).text;
  };
  const send =
    'aws ssm send-command --document-name vipshift-prod-hand-over --instance-ids i-a --parameters Vip=web,Demoted=0';

  it('has the command where no one stands by, and says why', () => {
    const text = told({ demoted: command, release: { outcome: 'keep', why: 'i-a outranks i-b' } });
    expect(text).toContain('Still demoted: i-a (i-a outranks i-b). There is no standby until');
    expect(text).toContain(send);
  });

  it('has it, too, when the release could not be sent, and when no one knows what SSM did', () => {
    const release = { outcome: 'release', why: 'ordered so' } as const;
    expect(told({ demoted: command, release })).toContain(send);
    expect(told({ restoreError: {} }, 'failed')).toContain(`Perhaps demoted: i-a. Raise it:\n  ${send}`);
  });

  it.each([
    [{ demoted: command, promoted: command }, 'failed', 'Raised again: i-a'],
    [released('stands-by'), 'done', 'Released: i-a stands by again (ordered so)'],
    [
      released('unheard'),
      'done',
      'Released: i-a, which has not reported it: w. Check there: vipshift-notify status',
    ],
    [released('taken-back'), 'failed', 'Released: i-a took the VIP back. Pin the VIP'],
  ] as const)('%#: of one that is up again needs no command', (history, outcome, line) => {
    expect(told(history, outcome)).toContain(line);
    expect(told(history, outcome)).not.toContain('send-command');
  });

  it('gives keepalived’s taking back as the reason of a failure', () => {
    expect(told(released('taken-back'), 'failed')).toContain(
      'Reason: keepalived took it back after the release: w',
    );
  });

  it('says where to look when no claim came: the command may have found no file to write to', () => {
    const awaited = { outcome: 'missing', why: 'no claim within 30 s' };
    const text = told({ demoted: command, promoted: command, awaited }, 'failed');
    expect(text).toContain('aws ssm get-command-invocation --command-id c --instance-id i-a');
    expect(told({ demoted: command, promoted: command }, 'failed')).not.toContain('get-command-invocation');
  });

  it('says nothing of it where no one was demoted', () => {
    expect(told({})).not.toMatch(/demoted|Released|Raised/);
  });

  function released(outcome: 'stands-by' | 'unheard' | 'taken-back'): Partial<ExecutionState> {
    const release = { outcome: 'release', why: 'ordered so' } as const;
    return { demoted: command, release, released: command, stoodBy: { outcome, why: 'w' } };
  }
});
