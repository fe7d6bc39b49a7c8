// An outcome can always be recorded, however much was refused and whatever the refusals say. The store in memory refuses by size as
// DynamoDB does.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { output } from '../../../cli/command/output.ts';
import { printFailover } from '../../../cli/timeline/failover-text.ts';
import { faultFromSdkError } from '../../../shared/aws/error-codes.ts';
import { handleClaim } from '../../../shared/controller/handle-claim.ts';
import { localBucket } from '../../../shared/rate-limit/local-bucket.ts';
import { seconds } from '../../../shared/time.ts';
import { itemBytes, jsonBytes, RECORD_MAX, utf8Bytes } from '../../../shared/timeline/size.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import {
  addTable,
  anyNode,
  change,
  finish,
  heard,
  item,
  outcomesOf,
  reconciles,
  says,
  type World,
  world,
} from '../../support/world.ts';

/** As EC2 answers where an SCP denies; each is about its own table. */
function refusal(table: string, encodedBytes: number): Error {
  const role =
    'arn:aws:sts::111122223333:assumed-role/vipshift-prod-FailoverRole-1ABCDEFGHIJKL/vipshift-prod-failover';
  const what = `ec2:ReplaceRoute on resource: arn:aws:ec2:eu-central-1:111122223333:route-table/${table}`;
  const scp = 'arn:aws:organizations::999999999999:policy/o-abcdefghij/service_control_policy/p-abcdefgh';
  const why = `with an explicit deny in a service control policy: ${scp}`;
  const text = `You are not authorized to perform this operation. User: ${role} is not authorized to perform: ${what} ${why}.`;
  const encoded = 'aZ09-_'.repeat(Math.ceil(encodedBytes / 6)).slice(0, encodedBytes);
  return Object.assign(new Error(`${text} Encoded authorization failure message: ${encoded}`), {
    name: 'UnauthorizedOperation',
    $metadata: { httpStatusCode: 403 },
  });
}
const SCP = /with an explicit deny in a service control policy: arn:\S+p-abcdefgh/;

const addressesOf = (count: number) => Array.from({ length: count }, (_, n) => `192.168.${200 + n}.10/32`);

interface Size {
  readonly tables: number;
  readonly addresses: number;
  readonly encodedBytes: number;
  readonly members?: number;
  /** EC2's own rate of calls, as the account has it; unbounded by default. */
  readonly paced?: boolean;
}

/** A VIP of that size on its first node, whose every mutation EC2 refuses from now on. */
async function refused(size: Size): Promise<World> {
  const names = Array.from({ length: size.members ?? 2 }, (_, n) => `i-0${n.toString(16).padStart(16, '0')}`);
  const w = world(names);
  const addresses = addressesOf(size.addresses);
  change(w, { addresses, eips: [] });
  for (let n = 1; n <= size.tables; n++) {
    const table = `rtb-0${n.toString(16).padStart(16, '0')}`;
    addTable(w.ec2, table, 'web');
    const seen = w.ec2.tables.get(table)!;
    const route = { target: 'eni-gone', state: 'blackhole' as const, propagated: false };
    w.ec2.tables.set(table, { ...seen, routes: Object.fromEntries(addresses.map((a) => [a, route])) });
  }
  for (const n of [1, 2, 3, 4]) w.ec2.tables.delete(`rtb-${n}`);
  for (const name of names.slice(1)) await says(w, name, { state: 'BACKUP' });
  return withRefusals(w, size);
}

function withRefusals(w: World, { encodedBytes, paced = false }: Size): World {
  const apply: World['ec2']['apply'] = async (step, mayStart) => {
    if (!mayStart()) throw new Error('asked too late');
    throw faultFromSdkError(refusal(step.cell.split(' ')[0]!, encodedBytes), `${step.call} ${step.cell}`);
  };
  const plenty = { burst: 10_000, perSecond: 10_000 };
  const all = { ReplaceRoute: plenty, CreateRoute: plenty, AssociateAddress: plenty };
  const rates = { ...all, ModifyNetworkInterfaceAttribute: plenty };
  const ports = {
    ...w.ports,
    ec2: { ...w.ec2, apply },
    ...(paced ? {} : { localBucket: localBucket(rates) }),
  };
  return { ...w, ports };
}

const first = (w: World): string => Object.keys(item(w).members)[0]!;

/** As `vipshift explain` prints it. */
function explained(record: Failover): string {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  onTestFinished(() => write.mockRestore());
  printFailover(output({} as never), record, 'UTC');
  write.mockRestore();
  return lines.join('');
}

const figure = (what: string, record: Failover): void =>
  console.info(
    `${what}: item ${itemBytes(record)} B, as JSON ${jsonBytes(record)} B, steps listed ${record.steps.length}`,
  );

describe('a failover that EC2 refuses everywhere', () => {
  it('of 1,000 cells with 2 KB of message each is recorded, its lease is released, and the reason can be read', async () => {
    const w = await refused({ tables: 200, addresses: 5, encodedBytes: 2000 });
    const answer = await says(w, first(w));
    expect(answer).toMatchObject({ answer: 'switched', faults: [] });
    const [record] = outcomesOf(w);
    expect(outcomesOf(w)).toHaveLength(1);
    figure('200 tables × 5, refused with 2 KB', record!);
    expect(record).toMatchObject({ outcome: 'failed', to: first(w), epoch: 1 });
    expect(item(w).lease).toBeUndefined();
    expect(item(w).open).toEqual({});
    // Each of the thousand is there with what became of it, and the reason once.
    expect(record!.omitted).toBeUndefined();
    expect(record!.steps).toHaveLength(1000);
    for (const step of record!.steps)
      expect(step).toMatchObject({ result: 'failed', code: 'UnauthorizedOperation', attempts: 1 });
    expect(record!.steps.filter((s) => s.message !== undefined)).toHaveLength(1);
    const [note, ...others] = record!.notes.filter((n) => SCP.test(n));
    expect(note).toMatch(/^1000 × UnauthorizedOperation; the first: ReplaceRoute rtb-0/);
    expect(others).toEqual([]);
    const text = explained(record!);
    expect(text).toMatch(/note +1000 × UnauthorizedOperation; the first: /);
    expect(text).toMatch(SCP);
    expect(text).not.toContain('Encoded');
    const longest = Math.max(...text.split('\n').map((line) => line.length));
    expect(longest).toBeLessThan(600);
  });

  it('of 16 members, 200 tables and 16 addresses is recorded with the first fifty steps, and says what it leaves out', async () => {
    const w = await refused({ tables: 200, addresses: 16, encodedBytes: 2000, members: 16 });
    await says(w, first(w));
    const [record] = outcomesOf(w);
    figure('16 members, 200 tables × 16, refused with 2 KB', record!);
    expect(itemBytes(record!)).toBeLessThanOrEqual(RECORD_MAX);
    expect(record).toMatchObject({ outcome: 'failed', to: first(w), epoch: 1 });
    expect([item(w).lease, item(w).open]).toEqual([undefined, {}]);
    const left = { count: 3150, result: 'failed', code: 'UnauthorizedOperation' };
    expect(record!.omitted).toEqual({ steps: [left] });
    expect(record!.steps).toHaveLength(50);
    expect(Object.keys(record!.claims)).toHaveLength(16);
    expect(record!.notes.slice(0, 2)).toEqual([
      'too large for the record, left out: steps: 3150 failed UnauthorizedOperation',
      expect.stringMatching(/^3200 × UnauthorizedOperation; the first: /),
    ]);
    expect(explained(record!)).toMatch(SCP);
    const intent = w.timeline.entries.find((e) => e.entry === 'intent')!;
    expect(intent.steps.length + (intent.omitted?.steps?.[0]?.count ?? 0)).toBe(3200);
  });

  it('of 120 tables and 2 addresses, again and again for five minutes, names the reason in every record', async () => {
    const w = await refused({ tables: 120, addresses: 2, encodedBytes: 1300, paced: true });
    const began = w.clock.now();
    const ports = w.ports;
    await finish(w, handleClaim(ports, heard(first(w), { atMs: 0 }), anyNode));
    while (w.clock.now() - began < 300_000) {
      await w.clock.advance(seconds(60));
      await reconciles(w);
    }
    const records = outcomesOf(w);
    const naming = records.filter((r) => r.notes.some((note) => SCP.test(note)));
    console.info(`120 tables × 2 over 5 min: ${records.length} records, ${naming.length} name the reason`);
    expect(records.length).toBeGreaterThan(2);
    expect(naming).toHaveLength(records.length);
    expect(records.map((r) => r.outcome)).toEqual(records.map(() => 'failed'));
  });
});

it.each(['', 'web', '~\u007f', '\u0080', 'é', 'web €', '界', 'a😀', '\ud83d', 'x\udc00y'])(
  'counts %j as UTF-8',
  (text) => {
    expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
  },
);
