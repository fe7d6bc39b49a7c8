// The command `drain` over the ports in memory: its longest time, and the exit status of a dry run.
import { afterEach, describe, expect, it } from 'vitest';
import type { Output } from '../../../cli/command/output.ts';
import type { Session } from '../../../cli/command/session.ts';
import { drain } from '../../../cli/drain/drain.ts';
import { hours, plus } from '../../../shared/time.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { type Endpoint, ec2Reply, startEndpoint } from '../../support/aws/endpoint.ts';
import { claimOf, memberOf, START, type Words, world } from '../../support/world.ts';

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());

const [A, B] = ['i-0aaaaaaaaaaaaaaaa', 'i-0bbbbbbbbbbbbbbbb'];
const said = (node: string, words: Words = {}) => nodeStateFrom(claimOf(node, words), START);
/** Node a owns the VIP as MASTER, b stands by. */
const pair: Partial<Vip> = {
  ...{ owner: A, members: { [A]: memberOf(A), [B]: memberOf(B) } },
  claims: { [A]: said(A), [B]: said(B, { state: 'BACKUP' }) },
};

/** A dry run of a drain of node a; EC2 shows nothing at all. */
async function dryRun(vip: Partial<Vip> = {}, span = '4h') {
  endpoint = await startEndpoint((call) => ec2Reply(call, {}));
  const w = world([A, B], { ...pair, ...vip });
  const access = { reader: endpoint.clients.reader, signal: new AbortController().signal };
  const session = {
    ...{ ports: w.ports, ec2: access, tag: 'vipshift', now: () => START, caller: async () => 'ann' },
  } as unknown as Session;
  const documents: Record<string, unknown>[] = [];
  const notes: string[] = [];
  const out = {
    json: true,
    document: (one: Record<string, unknown>) => void documents.push(one),
    note: (text: string) => void notes.push(text),
  } as unknown as Output;
  const options = { for: span, reason: 'kernel', dryRun: true };
  const is = await drain({ args: [A], options, out, session });
  return { is, notes, documents, vip: w.vips.items.get('web') };
}

describe('a dry run of a drain', () => {
  it('ends with 0 where the node owns nothing', async () => {
    const { is, documents, vip } = await dryRun({ owner: B });
    expect([is, documents]).toMatchObject([0, [{ outlook: { key: 'clear' }, problems: [], dryRun: true }]]);
    expect(vip!.drains).toBeUndefined();
  });

  it('ends with 1 where the VIP would stay', async () => {
    const freeze = { untilMs: plus(START, hours(9)), by: 'bob', reason: 'change' };
    const { is, documents } = await dryRun({ freeze });
    expect([is, documents]).toMatchObject([1, [{ outlook: { key: 'frozen' } }]]);
  });

  it('ends with 1 where the VIP would go and something is against it', async () => {
    const { is, documents, notes } = await dryRun();
    expect([is, documents]).toMatchObject([1, [{ outlook: { key: 'moves', to: B } }]]);
    expect(documents[0]!.problems).not.toEqual([]);
    expect(notes.at(-1)).toBe('a dry run: nothing was changed');
  });

  it('may last 72 h, and not a second longer', async () => {
    const { documents } = await dryRun({ owner: B }, '72h');
    expect(documents[0]!.until).toBe('2026-11-25T14:00:00.000Z');
    const refused = { status: 2, message: '--for 259201s: no drain lasts longer than 72h' };
    await expect(dryRun({ owner: B }, '259201s')).rejects.toMatchObject(refused);
  });
});
