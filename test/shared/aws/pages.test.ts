// Lists that AWS hands out page by page: whole, or not at all.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, it } from 'vitest';
import { linesOf } from '../../../shared/aws/logs/digest-lines.ts';
import { collect, PAGES_MAX } from '../../../shared/aws/pages.ts';
import { awsWorkflow } from '../../../shared/aws/step-functions/workflow.ts';
import { epochMs } from '../../../shared/time.ts';

interface Page {
  readonly things?: readonly string[];
}
async function* pages(...list: readonly Page[]): AsyncGenerator<Page> {
  yield* list;
}
async function* endless(): AsyncGenerator<Page> {
  for (;;) yield { things: ['x'] };
}
const things = (page: Page) => page.things;

describe('a list', () => {
  it('has the things of all its pages, in their order', async () => {
    expect(await collect(pages({ things: ['a', 'b'] }, { things: ['c'] }), things)).toEqual(['a', 'b', 'c']);
    expect(await collect(pages(), things)).toEqual([]);
  });

  it('goes on after a page that is empty, or has no list at all, and names another', async () => {
    expect(await collect(pages({}, { things: [] }, { things: ['a'] }), things)).toEqual(['a']);
  });

  it('fails where it does not end, instead of passing for whole', async () => {
    const fault = { kind: 'refused', code: 'TooManyPages' };
    await expect(collect(endless(), things)).rejects.toMatchObject(fault);
    await expect(collect(endless(), things, 3)).rejects.toMatchObject(fault);
  });

  it('may have as many pages as are allowed, and not one more', async () => {
    const full: readonly Page[] = Array.from({ length: PAGES_MAX }, () => ({ things: ['x'] }));
    expect(await collect(pages(...full), things)).toHaveLength(PAGES_MAX);
    await expect(collect(pages(...full, {}), things)).rejects.toThrow('more than 100 pages');
  });
});

/** AWS, as these clients see it: answers each request by what it asks for. */
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});
async function serve(answer: (asked: Record<string, unknown>) => object) {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify(answer(JSON.parse(body) as Record<string, unknown>)));
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
}
const { signal } = new AbortController();

describe('what an execution did', () => {
  it('is read page by page: the second one, and what comes after an empty one', async () => {
    const event = (id: number) => ({
      id,
      timestamp: 1,
      type: 'x',
      stateEnteredEventDetails: { name: `s${id}` },
    });
    const replies: Record<string, object> = {
      undefined: { events: [event(1)], nextToken: 't1' },
      t1: { events: [], nextToken: 't2' },
      t2: { events: [event(2)] },
    };
    const client = new SFNClient(await serve(({ nextToken }) => replies[String(nextToken)]!));
    const workflow = awsWorkflow({ client, machineArn: 'arn:aws:states:x:1:stateMachine:f', signal });
    expect((await workflow.happenings('run-1', 0)).map((h) => h.id)).toEqual([1, 2]);
    expect((await workflow.happenings('run-1', 1)).map((h) => h.id)).toEqual([2]);
  });
});

describe('the log', () => {
  it('is read page by page, an empty one among them', async () => {
    const line = (epoch: number) => ({
      message: JSON.stringify({ vip: 'web', epoch, digest: 'd' }),
      timestamp: 5,
    });
    const client = new CloudWatchLogsClient(
      await serve((asked) => {
        if ('logGroupNamePrefix' in asked) return { logGroups: [{ logGroupName: 'g', creationTime: 1 }] };
        const page = Number(asked.nextToken ?? 1);
        const next = page < 3 ? { nextToken: String(page + 1) } : {};
        return { events: page === 2 ? [] : [line(page)], ...next };
      }),
    );
    const logs = { client, groups: ['g'], signal };
    const window = { sinceMs: epochMs(0), untilMs: epochMs(10) };
    expect((await linesOf(logs, window, epochMs(10))).lines.map((l) => l.epoch)).toEqual([1, 3]);
  });
});
