import { beforeAll, describe, expect, it } from 'vitest';
import type { ScenarioResult } from '../../../lab/netns/scenario/run-scenario.ts';
import { runLab } from './lab-run.ts';

const SHORT = [
  ...['host-dies', 'clean-stop', 'partition-heals', 'transient-master', 'eip-client'],
  ...['hand-over-by-runbook', 'hand-over-fails'],
] as const;

describe('real keepalived, the real shim and real packets against the deployed service', () => {
  let results: readonly ScenarioResult[] = [];

  beforeAll(async () => {
    const run = runLab(['--json', ...SHORT.flatMap((name) => ['--scenario', name])]);
    const status = await run.ended();
    const { out, err } = run.said();
    // 1 is a broken scenario, which its own test tells; anything else is a lab that could not run.
    if (status !== 0 && status !== 1) throw new Error(`npm run lab ended with status ${status}:\n${err}`);
    results = JSON.parse(out) as ScenarioResult[];
  }, 240_000);

  const named = (name: string): ScenarioResult => {
    const found = results.find(({ scenario }) => scenario === name);
    if (found === undefined) throw new Error(`the lab reported no scenario ${name}`);
    return found;
  };

  it('moves the VIP when the host of the master dies, and explains the outage part by part', () => {
    const { broken, parts, timeline } = named('host-dies');
    expect(broken).toEqual([]);
    expect(Object.values(parts ?? {}).every((part) => typeof part === 'number')).toBe(true);
    expect(timeline?.outcome).toBe('switched');
  });

  it('refuses and loses no new connection when the master is stopped as planned, the address on both nodes', () => {
    const { broken, refused, lost } = named('clean-stop');
    expect(broken).toEqual([]);
    expect({ refused, lost }).toEqual({ refused: 0, lost: 0 });
  });

  it('gives the VIP back after a partition to the master that never left and never spoke', () => {
    expect(named('partition-heals').broken).toEqual([]);
  });

  it('gives the VIP back after a transient master stole it', () => {
    expect(named('transient-master').broken).toEqual([]);
  });

  it('hands over by the runbook, whose SSM document pulls real keepalived’s tracked file, and releases the old master', () => {
    const { broken, refused, lost } = named('hand-over-by-runbook');
    expect(broken).toEqual([]);
    expect({ refused, lost }).toEqual({ refused: 0, lost: 0 });
  });

  it('raises the old master again when no claim comes: the file is back at 0 and nothing has moved', () => {
    expect(named('hand-over-fails').broken).toEqual([]);
  });

  it('moves the Elastic IP along: a client on the Internet reaches the new master', () => {
    expect(named('eip-client').broken).toEqual([]);
  });
});
