// A request that takes long is told, once: the SDK tries for up to three quarters of a minute.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { waitingFor } from '../../../cli/command/waiting.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('is silent about what is answered within three seconds, and tells a longer one once for its service', async () => {
  const said: string[] = [];
  const through = waitingFor('DynamoDB', (text) => void said.push(text));
  const pending = new Set<(answer: string) => void>();
  const ask = through(() => new Promise<string>((resolve) => void pending.add(resolve)));
  const answer = () => {
    for (const resolve of pending) resolve('answer');
    pending.clear();
  };
  const quick = ask('q');
  await vi.advanceTimersByTimeAsync(2999);
  answer();
  expect(await quick).toBe('answer');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(said, 'an answer ends the waiting').toEqual([]);
  const slow = [ask('a'), ask('b')];
  await vi.advanceTimersByTimeAsync(3000);
  expect(said).toEqual(['waiting for DynamoDB…']);
  answer();
  await Promise.all(slow);
  const later = ask('c');
  await vi.advanceTimersByTimeAsync(60_000);
  answer();
  await later;
  expect(said).toHaveLength(1);
});

test('an error passes through, and ends the waiting', async () => {
  const said: string[] = [];
  const ask = waitingFor('EC2', (text) => void said.push(text))(() => Promise.reject(new Error('no')));
  await expect(ask('q')).rejects.toThrow('no');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(said).toEqual([]);
});

test('every AWS client of the command line has a limit to its waiting: by itself the SDK has none', () => {
  const root = join(import.meta.dirname, '..', '..', '..');
  const made = globSync('cli/**/*.ts', { cwd: root }).flatMap((file) => {
    const code = readFileSync(join(root, file), 'utf8');
    const isConfigured = code.includes('config = { requestHandler: patience');
    return [...code.matchAll(/new ([\w.]+Client)\(([^)]*)\)/g)].map(([, client, given = '']) => ({
      client: `${file}: ${client}`,
      isPatient: given.includes('requestHandler: patience') || (given === 'config' && isConfigured),
    }));
  });
  expect(made.length).toBeGreaterThan(10);
  expect(made.filter(({ isPatient }) => !isPatient)).toEqual([]);
});
