// A mistake in our own code, met by a command: it ends with status 70 and the stack, and never passes for AWS's answer.
import { describe, expect, test } from 'vitest';
import { complaintOf } from '../../../cli/command/aws-errors.ts';
import { status } from '../../../cli/command/exit.ts';
import type { Output } from '../../../cli/command/output.ts';
import type { Session } from '../../../cli/command/session.ts';
import { follow } from '../../../cli/failover/progress.ts';
import { give, type OrderOptions } from '../../../cli/override/override.ts';
import type { Prepared } from '../../../cli/vip/prepare.ts';
import { register } from '../../../cli/vip/register.ts';
import type { Workflow } from '../../../shared/aws/step-functions/workflow.ts';
import { Fault, toFault } from '../../../shared/fault.ts';
import { minutes, plus } from '../../../shared/time.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { entry, type World, world } from '../../support/world.ts';

const broken = () => new TypeError('cannot read: timed out, AccessDenied, Throttling');

function outputOf(): { readonly out: Output; readonly notes: string[]; readonly lines: string[] } {
  const notes: string[] = [];
  const lines: string[] = [];
  const out = { json: false, note: (t: string) => notes.push(t), line: (t = '') => lines.push(t) };
  return { out: out as unknown as Output, notes, lines };
}

/** As much of a session as these commands use. */
function sessionOf(w: World, released: string[] = []): Session {
  const session = {
    ports: w.ports,
    now: () => w.clock.now(),
    nonce: () => w.ports.nonce(),
    caller: async () => 'ann',
    names: { learn: async () => ({ nodes: new Map() }), text: (sentence: string) => sentence },
    orders: { put: async () => undefined },
    reservations: {
      reserve: async (_: string, vip: string) => ({ holder: vip, fresh: true }),
      release: async (thing: string) => void released.push(thing),
    },
  };
  return session as unknown as Session;
}

describe('a bug', () => {
  test('is no complaint about AWS, whatever its message has in it: it has no next thing to do', () => {
    for (const bug of [broken(), toFault(broken()), new Fault('bug', 'AccessDenied', 'no')])
      expect(complaintOf(bug)).toBeUndefined();
    expect(complaintOf(new Fault('denied', 'AccessDenied', 'no'))).toMatchObject({ status: status.aws });
  });

  test('ends the following of an execution as itself, after the word that the execution goes on', async () => {
    const bug = broken();
    const workflow = { describe: () => Promise.reject(bug) } as unknown as Workflow;
    const { out, notes } = outputOf();
    const following = follow(sessionOf(world()), workflow, out, 'run-1');
    await expect(following).rejects.toBe(bug);
    expect(notes.join()).toMatch(/^Stopped following run-1 .*vipshift failover --follow run-1/);
  });

  test('of AWS’s side ends it as a fault of AWS', async () => {
    const workflow = { describe: () => Promise.reject(new Fault('denied', 'AccessDenied', 'no')) };
    const { out, notes } = outputOf();
    const following = follow(sessionOf(world()), workflow as unknown as Workflow, out, 'r');
    await expect(following).rejects.toMatchObject({ status: status.aws });
    expect(notes).toEqual([]);
  });

  test('in one of many VIPs leaves the others done, and is thrown in the end', async () => {
    const w = world();
    const others: Vip[] = ['api', 'db'].map((name) => newVip({ ...entry, name }));
    for (const vip of others) w.vips.items.set(vip.name, vip);
    const bug = broken();
    const failing = (error: unknown): Session => {
      const session = sessionOf(w);
      const write: World['vips']['write'] = (before, after) =>
        after.name === 'db' ? Promise.reject(error) : w.vips.write(before, after);
      return { ...session, ports: { ...session.ports, vips: { ...w.vips, write } } };
    };
    const options: OrderOptions = { all: true, for: '30m', reason: 'x' };
    const freeze = (error: unknown) => {
      const { out, notes } = outputOf();
      const given = give({ args: [], options: options as never, out, session: failing(error) }, 'freeze');
      return { given, notes };
    };
    const wrong = freeze(bug);
    await expect(wrong.given).rejects.toBe(bug);
    expect(wrong.notes.join()).toContain('db: cannot read');
    const untilMs = plus(w.clock.now(), minutes(30));
    for (const name of ['api', 'web']) expect(w.vips.items.get(name)!.freeze).toMatchObject({ untilMs });
    expect(w.vips.items.get('db')!.freeze).toBeUndefined();
    const denied = freeze(new Fault('denied', 'AccessDenied', 'no'));
    expect(await denied.given).toBe(status.bad);
  });

  test.each<[string, unknown, number]>([
    ['a bug: the item may stand', broken(), 0],
    ['no answer: the item may stand', new Fault('unknown', 'TimeoutError', 'no reply'), 0],
    ['a refusal', new Fault('denied', 'AccessDenied', 'no'), 3],
    ['what is none of AWS’s', new Error('no'), 3],
  ])(
    'while a VIP is registered keeps its reservations where the item may stand: %s',
    async (_, error, given) => {
      const w = world([]);
      w.vips.items.clear();
      w.ports.vips.write = () => Promise.reject(error);
      const released: string[] = [];
      const seen = { tables: [], enis: [], eips: [] };
      const prepared = { entry, was: undefined, seen } as unknown as Prepared;
      await expect(register(sessionOf(w, released), prepared, 'add', 'x')).rejects.toBe(error);
      expect(released).toHaveLength(given);
    },
  );
});
