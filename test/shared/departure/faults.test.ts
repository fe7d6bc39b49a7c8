// A departure whose steps die at any call, are done twice, or run at the same time: in the end the node is drained once and owns nothing.
// And what each protection is for: without it the same run ends otherwise.
import { describe, expect, it } from 'vitest';
import { leaveNode, type Round } from '../../../shared/departure/leave.ts';
import { type DepartureInput, type DeparturePorts, onWarnings } from '../../../shared/departure/warned.ts';
import { Fault } from '../../../shared/fault.ts';
import { iso, minutes, plus } from '../../../shared/time.ts';
import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import { LEASE_TTL } from '../../../shared/vip/lease.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { claimOf, START, world } from '../../support/world.ts';

const NAME = 'leave-i-a-e-1';
const STARTS = plus(START, minutes(10));
const input: DepartureInput = {
  ...{ node: 'i-a', by: 'aws.ec2', why: 'system-reboot', dueAt: iso(START) },
  ...{ untilMs: plus(START, minutes(60)), startsAtMs: STARTS },
};

function stage() {
  const said = (node: string, state: 'MASTER' | 'BACKUP') => nodeStateFrom(claimOf(node, { state }), START);
  const claims = { 'i-a': said('i-a', 'MASTER'), 'i-b': said('i-b', 'BACKUP') };
  const w = world(['i-a', 'i-b'], { owner: 'i-a', claims });
  const orders: OperatorAction[] = [];
  const put = async (order: OperatorAction) => {
    if (!orders.some(({ id }) => id === order.id)) orders.push(order);
  };
  const ports: DeparturePorts = { ...w.ports, orders: { put } };
  return { ...w, ports, orders, item: async () => (await w.vips.read('web'))! };
}
type Stage = ReturnType<typeof stage>;

/** From this call on nothing answers any more; `after`: the call itself still takes effect. */
function dyingAt(
  ports: DeparturePorts,
  at: number,
  after: boolean,
): { ports: DeparturePorts; calls: number } {
  const count = { ports, calls: 0 };
  const never = new Promise<never>(() => undefined);
  const dying = <P extends object>(port: P): P =>
    Object.fromEntries(
      Object.entries(port).map(([name, call]) => [
        name,
        (...args: unknown[]) => {
          count.calls += 1;
          if (count.calls < at) return (call as (...of: unknown[]) => unknown)(...args);
          if (count.calls === at && after) void (call as (...of: unknown[]) => Promise<unknown>)(...args);
          return never;
        },
      ]),
    ) as P;
  const { vips, orders, ec2, timeline, bus } = ports;
  count.ports = {
    ...ports,
    ...{
      vips: dying(vips),
      orders: dying(orders),
      ec2: dying(ec2),
      timeline: dying(timeline),
      bus: dying(bus),
    },
  };
  return count;
}

const round = (ports: DeparturePorts, left?: Round, execution = NAME) =>
  leaveNode(ports, { execution, stage: 'prod', story: { input, ...(left && { left }) } });

/** As the workflow does: until the node owns nothing, five seconds apart. */
async function carriedOn({ ports, clock }: Stage, left?: Round, execution = NAME): Promise<Round> {
  let found = await round(ports, left, execution);
  for (let rounds = 0; found.outcome === 'leaving' && rounds < 10; rounds++) {
    await clock.advance(LEASE_TTL);
    found = await round(ports, found, execution);
  }
  return found;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function expectLeft(s: Stage): Promise<void> {
  const vip = await s.item();
  expect(vip.owner).toBe('i-b');
  expect(Object.keys(vip.drains ?? {})).toEqual(['i-a']);
  expect(vip.drains!['i-a']).toMatchObject({ departure: NAME, untilMs: input.untilMs });
  expect(s.orders.filter(({ order }) => order === 'drain').length).toBeGreaterThanOrEqual(1);
}

describe('a step that dies', () => {
  it('at any of its calls, before or after its effect, is done again', async () => {
    const whole = dyingAt(stage().ports, Number.MAX_SAFE_INTEGER, false);
    await round(whole.ports);
    expect(whole.calls).toBeGreaterThan(8);
    for (let at = 1; at <= whole.calls; at++)
      for (const after of [false, true]) {
        const s = stage();
        void round(dyingAt(s.ports, at, after).ports);
        await settled();
        await s.clock.advance(LEASE_TTL);
        expect((await carriedOn(s)).outcome, `call ${at}`).toBe('left');
        await expectLeft(s);
      }
  });

  it('next to another of the same execution, drains once and moves once', async () => {
    const s = stage();
    await Promise.all([round(s.ports), round(s.ports)]);
    expect((await carriedOn(s)).outcome).toBe('left');
    await expectLeft(s);
    expect(s.published).toHaveLength(1);
  });
});

describe('what each protection is for', () => {
  it('the name: under another one for each event, a doubled warning is on record twice', async () => {
    const records = async (names: readonly string[]) => {
      const s = stage();
      const started = new Set<string>();
      for (const name of names) {
        if (started.has(name)) continue;
        started.add(name);
        await carriedOn(s, undefined, name);
        await s.vips.write(await s.item(), { ...(await s.item()), drains: {} });
      }
      return s.orders.length;
    };
    const event = () =>
      onWarnings(stage().ports, 'aws.ec2', [
        { kind: 'maintenance', node: 'i-a', code: 'c', degraded: true, startsAtMs: STARTS, over: false },
      ]);
    const names = (await Promise.all([event(), event()])).map(({ departures }) => departures[0]!.name);
    expect(await records(names)).toBe(1);
    expect(await records(names.map((name, n) => `${name}-${n}`))).toBe(2);
  });

  it('the end of its drain: without one the node is never a target again', async () => {
    const s = stage();
    await carriedOn(s);
    const atEnd = async () => {
      const { drains = {} } = await s.item();
      return Object.values(drains).every(({ untilMs }) => untilMs <= plus(START, minutes(60)));
    };
    expect(await atEnd()).toBe(true);
    await leaveNode(s.ports, {
      ...{ execution: 'forever', stage: 'prod' },
      story: { input: { ...input, untilMs: Number.MAX_SAFE_INTEGER } },
    });
    expect(await atEnd()).toBe(false);
  });

  it('the look at what is completed: without it a node leaves for nothing', async () => {
    const ends = async (isAsked: boolean) => {
      const s = stage();
      const over = { node: 'i-a', code: 'system-reboot', description: '[Completed] reboot' };
      s.ec2.scheduled.push({ ...over, notBeforeMs: STARTS });
      const blind = () => Promise.reject(new Fault('throttled', 'Throttled', 'no'));
      const ec2 = isAsked ? s.ports.ec2 : { ...s.ports.ec2, scheduledEvents: blind };
      return (await round({ ...s.ports, ec2 })).outcome;
    };
    expect([await ends(true), await ends(false)]).toEqual(['over', 'left']);
  });
});
