// What one run of a command shares among its requests.
import { getMaxListeners } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSession } from '../../../cli/command/session.ts';

const env = { ...process.env };
beforeEach(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' }));
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
});

test('any number of requests may listen to its signal: Node.js 20 warns of more than ten', async () => {
  const { signal } = await openSession({ stage: 'dev', region: 'eu-central-1' });
  expect(getMaxListeners(signal)).toBe(0);
});
