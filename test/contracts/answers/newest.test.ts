// What a list of many VIPs is made of, through the real SDK: instances, 200 in a request and to the last page, and the newest
// epochs, a hundred in a request.
import type { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { newestEpochs } from '../../../shared/aws/dynamodb/last-epoch.ts';
import { awsTimeline } from '../../../shared/aws/dynamodb/timeline.ts';
import { nodeFacts } from '../../../shared/aws/ec2/node-facts.ts';
import { ec2Lists, type Thing, tags } from '../../support/aws/ec2.ts';
import { type Endpoint, json, refused, startEndpoint, type Tree } from '../../support/aws/endpoint.ts';
import { intentOf, outcomeOf } from '../timeline.ts';

const { signal } = new AbortController();
let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());

describe('instances', () => {
  const instance = (id: string, more: Readonly<Record<string, Tree>> = {}): Thing => ({
    by: { 'instance-id': id },
    is: { instancesSet: [{ instanceId: id, instanceState: { name: 'running' }, ...more }] },
  });
  const started = async (things: readonly Thing[]) => {
    endpoint = await startEndpoint(ec2Lists({ DescribeInstances: things }));
    return { reader: endpoint.clients.reader, signal };
  };

  it('have name, zone, address, DNS name and state; what EC2 leaves empty is absent, and one that it does not show too', async () => {
    const access = await started([
      instance('i-a', {
        privateIpAddress: '10.0.0.1',
        privateDnsName: 'ip-10-0-0-1.internal',
        placement: { availabilityZone: 'z1' },
        tagSet: tags({ Name: 'left', Other: 'x' }),
      }),
      instance('i-b', { privateIpAddress: '', privateDnsName: '', tagSet: tags({ Name: '' }) }),
      instance('i-other'),
    ]);
    expect([...(await nodeFacts(access, ['i-a', 'i-b', 'i-gone'])).values()]).toEqual([
      {
        node: 'i-a',
        name: 'left',
        zone: 'z1',
        privateAddress: '10.0.0.1',
        privateDnsName: 'ip-10-0-0-1.internal',
        state: 'running',
      },
      { node: 'i-b', state: 'running' },
    ]);
  });

  it('are asked for 200 at a time, and not at all where there are none', async () => {
    const ids = Array.from({ length: 401 }, (_, n) => `i-${n}`);
    const access = await started([]);
    await nodeFacts(access, []);
    expect(endpoint!.calls).toHaveLength(0);
    await nodeFacts(access, ids);
    expect(endpoint!.calls.map(({ action }) => action)).toEqual(Array(3).fill('DescribeInstances'));
  });

  it('that may not be looked up are a fault', async () => {
    endpoint = await startEndpoint((call) => refused(call, 'UnauthorizedOperation', 'no', 403));
    const access = { reader: endpoint.clients.reader, signal };
    await expect(nodeFacts(access, ['i-a'])).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('the newest epochs', () => {
  it('have the last outcome in short; of a VIP under way the one before, and when the last call is due', async () => {
    const written: Record<string, ReturnType<typeof marshall>> = {};
    endpoint = await startEndpoint((call) => {
      if (call.action === 'PutItem') {
        const item = call.parameters.Item as { vip: { S: string }; id: { S: string } };
        written[`${item.vip.S} ${item.id.S}`] = item as never;
        return json({});
      }
      const { t } = call.parameters.RequestItems as {
        t: { Keys: { vip: { S: string }; id: { S: string } }[] };
      };
      return json({ Responses: { t: t.Keys.flatMap(({ vip, id }) => written[`${vip.S} ${id.S}`] ?? []) } });
    });
    const table = { client: endpoint.clients.dynamo, table: 't', signal, retentionDays: 400 };
    const timeline = awsTimeline(table);
    const due = outcomeOf('web', 1).atMs;
    await timeline.put(outcomeOf('web', 3));
    await timeline.put(outcomeOf('web', 4));
    await timeline.put(outcomeOf('db', 7));
    await timeline.put({ ...intentOf('db', 8), dueAtMs: due });
    const asked = [
      { vip: 'web', epoch: 4, isUnderWay: false },
      { vip: 'db', epoch: 8, isUnderWay: true },
      { vip: 'new', epoch: 0, isUnderWay: false },
      { vip: 'old', epoch: 9, isUnderWay: false },
    ];
    const found = await newestEpochs(table, asked);
    expect(found.get('web')).toEqual({ last: expect.objectContaining({ vip: 'web', epoch: 4 }) });
    expect(found.get('db')).toEqual({ last: expect.objectContaining({ vip: 'db', epoch: 7 }), dueAtMs: due });
    expect([found.has('new'), found.has('old')]).toEqual([false, false]);
    const { RequestItems } = endpoint.calls.at(-1)!.parameters as {
      RequestItems: { t: { ProjectionExpression: string } };
    };
    expect(RequestItems.t.ProjectionExpression, 'a record may have 400 KB').not.toMatch(/steps|claims/);
  });
});
