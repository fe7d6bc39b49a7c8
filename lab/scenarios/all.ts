/** All scenarios, in the order in which `npm run lab` runs them. */
import type { Scenario } from '../netns/scenario/scenario.ts';
import { bothDownThenUp } from './both-down-then-up.ts';
import { busDown30s } from './bus-down-30-s.ts';
import { cleanStop } from './clean-stop.ts';
import { cleanStopHoldMaster } from './clean-stop-hold-master.ts';
import { ec2Throttles } from './ec2-throttles.ts';
import { eipClient } from './eip-client.ts';
import { flapsTenTimes } from './flaps-ten-times.ts';
import { handOverByRunbook } from './hand-over-by-runbook.ts';
import { handOverFails } from './hand-over-fails.ts';
import { hostDies } from './host-dies.ts';
import { keepalivedKilled } from './keepalived-killed.ts';
import { keepalivedParentKilled } from './keepalived-parent-killed.ts';
import { lambdaKilled } from './lambda-killed.ts';
import { bothWarned, bothWarnedHoldMaster } from './leaving/both-warned.ts';
import { drainUndrain, drainUndrainHoldMaster } from './leaving/drain-undrain.ts';
import { frozenWarned } from './leaving/frozen-warned.ts';
import { lastWarned } from './leaving/last-warned.ts';
import { spotWarning, spotWarningHoldMaster } from './leaving/spot-warning.ts';
import { networkDownAtFailover } from './network-down-at-failover.ts';
import { nodeReboots } from './node-reboots.ts';
import { oldEventReplayed } from './old-event-replayed.ts';
import { partitionHeals } from './partition-heals.ts';
import { partitionLasts } from './partition-lasts.ts';
import { serviceDies } from './service-dies.ts';
import { shimKilled } from './shim-killed.ts';
import { transientMaster } from './transient-master.ts';

export const scenarios: readonly Scenario[] = [
  hostDies,
  keepalivedKilled,
  keepalivedParentKilled,
  cleanStop,
  cleanStopHoldMaster,
  handOverByRunbook,
  handOverFails,
  spotWarning,
  spotWarningHoldMaster,
  bothWarned,
  bothWarnedHoldMaster,
  lastWarned,
  frozenWarned,
  drainUndrain,
  drainUndrainHoldMaster,
  serviceDies,
  nodeReboots,
  partitionHeals,
  partitionLasts,
  transientMaster,
  flapsTenTimes,
  bothDownThenUp,
  networkDownAtFailover,
  shimKilled,
  oldEventReplayed,
  ec2Throttles,
  eipClient,
  lambdaKilled,
  busDown30s,
];
