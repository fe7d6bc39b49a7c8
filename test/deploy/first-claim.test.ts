// How long a deployment listens, what counts, and what it prints when no one was heard. hearing.long.aws.test.ts does it on the local AWS.
import { describe, expect, it } from 'vitest';
import { firstClaim, heardText, type Listening, unheardText, WAIT_MAX } from '../../build/first-claim.ts';
import { orderFrom } from '../../build/service.ts';
import { type Deployed, wayBack } from '../../build/way-back.ts';
import { durationMs, type EpochMs, minus, plus, seconds } from '../../shared/time.ts';
import type { Claim } from '../../shared/vip/claim.ts';
import { nodeStateFrom } from '../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START } from '../support/world.ts';

const members = { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') };
const web: Vip = { ...newVip(entry), members };
const saidAt = (node: string, atMs: EpochMs, over: Partial<Claim> = {}): Vip['claims'] => ({
  [node]: { ...nodeStateFrom(claimOf(node, { over: { timeMs: atMs, ...over } }), atMs), seenMs: atMs },
});

/** What is in the table as time goes by; AWS's clock is START at the first look, that of this machine is never asked. */
function listening(vipsAt: (now: EpochMs) => readonly Vip[]) {
  let now = START;
  const told: string[] = [];
  const ears: Listening = {
    look: async () => ({ vips: vipsAt(now), awsAtMs: now }),
    wait: async (duration) => {
      now = plus(now, duration);
    },
    tell: (line) => void told.push(line),
  };
  return { ears, told, waited: () => now - START };
}

describe('the first claim after a deployment', () => {
  it('is waited for, and named with its node and its time', async () => {
    const at = plus(START, seconds(7));
    const { ears, waited } = listening((now) => [now < at ? web : { ...web, claims: saidAt('i-b', at) }]);
    const hearing = await firstClaim(ears);
    expect(hearing).toEqual({
      is: 'heard',
      claim: { vip: 'web', node: 'i-b', state: 'MASTER', atMs: at },
      sinceMs: START,
    });
    expect(waited()).toBe(10_000);
    expect(heardText(hearing as never, { stage: 'prod', region: 'eu-central-1' })).toBe(
      'heard: i-b says MASTER for web, 2026-11-22T14:00:07.000Z, 7 s after the deployment of prod in eu-central-1',
    );
  });

  it.each([
    ['made in the second of the deployment counts', START, 'heard'],
    ['made before it does not, though it is accepted after it', minus(START, durationMs(1)), 'unheard'],
  ])('%s', async (_what, atMs, is) => {
    const { ears } = listening((now) => [now === START ? web : { ...web, claims: saidAt('i-a', atMs) }]);
    expect((await firstClaim(ears)).is).toBe(is);
  });

  it('of a node that is not a member is none, nor is one of a VIP that was removed', async () => {
    const later = plus(START, seconds(1));
    const { ears } = listening(() => [
      { ...web, claims: saidAt('i-stranger', later) },
      { ...web, name: 'gone', claims: saidAt('i-a', later), removedAtMs: START },
    ]);
    expect((await firstClaim(ears)).is).toBe('unheard');
  });

  it('of any VIP is enough: a deployment shuts out all nodes or none', async () => {
    const { ears } = listening((now) => [web, { ...web, name: 'dns', claims: saidAt('i-a', now) }]);
    expect(await firstClaim(ears)).toMatchObject({ is: 'heard', claim: { vip: 'dns' } });
  });

  it('that does not come is given up after WAIT_MAX, with progress until then', async () => {
    const { ears, told, waited } = listening(() => [web]);
    const hearing = await firstClaim(ears);
    expect([hearing.is, waited()]).toEqual(['unheard', WAIT_MAX]);
    expect(told[0]).toContain('waiting up to 120 s');
    expect(told.slice(1)).toEqual([20, 40, 60, 80, 100].map((s) => `none accepted yet, after ${s} s`));
    expect(unheardText({ vips: [web] }, { stage: 'prod', region: 'eu-central-1' })).toContain(
      'found no claim accepted in 120 s, expected one within 60 s from a node of web (i-a, i-b)',
    );
  });

  it.each([
    [[], 'there was nothing to hear: no VIP is registered in stage prod, eu-central-1'],
    [[newVip(entry)], 'there was nothing to hear: no node is a member of web in stage prod, eu-central-1'],
    [
      [{ ...web, removedAtMs: START }],
      'there was nothing to hear: no VIP is registered in stage prod, eu-central-1',
    ],
  ])('is not waited for where no one could make one', async (vips, text) => {
    const { ears, waited } = listening(() => vips);
    const hearing = await firstClaim(ears);
    expect(waited()).toBe(0);
    expect(heardText(hearing as never, { stage: 'prod', region: 'eu-central-1' })).toBe(text);
  });
});

describe('what is asked of a deployment', () => {
  it.each([
    ['deploy --stage prod --region r', true, ['--region', 'r']],
    ['deploy --no-wait --stage prod --region r', false, ['--region', 'r']],
    ['deploy --region r --stage=prod --param a=b --no-wait', false, ['--region', 'r', '--param', 'a=b']],
  ])('%s: to wait %j, and osls does not get it', (line, wait, more) => {
    expect(orderFrom(line.split(' '))).toEqual({ task: 'deploy', stage: 'prod', wait, more });
  });
});

describe('the way back', () => {
  const before: Deployed = {
    package: '1796023199719',
    parameters: { NodeRoleId: 'AROAOLD', NodeRoleArn: 'arn:old', NoticesMail: '', Ec2Rates: 'A=1/1,B=2/2' },
  };
  const now: Deployed = {
    package: '1796029999999',
    parameters: { ...before.parameters, NodeRoleId: 'AROANEW' },
  };
  const args = [
    '--region',
    'eu-central-1',
    '--param',
    'nodeRoleId=AROANEW',
    '--param',
    'retentionDays=30',
    '--verbose',
  ];
  const target = { stage: 'prod', region: 'eu-central-1', args };
  const commandsOf = (text: string) => text.split('\n').filter((line) => line.startsWith('  '));

  it('is the parameters that the stack had, and the package that was deployed', () => {
    const commands = commandsOf(wayBack(target, before, now));
    expect(commands.slice(3)).toEqual([
      '  npm run deploy -- --stage prod --region eu-central-1 --verbose --param nodeRoleId=AROAOLD --param retentionDays=30',
      '  npx serverless rollback --timestamp 1796023199719 --stage prod --region eu-central-1',
    ]);
  });

  it('leaves out where a release had its code, which no deployment takes, and names a table by its option', () => {
    const parameters = { CodeBucket: 'artefacts', CodePrefix: 'v/', VipsTableName: 'registry' };
    const was = { parameters: { ...before.parameters, ...parameters } };
    const [redeploy] = commandsOf(
      wayBack(target, was, { parameters: { ...now.parameters, VipsTableName: '' } }),
    ).slice(3);
    expect(redeploy).toContain('--param vipsTable=registry');
    expect(redeploy).not.toMatch(/code(?:Bucket|Prefix)/i);
  });

  it.each([
    ['as usual', before, now],
    ['of a first deployment', undefined, now],
    ['of one that changed nothing', now, now],
    ['whose package is not known', { parameters: before.parameters }, now],
    ['when the stack cannot be found any more', before, undefined],
  ])('%s: every command names stage and Region, and the profile', (_what, was, is) => {
    const named = { ...target, args: [...args, '--aws-profile', 'it is mine'] };
    const commands = commandsOf(wayBack(named, was, is));
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) {
      expect(command).toMatch(/--region eu-central-1 .*profile 'it is mine'/);
      expect(command).toMatch(/--stage prod|vipshift-prod/);
    }
  });

  it('of a first deployment is to take it away; of one that changed nothing, an older one', () => {
    expect(wayBack(target, undefined, now)).toContain('npm run remove -- --stage prod --region eu-central-1');
    const nothing = wayBack(target, now, now);
    expect(nothing).toContain('npx serverless deploy list --stage prod --region eu-central-1');
    expect(nothing).not.toContain('rollback --timestamp');
  });

  it('leaves out what was empty before: osls takes no empty value, and there it is the default', () => {
    const mail = { ...now, parameters: { ...before.parameters, NoticesMail: 'a@example.com' } };
    const told = { ...target, args: ['--param', 'noticesMail=a@example.com'] };
    expect(commandsOf(wayBack(told, before, mail))).toContain(
      '  npm run deploy -- --stage prod --region eu-central-1',
    );
  });
});
