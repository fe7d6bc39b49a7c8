// A stack that `npm run deploy` made takes the template of a release, and a new one comes up from it, too.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRelease } from '../../build/release/release.ts';
import { deployReleased } from '../../lab/aws/stack/deploy.ts';
import {
  invoke,
  NODE_ROLE_ID,
  STAGE,
  type Stack,
  startStack,
  VIP,
  vipshift,
} from '../../lab/aws/stack/stack.ts';
import { VERSION } from '../../shared/version.ts';

let release: string;
let stack: Stack;
beforeAll(async () => {
  release = mkdtempSync(join(tmpdir(), 'vipshift-release-'));
  await makeRelease(release);
  stack = await startStack({ schedule: false });
}, 1_200_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(release, { recursive: true, force: true });
});

const parameters = () => ({
  NodeRoleId: NODE_ROLE_ID,
  NodeRoleArn: `arn:aws:iam::${stack.aws.accountId}:role/vipshift-node`,
  DeletionProtection: 'false',
  ReconcileSchedule: 'false',
});

describe('the template of a release', () => {
  it('over a stack that `npm run deploy` made: same names, the registry stays, the functions run', async () => {
    const before = await stack.vips.read(VIP);
    const { outputs } = await deployReleased(stack.aws, { release, stage: STAGE, parameters: parameters() });
    const { ServerlessDeploymentBucketName: _ofOsls, ...named } = stack.deployment.outputs;
    expect(outputs).toEqual({ ...named, Version: VERSION });
    expect(await stack.vips.read(VIP)).toEqual(before);
    expect(await invoke(stack.aws, stack.deployment.functions.reconcile, {})).toMatchObject({ vips: 1 });
  });

  it('for a new stage next to it: names of its own, and an empty registry', async () => {
    const other = await deployReleased(stack.aws, { release, stage: 'other', parameters: parameters() });
    expect(other).toMatchObject({ busName: 'vipshift-other', vipsTable: 'vipshift-other-vips' });
    expect(await invoke(stack.aws, other.functions.reconcile, {})).toMatchObject({ vips: 0 });
    expect(await vipshift({ ...stack, deployment: other }, 'vip', 'list', '--json')).toBe('');
  });
});
