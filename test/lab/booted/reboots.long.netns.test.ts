// The short form of `npm run lab -- reboots`: the master of two booted nodes leaves as planned, with delays like those of AWS.
import { expect, it } from 'vitest';
import { resolverNames } from '../../../lab/booted/node-files.ts';
import type { OrderedStop } from '../../../lab/booted/reboots.ts';
import { runLab } from '../netns/lab-run.ts';

const MAX_MS = 400_000;
/** Longer than a failover takes on a machine that is busy with other tests. */
const LINGER = ['--linger', '15'];
/** Where the machine is that busy, single connections take longer than the client waits; a service that is gone loses hundreds. */
const LOST_MAX = 20;

const isClean = ({ stops, refused, lost, isServingFirst }: OrderedStop): boolean =>
  stops === 1 && refused === 0 && lost <= LOST_MAX && isServingFirst !== false;

async function stops(...args: string[]): Promise<readonly OrderedStop[]> {
  const run = runLab(['reboots', '--json', ...LINGER, ...args]);
  const status = await run.ended();
  const { out, err } = run.said();
  // 1 is a stop that was not clean, which the test tells.
  if (status !== 0 && status !== 1) throw new Error(`the lab ended with status ${status}:\n${err}`);
  return JSON.parse(out) as OrderedStop[];
}

it(
  'a reboot is a planned stop, whatever the node resolves names by: the STOP is on the bus, and no connection is refused or lost',
  async () => {
    const found = await stops('--kind', 'reboot', '--order', 'with', '--runs', String(resolverNames.length));
    expect(found.map(({ resolver }) => resolver)).toEqual(resolverNames);
    expect(found.filter((stop) => !isClean(stop))).toEqual([]);
  },
  MAX_MS,
);

it(
  'so are a poweroff and a stop of keepalived; without the order of the units a poweroff is none',
  async () => {
    const found = await stops('--kind', 'poweroff', '--kind', 'stop', '--runs', '1');
    const kinds = (ones: readonly OrderedStop[]) => ones.map(({ order, kind }) => `${kind} ${order}`);
    const [clean, cut] = [found.filter(isClean), found.filter((stop) => !isClean(stop))];
    expect(kinds(clean)).toEqual(expect.arrayContaining(['poweroff with', 'stop with']));
    expect(kinds(cut)).toContain('poweroff without');
    expect(cut.find(({ kind }) => kind === 'poweroff')!.refused).toBeGreaterThan(LOST_MAX);
  },
  MAX_MS,
);

it('refuses a kind that it does not know', async () => {
  const run = runLab(['reboots', '--kind', 'nap']);
  expect(await run.ended()).toBe(2);
  expect(run.said().err).toContain('--kind is "nap", expected one of: reboot, poweroff, stop');
});
