// The shim that leaves: what AWS says through IMDS, what becomes of the tracked files, and what the claims say.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pastEvents, rebalanceNotice, scheduledEvents, spotNotice } from '../../../lab/aws/notices.ts';
import type { VrrpEvent } from '../../../lab/shim/bus.ts';
import { type Node, startNode } from '../../../lab/shim/node.ts';

const IN_TWO_MINUTES_MS = 120_000;
const LEAD_MS = 600_000;

let node: Node;
beforeEach(async () => {
  node = await startNode({ leaving_poll: 1 });
});
afterEach(() => node.stop());

const file = (name: string): string => {
  const path = join(node.folder, 'run', name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : 'none';
};
const said = (text: string): boolean => node.stderr().includes(text);
const lastClaim = (): VrrpEvent | undefined => node.bus.accepted.at(-1);
/** Answers of IMDS to the poll so far. */
const polls = (): number =>
  node.imds.requests.filter((one) => one.endsWith('/events/recommendations/rebalance')).length;
const until = (condition: () => boolean): Promise<unknown> => expect.poll(condition, PATIENCE).toBe(true);
const PATIENCE = { timeout: 20_000, interval: 20 };

const spot = () => spotNotice('terminate', Date.now() + IN_TWO_MINUTES_MS);
const reboot = (inMs: number, over: object = {}) => ({
  ...{ id: 'instance-event-0d59937288b749b32', code: 'system-reboot', notBeforeMs: Date.now() + inMs },
  ...over,
});

async function startAs(state: string): Promise<void> {
  await node.start();
  await node.write(`INSTANCE "VI_WEB" ${state} 254`);
  await node.bus.until(() => node.bus.claims('transition').length === 1);
}

describe('a spot interruption', () => {
  test('a master makes a pulse, reports it in its claims, and is a standby of low priority afterwards', async () => {
    await startAs('MASTER');
    expect(file('leaving')).toBe('0');
    expect(lastClaim()!.detail.leaving).toBeUndefined();
    node.notices = spot();
    await until(() => file('leaving') === '2');
    await expect
      .poll(() => node.status(), PATIENCE)
      .toMatchObject({ leaving: 'spot-terminate', atRisk: false });
    await until(() => lastClaim()!.detail.leaving === 'spot-terminate');
    await until(() => file('leaving') === '1');
    await until(() => said('a standby of low priority from now on'));
    expect(node.stderr().match(/leaving: spot-terminate/g)).toHaveLength(2);
  });

  test('a standby goes on standing by: no pulse', async () => {
    await startAs('BACKUP');
    node.notices = spot();
    await until(() => file('leaving') === '1');
    await until(() => said('leaving: spot-terminate; a standby, so nothing moves'));
    expect(said('FAULT for')).toBe(false);
  });

  test('the notice goes: it stays after two answers without it, and its claims no longer say that it leaves', async () => {
    await startAs('BACKUP');
    node.notices = spot();
    await until(() => file('leaving') === '1');
    node.notices = {};
    await until(() => file('leaving') === '0');
    await until(() => said('no longer leaving (spot-terminate): the notice is gone'));
    await until(() => lastClaim()!.detail.kind === 'assertion' && lastClaim()!.detail.leaving === undefined);
  });

  test('a shim that is killed in the pulse goes on with it, and one that is stopped ends it', async () => {
    await startAs('MASTER');
    node.notices = spot();
    await until(() => file('leaving') === '2');
    await node.kill('SIGKILL');
    expect(file('leaving')).toBe('2');
    node.notices = {};
    await node.start();
    await until(() => said('leaving: spot-terminate, as before; FAULT for'));
    await node.kill('SIGTERM');
    expect(file('leaving')).toBe('1');
  });

  test('the operator says stay: that notice counts no more, the next one does', async () => {
    await startAs('BACKUP');
    node.notices = spot();
    await until(() => file('leaving') === '1');
    await node.write('vipshift stay');
    await until(() => file('leaving') === '0');
    await until(() => said('no longer leaving (spot-terminate): by the operator'));
    const asked = polls();
    await until(() => polls() > asked + 2);
    expect(file('leaving')).toBe('0');
    node.notices = spotNotice('stop', Date.now() + IN_TWO_MINUTES_MS);
    await until(() => file('leaving') === '1');
  });
});

describe('a scheduled event', () => {
  test.each([['ten minutes before its time', reboot(LEAD_MS - 5000), 'leaving: system-reboot']])(
    '%s',
    async (_when, event, says) => {
      await startAs('BACKUP');
      node.notices = scheduledEvents(event);
      await until(() => said(says));
      node.notices = { ...scheduledEvents(), ...pastEvents({ ...event, state: 'completed' }) };
      await until(() => said('no longer leaving (system-reboot): the event is completed'));
    },
  );

  test('a cancelled one is named as that', async () => {
    await startAs('BACKUP');
    node.notices = scheduledEvents(reboot(1000));
    await until(() => file('leaving') === '1');
    node.notices = { ...scheduledEvents(), ...pastEvents(reboot(1000, { state: 'canceled' })) };
    await until(() => said('the event is cancelled'));
    await until(() => file('leaving') === '0');
  });

  test('after the reboot for which it left it stays, though IMDS lists the event yet', async () => {
    await startAs('BACKUP');
    node.notices = scheduledEvents(reboot(1000));
    await until(() => file('leaving') === '1');
    await node.kill('SIGTERM');
    // What a reboot leaves: the disk, with another boot's id.
    const kept = join(node.folder, 'state', 'leaving.about');
    const before = readFileSync(kept, 'utf8').replace(
      /^boot .*/,
      'boot 00000000-0000-4000-8000-000000000000',
    );
    writeFileSync(kept, before);
    for (const name of ['leaving', 'leaving.about']) writeFileSync(join(node.folder, 'run', name), '');
    const asked = polls();
    await node.start();
    await until(() => polls() > asked + 1);
    await until(() => said('no longer leaving (system-reboot): the instance came back after a reboot'));
    expect(file('leaving')).not.toBe('1');
  });
});

describe('nothing moves', () => {
  const html = '<html><body>{"action": "terminate", "time": "2026-11-30T02:02:00Z"}</body></html>';
  test.each<[string, () => Record<string, string>]>([
    ['a recommendation to rebalance', () => ({ ...rebalanceNotice(Date.now()) })],
    ['an event that is too far ahead', () => ({ ...scheduledEvents(reboot(LEAD_MS + 60_000)) })],
    ['an event that is over', () => ({ ...scheduledEvents(reboot(0, { description: '[Completed] x' })) })],
    ['an event that was cancelled', () => ({ ...scheduledEvents(reboot(0, { state: 'canceled' })) })],
    [
      'an event whose window has ended',
      () => ({ ...scheduledEvents(reboot(-9e6, { notAfterMs: Date.now() - 1e6 })) }),
    ],
    ['an event of a kind that is not known', () => ({ ...scheduledEvents(reboot(0, { code: 'new' })) })],
    [
      'an answer that is no JSON',
      () => ({ 'spot/instance-action': html, 'events/maintenance/scheduled': html }),
    ],
    ['a notice of another day', () => ({ ...spotNotice('terminate', Date.now() - 86_400_000) })],
    [
      'an action that is not known',
      () => ({ 'spot/instance-action': '{"action": "dance", "time": "2026-11-30T02:02:00Z"}' }),
    ],
    [
      'an answer without end',
      () => ({ 'spot/instance-action': `{"action": "terminate"${' '.repeat(100_000)}` }),
    ],
  ])('%s', async (_what, notices) => {
    await startAs('MASTER');
    node.notices = notices();
    const asked = node.imds.requests.length;
    await until(() => node.imds.requests.length > asked + 6);
    expect(file('leaving')).toBe('0');
    expect(node.status().leaving).toBeNull();
  });

  test('at risk is reported: in the status and in the claims', async () => {
    await startAs('MASTER');
    node.notices = rebalanceNotice(Date.now());
    await until(() => lastClaim()!.detail.atRisk === true);
    await expect.poll(() => node.status(), PATIENCE).toMatchObject({ atRisk: true, leaving: null });
  });

  test('leaving_poll = 0: IMDS is not asked at all', async () => {
    await node.stop();
    node = await startNode({ leaving_poll: 0 });
    node.notices = spot();
    await startAs('MASTER');
    await node.bus.until(() => node.bus.claims('assertion').length > 1);
    expect(polls()).toBe(0);
  });

  test('IMDS goes away while the node leaves: it goes on leaving, and the status says that no one answers', async () => {
    await startAs('BACKUP');
    node.notices = spot();
    await until(() => file('leaving') === '1');
    await node.imds.stop();
    await until(() => typeof node.status().noticesError === 'string');
    expect(file('leaving')).toBe('1');
  });
});
