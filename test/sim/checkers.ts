// Every checker there is.

import { bugsContained } from './checks/bugs-contained.ts';
import { convergence } from './checks/convergence.ts';
import { damping } from './checks/damping.ts';
import { departures } from './checks/departures.ts';
import { drained } from './checks/drained.ts';
import { forced } from './checks/forced.ts';
import { leaving } from './checks/leaving.ts';
import { neverWorse } from './checks/never-worse.ts';
import { noClaimLost } from './checks/no-claim-lost.ts';
import { noGap } from './checks/no-gap.ts';
import { noNodeSilenced } from './checks/no-node-silenced.ts';
import { nothingStuck } from './checks/nothing-stuck.ts';
import { oneWriter } from './checks/one-writer.ts';
import { order } from './checks/order.ts';
import { orders } from './checks/orders.ts';
import { reports } from './checks/reports.ts';
import { scope } from './checks/scope.ts';
import { secondCarrier } from './checks/second-carrier.ts';
import { silenceTold } from './checks/silence-told.ts';
import { trueRecord } from './checks/true-record.ts';
import type { Violation } from './violation.ts';
import type { World } from './world/world.ts';

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
  bugsContained,
  damping,
  drained,
  leaving,
  departures,
  reports,
  secondCarrier,
];

export const violationsOf = (world: World): readonly Violation[] => checks.flatMap((check) => check(world));
