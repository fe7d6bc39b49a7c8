// The wall clock of a node is set while the shim runs: by NTP, by an operator, after a pause of the host. Its own times are those of the boot.
import { cpSync, existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../../lab/shim/bus.ts';
import { type Node, shimPath, startNode } from '../../../lab/shim/node.ts';
import { type Keepalived, startKeepalived } from '../keepalived.ts';

const HOUR_MS = 3_600_000;

let node: Node;
let keepalived: Keepalived;
let shim: string;

/** The shim itself, whose wall clock is off by what a file says; bash has no other way to a clock of its own. */
function withClockOfItsOwn(): string {
  const copy = join(node.folder, 'notify');
  cpSync(join(shimPath, '..'), copy, { recursive: true });
  const offset = join(node.folder, 'offset');
  const clock = join(copy, 'lib', 'clock.bash');
  const moved = `
eval "true_$(declare -f read_wall_clock)"
eval "true_$(declare -f read_wall_seconds)"
offset() { read -r OFFSET_S <${offset}; }
read_wall_clock() { true_read_wall_clock; offset; WALL_MS=$((WALL_MS + OFFSET_S * 1000)); }
read_wall_seconds() { true_read_wall_seconds; offset; WALL_S=$((WALL_S + OFFSET_S)); }
`;
  writeFileSync(offset, '0\n');
  writeFileSync(clock, readFileSync(clock, 'utf8') + moved);
  return join(copy, 'vipshift-notify');
}

/** Resolves when the shim has noticed. */
async function setClock(byMs: number): Promise<void> {
  const file = join(node.folder, 'offset');
  const bySeconds = byMs / 1000;
  const before = node.stderr().length;
  writeFileSync(file, `${Number(readFileSync(file, 'utf8')) + bySeconds}\n`);
  // Both clocks are read in whole seconds.
  const noticed = new RegExp(
    `^<6>the clock of this node was set, by (${bySeconds}|${bySeconds - 1}|${bySeconds + 1}) s$`,
    'm',
  );
  await expect.poll(() => node.stderr().slice(before), { timeout: 60_000 }).toMatch(noticed);
}

const start = () => node.start({ PATH: keepalived.path }, { program: shim });
const ofKind = (kind: string): VrrpEvent['detail'][] => node.bus.claims(kind).map(({ detail }) => detail);
const transitions = () => ofKind('transition');
const keyRequests = (): number =>
  node.imds.requests.filter((request) => request.endsWith('/security-credentials/vipshift-node')).length;
const uptimeUs = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e6;

beforeEach(async () => {
  keepalived = await startKeepalived();
});
afterEach(async () => {
  await keepalived.kill();
  keepalived.remove();
  await node.stop();
});

test.each([
  ['forward by an hour', HOUR_MS],
  ['back by three days', -72 * HOUR_MS],
])(
  'a clock that is set %s changes no number, no age, no back-off and no assertion: only what is passed on follows it',
  async (_, byMs) => {
    node = await startNode();
    shim = withClockOfItsOwn();
    node.bus.fate = () => ({ kind: 'status', status: 500 });
    await start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.requests.length >= 3);
    await setClock(byMs);
    const attempts = node.bus.requests.length;
    await node.bus.until(() => node.bus.requests.length >= attempts + 2);
    node.bus.fate = () => ({ kind: 'accept' });
    await node.bus.until(() => transitions().length === 1);
    // Those of 3 and 10 s after the transition at most, and none for what passed on the wall.
    const due = () => ofKind('assertion').filter(({ seq, since }) => seq - since > 2.9e6);
    await node.bus.until(() => due().some(({ seq, since }) => seq - since > 9.9e6));
    expect(due().length).toBeLessThanOrEqual(3);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    const [first, second] = transitions();
    expect(second!.since).toBeGreaterThan(first!.since);
    expect(second!.since).toBeLessThanOrEqual(uptimeUs() + 20_000);
    expect(Math.round((second!.atMs - first!.atMs) / HOUR_MS)).toBe(byMs / HOUR_MS);
    for (const { ageMs, uptimeMs, seq } of [...transitions(), ...ofKind('assertion')])
      expect(uptimeMs - ageMs).toBe(Math.floor(seq / 1000));
  },
);

test('keys that end within ten minutes by the clock as it is set now are renewed at once, and otherwise are not', async () => {
  node = await startNode();
  shim = withClockOfItsOwn();
  node.credentials = { ...node.credentials, expiresAtMs: Date.now() + HOUR_MS };
  await start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1);
  const before = keyRequests();
  await setClock(-72 * HOUR_MS);
  await setClock(72 * HOUR_MS);
  expect(keyRequests()).toBe(before);
  await setClock(0.9 * HOUR_MS);
  await expect.poll(keyRequests, { timeout: 60_000 }).toBeGreaterThan(before);
});

describe('an answer of keepalived’s', () => {
  beforeEach(async () => {
    node = await startNode(keepalived.config);
    shim = withClockOfItsOwn();
  });

  test('from before the clock was set back, which seems new, is not believed', async () => {
    keepalived.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() } });
    await start();
    await node.bus.until(() => ofKind('assertion').length > 0);
    // It answers no more, and what it said lies there, dated an hour ahead.
    keepalived.pause();
    const inAnHour = new Date(Date.now() + HOUR_MS);
    utimesSync(keepalived.config.keepalived_json!, inAnHour, inAnHour);
    const before = ofKind('assertion').length;
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => ofKind('assertion').length > before + 1);
    expect(transitions().map(({ state }) => state)).toEqual(['MASTER', 'BACKUP']);
    expect(ofKind('assertion').at(-1)).toMatchObject({ state: 'BACKUP', stateFrom: 'fifo' });
  });

  test('about a change before the clock was set dates nothing: it was made no sooner than the shim looked last', async () => {
    keepalived.say({ VI_WEB: { state: 0, priority: 254, changedAtMs: 0 } });
    await start();
    await expect.poll(() => existsSync(keepalived.config.keepalived_json!), { timeout: 60_000 }).toBe(true);
    const [fromUs, changedAtMs] = [uptimeUs(), Date.now()];
    await setClock(60_000);
    keepalived.say({ VI_WEB: { state: 2, priority: 254, changedAtMs } });
    await node.write('a line that means nothing, so keepalived is asked');
    await node.bus.until(() => transitions().length === 1);
    expect(transitions()[0]!.since).toBeGreaterThanOrEqual(fromUs);
  });
});
