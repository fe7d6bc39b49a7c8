// The doctor on maintenance that EC2 has scheduled: what it says of it, how loud, and where it has nothing to say.
import { describe, expect, test } from 'vitest';
import { refusal } from './answers.ts';
import { look } from './look.ts';
import { nodes } from './names.ts';
import { change, inOrder, ordered, plans, scheduled } from './rows/scheduled.ts';
import { rightWorld } from './world.ts';

const found = async (seed: (world: ReturnType<typeof rightWorld>) => void) => {
  const world = rightWorld();
  seed(world);
  const { findings } = await look(world);
  return findings.filter(({ check }) => check === 'node-scheduled');
};
const finding = async (what: string) => (await found(scheduled.find((row) => row.what === what)!.seed))[0]!;

describe('maintenance of a node', () => {
  test.each(inOrder)('that is in order is no finding: %s', async (_what, seed) => {
    expect(await found(seed)).toEqual([]);
  });

  test('under a freeze names the command that ends it, in the place that was asked about', async () => {
    const one = await finding('an owner that EC2 retires under a freeze');
    expect(one).toMatchObject({
      severity: 'fault',
      vips: ['web'],
      subject: nodes.a,
      found:
        'EC2 has instance-retirement from 2026-11-22T15:00:00.000Z, and web is frozen there until 2026-11-22T16:00:00.000Z',
      command: "vipshift unfreeze web --stage dev --region eu-central-1 --profile 'night shift'",
    });
  });

  test('without a node to move to is a warning before its time, and a fault then', async () => {
    expect(await finding('an owner that EC2 reboots, and no other node that is eligible')).toMatchObject({
      severity: 'warning',
      found: 'EC2 has system-reboot from 2026-11-23T00:00:00.000Z, and no other node of web is eligible',
    });
    const soon = await found((world) => {
      plans(world, { code: 'system-reboot', inMinutes: 9 });
      const { claims } = world.vips[0]!;
      change(world, { claims: { ...claims, [nodes.b]: { ...claims[nodes.b]!, state: 'FAULT' } } });
    });
    expect(soon).toMatchObject([{ severity: 'fault', subject: nodes.a }]);
  });

  test('whose next node is drained names that one', async () => {
    const one = await finding('an owner that EC2 reboots, whose next node is drained');
    expect(one.found).toContain(`keepalived would elect ${nodes.b}, which is drained`);
    expect(one.remedy).toContain(`vipshift undrain ${nodes.b} --dry-run`);
  });

  test('whose drain an operator has ended is a warning; one that nothing drained is a fault', async () => {
    expect(await finding('a node that EC2 retires, whose drain an operator has ended')).toMatchObject({
      severity: 'warning',
      command: expect.stringContaining(`vipshift drain ${nodes.a} --for 4h --reason `),
    });
    expect(
      await finding('a standby that EC2 reboots in five minutes, and that nothing has drained'),
    ).toMatchObject({ severity: 'fault', subject: nodes.b });
  });

  test('is one list for the account, asked once; where it cannot be read that is told', async () => {
    const world = rightWorld();
    world.vips.push({ ...world.vips[0]!, name: 'api' });
    plans(world, { inMinutes: 60 });
    change(world, { freeze: ordered(120) });
    expect((await look(world)).calls.filter((call) => call === 'DescribeInstanceStatus')).toHaveLength(1);
    Object.defineProperty(world, 'scheduled', {
      get: () => {
        throw refusal('UnauthorizedOperation');
      },
    });
    const unchecked = (await look(world)).findings.filter(({ subject }) => subject === 'scheduled events');
    expect(unchecked).toMatchObject([{ check: 'unchecked', severity: 'warning' }]);
  });
});
