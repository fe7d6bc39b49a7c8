// Nodes of which AWS warns, and drains, under load: the stories of lab/scenarios/leaving, and the short form of `npm run lab -- departures`.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Departure } from '../../../lab/departures/departures.ts';
import type { ScenarioResult } from '../../../lab/netns/scenario/run-scenario.ts';
import { runLab } from './lab-run.ts';

const STORIES = [
  ...['spot-warning', 'spot-warning-hold-master', 'both-warned', 'both-warned-hold-master'],
  ...['last-warned', 'frozen-warned', 'drain-undrain', 'drain-undrain-hold-master'],
] as const;
const MAX_MS = 600_000;

async function told<Result>(...args: readonly string[]): Promise<readonly Result[]> {
  const run = runLab([...args, '--json']);
  const status = await run.ended();
  const { out, err } = run.said();
  // 1 is a broken story, which its own test tells.
  if (status !== 0 && status !== 1) throw new Error(`the lab ended with status ${status}:\n${err}`);
  return JSON.parse(out) as Result[];
}

describe('a node that is to go, under load', () => {
  let results: readonly ScenarioResult[] = [];
  beforeAll(async () => {
    results = await told(...STORIES.flatMap((name) => ['--scenario', name]));
  }, MAX_MS);

  it.each(STORIES)('%s', (name) => {
    const found = results.find(({ scenario }) => scenario === name);
    expect(found?.broken).toEqual([]);
  });
});

describe('with delays like those of AWS', () => {
  it(
    'neither the node alone nor the cloud alone loses a connection with hold both',
    async () => {
      const kinds = ['node', 'event', 'listed'].flatMap((kind) => ['--kind', kind]);
      const runs = await told<Departure>('departures', '--runs', '1', '--hold', 'both', ...kinds);
      expect(runs.map(({ kind, broken }) => ({ kind, broken }))).toEqual([
        { kind: 'node', broken: [] },
        { kind: 'event', broken: [] },
        { kind: 'listed', broken: [] },
      ]);
      for (const { movedMs } of runs) expect(movedMs).toBeGreaterThan(1_500);
    },
    MAX_MS,
  );

  it('refuses a kind that it does not know', async () => {
    const run = runLab(['departures', '--kind', 'nap']);
    expect(await run.ended()).toBe(2);
    expect(run.said().err).toContain('--kind is "nap", expected one of: node, event, listed, both, dead');
  });
});
