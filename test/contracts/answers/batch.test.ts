// Many items by their keys, through the real SDK: a hundred in a request, and what DynamoDB leaves out is asked for again.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { batchRead } from '../../../shared/aws/batch.ts';
import { type Endpoint, json, startEndpoint } from '../../support/aws/endpoint.ts';

const { signal } = new AbortController();
let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());

type Key = Record<string, AttributeValue>;
interface Request {
  readonly RequestItems: { readonly t: { readonly Keys: readonly Key[] } };
}
const keys = (count: number): readonly Key[] =>
  Array.from({ length: count }, (_, n) => ({ vip: { S: `v-${n}` } }));
const keysOf = (n: number) => (endpoint!.calls[n]!.parameters as unknown as Request).RequestItems.t.Keys;

/** A DynamoDB that gives so many of what one request asks for. */
async function table(answered: (asked: number) => number) {
  endpoint = await startEndpoint((call) => {
    const { Keys } = (call.parameters as unknown as Request).RequestItems.t;
    const given = answered(Keys.length);
    const left = Keys.slice(given);
    return json({
      Responses: { t: Keys.slice(0, given) },
      UnprocessedKeys: left.length === 0 ? {} : { t: { Keys: left } },
    });
  });
  return { client: endpoint.clients.dynamo, table: 't', signal };
}

describe('a batch', () => {
  it('is a hundred keys in a request, each once, and no request where there are none', async () => {
    const at = await table((asked) => asked);
    expect(await batchRead(at, [], ['vip'])).toEqual([]);
    expect(endpoint!.calls).toHaveLength(0);
    const found = await batchRead(at, keys(201), ['vip']);
    expect(found.map(({ vip }) => vip)).toEqual(keys(201).map((_, n) => `v-${n}`));
    expect([0, 1, 2].map((n) => keysOf(n).length)).toEqual([100, 100, 1]);
    expect(endpoint!.calls).toHaveLength(3);
  });

  it('asks again for what was left out, and for nothing else: none is missing, none comes twice', async () => {
    const at = await table((asked) => Math.ceil(asked / 2));
    const found = await batchRead(at, keys(5), ['vip']);
    expect(found.map(({ vip }) => String(vip)).sort()).toEqual(['v-0', 'v-1', 'v-2', 'v-3', 'v-4']);
    expect([0, 1, 2].map((n) => keysOf(n).length)).toEqual([5, 2, 1]);
  });

  it('has five rounds: the fifth may complete it, and what is still left out then is a fault, never a shorter list', async () => {
    const one = await table(() => 1);
    expect(await batchRead(one, keys(5), ['vip'])).toHaveLength(5);
    expect(endpoint!.calls).toHaveLength(5);
    await endpoint!.stop();
    const slow = await table(() => 1);
    await expect(batchRead(slow, keys(6), ['vip'])).rejects.toMatchObject({
      kind: 'throttled',
      message: '1 items were left out 5 times',
    });
    expect(endpoint!.calls).toHaveLength(5);
  });
});
