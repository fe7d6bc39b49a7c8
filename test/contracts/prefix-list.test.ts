// A managed prefix list through the real SDK, there and back. moto forgets the list of a route to an ENI, so the benchmark's EC2
// answers here, behind the fault proxy; its XML is spelled as the DescribeRouteTables and ReplaceRoute API references have it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeRegion, startFakeRegion, vipWith } from '../../bench/fake/region.ts';
import { type FaultProxy, startFaultProxy } from '../../lab/fault/proxy.ts';
import { awsEc2 } from '../../shared/aws/ec2/ec2.ts';
import { clients, systemClock, systemNow } from '../../shared/aws/wire.ts';
import { plan } from '../../shared/network/plan.ts';
import { durationMs, plus } from '../../shared/time.ts';

const LIST = 'pl-0123456789abcdef0';
const signal = new AbortController().signal;
let region: FakeRegion;
let proxy: FaultProxy;

beforeAll(async () => {
  region = await startFakeRegion();
  const rules = [{ on: 'DescribeRouteTables', times: 2, fault: { does: 'reset' } }] as const;
  proxy = await startFaultProxy({ target: region.endpoint, rules });
});
afterAll(async () => {
  await proxy?.stop();
  await region?.stop();
});

test('a VIP whose address is a prefix list moves with one call a table, however many addresses the list holds', async () => {
  const { vip, entry } = vipWith('web', 3);
  await region.build({
    latency: { ec2Ms: 0, dynamoMs: 0 },
    buckets: false,
    vips: [{ ...vip, destinations: [LIST] }],
    items: [],
  });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const made = clients({ endpoint: proxy.endpoint, region: 'eu-central-1', credentials });
  const clock = systemClock(plus(systemNow(), durationMs(60_000)), signal);
  const ec2 = awsEc2({ reader: made.reader, writer: made.writer, tag: 'vipshift:bench', clock, signal });
  const listed = { ...entry, addresses: [LIST] };
  const [from, to] = Object.values(entry.members);
  const seen = await ec2.observe(listed);
  expect(seen.tables.map((table) => table.routes[LIST]?.target)).toEqual([from!.eni, from!.eni, from!.eni]);
  const { steps, conflicts } = plan(listed, seen, to!, true);
  expect(conflicts).toEqual([]);
  expect(steps.map((step) => step.call)).toEqual(['ReplaceRoute', 'ReplaceRoute', 'ReplaceRoute']);
  for (const step of steps) await ec2.apply(step, () => true);
  expect(plan(listed, await ec2.observe(listed), to!, true).steps).toEqual([]);
  expect((await region.take()).filter((call) => call.action === 'ReplaceRoute')).toHaveLength(3);
});
