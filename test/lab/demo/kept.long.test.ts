// The kept demo, by someone who has only what it prints: nothing is wrong with it, every line that it prints works as it is
// printed, a VIP is added, moved, explained, frozen and repaired by what the commands themselves say, and Ctrl-C leaves nothing.
import { existsSync } from 'node:fs';
import { DeleteTagsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalAws } from '../../../lab/aws/local-aws.ts';
import { poll } from '../../../lab/aws/stack/poll.ts';
import { logLines } from '../../../lab/aws/stack/stack.ts';
import { carryOut } from '../../cli/doctor/remedy.ts';
import { type KeptDemo, keepDemo, type Typed } from './kept-demo.ts';

let demo: KeptDemo;
let isOver = false;
beforeAll(async () => {
  demo = await keepDemo();
});
afterAll(async () => {
  if (demo !== undefined && !isOver) await demo.interrupt();
});

/** A line that has to end well. */
async function type(line: string, status = 0): Promise<Typed> {
  const ran = await demo.type(line);
  expect(ran.status, `${line}\n${ran.stdout}\n${ran.stderr}`).toBe(status);
  return ran;
}
const json = async (line: string, status = 0) =>
  (await type(`${line} --json`, status)).stdout
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Record<string, unknown>);

describe('the demo that stays up', () => {
  test('has nothing wrong: status is well, the doctor has neither fault nor warning', async () => {
    expect(await json('vipshift status --check')).toMatchObject([{ vip: 'web', health: 'well' }]);
    const found = await json('vipshift doctor --strict');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ summary: true, vips: 1, faults: 0, warnings: 0, unchecked: 0 });
  });

  test('says what to try, and each line works as it is printed', async () => {
    const commands = demo.lines.slice(1);
    expect(commands.length).toBeGreaterThan(8);
    for (const line of commands) await type(line);
    expect(existsSync(`${demo.folder}/page.html`)).toBe(true);
  });

  test('has reconcile on its period: it runs again by itself', async () => {
    const { stdout } = await type('printf %s "$AWS_ENDPOINT_URL"');
    const aws = { endpoint: stdout, accountId: '111122223333', region: 'eu-central-1' } as LocalAws;
    const runs = async () =>
      (await logLines(aws, 'vipshift-dev-reconcile')).filter((line) => line.includes('REPORT')).length;
    const before = await runs();
    await poll('the next run of reconcile', async () => ((await runs()) > before ? true : undefined));
  });

  test('has nothing wrong afterwards either', async () => {
    await poll('web at the elected node', async () => {
      const [status] = await json('vipshift status web');
      return status!.health === 'well' ? true : undefined;
    });
    expect((await json('vipshift doctor --strict')).at(-1)).toMatchObject({ faults: 0, warnings: 0 });
  });
});

describe('a newcomer', () => {
  test('adds a VIP, moves one, has it explained, and freezes it', async () => {
    await type(
      "vipshift vip add shop --address 192.168.255.60 --table-label web --node-label web --reason 'new shop'",
    );
    expect((await type('vipshift vip list')).stdout).toMatch(/^shop +192\.168\.255\.60\/32/m);
    const [status] = await json('vipshift status web');
    const [standby] = status!.standbys as { node: string; ready: boolean }[];
    expect(standby).toMatchObject({ ready: true });
    const moved = await type(`vipshift failover web --to ${standby!.node} --reason 'kernel update'`);
    expect(moved.stdout).toMatch(/^web is at .*switched/);
    const [, explain = ''] = /the record in full: (vipshift .*)/.exec(moved.stderr) ?? [];
    expect((await type(explain)).stdout).toMatch(/kernel update/);
    await type("vipshift freeze web --for 10m --reason 'nothing moves during the sale'");
    const refused = await type(`vipshift failover web --to ${String(status!.owner)} --reason 'back'`, 3);
    // The way out that it names is a line to type.
    const [, unfreeze = ''] = /(vipshift unfreeze web[^;\n]*)/.exec(refused.stderr) ?? [];
    await type(`${unfreeze} --yes`);
    await type('vipshift unpin web --yes');
  });

  test('breaks it, and repairs it by what the doctor says and by reconcile', async () => {
    // Nothing is left of the VIP that was only tried.
    await type("vipshift vip remove shop --reason 'only a try'");
    const [registered] = await json('vipshift vip show web');
    const [table] = registered!.tables as string[];
    // After the pin it goes back to keepalived's master.
    await poll('web at rest', async () => {
      const [now] = await json('vipshift status web');
      return now!.health === 'well' ? true : undefined;
    });
    expect((await json('vipshift doctor --no-probe')).at(-1)).toMatchObject({ faults: 0 });
    const { stdout } = await type('printf %s "$AWS_ENDPOINT_URL_EC2"');
    const credentials = { accessKeyId: '111122223333', secretAccessKey: 'local' };
    const ec2 = new EC2Client({ region: 'eu-central-1', endpoint: stdout, credentials });
    await ec2.send(new DeleteTagsCommand({ Resources: [table!], Tags: [{ Key: 'vipshift:dev' }] }));
    const found = await json('vipshift doctor --no-probe', 1);
    const fault = found.find((one) => one.severity === 'fault' && one.subject === table);
    expect(fault).toMatchObject({ check: 'table-unlabelled' });
    // As the AWS CLI would; it need not be on the machine.
    await carryOut(
      { send: (command) => ec2.send(command as never) as never, env: {} },
      String(fault!.command),
    );
    ec2.destroy();
    expect((await json('vipshift doctor --no-probe')).at(-1)).toMatchObject({ faults: 0 });
    await poll('web at the elected node', async () => {
      const [now] = await json('vipshift status web');
      return now!.health === 'well' ? true : undefined;
    });
  });
});

test('Ctrl-C ends it with status 0, and neither a process nor a folder stays', async () => {
  isOver = true;
  const { status, living } = await demo.interrupt();
  expect(status).toBe(0);
  expect(living).toEqual([]);
  expect(existsSync(demo.folder)).toBe(false);
});
