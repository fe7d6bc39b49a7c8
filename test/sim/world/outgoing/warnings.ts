// AWS warns of a node's end: events of the default bus as AWS writes them, EC2's list, and what the departures that come of it
// have written into the items.
import { epochMs, iso } from '../../../../shared/time.ts';
import { type ScheduledEvent, scheduledCodes } from '../../../../shared/warning/scheduled.ts';
import { warn } from '../../functions/departure.ts';
import { wireId } from '../../functions/read-warning.ts';
import type { Act } from '../../history/history.ts';
import { chance } from '../../history/random.ts';
import type { Written } from '../../truth/log.ts';
import { computeOwners, lookLater, type World } from '../world.ts';
import { note } from './drains.ts';

type Warning = Extract<Act, { does: 'is warned' | 'is scheduled' | 'is called off' }>;

/** What EC2 lists is found a minute later at most, once the sweeps come again. */
const FOUND_WITHIN_MS = 90_000;
/** After the quiet: a drain for a spot interruption. */
const ENDS_WITHIN_MS = 1_300_000;
const REGION = 'eu-central-1';

export function announce(world: World, act: Warning): void {
  const { sched, epochAt } = world;
  const node = world.machines[act.node]!.id;
  const nowMs = epochMs(Math.floor(epochAt + sched.now()));
  const send = (event: unknown) => {
    for (const ms of act.comesAfterMs) sched.after(ms, () => warn(world, event));
  };
  if (act.does === 'is warned') {
    send(interruption(world, act, wireId(node), nowMs));
    return;
  }
  const { scheduled } = world.region.ec2;
  if (act.does === 'is scheduled') {
    const notBeforeMs = epochMs(Math.floor((nowMs + act.inMs) / 1000) * 1000);
    const event: ScheduledEvent = { node, code: act.code, description: 'maintenance', notBeforeMs };
    scheduled.push(event);
    isListed(world, event);
    send(health(event, 'open'));
    return;
  }
  const last = scheduled.findLastIndex((one) => one.node === node && !one.description.startsWith('['));
  const was = scheduled[last];
  if (was === undefined) return;
  scheduled[last] = { ...was, description: `[Canceled] ${was.description}` };
  world.troubleUntilMs = Math.max(world.troubleUntilMs, world.story.quietAtMs + FOUND_WITHIN_MS);
  send(health(was, 'closed'));
}

/** It is due before the quiet, or long after everything. */
function isListed(world: World, { notBeforeMs }: ScheduledEvent): void {
  const { quietAtMs } = world.story;
  const dueMs = notBeforeMs - world.epochAt - 600_000;
  const fromMs = dueMs < quietAtMs + 600_000 ? Math.max(dueMs, quietAtMs) : quietAtMs;
  world.troubleUntilMs = Math.max(world.troubleUntilMs, fromMs + FOUND_WITHIN_MS);
}

function interruption(world: World, { as, atMs }: Act & { does: 'is warned' }, node: string, nowMs: number) {
  const id = `${world.story.seed}-${Math.floor(atMs)}`;
  const detail = {
    'instance-id': as === 'unknown' ? 'i-0123456789abcdef0' : node,
    'instance-action': 'terminate',
  };
  return {
    ...{
      id,
      time: iso(epochMs(nowMs)),
      region: REGION,
      'detail-type': 'EC2 Spot Instance Interruption Warning',
    },
    source: as === 'foreign' ? 'com.example' : 'aws.ec2',
    detail: as === 'malformed' ? { 'instance-id': `${node} ` } : detail,
  };
}

const health = ({ node, code, notBeforeMs }: ScheduledEvent, statusCode: 'open' | 'closed') => ({
  ...{ source: 'aws.health', 'detail-type': 'AWS Health Event', region: REGION },
  detail: {
    ...{ service: 'EC2', eventTypeCategory: 'scheduledChange', statusCode },
    eventTypeCode: `AWS_EC2_${code.toUpperCase().replace('-', '_')}_SCHEDULED`,
    startTime: new Date(notBeforeMs).toUTCString(),
    affectedEntities: [{ entityValue: wireId(node) }],
  },
});

/** Reconcile has found it in the list, and announces it on the bus of the service. */
export function found(world: World, event: ScheduledEvent): void {
  const { sched, cloud } = world;
  const luck = chance(world.story.seed, `found ${world.warnings.length} ${sched.now()}`);
  if (!scheduledCodes.some((code) => code === event.code) || cloud.odds('event lost', luck)) return;
  const detail = { ...event, node: wireId(event.node) };
  const said = { source: 'vipshift.controller', 'detail-type': 'VIP Node Warned', detail };
  sched.after(luck.log(50, 2000), () => warn(world, said));
  if (cloud.odds('event doubled', luck)) sched.after(luck.log(50, 60_000), () => warn(world, said));
}

/** A departure has drained, or what AWS had announced is over. */
export function followDrains(world: World, { by, before, after }: Written): void {
  if (by === undefined || before?.drains === after.drains || !isDeparting(world, by.name)) return;
  const vip = world.story.vips.findIndex((spec) => spec.name === after.name);
  for (const node of Object.keys({ ...before?.drains, ...after.drains })) {
    const [was, is] = [before?.drains?.[node], after.drains?.[node]];
    if (was?.untilMs === is?.untilMs) continue;
    const untilMs = is === undefined ? world.sched.now() : is.untilMs - world.epochAt;
    note(world, vip, node, untilMs);
    // Where it ends, a sweep may find what else is listed.
    if (untilMs < world.story.quietAtMs + ENDS_WITHIN_MS)
      world.troubleUntilMs = Math.max(world.troubleUntilMs, untilMs + FOUND_WITHIN_MS);
  }
  world.lastDeed[vip] = 'departs';
  computeOwners(world);
  lookLater(world);
}

/** By a step of one of the two workflows. */
export const isDeparting = ({ departures, warnings }: World, by: string): boolean =>
  [...departures, ...warnings].some(({ name }) => by.startsWith(`${name} `));
