// What the controller tells the world on its own bus: `VIP Failover Finished`, for users' own automation, and `VIP
// Failover Failed`, for people. Both carry the notice, so that a rule and a topic suffice to send it.
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Fault } from '../fault.ts';
import { noticeOf } from '../notice.ts';
import type { Announcer } from '../switch.ts';
import type { Failover, Stage } from '../timeline.ts';
import { faultFrom, serviceText } from './codes.ts';

export const FINISHED = 'VIP Failover Finished';
export const FAILED = 'VIP Failover Failed';
export const CONTROLLER_SOURCE = 'vipshift.controller';

export interface Bus {
  readonly client: EventBridgeClient;
  readonly bus: string;
  readonly stage: string;
  readonly signal: AbortSignal;
}

export const awsAnnouncer = (bus: Bus): Announcer => ({
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
    throw faultFrom(error, `announcing epoch ${failover.epoch} of ${failover.vip}`);
  }
}

/** The published event's detail; events/vip-failover-finished.schema.json describes it. */
export function finishedDetail(failover: Failover) {
  const { vip, epoch, from, to, outcome, verified } = failover;
  return {
    version: 1,
    vip,
    epoch,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    cause: { kind: failover.cause.kind, why: failover.cause.why },
    outcome,
    verified,
    durationsMs: durations(failover.stages),
    atMs: failover.atMs,
  };
}

/** From the controller's first line to traffic moved, and to the end. Fields are absent where the stage is. */
export function durations(stages: readonly Stage[]) {
  const at = (name: string) => stages.find((s) => s.stage === name)?.atMs;
  const began = at('controller began') ?? at('reconcile began') ?? at('order began');
  const moved = at('last mutation accepted');
  const readBack = at('read back');
  return {
    ...(began === undefined || moved === undefined ? {} : { toLastMutation: moved - began }),
    ...(began === undefined || readBack === undefined ? {} : { toReadBack: readBack - began }),
  };
}
