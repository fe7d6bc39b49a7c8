// Every checker there is.
import type { World } from '../world.ts';
import { convergence } from './convergence.ts';
import { forced } from './forced.ts';
import { neverWorse } from './never-worse.ts';
import { noClaimLost } from './no-claim-lost.ts';
import { noGap } from './no-gap.ts';
import { noNodeSilenced } from './no-node-silenced.ts';
import { nothingStuck } from './nothing-stuck.ts';
import { oneWriter } from './one-writer.ts';
import { order } from './order.ts';
import { orders } from './orders.ts';
import { scope } from './scope.ts';
import { silenceTold } from './silence-told.ts';
import { trueRecord } from './true-record.ts';
import type { Violation } from './violation.ts';

export const checks: readonly ((world: World) => readonly Violation[])[] = [
  convergence,
  order,
  oneWriter,
  noClaimLost,
  nothingStuck,
  trueRecord,
  scope,
  neverWorse,
  noGap,
  orders,
  forced,
  silenceTold,
  noNodeSilenced,
];

export const violationsOf = (world: World): readonly Violation[] => checks.flatMap((check) => check(world));
