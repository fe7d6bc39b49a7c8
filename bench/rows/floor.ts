// The floor: the same calls by bare node:http, unsigned, unparsed, two trips. What stands above it is ours.
import { Agent, request } from 'node:http';

export interface Bare {
  /** Claim and describes at once, then every mutation at once. Returns when all replies were read. */
  failover(tables: readonly string[], label: string, eni: string, destination: string): Promise<void>;
  replaceRoute(table: string, eni: string, destination: string): Promise<string>;
  stop(): void;
}

export function bareCalls(endpoint: string): Bare {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  const send = (headers: Record<string, string>, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const outgoing = request({
        hostname,
        port,
        method: 'POST',
        path: '/',
        agent,
        headers: { ...headers, ...length },
      });
      outgoing.once('error', reject);
      outgoing.once('response', (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        reply.once('error', reject);
      });
      outgoing.end(body);
    });
  const ec2 = (parameters: Record<string, string>) =>
    send(
      { 'content-type': 'application/x-www-form-urlencoded' },
      new URLSearchParams({ ...parameters, Version: '2016-11-15' }).toString(),
    );
  const dynamo = (action: string, body: object) =>
    send(
      { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${action}` },
      JSON.stringify(body),
    );
  const byLabel = (label: string) => ({ 'Filter.1.Name': 'tag:vipshift:bench', 'Filter.1.Value.1': label });
  const describeTables = async (label: string) => {
    for (let token: string | undefined = ''; token !== undefined; ) {
      const page: Record<string, string> = token === '' ? {} : { NextToken: token };
      const xml: string = await ec2({
        Action: 'DescribeRouteTables',
        MaxResults: '100',
        ...byLabel(label),
        ...page,
      });
      token = /<nextToken>([^<]+)/.exec(xml)?.[1];
    }
  };
  const replaceRoute = (table: string, eni: string, destination: string) =>
    ec2({
      Action: 'ReplaceRoute',
      RouteTableId: table,
      NetworkInterfaceId: eni,
      DestinationCidrBlock: destination,
    });
  return {
    replaceRoute,
    async failover(tables, label, eni, destination) {
      await Promise.all([
        dynamo('UpdateItem', {
          TableName: 'vips',
          Key: { vip: { S: label } },
          UpdateExpression: 'SET touched = :one',
          ConditionExpression: 'attribute_exists(rev)',
          ExpressionAttributeValues: { ':one': { N: '1' } },
          ReturnValues: 'ALL_NEW',
        }),
        describeTables(label),
        ec2({ Action: 'DescribeNetworkInterfaces', MaxResults: '1000', ...byLabel(label) }),
        ec2({ Action: 'DescribeAddresses', ...byLabel(label) }),
      ]);
      await Promise.all(tables.map((table) => replaceRoute(table, eni, destination)));
    },
    stop: () => agent.destroy(),
  };
}
