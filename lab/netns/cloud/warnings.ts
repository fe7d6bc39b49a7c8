/**
 * Warnings: what AWS says of a node that it is about to take, by each of its ways: the node's own metadata service, an event on the
 * default bus, EC2's list of what is scheduled.
 *
 * Invariant: after `takeBack` none of it is said any more, and nothing that came of it goes on: no workflow, drain or freeze.
 */
import { CreateTagsCommand, DeleteTagsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ListExecutionsCommand, type SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { update } from '../../../shared/registry/registry.ts';
import { epochMs, iso } from '../../../shared/time.ts';
import type { VipStore } from '../../../shared/vip/store.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { spotNotice } from '../../aws/notices.ts';
import type { NodeLabel } from '../sandbox/topology.ts';
import type { Metadata } from './metadata.ts';

export interface Warnings {
  /** A spot instance ends in two minutes: its own metadata service has the notice from now on. */
  spotNotice(node: NodeLabel): void;
  /** The same as an event on the default bus. */
  spotEvent(node: NodeLabel): Promise<void>;
  /** The host is to be retired, and no event comes: it is in EC2's list only. */
  listRetirement(node: NodeLabel): Promise<void>;
  takeBack(): Promise<void>;
}

export interface WarningsInput {
  readonly ec2: EC2Client;
  readonly events: EventBridgeClient;
  readonly workflows: SFNClient;
  /** The workflows that a warning starts. */
  readonly machines: readonly string[];
  readonly metadata: Pick<Metadata, 'say'>;
  readonly instanceIds: Readonly<Record<NodeLabel, string>>;
  readonly vips: VipStore;
  readonly vip: string;
}

const SPOT_MS = 120_000;
const DAY_MS = 86_400_000;
const TAG = 'lab:scheduled';

export function warningsOf(input: WarningsInput): Warnings {
  const { ec2, events, metadata, instanceIds } = input;
  /** EC2 names a departure by the day and hour of the maintenance, so each has another. */
  let retirements = 0;
  return {
    spotNotice(node) {
      metadata.say(node, spotNotice('terminate', Date.now() + SPOT_MS));
    },
    async spotEvent(node) {
      const detail = { 'instance-id': instanceIds[node], 'instance-action': 'terminate' };
      const entry = {
        Source: 'aws.ec2',
        DetailType: 'EC2 Spot Instance Interruption Warning',
        Detail: JSON.stringify(detail),
      };
      await events.send(new PutEventsCommand({ Entries: [entry] }));
    },
    async listRetirement(node) {
      const atMs = Math.ceil(Date.now() / 1000) * 1000 + 9 * DAY_MS + ++retirements * 3_600_000;
      const Value = `instance-retirement/${iso(epochMs(atMs))}/The instance is scheduled for retirement`;
      await ec2.send(new CreateTagsCommand({ Resources: [instanceIds[node]], Tags: [{ Key: TAG, Value }] }));
    },
    async takeBack() {
      metadata.say('a', {});
      metadata.say('b', {});
      await ec2.send(new DeleteTagsCommand({ Resources: Object.values(instanceIds), Tags: [{ Key: TAG }] }));
      await stopWorkflows(input);
      await update(input.vips, input.vip, (vip) => vip && withoutOrders(vip));
    },
  };
}

async function stopWorkflows({ workflows, machines }: WarningsInput): Promise<void> {
  for (const stateMachineArn of machines) {
    const { executions = [] } = await workflows.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }),
    );
    for (const { executionArn } of executions)
      await workflows.send(new StopExecutionCommand({ executionArn }));
  }
}

/** The same object where there is none. */
function withoutOrders(vip: Vip): Vip {
  const { drains, freeze, pin, forced, declined, strandedTold, ...rest } = vip;
  const orders = [drains, freeze, pin, forced, declined, strandedTold];
  return orders.every((order) => order === undefined) ? vip : rest;
}
