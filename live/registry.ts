// Registry: what the run writes into the stage and reads from it: its VIP, and the record of each failover.
import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { awsTimeline } from '../shared/aws/dynamodb/timeline.ts';
import { awsVips } from '../shared/aws/dynamodb/vip-store.ts';
import { isRegistered, registered, removed, update } from '../shared/registry/registry.ts';
import { epochMs } from '../shared/time.ts';
import type { Failover } from '../shared/timeline/timeline.ts';
import { defaultScope, type Vip } from '../shared/vip/vip.ts';
import { DESTINATION } from './plan.ts';
import { type Run, tablesOf } from './run-id.ts';
import { ifThere } from './teardown/absence.ts';

export interface Registry {
  register(vpc: string, account: string): Promise<void>;
  /** Leaves the tombstone that every removed VIP leaves. */
  remove(): Promise<void>;
  isRegistered(): Promise<boolean>;
  vip(): Promise<Vip>;
  /** The outcomes of these epochs, as far as they are written. */
  failovers(from: number, to: number): Promise<readonly Failover[]>;
}

export function registryOf(dynamo: DynamoDBClient, run: Run): Registry {
  const { signal } = new AbortController();
  const tables = tablesOf(run.stage);
  const vips = awsVips({ client: dynamo, signal, nonce: randomUUID, table: tables.vips });
  const timeline = awsTimeline({ client: dynamo, signal, table: tables.timeline, retentionDays: 1 });
  return {
    async register(vpc, account) {
      const entry = {
        ...defaultScope(run.vip),
        addresses: [DESTINATION],
        eips: [],
        vpc,
        account,
        hold: 'both' as const,
      };
      await update(vips, run.vip, (was) => registered(was, entry, {}));
    },
    async remove() {
      await update(vips, run.vip, (was) => (isRegistered(was) ? removed(was, epochMs(Date.now())) : was));
    },
    isRegistered: async () => isRegistered(await ifThere(() => vips.read(run.vip))),
    async vip() {
      const found = await vips.read(run.vip);
      if (!isRegistered(found))
        throw new Error(`the VIP ${run.vip} is no longer in the registry of stage ${run.stage}`);
      return found;
    },
    async failovers(from, to) {
      const epochs = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
      const entries = await Promise.all(epochs.map((epoch) => timeline.read(run.vip, epoch)));
      return entries.map(({ outcome }) => outcome).filter((outcome) => outcome !== undefined);
    },
  };
}
