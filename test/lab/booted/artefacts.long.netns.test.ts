// `npm run lab -- artefacts`: a first failover by what a release consists of, and nothing else of this repository.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRelease } from '../../../build/release/release.ts';
import { VERSION } from '../../../shared/version.ts';
import { runLab } from '../netns/lab-run.ts';

let release: string;
beforeAll(async () => {
  release = mkdtempSync(join(tmpdir(), 'vipshift-release-'));
  await makeRelease(release);
  // On a machine without nfpm Go builds it first.
}, 1_200_000);
afterAll(() => rmSync(release, { recursive: true, force: true }));

it('a stack by the template, the command line by its tarball, the shim by the deb: the VIP moves', async () => {
  const run = runLab(['artefacts', '--release', release]);
  const status = await run.ended();
  const { out, err } = run.said();
  expect(status, `${out}\n${err}`).toBe(0);
  expect(out).toContain(`version ${VERSION}, bus vipshift-lab`);
  expect(out).toContain(`$ vipshift --version\n  ${VERSION}\n`);
  expect(out).toMatch(
    /node ([ab]) is master and owns the VIP; its power is cut\nnode (?!\1)[ab] owns the VIP\n/,
  );
}, 300_000);
