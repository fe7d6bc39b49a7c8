import { join } from 'node:path';
import { it } from 'vitest';
import { deploy } from '../../../build/service.ts';
import { childEnv, startLocalAws } from '../../../lab/aws/local-aws.ts';
import { withServiceFolder } from '../../../lab/aws/stack/serverless.ts';
import { areUp, isUp, UP_MAX_MS } from './up.ts';

const plugin = join(import.meta.dirname, '..', '..', '..', 'lab', 'aws', 'stack', 'serverless-local.cjs');

it(
  'is in the middle of a deployment when the others are up',
  async () => {
    await using aws = await startLocalAws();
    await withServiceFolder({ plugin }, async (folder) => {
      await areUp(['nodes', 'aws']);
      const deployed = deploy({ folder, env: childEnv(aws) }, 'killed', ['--param', 'nodeIdentity=none']);
      await Promise.all([deployed, isUp('deploy')]);
    });
  },
  UP_MAX_MS,
);
