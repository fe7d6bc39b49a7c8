// The EC2 contract through the real SDK: on moto in every weather, and against a server that misbehaves in ways moto does not.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateManagedPrefixListCommand, EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { buildVpc } from '../../lab/aws/stack/vpc.ts';
import type { Ec2Access } from '../../shared/aws/ec2/access.ts';
import { awsEc2 } from '../../shared/aws/ec2/ec2.ts';
import { tagKey } from '../../shared/aws/tag-key.ts';
import { clients, systemClock, systemNow } from '../../shared/aws/wire.ts';
import { isFault, isWorthRetrying } from '../../shared/fault.ts';
import type { Ec2 } from '../../shared/network/ec2.ts';
import { ATTEMPTS_MAX } from '../../shared/switch/execute.ts';
import { durationMs, plus } from '../../shared/time.ts';
import { ATTEMPT_MAX } from '../../shared/vip/lease.ts';
import { entry } from '../support/world.ts';
import { type Ec2UnderTest, ec2Contract } from './ec2.ts';
import { ec2Weathers, inWeather } from './weather.ts';

const signal = new AbortController().signal;
const clock = systemClock(plus(systemNow(), durationMs(600_000)), signal);
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

function accessTo(endpoint: string, stage: string): Ec2Access {
  const made = clients({ region: 'eu-central-1', endpoint, credentials });
  return { reader: made.reader, writer: made.writer, tag: tagKey(stage), clock, signal };
}

/** As switch/execute.ts does: the port itself repeats no mutation, the lease's holder repeats what may be repeated. */
const repeating = (ec2: Ec2): Ec2 => ({
  ...ec2,
  async apply(step, mayStart) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ec2.apply(step, mayStart);
      } catch (error) {
        if (attempt === ATTEMPTS_MAX || !isFault(error) || !isWorthRetrying(error.kind)) throw error;
      }
    }
  },
});

describe('EC2 through the SDK, on moto', () => {
  let aws: LocalAws;
  let stages = 0;
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterAll(() => aws?.stop());

  describe.each(ec2Weathers)('$name', (weather) => {
    inWeather(
      weather,
      () => aws.ec2Endpoint,
      (endpoint) => ec2Contract(() => region(endpoint(), weather.name)),
    );
  });

  async function region(endpoint: string, weather: string): Promise<Ec2UnderTest> {
    const stage = `s${++stages}`;
    const own = { endpoint: aws.ec2Endpoint, region: aws.region, credentials };
    const owner = new EC2Client({
      ...own,
      credentials: { accessKeyId: aws.accountId, secretAccessKey: 'x' },
    });
    const vpc = await buildVpc(owner, { stage, label: 'web' });
    const list = new CreateManagedPrefixListCommand({
      PrefixListName: stage,
      AddressFamily: 'IPv4',
      MaxEntries: 5,
      Entries: [{ Cidr: '192.168.250.1/32' }, { Cidr: '192.168.250.2/32' }],
    });
    const prefixList = (await owner.send(list)).PrefixList!.PrefixListId!;
    const ec2 = awsEc2(accessTo(endpoint, stage));
    return {
      ec2: weather === 'in rough weather' ? repeating(ec2) : ec2,
      entry: {
        ...entry,
        vpc: vpc.vpcId,
        account: aws.accountId,
        addresses: [vpc.vip.ipv4, vpc.vip.ipv6],
        eips: [vpc.eip.allocationId],
      },
      nodes: [vpc.nodes.a.instanceId, vpc.nodes.b.instanceId],
      labelled: vpc.tables.filter((t) => t.labelled).map((t) => t.routeTableId),
      unlabelled: vpc.tables.filter((t) => !t.labelled).map((t) => t.routeTableId),
      prefixList,
      strangerEni: vpc.nodes.a.primaryEni,
      takesDuplicateRoutes: true,
      forgetsPrefixLists: true,
    };
  }
});

describe('EC2 through the SDK, when EC2 misbehaves', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  type Answer = (action: URLSearchParams, response: ServerResponse, request: IncomingMessage) => void;

  async function misbehaving(answer: Answer): Promise<ReturnType<typeof awsEc2>> {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () =>
        answer(new URLSearchParams(Buffer.concat(chunks).toString()), response, request),
      );
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return awsEc2(accessTo(`http://127.0.0.1:${port}`, 'dev'));
  }
  const refuse =
    (status: number, code: string, message = 'no') =>
    (_: URLSearchParams, response: ServerResponse) => {
      const body = `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>r</RequestID></Response>`;
      response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    };
  const step = {
    call: 'ReplaceRoute',
    cell: 'rtb-1 192.0.2.1/32',
    from: '',
    table: 'rtb-1',
    destination: '192.0.2.1/32',
    eni: 'eni-1',
  } as const;
  const kindOf = async (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (isFault(error) ? error.kind : String(error)),
    );

  it.each([
    [503, 'RequestLimitExceeded', 'throttled'],
    [403, 'UnauthorizedOperation', 'denied'],
    [400, 'AuthFailure', 'denied'],
    [400, 'InvalidRouteTableID.NotFound', 'gone'],
    [400, 'RouteAlreadyExists', 'route-exists'],
    [400, 'InvalidRoute.NotFound', 'no-route'],
    [400, 'IncorrectInstanceState', 'not-ready'],
    [412, 'DryRunOperation', 'refused'],
    [500, 'InternalError', 'unknown'],
    [503, 'Unavailable', 'unknown'],
    [400, 'SomethingNew', 'refused'],
    [502, 'SomethingNew', 'unknown'],
  ])('answers %i %s as %s, after one attempt', async (status, code, kind) => {
    let requests = 0;
    const ec2 = await misbehaving((params, response) => {
      requests += 1;
      refuse(status, code)(params, response);
    });
    let asked = 0;
    expect(await kindOf(ec2.apply(step, () => ++asked > 0))).toBe(kind);
    expect([requests, asked], 'the SDK repeats no mutation behind our back').toEqual([1, 1]);
  });

  it('knows the text with which a missing route really fails', async () => {
    const text =
      'There is no route defined for &apos;192.0.2.1/32&apos; in the route table. Use CreateRoute instead.';
    const ec2 = await misbehaving(refuse(400, 'InvalidParameterValue', text));
    expect(await kindOf(ec2.apply(step, () => true))).toBe('no-route');
    server!.close();
    const other = await misbehaving(refuse(400, 'InvalidParameterValue', 'something else'));
    expect(await kindOf(other.apply(step, () => true))).toBe('refused');
  });

  it('counts a cut connection as unknown: it may have had its effect', async () => {
    const ec2 = await misbehaving((_, response) => response.destroy());
    expect(await kindOf(ec2.apply(step, () => true))).toBe('unknown');
  });

  it('aborts an attempt that hangs, also in the middle of the answer, and counts it as unknown', async () => {
    const ec2 = await misbehaving((_, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.write('<ReplaceRouteResponse>');
    });
    const began = performance.now();
    expect(await kindOf(ec2.apply(step, () => true))).toBe('unknown');
    expect(
      performance.now() - began,
      'an attempt must not outlive the lease that was checked for it',
    ).toBeLessThan(ATTEMPT_MAX + 1000);
  });

  it('reads every page, one after another, by tag only', async () => {
    const asked: string[] = [];
    let open = 0;
    let openAtOnce = 0;
    const ec2 = await misbehaving((params, response) => {
      const action = params.get('Action')!;
      if (action === 'DescribeRouteTables') {
        openAtOnce = Math.max(openAtOnce, ++open);
        response.on('finish', () => {
          open -= 1;
        });
      }
      const page = Number(params.get('NextToken') ?? '0');
      asked.push(`${action} ${page} ${params.get('Filter.1.Name')}=${params.get('Filter.1.Value.1')}`);
      const tables = Array.from(
        { length: 100 },
        (_, n) => `<item><routeTableId>rtb-${page}-${n}</routeTableId><vpcId>vpc-1</vpcId></item>`,
      );
      const next = page < 2 ? `<nextToken>${page + 1}</nextToken>` : '';
      const body =
        action === 'DescribeRouteTables' ? `<routeTableSet>${tables.join('')}</routeTableSet>${next}` : '';
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(`<${action}Response>${body}</${action}Response>`);
    });
    const seen = await ec2.observe(entry);
    expect(seen.tables).toHaveLength(300);
    expect(openAtOnce, 'a page needs the token of the one before').toBe(1);
    expect(asked.filter((a) => a.startsWith('DescribeRouteTables'))).toEqual(
      [0, 1, 2].map((page) => `DescribeRouteTables ${page} tag:vipshift:dev=web`),
    );
    expect(
      asked.some((a) => a.includes('destination')),
      'a filter on the route would hide tables that miss it',
    ).toBe(false);
  });

  it('gives no half observation: one failing describe fails the whole', async () => {
    const ec2 = await misbehaving((params, response) => {
      if (params.get('Action') === 'DescribeAddresses')
        return refuse(403, 'UnauthorizedOperation')(params, response);
      response.writeHead(200, { 'content-type': 'text/xml' }).end(`<R></R>`);
    });
    expect(await kindOf(ec2.observe(entry))).toBe('denied');
  });
});
