// What a status costs: the number of calls depends on pages and hundreds, not on the number of VIPs, and what one service does not
// answer is left out and said.
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, expect, test } from 'vitest';
import type { AwsCall } from '../../../lab/fault/aws-call.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { ec2Lists, type Thing, tags } from '../../support/aws/ec2.ts';
import { type Answer, type Endpoint, json, refused, startEndpoint } from '../../support/aws/endpoint.ts';
import { entry } from '../../support/world.ts';
import { documents, run, withoutAws } from '../front-door/command-line.ts';

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());

const VIPS = 500;
/** Each pair of nodes has fifty VIPs. */
const node = (n: number, side: 'a' | 'b') => `i-${side}${String(Math.floor(n / 50)).padStart(7, '0')}`;
const vipOf = (n: number): Vip => {
  const member = (id: string) => ({ node: id, eni: `eni-${id}`, zone: `zone-${id.slice(2, 3)}` });
  const members = Object.fromEntries([node(n, 'a'), node(n, 'b')].map((id) => [id, member(id)]));
  return { ...newVip({ ...entry, name: `v${n}`, eips: [] }), members, owner: node(n, 'a'), epoch: 3 };
};
const rowOf = ({ name, open: _open, heard: _heard, ...rest }: Vip) =>
  marshall({ vip: name, openEpoch: {}, openCause: {}, ...rest });
const PAGE = 100;

/** `over`: answers of its own, by the call's name. */
async function asked(
  over: Readonly<Record<string, (call: AwsCall) => Answer>> = {},
  ...args: readonly string[]
) {
  const rows = Array.from({ length: VIPS }, (_, n) => rowOf(vipOf(n)));
  const instances: readonly Thing[] = [...new Set(Array.from({ length: VIPS }, (_, n) => node(n, 'a')))].map(
    (id) => ({
      by: { 'instance-id': id },
      is: { instancesSet: [{ instanceId: id, tagSet: tags({ Name: `name-of-${id}` }) }] },
    }),
  );
  const ec2 = ec2Lists({ DescribeInstances: instances });
  endpoint = await startEndpoint((call) => {
    const own = over[call.action];
    if (own !== undefined) return own(call);
    const { ExclusiveStartKey: after, RequestItems } = call.parameters as {
      ExclusiveStartKey?: { vip: { S: string } };
      RequestItems?: Record<string, unknown>;
    };
    switch (call.action) {
      case 'Scan': {
        const from = after === undefined ? 0 : rows.findIndex((row) => row.vip!.S === after.vip.S) + 1;
        const Items = rows.slice(from, from + PAGE);
        const isLast = from + PAGE >= rows.length;
        return json(isLast ? { Items } : { Items, LastEvaluatedKey: { vip: Items.at(-1)!.vip } });
      }
      case 'GetItem':
        return json({
          Item: rows.find((row) => row.vip!.S === (call.parameters.Key as typeof after & object).vip.S),
        });
      case 'BatchGetItem':
        return json({
          Responses: Object.fromEntries(Object.keys(RequestItems!).map((table) => [table, []])),
        });
      case 'Query':
        return json({ Items: [] });
      default:
        return ec2(call);
    }
  });
  const env = {
    ...withoutAws(),
    ...{ AWS_ENDPOINT_URL: endpoint.url, AWS_REGION: 'eu-central-1', VIPSHIFT_STAGE: 'dev' },
    ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_MAX_ATTEMPTS: '1' },
  };
  const ran = await run(['status', ...args], env);
  const counts: Record<string, number> = {};
  for (const { action } of endpoint.calls) counts[action] = (counts[action] ?? 0) + 1;
  return { ran, counts };
}

test('of 500 VIPs asks for pages and hundreds, and reads at most fifty VIPs again', async () => {
  const { ran, counts } = await asked({}, '--json');
  expect(ran.stderr).toBe('');
  expect(documents(ran.stdout)).toHaveLength(VIPS);
  expect(documents(ran.stdout)[0]).toMatchObject({ nodes: { 'i-a0000000': { name: 'name-of-i-a0000000' } } });
  const { DescribeInstances, ...others } = counts;
  // The endpoint hands out one instance a page, with an empty page among them.
  expect(DescribeInstances).toBeLessThanOrEqual(12);
  expect(others).toEqual({
    Scan: VIPS / PAGE,
    // The last epochs and when reconcile confirmed each, a hundred a request.
    BatchGetItem: 10,
    GetItem: 50,
    DescribeRouteTables: 2,
    DescribeNetworkInterfaces: 1,
    DescribeAddresses: 1,
  });
});

test('goes on where EC2 does not answer: owner and zone by the registry, ids only, with a note', async () => {
  const down = (call: AwsCall) => refused(call, 'UnauthorizedOperation', 'no', 403);
  const names = [
    'DescribeInstances',
    'DescribeRouteTables',
    'DescribeNetworkInterfaces',
    'DescribeAddresses',
  ];
  const { ran } = await asked(Object.fromEntries(names.map((name) => [name, down])), 'v7', '--check');
  expect(ran.status).toBe(1);
  expect(ran.stdout).toMatch(/^v7 {2}unseen {2}routes, EIPs and drift are not known: EC2 did not answer/);
  expect(ran.stdout).toMatch(/^at +i-a0000000 \(zone-a\)$/m);
  expect(ran.stderr).toMatch(
    /^routes, EIPs and drift are not known: EC2 did not answer \(.*UnauthorizedOperation/m,
  );
  expect(ran.stderr).toMatch(/^nodes are shown by their ids: EC2 did not tell their names \(/m);
});

test('goes on where the record does not answer', async () => {
  const down = (call: AwsCall) => refused(call, 'AccessDeniedException');
  const { ran } = await asked({ BatchGetItem: down, Query: down }, 'v7');
  expect(ran.status).toBe(0);
  expect(ran.stdout).toMatch(/^at +name-of-i-a0000000 \(i-a0000000, zone-a\)$/m);
  expect(ran.stderr).toMatch(/^the last failovers are not known: the record did not answer \(/m);
});
