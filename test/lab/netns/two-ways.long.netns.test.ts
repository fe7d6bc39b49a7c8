// The short form of `npm run lab -- two-ways`: each kind once, but for the one in which the function is killed at all of its requests.
import { describe, expect, it } from 'vitest';
import type { TwoWaysRun } from '../../../lab/two-ways/two-ways.ts';
import { runLab } from './lab-run.ts';

const MAX_MS = 600_000;

describe('by the bus alone and by both ways', () => {
  it(
    'the VIP moves by the URL where there is one, also while the bus is down, and the bus has everything in the end',
    async () => {
      const kinds = ['bus', 'both', 'ten', 'both-down'].flatMap((kind) => ['--kind', kind]);
      const run = runLab(['two-ways', '--runs', '1', '--seed', '7', '--json', ...kinds]);
      const status = await run.ended();
      const { out, err } = run.said();
      if (status !== 0 && status !== 1) throw new Error(`the lab ended with status ${status}:\n${err}`);
      const runs = JSON.parse(out) as readonly TwoWaysRun[];
      expect(runs.map(({ kind, by, broken }) => ({ kind, by, broken }))).toEqual([
        { kind: 'bus', by: 'bus', broken: [] },
        { kind: 'both', by: 'direct', broken: [] },
        { kind: 'ten', by: 'direct', broken: [] },
        { kind: 'both-down', by: 'direct', broken: [] },
      ]);
    },
    MAX_MS,
  );

  it('refuses a kind that it does not know', async () => {
    const run = runLab(['two-ways', '--kind', 'nap']);
    expect(await run.ended()).toBe(2);
    expect(run.said().err).toContain(
      '--kind is "nap", expected one of: bus, both, ten, bus-down, both-down, carrier',
    );
  });
});
