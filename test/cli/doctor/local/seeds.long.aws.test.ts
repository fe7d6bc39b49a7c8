// Seeds that no one listed, on the deployed local AWS: one field of what its APIs answer is changed at a time, by the calls that a person
// would make; then the doctor is asked, and a failover to each member is carried out, from a node's event on the bus to EC2. Where
// it does not work any more, or no one would notice, the doctor names a fault; where everything works it names none.
//
// Limit: the emulators carry no packets and evaluate no policies: what EC2 and IAM say after the failover is judged by the oracle of
// the world in memory.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSession, type Session } from '../../../../cli/command/session.ts';
import { doctorClients, doctorSession } from '../../../../cli/doctor/clients.ts';
import { findingsFor } from '../../../../cli/doctor/findings.ts';
import { calm } from '../../../../lab/aws/stack/calm.ts';
import { NODE_ROLE_ID } from '../../../../lab/aws/stack/stack.ts';
import { ROLE } from '../../../../lab/aws/whole/policies.ts';
import { update } from '../../../../shared/registry/registry.ts';
import { epochMs } from '../../../../shared/time.ts';
import { windowOf } from '../../../../shared/vip/liveness.ts';
import type { Vip } from '../../../../shared/vip/vip.ts';
import { rightSetup, type Setup } from '../setup.ts';
import { type Mutation, mutations } from '../world/seeds/mutations.ts';
import { failure, type Oracle } from '../world/seeds/works.ts';
import type { World } from '../world/world.ts';
import { OutOfReach } from './difference.ts';
import { idOf, type Local, localOf, networkOf, worldOf } from './local-world.ts';
import { realize, requireReach } from './realize.ts';

const DRAWN = 40;
const MISSED_MAX = 2;
/** A failover takes under a second; what has not come by then does not come. */
const PATIENCE_MS = 4_000;

let setup: Setup;
let local: Local;
let session: Session;
let right: World;
let item: Vip;
beforeAll(async () => {
  setup = await rightSetup();
  Object.assign(process.env, setup.env);
  local = await localOf(setup);
  session = await openSession({ stage: 'dev' });
  await restart();
  right = await worldOf(local);
});
afterAll(() => setup?.stop());

const booted = Date.now() - 3_600_000;

/** Over the bus, as its shim would send it. */
function says(node: string, state: 'MASTER' | 'BACKUP'): Promise<string> {
  const atMs = Date.now();
  const seq = (atMs - booted) * 1000;
  return setup.stack.publish(
    {
      ...{ version: 1, vip: 'web', node, state, kind: 'transition', instance: 'VI_WEB' },
      priority: node === setup.stack.vpc.nodes.a.instanceId ? 254 : 253,
      ...{ bootId: `local-${node}`, seq, since: seq, uptimeMs: atMs - booted, ageMs: 0 },
      ...{ superseded: false, dropped: 0, atMs, shim: '1.0.0' },
    },
    `vipshift.notify/${NODE_ROLE_ID}:${node}`,
  );
}

async function cameTo(node: string): Promise<boolean> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const vip = await setup.stack.vips.read('web');
    if (vip?.owner === node && vip.lease === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** The same states, and both nodes have asserted them just now. */
function heardNow({ claims }: Vip): Pick<Vip, 'claims' | 'heard'> {
  const seenMs = epochMs(Date.now());
  const slot = windowOf(seenMs);
  const all = Object.entries(claims).map(([node, state]) => [node, { ...state, seenMs, slot }] as const);
  return { claims: Object.fromEntries(all), heard: [slot] };
}

/** As at the beginning: both nodes are heard, a serves, and everything is at a. */
async function restart(): Promise<void> {
  const { a, b } = setup.stack.vpc.nodes;
  await update(setup.stack.vips, 'web', (was) => {
    const { transitions: _t, lease: _l, pin: _p, ...vip } = was!;
    return item === undefined
      ? { ...vip, claims: {}, heard: [] }
      : { ...item, ...heardNow(item), epoch: was!.epoch, rev: was!.rev };
  });
  if (item !== undefined) return;
  await says(b.instanceId, 'BACKUP');
  await says(a.instanceId, 'MASTER');
  const heard = (vip: Vip) => Object.keys(vip.claims).length === 2 && vip.lease === undefined;
  await setup.stack.until('both nodes to be heard', heard);
  await setup.history.reconcile();
  item = (await setup.stack.vips.read('web'))!;
}

/** By a node's own claim, through the bus, its rule and the function. */
const oracle = (): Oracle => ({
  right,
  async carriedOut(world, name) {
    const node = idOf(local.names, name);
    const { a, b } = setup.stack.vpc.nodes;
    const other = node === a.instanceId ? b.instanceId : a.instanceId;
    const was = await setup.stack.vips.read('web');
    if (was?.owner !== node) {
      await calm(setup.stack.vips, 'web');
      await says(other, 'BACKUP');
      await says(node, 'MASTER');
      if (!(await cameTo(node))) return undefined;
    }
    return { ...world, ...(await networkOf(local)) };
  },
});

async function doctor(): Promise<readonly string[]> {
  const vips = [(await setup.stack.vips.read('web'))!];
  const { findings } = await findingsFor(doctorSession(session), await doctorClients(), {
    ...{ vips, all: vips, step: () => {} },
    options: { probe: false, nodeRole: ROLE, port: [{ protocol: 'tcp', port: 443 }] },
  });
  return findings
    .filter(({ severity }) => severity === 'fault')
    .map(({ check, found }) => `${check}: ${found}`);
}

/** `outOfReach`: where the local AWS cannot be brought to it. */
async function judged(mutation: Mutation) {
  const seeded = structuredClone(right);
  mutation.change(seeded);
  try {
    await requireReach(local, right, seeded);
  } catch (error) {
    if (error instanceof OutOfReach) return { outOfReach: error.message };
    throw error;
  }
  try {
    await realize(local, right, seeded).catch((error: unknown) => {
      // AWS makes no such thing either, or the emulator fails at it.
      throw new OutOfReach(`refused, ${(error as Error).name}`);
    });
    const faults = await doctor();
    return { why: await failure(await worldOf(local), oracle()), faults };
  } catch (error) {
    if (error instanceof OutOfReach) return { outOfReach: error.message };
    throw error;
  } finally {
    await realize(local, await worldOf(local), right);
    await restart();
  }
}

test('on a right set-up nothing is found, and a failover to each member works', async () => {
  expect(await doctor()).toEqual([]);
  expect(await failure(right, oracle())).toBeUndefined();
  await realize(local, await worldOf(local), right);
  await restart();
  expect(await doctor()).toEqual([]);
});

test('of 40 drawn that break something at least 38 are found, and of 40 that break nothing none is called a fault', async () => {
  const all = [...mutations(right)];
  const drawn = fc.sample(fc.shuffledSubarray(all, { minLength: all.length }), {
    numRuns: 1,
    seed: 20_261_130,
  })[0]!;
  const broken: string[] = [];
  const whole: string[] = [];
  const missed: string[] = [];
  const alarms: string[] = [];
  const out = new Map<string, number>();
  for (const mutation of drawn) {
    if (broken.length >= DRAWN && whole.length >= DRAWN) break;
    const what = `${mutation.at} → ${mutation.to}`;
    const {
      outOfReach,
      why,
      faults = [],
    } = { why: undefined, outOfReach: undefined, ...(await judged(mutation)) };
    if (outOfReach !== undefined) out.set(outOfReach, (out.get(outOfReach) ?? 0) + 1);
    else if (why !== undefined && broken.length < DRAWN) {
      broken.push(what);
      if (faults.length === 0) missed.push(`${what}: ${why}`);
    } else if (why === undefined && whole.length < DRAWN) {
      whole.push(what);
      if (faults.length > 0) alarms.push(`${what}: ${faults.join(', ')}`);
    }
  }
  console.log(
    [
      `on the local AWS, a failover to each member carried out: ${broken.length} that break: ${broken.length - missed.length} found; ${whole.length} that do not: ${alarms.length} called a fault`,
      ...[...missed, ...alarms].map((one) => `  ${one}`),
      ...[...out].map(([reason, count]) => `  out of reach of the emulators: ${count} × ${reason}`),
    ].join('\n'),
  );
  expect([broken.length, whole.length]).toEqual([DRAWN, DRAWN]);
  expect(missed.length, missed.join('\n')).toBeLessThanOrEqual(MISSED_MAX);
  expect(alarms).toEqual([]);
}, 900_000);
