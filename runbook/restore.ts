/**
 * `npm run restore -- --stage prod --from TABLE [--vip NAME …] [--yes]`: the registry from a backup, which DynamoDB has restored into a table
 * of its own (point-in-time recovery or on demand). Without --yes it only says what it would do.
 *
 * Invariant: epochs are raised, leases, claims and owners forgotten (shared/registry/restore.ts); written compare-and-set, so a claim that comes
 * between is not lost. The VIPs stay where EC2 has them until their nodes have spoken.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { recordedEpoch } from '../shared/aws/dynamodb/last-epoch.ts';
import { awsVips } from '../shared/aws/dynamodb/vip-store.ts';
import { clients, systemNow } from '../shared/aws/wire.ts';
import { restored } from '../shared/registry/restore.ts';
import type { Vip } from '../shared/vip/vip.ts';

export interface Restoring {
  readonly stage: string;
  readonly from: string;
  readonly vipsTable: string;
  readonly timelineTable: string;
  /** Empty: all. */
  readonly only: readonly string[];
  readonly yes: boolean;
}

const RACES_MAX = 20;

/** Writes, or only prints; one line for each VIP. */
export async function restore(how: Restoring, print: (line: string) => void): Promise<void> {
  const { dynamo: client } = clients();
  const { signal } = new AbortController();
  const store = (table: string) => awsVips({ client, table, signal, nonce: randomUUID });
  const timeline = { client, table: how.timelineTable, signal, retentionDays: 1 };
  const backups = (await store(how.from).list()).filter(
    (v) => how.only.length === 0 || how.only.includes(v.name),
  );
  if (backups.length === 0)
    throw new Error(`${how.from} has no VIP${how.only.length > 0 ? ` ${how.only.join(', ')}` : ''}`);
  for (const backup of backups) {
    const recorded = await recordedEpoch(timeline, backup.name);
    const after = await writeBack(store(how.vipsTable), backup, recorded, how.yes);
    print(
      `${how.yes ? 'restored' : 'would restore'} ${after.name}: ${after.addresses.join(', ')}, epoch ${after.epoch}`,
    );
  }
  if (!how.yes) print('nothing was written; add --yes');
}

async function writeBack(
  vips: ReturnType<typeof awsVips>,
  backup: Vip,
  recorded: number,
  yes: boolean,
): Promise<Vip> {
  for (let race = 1; race <= RACES_MAX; race++) {
    const present = await vips.read(backup.name);
    const after = restored(backup, { present, recorded, atMs: systemNow() });
    if (!yes) return after;
    const written = await vips.write(present, after);
    if (written !== undefined) return written;
  }
  throw new Error(`${backup.name} changed under our hands ${RACES_MAX} times in a row; try again`);
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ stage: text, from: text, 'vips-table': text, 'timeline-table': text },
      vip: { type: 'string', multiple: true, default: [] },
      yes: { type: 'boolean', default: false },
    },
  });
  const { stage, from, vip, yes } = values;
  if (stage === undefined || from === undefined)
    throw new Error('want: npm run restore -- --stage NAME --from TABLE [--vip NAME] [--yes]');
  const vipsTable = values['vips-table'] ?? `vipshift-${stage}-vips`;
  const timelineTable = values['timeline-table'] ?? `vipshift-${stage}-timeline`;
  await restore({ stage, from, vipsTable, timelineTable, only: vip, yes }, console.log);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
