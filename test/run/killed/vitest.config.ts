// Suites that are killed half-way, run as all others are.
import { defineConfig } from 'vitest/config';
import config from '../../../vitest.config.ts';

export default defineConfig((env) => {
  const { projects: _all, ...test } = config(env).test ?? {};
  const include = ['test/run/killed/*.fixture.ts'];
  return { test: { ...test, include, globalSetup: ['test/lab/prepare-emulators.ts'], maxWorkers: 3 } };
});
