// The alarm no-claims as it is deployed: sweeps of the real domain, the metrics that they put into the log, and the packaged alarm over
// these numbers. A VIP is not heard; when does someone wake?
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { logReconcileAll, metricsNamespace, type Telemetry } from '../../shared/aws/lambda/telemetry.ts';
import { handleClaim } from '../../shared/controller/handle-claim.ts';
import { reconcileAll } from '../../shared/controller/reconcile-all.ts';
import { Fault } from '../../shared/fault.ts';
import { durationMs, type EpochMs, minutes, plus, seconds } from '../../shared/time.ts';
import { newVip } from '../../shared/vip/vip.ts';
import {
  anyNode,
  change,
  entry,
  finish,
  heard,
  item,
  memberOf,
  START,
  type World,
  world,
} from '../support/world.ts';
import { type Datapoint, type State, stateOf } from './support/cloudwatch.ts';
import { packaged } from './support/packaged.ts';
import type { Template } from './support/template.ts';

let template: Template;
beforeAll(async () => {
  template = JSON.parse(await packaged('prod', { nodeIdentity: 'none' })) as Template;
});

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  const note = (line: string) =>
    void (line.startsWith('{') && lines.push(JSON.parse(line) as Record<string, unknown>));
  for (const how of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, how).mockImplementation(note);
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A stage under watch: its world, what CloudWatch was given, and when an alarm changed its state. */
class Watched {
  readonly w: World;
  readonly points = new Map<string, Datapoint[]>();
  readonly states = new Map<string, State>();
  readonly firedMs: number[] = [];
  constructor(w: World) {
    this.w = w;
  }

  /** Sweeps now, as reconcile does, and has the alarms look. */
  async sweeps(): Promise<void> {
    const journal: Telemetry = {
      logger: new Logger({ serviceName: 'vipshift' }),
      metrics: new Metrics({ namespace: metricsNamespace('prod'), serviceName: 'vipshift' }),
      byVip: false,
    };
    lines.length = 0;
    logReconcileAll(journal, await finish(this.w, reconcileAll(this.w.ports)));
    journal.metrics.publishStoredMetrics();
    for (const line of lines)
      for (const name of ['VipsUnheard', 'Reconciled'])
        if (typeof line[name] === 'number')
          this.points.set(name, [
            ...(this.points.get(name) ?? []),
            { atMs: this.w.clock.now(), value: line[name] },
          ]);
    this.looks();
  }

  looks(): void {
    for (const id of ['NoClaims', 'DeadMan']) {
      const alarm = template.Resources[id];
      if (alarm === undefined) throw new Error(`the template has no alarm ${id}`);
      const was = this.states.get(id) ?? 'INSUFFICIENT_DATA';
      const points = this.points.get(alarm.Properties.MetricName as string) ?? [];
      const is = stateOf(alarm, points, this.w.clock.now(), was);
      if (id === 'NoClaims' && is === 'ALARM' && was !== 'ALARM') this.firedMs.push(this.w.clock.now());
      this.states.set(id, is);
    }
  }

  /** So many minutes with a sweep in each; `said` happens before it. */
  async minutes(count: number, said: (minute: number) => Promise<void> = async () => {}): Promise<void> {
    for (let minute = 1; minute <= count; minute++) {
      await this.w.clock.advance(minutes(1));
      await said(minute);
      await this.sweeps();
    }
  }

  noClaims = () => this.states.get('NoClaims');
}

interface Said {
  readonly vip?: string;
  readonly foreign?: boolean;
}
/** What i-a, master since START, says at the clock's present. */
async function asserts(w: World, { vip = 'web', foreign = false }: Said = {}): Promise<void> {
  const atMs = w.clock.now() - START;
  const kind = atMs === 0 ? 'transition' : 'assertion';
  const claim = heard('i-a', { atMs, sinceMs: 0, kind, over: { vip } });
  await finish(
    w,
    handleClaim(w.ports, claim, foreign ? { mode: 'source', roleId: 'AROANOTTHEIRS' } : anyNode),
  );
}

const watchedAndHeard = async (): Promise<Watched> => {
  const watched = new Watched(world());
  await asserts(watched.w);
  await watched.minutes(3, () => asserts(watched.w));
  expect([watched.noClaims(), watched.firedMs]).toEqual(['OK', []]);
  return watched;
};

describe('someone wakes', () => {
  test.each([0, 1, 29, 59])(
    'three to four minutes after the last claim, when a sweep comes %i s after it',
    async (s) => {
      const watched = await watchedAndHeard();
      const { w } = watched;
      await asserts(w);
      const lastAt = w.clock.now();
      await w.clock.advance(seconds(s));
      await watched.sweeps();
      await watched.minutes(4);
      const [firedAt] = watched.firedMs as [EpochMs];
      expect(firedAt - lastAt).toBeGreaterThanOrEqual(minutes(3));
      expect(firedAt - lastAt).toBeLessThan(minutes(4));
      await watched.minutes(2, () => asserts(w));
      expect(watched.noClaims(), 'and sleeps again when a claim is accepted').toBe('OK');
    },
  );

  test('when every claim is rejected: a rejection is no acceptance', async () => {
    const watched = await watchedAndHeard();
    await watched.minutes(4, () => asserts(watched.w, { foreign: true }));
    expect(watched.noClaims()).toBe('ALARM');
  });

  test('when one VIP of two falls silent, and the log names it', async () => {
    const watched = await watchedAndHeard();
    const { w } = watched;
    const members = { 'i-a': memberOf('i-a') };
    w.vips.items.set('dns', { ...newVip({ ...entry, name: 'dns', eips: [] }), members });
    await watched.minutes(2, async () => {
      await asserts(w);
      await asserts(w, { vip: 'dns' });
    });
    await watched.minutes(4, () => asserts(w));
    expect(watched.noClaims()).toBe('ALARM');
    const told = lines.find((line) => line.level === 'ERROR');
    expect(told).toMatchObject({ level: 'ERROR', unheard: 1, vips: [{ vip: 'dns' }] });
  });

  test('when a VIP was registered and no one was ever heard, not within three minutes of that', async () => {
    const watched = new Watched(world());
    await watched.sweeps();
    await watched.minutes(2);
    expect(watched.firedMs).toEqual([]);
    await watched.minutes(2);
    expect(watched.firedMs).toEqual([plus(START, minutes(3))]);
  });

  test('when the sweeps that see it fail at another VIP', async () => {
    const watched = await watchedAndHeard();
    const { w } = watched;
    w.vips.items.set('dns', newVip({ ...entry, name: 'dns', eips: [] }));
    const read = w.ports.vips.read.bind(w.ports.vips);
    w.ports.vips.read = (name) =>
      name === 'dns' ? Promise.reject(new Fault('denied', 'AccessDenied', 'no')) : read(name);
    await watched.minutes(4);
    expect(watched.noClaims()).toBe('ALARM');
  });
});

describe('no one wakes', () => {
  test.each([
    ['there is no VIP', () => world().vips.items.clear()],
    ['a VIP has no members', (w: World) => change(w, { members: {} })],
    ['the VIP was removed', (w: World) => change(w, { removedAtMs: START })],
  ] as const)('when %s', async (_why, changed) => {
    const w = world([]);
    changed(w);
    const watched = new Watched(w);
    await watched.minutes(8);
    expect(watched.firedMs).toEqual([]);
  });

  test('of a VIP all of whose members stand by or withdrew: they report it once a minute', async () => {
    const w = world();
    const watched = new Watched(w);
    await watched.minutes(8, async () => {
      const atMs = w.clock.now() - START;
      for (const [node, state] of [['i-a', 'FAULT'] as const, ['i-b', 'BACKUP'] as const])
        await finish(
          w,
          handleClaim(w.ports, heard(node, { state, atMs, sinceMs: 0, kind: 'assertion' }), anyNode),
        );
    });
    expect(watched.firedMs).toEqual([]);
  });

  test('when two minutes and a half went without a claim', async () => {
    const watched = await watchedAndHeard();
    const { w } = watched;
    await watched.minutes(2);
    await w.clock.advance(seconds(30));
    await asserts(w);
    await w.clock.advance(seconds(30));
    await watched.sweeps();
    expect(watched.firedMs).toEqual([]);
  });

  test('when a stack comes back to its old tables, and the nodes are heard after the first sweep', async () => {
    const watched = await watchedAndHeard();
    const { w } = watched;
    w.clock.set(plus(w.clock.now(), minutes(24 * 60)));
    const again = new Watched(w);
    await again.sweeps();
    await again.minutes(5, () => asserts(w));
    expect(again.firedMs).toEqual([]);
  });

  test('while it is frozen', async () => {
    const watched = await watchedAndHeard();
    const { w } = watched;
    change(w, { freeze: { untilMs: plus(w.clock.now(), minutes(60)), by: 'ann', reason: 'work' } });
    await watched.minutes(8);
    expect(watched.firedMs).toEqual([]);
    expect(item(w).owner, 'and the VIP is still there').toBe('i-a');
  });
});

describe('when reconcile is dead', () => {
  test('the dead man wakes someone, and no-claims says neither that all is well nor that it is not', async () => {
    const watched = await watchedAndHeard();
    const { w } = watched;
    for (let minute = 1; minute <= 6; minute++) {
      await w.clock.advance(minutes(1));
      watched.looks();
    }
    expect([watched.states.get('DeadMan'), watched.noClaims()]).toEqual(['ALARM', 'OK']);
  });

  test('what it had found stays found', async () => {
    const watched = await watchedAndHeard();
    await watched.minutes(4);
    await watched.w.clock.advance(durationMs(10 * 60_000));
    watched.looks();
    expect([watched.states.get('DeadMan'), watched.noClaims()]).toEqual(['ALARM', 'ALARM']);
  });
});
