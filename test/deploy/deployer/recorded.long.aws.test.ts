// What `npm run deploy`, the roll-back and `npm run remove` send by themselves, recorded on the local AWS: `ownCalls` is that, and no more.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accountOf } from '../../../build/account.ts';
import { deploy, deployAndHear, remove } from '../../../build/service.ts';
import { childEnv, type LocalAws, startLocalAws } from '../../../lab/aws/local-aws.ts';
import { quickMonitoring, runOsls, withServiceFolder } from '../../../lab/aws/stack/serverless.ts';
import { type Recorded, type Recorder, startRecorder } from '../people/recorder.ts';
import { ownCalls } from './needs.ts';

const plugin = join(import.meta.dirname, '..', '..', '..', 'lab', 'aws', 'stack', 'serverless-local.cjs');
const stage = 'prod';
// Each deployment is packaged and validated each time.
vi.setConfig({ testTimeout: 240_000 });

let aws: LocalAws;
let recorder: Recorder;
let folder: string;
beforeAll(async () => {
  aws = await startLocalAws();
  recorder = await startRecorder(aws.endpoint);
  folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  Object.assign(process.env, aws.env, { AWS_ENDPOINT_URL: recorder.url });
});
afterAll(async () => {
  await recorder?.stop();
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const env = (): NodeJS.ProcessEnv => ({
  ...childEnv(aws),
  ...quickMonitoring,
  AWS_ENDPOINT_URL: recorder.url,
  VIPSHIFT_LAB_OUTPUTS: join(folder, 'outputs.json'),
});
const inFolder = (
  work: (place: { folder: string; env: NodeJS.ProcessEnv; output: 'stderr' }) => Promise<void>,
) => withServiceFolder({ plugin }, (place) => work({ folder: place, env: env(), output: 'stderr' }));
const params = (more: Readonly<Record<string, string>> = {}) =>
  Object.entries({
    nodeIdentity: 'none',
    deletionProtection: 'false',
    reconcileSchedule: 'false',
    ...more,
  }).flatMap(([name, value]) => ['--param', `${name}=${value}`]);

/** S3 and Lambda name the action by method and path. */
function actionOf({ service, action }: Recorded): string {
  const [method, path = ''] = action.split(' ');
  if (service === 's3') {
    if (/[?]delete/.test(path)) return 's3:DeleteObject';
    if (/^\/[^/]+\/?([?].*)?$/.test(path)) return 's3:ListBucket';
    return method === 'PUT' ? 's3:PutObject' : 's3:GetObject';
  }
  if (service === 'lambda' && /^\/2015-03-31\/functions\/[\w-]+$/.test(path)) return 'lambda:GetFunction';
  return `${service}:${action}`;
}

it('is what `ownCalls` has, but for the validation, which the local AWS cannot do', async () => {
  const calls: Recorded[] = [];
  await inFolder(async (place) => {
    await deployAndHear(place, stage, params(), { account: accountOf, tell: () => {} });
    calls.push(...recorder.taken());
    const [, first] = /\/serverless\/vipshift\/prod\/(\d+)-/.exec(
      calls.map(({ action }) => action).join(' '),
    )!;
    await deploy(place, stage, params({ retentionDays: '30' }));
    await runOsls(['deploy', 'list', '--stage', stage], place.folder, place.env);
    await runOsls(
      ['rollback', '--timestamp', first!, '--stage', stage, ...params()],
      place.folder,
      place.env,
    );
  });
  await inFolder((place) => remove(place, stage, params()));
  calls.push(...recorder.taken());

  // IAM allows the one to everybody (STS API reference); osls takes a denial of the other for "there is no repository".
  const free = ['sts:GetCallerIdentity', 'ecr:DescribeRepositories'];
  const sent = new Set(calls.map(actionOf).filter((action) => !free.includes(action)));
  const { validation, ...others } = ownCalls;
  expect([...sent].sort()).toEqual(Object.values(others).flat().sort());
  expect(validation).toEqual(['cloudformation:ValidateTemplate']);
});
