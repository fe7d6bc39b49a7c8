// What the controller tells the world on its own bus: `VIP Failover Finished`, for users' own automation, `VIP Failover
// Failed`, `VIP Node Flapping` and `VIP Node Leaving`, for people. All carry the notice, so that a rule and a topic suffice to send it. What has
// `flapping` in its detail is of a storm that people know of: their rule leaves it out.
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Fault } from '../../fault.ts';
import { defined } from '../../optional.ts';
import type { Place } from '../../place.ts';
import type { EventPublisher } from '../../switch/switch-vip.ts';
import type { EpochMs } from '../../time.ts';
import { flappingNotice, leavingNotice, noticeOf } from '../../timeline/message.ts';
import { beganMilestoneAt, type Milestone, milestoneAt } from '../../timeline/milestone.ts';
import type { Failover } from '../../timeline/timeline.ts';
import type { Flapping } from '../../vip/flapping.ts';
import { compareAndSet, type VipStore } from '../../vip/store.ts';
import type { Announcement, Stranded } from '../../vip/vip.ts';
import { faultFromSdkError, serviceText } from '../error-codes.ts';

export const FINISHED = 'VIP Failover Finished';
export const FAILED = 'VIP Failover Failed';
export const FLAPPING = 'VIP Node Flapping';
export const LEAVING = 'VIP Node Leaving';
export const WARNED = 'VIP Node Warned';
export const CONTROLLER_SOURCE = 'vipshift.controller';

export interface Bus {
  readonly client: EventBridgeClient;
  readonly bus: string;
  readonly place: Place;
  readonly signal: AbortSignal;
}

export const awsPublisher = (bus: Bus): EventPublisher => ({
  finished: (failover) => announce(bus, FINISHED, failover),
  failed: (failover) => announce(bus, FAILED, failover),
  flapping(vip, flapping) {
    const notice = flappingNotice(vip, flapping, bus.place);
    return send(bus, FLAPPING, JSON.stringify({ ...flappingDetail(vip, flapping), notice }));
  },
  leaving(vip, stranded) {
    const notice = leavingNotice(vip, stranded, bus.place);
    return send(bus, LEAVING, JSON.stringify({ ...leavingDetail(vip, stranded), notice }));
  },
  warned: (event) => send(bus, WARNED, JSON.stringify({ version: 1, ...event })),
  forward: ({ as, detail }) => send(bus, as === 'finished' ? FINISHED : FAILED, detail),
});

const RACES_MAX = 20;

/**
 * For a caller that the bus's policy lets announce nothing, as the command line: it leaves the event in the VIP's item, and
 * reconcile sends it. Limit: the last one of a minute.
 */
export function laterPublisher(vips: VipStore, place: Place): EventPublisher {
  const leave = async (as: Announcement['as'], failover: Failover) => {
    const name = failover.vip;
    const unannounced = { as, detail: detailText(failover, place) };
    const change = { name, from: await vips.read(name), racesMax: RACES_MAX };
    await compareAndSet(vips, change, (vip) => (vip === undefined ? undefined : { ...vip, unannounced }));
  };
  return {
    finished: (failover) => leave('finished', failover),
    failed: (failover) => leave('failed', failover),
    // Only a claim begins a storm or says that its node leaves, and only a sweep asks what is scheduled; the command line does neither.
    flapping: () => Promise.resolve(),
    leaving: () => Promise.resolve(),
    warned: () => Promise.resolve(),
    forward: () => Promise.resolve(),
  };
}

async function announce(bus: Bus, detailType: string, failover: Failover): Promise<void> {
  try {
    await send(bus, detailType, detailText(failover, bus.place));
  } catch (error) {
    throw faultFromSdkError(error, `announcing epoch ${failover.epoch} of ${failover.vip}`);
  }
}

const detailText = (failover: Failover, place: Place): string =>
  JSON.stringify({ ...finishedDetail(failover), notice: noticeOf(failover, place) });

async function send({ client, bus, signal }: Bus, detailType: string, detail: string): Promise<void> {
  const entry = { EventBusName: bus, Source: CONTROLLER_SOURCE, DetailType: detailType, Detail: detail };
  try {
    const reply = await client.send(new PutEventsCommand({ Entries: [entry] }), { abortSignal: signal });
    const [refused] = (reply.Entries ?? []).filter((e) => e.ErrorCode !== undefined);
    if (refused === undefined) return;
    const text = serviceText(refused.ErrorMessage ?? 'no reason given');
    throw new Fault('refused', refused.ErrorCode!, `PutEvents to ${bus}: ${text}`);
  } catch (error) {
    throw faultFromSdkError(error, `sending ${detailType} to ${bus}`);
  }
}

/** The published event's detail; events/vip-node-flapping.schema.json describes it. */
export const flappingDetail = (vip: string, { node, sinceMs, untilMs, transitions }: Flapping) => ({
  version: 1,
  vip,
  node,
  cause: { kind: 'claim', why: `${node} became MASTER ${transitions} times within a minute` },
  transitions,
  sinceMs,
  untilMs,
});

/** The published event's detail; events/vip-node-leaving.schema.json describes it. */
export const leavingDetail = (vip: string, { key, node, cause }: Stranded) => ({
  version: 1,
  vip,
  node,
  cause: { kind: 'claim', why: `${node} is about to go: ${cause}` },
  leaving: cause,
  keeps: key,
});

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
    ...defined({ flapping: failover.flapping }),
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
