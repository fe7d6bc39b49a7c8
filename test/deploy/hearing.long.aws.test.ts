// A deployment on the local AWS that ends with a node's claim, and one that shuts all nodes out: the command that it prints is run, and a node
// is heard again.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accountOf } from '../../build/account.ts';
import { deployAndHear, type Ears } from '../../build/service.ts';
import { childEnv } from '../../lab/aws/local-aws.ts';
import { quickMonitoring, runOsls, withServiceFolder } from '../../lab/aws/stack/serverless.ts';
import { NODE_ROLE_ID, STAGE, type Stack, startStack, VIP } from '../../lab/aws/stack/stack.ts';

const plugin = join(import.meta.dirname, '..', '..', 'lab', 'aws', 'stack', 'serverless-local.cjs');
// Each deployment is packaged and validated each time.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let stack: Stack;
let outputs: string;
beforeAll(async () => {
  stack = await startStack({ schedule: false });
  outputs = join(stack.aws.folder, 'outputs-of-test.json');
  Object.assign(process.env, stack.aws.env);
});
afterAll(() => stack?.stop());

const env = (): NodeJS.ProcessEnv => ({
  ...childEnv(stack.aws),
  ...quickMonitoring,
  VIPSHIFT_LAB_OUTPUTS: outputs,
  VIPSHIFT_LAB_FUNCTION_ENV: JSON.stringify({
    AWS_ENDPOINT_URL: stack.aws.endpoint,
    AWS_ENDPOINT_URL_EC2: stack.aws.ec2EndpointForFunctions,
  }),
});
const roleArn = () => `arn:aws:iam::${stack.aws.accountId}:role/vipshift-node`;

/** Deploys with that role; whenever the deployment waits, node a asserts, and the claim has been answered before it looks again. */
async function deploys(nodeRoleId: string, speaks = asserts): Promise<readonly string[]> {
  const told: string[] = [];
  const ears: Ears = {
    account: (region, profile) => {
      const account = accountOf(region, profile);
      return { ...account, listening: (table) => ({ ...account.listening(table), wait: speaks }) };
    },
    tell: (line) => void told.push(line),
  };
  const params = Object.entries({
    ...{ nodeIdentity: 'source', nodeRoleId, nodeRoleArn: roleArn() },
    ...{ deletionProtection: 'false', reconcileSchedule: 'false' },
  }).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
  await withServiceFolder({ plugin }, (folder) =>
    deployAndHear({ folder, env: env(), output: 'stderr' }, STAGE, params, ears),
  );
  return told;
}

let claims = 0;
/** As a standby does once a minute. Booted an hour ago. */
async function asserts(): Promise<void> {
  const atMs = Date.now();
  const uptimeMs = atMs - bootedAtMs;
  const eventId = await stack.publish({
    ...{ version: 1, vip: VIP, node: stack.vpc.nodes.a.instanceId, state: 'BACKUP', kind: 'assertion' },
    ...{ instance: 'VI_WEB', priority: 100, bootId: '5f2c9d1e-0000-4000-8000-000000000001' },
    ...{ seq: uptimeMs * 1000 + ++claims, since: 1_000_000, uptimeMs: uptimeMs + 1, ageMs: 1, atMs },
    ...{ superseded: false, dropped: 0, shim: '1.0.0' },
  });
  await stack.answered(eventId);
}
const bootedAtMs = Date.now() - 3_600_000;

it('without a member has nothing to hear, and with one ends when it is heard', async () => {
  expect((await deploys(NODE_ROLE_ID)).at(-1)).toBe(
    `there was nothing to hear: no node is a member of ${VIP} in stage ${STAGE}, ${stack.aws.region}`,
  );
  // The first word takes the node in.
  await asserts();
  const node = stack.vpc.nodes.a.instanceId;
  const told = await deploys(NODE_ROLE_ID);
  expect(told.at(-1)).toMatch(
    new RegExp(`^heard: ${node} says BACKUP for ${VIP}, .* after the deployment of dev`),
  );
});

it('that shuts the nodes out fails and says how to go back; what it says brings them back', async () => {
  const failed = await deploys('AROAWRONGROLE0000001').then(
    () => undefined,
    (error: unknown) => (error as Error).message.split('\n'),
  );
  expect(failed?.[0]).toContain(
    `stage dev in ${stack.aws.region} is deployed, but found no claim accepted in 120 s`,
  );
  expect((await stack.vips.read(VIP))!.claims[stack.vpc.nodes.a.instanceId]).toBeDefined();
  const redeploy = failed!.find((line) => line.startsWith('  npm run deploy'));
  expect(redeploy).toContain(`--stage dev --region ${stack.aws.region}`);
  expect(redeploy).toContain(`--param nodeRoleId=${NODE_ROLE_ID}`);
  const rollback = failed!.find((line) => line.startsWith('  npx serverless rollback'))!;
  await withServiceFolder({ plugin }, (folder) =>
    runOsls(rollback.trim().split(' ').slice(2), folder, env()),
  );
  const seenMs = async () => (await stack.vips.read(VIP))!.claims[stack.vpc.nodes.a.instanceId]!.seenMs;
  const before = await seenMs();
  await asserts();
  expect(await seenMs(), 'the node is heard again').toBeGreaterThan(before);
});

it('that cannot look reports it: the stack is deployed all the same', async () => {
  const blind = deploys(NODE_ROLE_ID, () => Promise.reject(new Error('AccessDenied')));
  await expect(blind).rejects.toThrow(
    /is deployed, but whether a node is heard is not known: AccessDenied.*--no-wait/,
  );
});
