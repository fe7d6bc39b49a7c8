// A forced failover via keepalived, executed on the local AWS with the nodes played: hand-over, release, and the ways back. With
// real keepalived it is the lab's story hand-over-by-runbook.
import { describe, expect, it } from 'vitest';
import { poll } from '../../../lab/aws/stack/poll.ts';
import { VIP } from '../../../lab/aws/stack/stack.ts';
import { ended } from '../stage/aws-json.ts';
import {
  asKeepalivedDoes,
  begin,
  expectOn,
  id,
  lastReport,
  nodes,
  run,
  settled,
  stack,
  stageOrders,
  withoutPreemption,
} from '../stage/order-stage.ts';

stageOrders();

describe('forced failover, via keepalived', () => {
  it('demotes the master, waits for the claim, and follows it', async () => {
    nodes.onCommand = asKeepalivedDoes;
    const end = await run({ mode: 'via-keepalived' });
    expect([end.status, end.cause]).toEqual(['SUCCEEDED', undefined]);
    expect(nodes.commands).toEqual([
      { node: id('a'), document: 'vipshift-dev-hand-over', vip: VIP, demoted: true },
    ]);
    await expectOn('b');
    expect((await settled(id('b'))).pin, 'no pin unless asked').toBeUndefined();
  });

  it('leaves the old master demoted where it might take the VIP back, and reports it with the one command to run', async () => {
    nodes.onCommand = asKeepalivedDoes;
    expect(await run({ mode: 'via-keepalived' })).toMatchObject({ status: 'SUCCEEDED' });
    const text = (await lastReport()).Message;
    expect(text).toContain(`Still demoted: ${id('a')} (${id('a')} outranks ${id('b')}, 254 to 253`);
    expect(text).toContain(
      `aws ssm send-command --document-name vipshift-dev-hand-over --instance-ids ${id('a')} --parameters Vip=${VIP},Demoted=0`,
    );
  });

  it('releases the old master by order, and sees that it stands by', async () => {
    nodes.onCommand = withoutPreemption;
    const end = await run({ mode: 'via-keepalived', release: 'now' });
    expect([end.status, end.cause]).toEqual(['SUCCEEDED', undefined]);
    expect(nodes.commands.map((c) => [c.node, c.demoted])).toEqual([
      [id('a'), true],
      [id('a'), false],
    ]);
    await expectOn('b');
    expect((await lastReport()).Message).toContain(`Released: ${id('a')} stands by again (ordered so)`);
  });

  it('fails with the reason when keepalived takes the VIP back after the release', async () => {
    nodes.onCommand = asKeepalivedDoes;
    const end = await run({ mode: 'via-keepalived', release: 'now' });
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(end.cause).toContain('keepalived took it back after the release');
    await settled(id('a'));
    await expectOn('a');
  });

  it('pins where asked, and releases at once: the pin keeps the VIP whatever keepalived does', async () => {
    nodes.onCommand = asKeepalivedDoes;
    expect(await run({ mode: 'via-keepalived', pinMinutes: 5 })).toMatchObject({ status: 'SUCCEEDED' });
    expect((await settled(id('b'))).pin).toMatchObject({ node: id('b') });
    expect(nodes.commands.map((c) => c.demoted)).toEqual([true, false]);
    await expectOn('b');
    expect((await lastReport()).Message).toContain(`Released: ${id('a')} stands by again (the pin keeps`);
  });

  it('failure with roll-back: no claim comes, so it promotes whom it demoted, and reports it', {
    timeout: 90_000,
  }, async () => {
    const execution = await begin({ mode: 'via-keepalived', claimWaitSeconds: 3 });
    await poll('the demotion', async () => (nodes.commands.length > 0 ? true : undefined));
    // The master stepped down, and no one came: keepalived on b is dead.
    nodes.onCommand = asKeepalivedDoes;
    const waited = await ended(stack.aws, execution);
    expect(waited).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(waited.cause).toContain('no claim within 3 s');
    expect(nodes.commands.map((c) => [c.node, c.demoted])).toEqual([
      [id('a'), true],
      [id('a'), false],
    ]);
    await settled(id('a'));
    await expectOn('a');
    expect((await lastReport()).Message).toContain('Switched back: yes');
    expect((await lastReport()).Message).toContain(`Raised again: ${id('a')}`);
  });

  it('failure with roll-back: where SSM’s answer gets lost, what it may have done is taken back', async () => {
    nodes.onCommand = async (command) => {
      nodes.mute = false;
      await asKeepalivedDoes(command);
    };
    nodes.mute = true;
    const asked = begin({ mode: 'via-keepalived' });
    const end = await ended(stack.aws, await asked);
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(end.cause).toContain('InternalServerError');
    expect(nodes.commands.map((c) => c.demoted)).toEqual([true, false]);
    expect((await lastReport()).Message).toContain(`Raised again: ${id('a')}`);
    await settled(id('a'));
    await expectOn('a');
  });

  it('fails before anything has moved where no SSM agent answers', async () => {
    nodes.dead = true;
    const end = await run({ mode: 'via-keepalived' });
    nodes.dead = false;
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
    expect(end.cause).toContain('InvalidInstanceId');
    expect(end.states).not.toContain('switchVip');
    await expectOn('a');
  });
});
