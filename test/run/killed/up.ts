// A suite that is up leaves a file that tells it, and goes on until it is killed.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';

/** Names the folder of a file for each suite that is up. */
export const UP_FOLDER = 'VIPSHIFT_TEST_UP';
export const suites = ['nodes', 'aws', 'deploy'] as const;
type Suite = (typeof suites)[number];

/** Longer than any of them takes on a machine that is busy with something else. */
export const UP_MAX_MS = 300_000;

const fileOf = (suite: Suite): string => join(process.env[UP_FOLDER]!, suite);

/** The file says which process runs the suites. */
export function isUp(suite: Suite): Promise<never> {
  writeFileSync(fileOf(suite), String(process.ppid));
  return new Promise(() => setInterval(() => undefined, UP_MAX_MS));
}

export const areUp = (others: readonly Suite[]): Promise<boolean> =>
  vi.waitUntil(() => others.every((suite) => existsSync(fileOf(suite))), {
    timeout: UP_MAX_MS,
    interval: 50,
  });
