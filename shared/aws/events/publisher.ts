// What the controller tells the world on its own bus: `VIP Failover Finished`, for users' own automation, and `VIP
// Failover Failed`, for people. Both carry the notice, so that a rule and a topic suffice to send it.
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Fault } from '../../fault.ts';
import { defined } from '../../optional.ts';
import type { EventPublisher } from '../../switch/switch-vip.ts';
import type { EpochMs } from '../../time.ts';
import { noticeOf } from '../../timeline/message.ts';
import { beganMilestoneAt, type Milestone, milestoneAt } from '../../timeline/milestone.ts';
import type { Failover } from '../../timeline/timeline.ts';
import { faultFromSdkError, serviceText } from '../error-codes.ts';

export const FINISHED = 'VIP Failover Finished';
export const FAILED = 'VIP Failover Failed';
export const CONTROLLER_SOURCE = 'vipshift.controller';

export interface Bus {
  readonly client: EventBridgeClient;
  readonly bus: string;
  readonly stage: string;
  readonly signal: AbortSignal;
}

export const awsPublisher = (bus: Bus): EventPublisher => ({
  finished: (failover) => announce(bus, FINISHED, failover),
  failed: (failover) => announce(bus, FAILED, failover),
});

async function announce(
  { client, bus, stage, signal }: Bus,
  detailType: string,
  failover: Failover,
): Promise<void> {
  const entry = {
    EventBusName: bus,
    Source: CONTROLLER_SOURCE,
    DetailType: detailType,
    Detail: JSON.stringify({ ...finishedDetail(failover), notice: noticeOf(failover, stage) }),
  };
  try {
    const reply = await client.send(new PutEventsCommand({ Entries: [entry] }), { abortSignal: signal });
    const [refused] = (reply.Entries ?? []).filter((e) => e.ErrorCode !== undefined);
    if (refused === undefined) return;
    const text = serviceText(refused.ErrorMessage ?? 'no reason given');
    throw new Fault('refused', refused.ErrorCode!, `PutEvents to ${bus}: ${text}`);
  } catch (error) {
    throw faultFromSdkError(error, `announcing epoch ${failover.epoch} of ${failover.vip}`);
  }
}

/** The published event's detail; events/vip-failover-finished.schema.json describes it. */
export function finishedDetail(failover: Failover) {
  const { vip, epoch, from, to, outcome, verified } = failover;
  return {
    version: 1,
    vip,
    epoch,
    ...defined({ from, to }),
    cause: { kind: failover.cause.kind, why: failover.cause.why },
    outcome,
    verified,
    durationsMs: durations(failover.stages),
    atMs: failover.atMs,
  };
}

/** From the controller's first line to traffic moved, and to the end. Fields are absent where the stage is. */
export function durations(stages: readonly Milestone[]) {
  const began = beganMilestoneAt(stages);
  const moved = milestoneAt(stages, 'last-accepted');
  const readBack = milestoneAt(stages, 'read-back');
  const since = (end: EpochMs | undefined) =>
    began === undefined || end === undefined ? undefined : end - began;
  return {
    ...defined({ toLastMutation: since(moved), toReadBack: since(readBack) }),
  };
}
