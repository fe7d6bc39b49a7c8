// Rows of what EC2 has scheduled for the nodes, and of what keeps a node from being emptied in time.
import { minutes, plus } from '../../../../../shared/time.ts';
import type { Vip } from '../../../../../shared/vip/vip.ts';
import { NOW, nodes } from '../names.ts';
import type { World } from '../world.ts';
import type { Row } from './row.ts';

interface Planned {
  readonly node?: string;
  readonly code?: 'instance-retirement' | 'system-reboot';
  /** From now. */
  readonly inMinutes: number;
  readonly description?: string;
}

/** EC2 lists it. */
export function plans(world: World, planned: Planned): void {
  const { node = nodes.a, code: Code = 'instance-retirement', inMinutes, description = 'planned' } = planned;
  const Events = [
    { Code, Description: description, NotBefore: new Date(plus(NOW, minutes(inMinutes))) } as const,
  ];
  world.scheduled.push({ InstanceId: node, Events });
}

export const ordered = (inMinutes: number) => ({
  ...{ untilMs: plus(NOW, minutes(inMinutes)), by: 'ann', reason: 'work on the switch' },
});

export function change(world: World, over: Partial<Vip>): void {
  world.vips[0] = { ...world.vips[0]!, ...over };
}

export const scheduled: readonly Row[] = [
  {
    what: 'an owner that EC2 retires under a freeze',
    check: 'node-scheduled',
    byHand: true,
    seed: (world) => {
      plans(world, { inMinutes: 60 });
      change(world, { freeze: ordered(120) });
    },
  },
  {
    what: 'an owner that EC2 reboots, and no other node that is eligible',
    check: 'node-scheduled',
    byHand: true,
    seed: (world) => {
      plans(world, { code: 'system-reboot', inMinutes: 600 });
      const { claims } = world.vips[0]!;
      change(world, { claims: { ...claims, [nodes.b]: { ...claims[nodes.b]!, state: 'FAULT' } } });
    },
  },
  {
    what: 'an owner that EC2 reboots, whose next node is drained',
    check: 'node-scheduled',
    byHand: true,
    seed: (world) => {
      plans(world, { code: 'system-reboot', inMinutes: 600 });
      change(world, { hold: 'master', drains: { [nodes.b]: ordered(60) } });
    },
  },
  {
    what: 'a node that EC2 retires, whose drain an operator has ended',
    check: 'node-scheduled',
    byHand: true,
    seed: (world) => {
      plans(world, { inMinutes: 600 });
      const declined = { startsAtMs: plus(NOW, minutes(600)), untilMs: plus(NOW, minutes(720)) };
      change(world, { declined: { [nodes.a]: { ...declined, againMs: plus(NOW, minutes(590)) } } });
    },
  },
  {
    what: 'a standby that EC2 reboots in five minutes, and that nothing has drained',
    check: 'node-scheduled',
    byHand: true,
    seed: (world) => plans(world, { node: nodes.b, code: 'system-reboot', inMinutes: 5 }),
  },
];

/** Nothing to say of: it is far off, over, of another node, drained in time, or so near that the sweep is on its way. */
export const inOrder: readonly (readonly [what: string, seed: (world: World) => void])[] = [
  ['a reboot in a week', (world) => plans(world, { code: 'system-reboot', inMinutes: 7 * 24 * 60 })],
  ['a reboot in eight minutes', (world) => plans(world, { code: 'system-reboot', inMinutes: 8 })],
  ['a reboot that is over', (world) => plans(world, { inMinutes: 5, description: '[Completed] planned' })],
  [
    'a retirement of another instance',
    (world) => plans(world, { node: 'i-0ffff0000ffff0000', inMinutes: 5 }),
  ],
  [
    'a reboot in a week under a freeze that ends before',
    (world) => {
      plans(world, { code: 'system-reboot', inMinutes: 7 * 24 * 60 });
      change(world, { freeze: ordered(60) });
    },
  ],
  [
    'a standby that is drained for its retirement',
    (world) => {
      plans(world, { node: nodes.b, inMinutes: 60 });
      const departure = { departure: 'leave', startsAtMs: plus(NOW, minutes(60)) };
      change(world, { drains: { [nodes.b]: { ...ordered(180), ...departure } } });
    },
  ],
  [
    'an owner that is drained for its retirement, and about to give the VIP away',
    (world) => {
      plans(world, { inMinutes: 60 });
      change(world, { drains: { [nodes.a]: { ...ordered(180), startsAtMs: plus(NOW, minutes(60)) } } });
    },
  ],
];
