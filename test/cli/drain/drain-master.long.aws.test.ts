// `vipshift drain` where the address is only on keepalived's master (hold `master`), on the deployed service with the nodes played:
// the master is demoted by the workflow, and the claims that follow move the VIP.
import { expect, test } from 'vitest';
import { childEnv } from '../../../lab/aws/local-aws.ts';
import { STAGE, VIP } from '../../../lab/aws/stack/stack.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import {
  asKeepalivedDoes,
  change,
  expectOn,
  id,
  nodes,
  says,
  stack,
  stageOrders,
} from '../../e2e/stage/order-stage.ts';
import { run } from '../front-door/command-line.ts';

stageOrders();

const vipshift = (...args: readonly string[]) => run(args, { ...childEnv(stack.aws), VIPSHIFT_STAGE: STAGE });
const held = (hold: Vip['hold']) => change(({ drains: _drains, ...vip }) => ({ ...vip, hold }));
const drain = (...more: readonly string[]) => vipshift('drain', id('a'), '--reason', 'kernel', ...more);

test('demotes the master there, waits until it owns nothing, and leaves it demoted: it would take the VIP back', async () => {
  await held('master');
  nodes.onCommand = asKeepalivedDoes;
  const dry = await drain('--dry-run');
  expect(dry).toMatchObject({ status: 0 });
  expect(dry.stdout).toBe(`dry run: ${VIP} goes from ${id('a')} to ${id('b')}, via keepalived\n`);
  expect(nodes.commands).toEqual([]);
  const ran = await drain();
  expect(ran.stdout).toMatch(new RegExp(`^${VIP} is at ${id('b')}, epoch \\d+\\n$`));
  expect(ran.status).toBe(0);
  expect(ran.stderr).toMatch(/follow it: vipshift failover --follow web-drain-\S+ --stage dev/);
  expect(nodes.commands).toMatchObject([{ node: id('a'), demoted: true }]);
  await expectOn('b');
  const undrained = await vipshift('undrain', id('a'));
  expect(undrained).toMatchObject({ status: 0, stdout: `${id('a')} is no longer drained in ${VIP}\n` });
  expect(undrained.stderr).toMatch(
    `${id('a')} reports FAULT; if the drain demoted it: aws ssm send-command --document-name vipshift-dev-hand-over`,
  );
});

test('whose node does not take the command says that the VIP is still there, with status 1', async () => {
  await held('master');
  nodes.dead = true;
  const ran = await drain();
  nodes.dead = false;
  expect(ran).toMatchObject({ status: 1 });
  expect(ran.stdout).toMatch(`${VIP} is still at ${id('a')}: vipshift status ${VIP}`);
  await expectOn('a');
  await held('both');
});

test('with hold both moves the routes alone, at the next report of the drained master, and waits for it', async () => {
  await held('both');
  const draining = drain();
  await stack.until('the drain', (vip) => vip.drains?.[id('a')] !== undefined);
  await stack.answered(await says(id('a'), 'MASTER'));
  const ran = await draining;
  expect(ran.stdout).toMatch(new RegExp(`^${VIP} is at ${id('b')}, epoch \\d+\\n$`));
  expect(ran.status).toBe(0);
  expect(nodes.commands).toEqual([]);
  await expectOn('b');
  await held('both');
});
