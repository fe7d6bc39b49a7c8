// A mistake in our own code, thrown by a port in the middle of a switch: it is not repeated, it stands in the record by its
// name, and everything else goes on.
import { describe, expect, it, test } from 'vitest';
import type { Ec2 } from '../../../shared/network/ec2.ts';
import { executeSteps } from '../../../shared/switch/execute.ts';
import { heldLease } from '../../../shared/switch/held-lease.ts';
import { type Ports, switchVip, take } from '../../../shared/switch/switch-vip.ts';
import { durationMs, plus, seconds } from '../../../shared/time.ts';
import { foldFaults } from '../../../shared/timeline/fold-faults.ts';
import { isLive, RENEW_BELOW } from '../../../shared/vip/lease.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import {
  AFTER_LEASE,
  claimOf,
  finish,
  item,
  memberOf,
  outcomesOf,
  routeTo,
  START,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const A = memberOf('i-a');
const B = memberOf('i-b');
const cause = { kind: 'order', why: 'test', atMs: START } as const;
const broken = () => new TypeError('Cannot read properties of undefined');
const CELL = `rtb-2 ${V4}`;

/** Node a is elected, all four routes go to b. */
function moving(over: Partial<Vip> = {}): World {
  const w = world();
  for (const n of [1, 2, 3, 4]) routeTo(w, `rtb-${n}`, V4, { target: B.eni });
  const claims = { 'i-a': nodeStateFrom(claimOf('i-a'), START) };
  w.vips.items.set('web', { ...item(w), addresses: [V4], eips: [], owner: 'i-b', claims, ...over });
  return w;
}

async function switched(w: World, over: Partial<Ports> = {}) {
  const ports: Ports = { ...w.ports, ...over };
  const taken = (await take(ports, item(w), item(w), cause))!;
  const observing = ports.ec2.observe(taken);
  observing.catch(() => undefined);
  return finish(w, switchVip(ports, taken, observing, []));
}

/** Breaks the call for one cell: before it asks to start, or when it reads the reply to what EC2 has carried out. */
function breaking(w: World, when: 'before' | 'after'): { ec2: Ec2; calls: string[] } {
  const calls: string[] = [];
  const apply: Ec2['apply'] = async (step, mayStart) => {
    calls.push(step.cell);
    if (step.cell === CELL && when === 'before') throw broken();
    await w.ec2.apply(step, mayStart);
    if (step.cell === CELL) throw broken();
  };
  return { ec2: { ...w.ec2, apply }, calls };
}

describe('a bug in one call of one step', () => {
  it('before anything was sent: is not repeated, not by the read-back either, and the other cells are moved', async () => {
    const w = moving();
    const { ec2, calls } = breaking(w, 'before');
    const { failovers, faults } = await switched(w, { ec2 });
    expect(calls.filter((cell) => cell === CELL)).toEqual([CELL]);
    const [told] = failovers;
    expect(told).toMatchObject({ outcome: 'partial', verified: false });
    expect(told!.steps.filter((s) => s.cell !== CELL).map((s) => s.result)).toEqual(['done', 'done', 'done']);
    expect(told!.steps.find((s) => s.cell === CELL)).toMatchObject({
      ...{ result: 'unsent', attempts: 0, unanswered: 0, code: 'TypeError', fault: 'bug' },
    });
    expect(told!.notes).toContain('1 × TypeError, a bug in vipshift: Cannot read properties of undefined');
    expect(outcomesOf(w)).toEqual(failovers);
    expect(faults.map(({ kind, code }) => [kind, code])).toEqual([['bug', 'TypeError']]);
    expect(item(w).lease, 'released like after every other failure').toBeUndefined();
  });

  it('after the request went out: it may have had its effect, once; what is read back decides', async () => {
    const w = moving();
    const { ec2, calls } = breaking(w, 'after');
    const { failovers, faults } = await switched(w, { ec2 });
    expect(calls.filter((cell) => cell === CELL)).toEqual([CELL]);
    expect(failovers[0]!.steps.find((s) => s.cell === CELL)).toMatchObject({
      ...{ result: 'done', attempts: 1, unanswered: 1, code: 'TypeError', fault: 'bug' },
    });
    expect(failovers[0], 'EC2 shows it').toMatchObject({ outcome: 'switched', verified: true });
    expect(failovers[0]!.notes, 'and the record does not hide it').toContain(
      '1 × TypeError, a bug in vipshift: Cannot read properties of undefined',
    );
    expect(faults).toHaveLength(1);
  });

  it('is handed over once for each step that it ended, also where only the read-back sends it', async () => {
    const w = moving();
    let sends = 0;
    const apply: Ec2['apply'] = async (step, mayStart) => {
      if (step.cell === CELL && ++sends === 2) throw broken();
      await w.ec2.apply(step, mayStart);
      // Someone's late request overwrites it.
      if (step.cell === CELL) routeTo(w, 'rtb-2', V4, { target: 'eni-i-c-service' });
    };
    w.ec2.enis.set('eni-i-c-service', { ...w.ec2.enis.get(B.eni)!, eni: 'eni-i-c-service' });
    w.vips.items.set('web', { ...item(w), wrote: ['eni-i-c-service'] });
    const { faults } = await switched(w, { ec2: { ...w.ec2, apply } });
    expect([sends, faults.map((f) => f.kind)]).toEqual([2, ['bug']]);
  });
});

describe('a bug next to the steps', () => {
  it('in the describes: they are not asked again, and the stored view serves', async () => {
    const w = moving();
    await w.vips.keepView('web', await w.ec2.observe(item(w)));
    let describes = 0;
    const observe: Ec2['observe'] = (scope) => {
      describes += 1;
      return describes === 1 ? Promise.reject(broken()) : w.ec2.observe(scope);
    };
    const { failovers } = await switched(w, { ec2: { ...w.ec2, observe } });
    expect(failovers[0]).toMatchObject({ outcome: 'switched' });
    expect(describes, 'the second one reads back').toBe(2);
  });

  it('in the describes, without a stored view: the failover has failed, and says why', async () => {
    const w = moving();
    let describes = 0;
    const observe: Ec2['observe'] = () => {
      describes += 1;
      return Promise.reject(broken());
    };
    const { failovers } = await switched(w, { ec2: { ...w.ec2, observe } });
    expect([describes, failovers[0]!.outcome]).toEqual([1, 'failed']);
    expect(failovers[0]!.notes).toContain('describe failed: Cannot read properties of undefined');
  });

  it('in the record: the outcome is put once, and the lease is left to run out', async () => {
    const w = moving();
    let puts = 0;
    const put: World['timeline']['put'] = (entry) => {
      if (entry.entry === 'intent') return w.timeline.put(entry);
      puts += 1;
      return Promise.reject(broken());
    };
    const { faults } = await switched(w, { timeline: { ...w.timeline, put } });
    expect([puts, faults.map((f) => f.kind)]).toEqual([1, ['bug']]);
    expect(isLive(item(w).lease, w.clock.now())).toBe(true);
  });

  it('in the renewal: it is not asked for again, and the lease runs on as it is', async () => {
    const w = moving();
    const lease = { holder: 'me', epoch: 1, expiresAtMs: AFTER_LEASE, cause };
    let asked = 0;
    const renew: World['vips']['renew'] = () => {
      asked += 1;
      return Promise.reject(broken());
    };
    const mine = heldLease('web', lease, { ...w.vips, renew }, w.ports);
    w.clock.set(plus(AFTER_LEASE, durationMs(0 - RENEW_BELOW)));
    await mine.renewIfDue();
    await mine.renewIfDue();
    expect([asked, mine.isStillNeeded(), mine.mayStart()]).toEqual([1, true, true]);
  });

  it('in the renewal’s own question: the caller that asked for the renewal learns of it', async () => {
    const w = moving();
    const lease = { holder: 'me', epoch: 1, expiresAtMs: AFTER_LEASE, cause };
    const vip = (await w.vips.write(item(w), { ...item(w), epoch: 1, lease }))!;
    const mine = heldLease('web', vip.lease!, w.vips, w.ports);
    mine.watch(() => {
      throw broken();
    });
    w.clock.set(plus(AFTER_LEASE, durationMs(0 - RENEW_BELOW)));
    const step = {
      call: 'CreateRoute',
      cell: CELL,
      from: 'nothing',
      table: 'rtb-2',
      destination: V4,
      eni: A.eni,
    } as const;
    const { steps, bugs } = await finish(w, executeSteps(w.ports, mine, [step]));
    expect(steps[0]).toMatchObject({ result: 'unsent', fault: 'bug' });
    expect(bugs).toHaveLength(1);
    expect(item(w).lease!.expiresAtMs, 'it was renewed').toBeGreaterThan(plus(AFTER_LEASE, seconds(1)));
  });
});

test('a bug and a refusal in the same words are two notes, and one of a step that was done after all is told', () => {
  const step = { cell: 'c', call: 'CreateRoute', from: 'a', to: 'b', attempts: 1, unanswered: 0 } as const;
  const { notes } = foldFaults([
    { ...step, result: 'unknown', code: 'TypeError', message: 'x', fault: 'bug' },
    { ...step, result: 'failed', code: 'TypeError', message: 'x' },
    { ...step, result: 'done', code: 'TypeError', message: 'x', fault: 'bug' },
    { ...step, result: 'done', code: 'InternalError', message: 'y' },
    { ...step, result: 'unknown', code: 'TypeError', message: 'x', fault: 'bug' },
  ]);
  expect(notes).toEqual([
    '2 × TypeError, a bug in vipshift; the first: x',
    '1 × TypeError: x',
    '1 × TypeError, a bug in vipshift: x',
  ]);
});
