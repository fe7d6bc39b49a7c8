// Mutations without the SDK's middleware for each call: the same requests as a plain client's for the same input, and the same
// result for the same reply, whatever it is.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  AssociateAddressCommand,
  CreateRouteCommand,
  EC2Client,
  type EC2ClientConfig,
  ModifyNetworkInterfaceAttributeCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { awsEc2 } from '../../../shared/aws/ec2/ec2.ts';
import { type Mutation, sendMutation } from '../../../shared/aws/mutation.ts';
import { systemClock, systemNow } from '../../../shared/aws/wire.ts';
import { isFault } from '../../../shared/fault.ts';
import type { Step } from '../../../shared/network/step.ts';
import { minutes, plus } from '../../../shared/time.ts';

interface Sent {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}
interface Reply {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  /** `cut`: the connection ends behind it. */
  readonly body: { readonly text: string; readonly cut?: boolean };
}
type Network = (request: Sent) => Reply | Error;

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret', sessionToken: 'token/+=' };
const ignore = () => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const never = new AbortController().signal;
const clock = systemClock(plus(systemNow(), minutes(10)), never);

/** A client whose network is a function; what it was sent, in order. */
function clientOn(network: Network, config: EC2ClientConfig = {}) {
  const sent: Sent[] = [];
  const handle = async (request: Sent) => {
    sent.push(request);
    const reply = network(request);
    if (reply instanceof Error) throw reply;
    return { response: { ...reply, headers: { ...reply.headers }, body: streamOf(reply.body) } };
  };
  const requestHandler = { handle } as unknown as NonNullable<EC2ClientConfig['requestHandler']>;
  const base = { region: 'eu-central-1', credentials, maxAttempts: 1, logger };
  return { client: new EC2Client({ ...base, ...config, requestHandler }), sent };
}

function streamOf({ text, cut = false }: Reply['body']): Readable {
  const parts = [Buffer.from(text)];
  return new Readable({
    read() {
      const part = parts.shift();
      if (part !== undefined) this.push(part);
      else if (cut) this.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
      else this.push(null);
    },
  });
}

const okay = (action: string, inner = ''): Reply => ({
  statusCode: 200,
  headers: { 'content-type': 'text/xml;charset=UTF-8' },
  body: {
    text: `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">\n    <requestId>r-1</requestId>\n    <return>true</return>${inner}\n</${action}Response>`,
  },
});
const actionOf = ({ body }: Sent): string => new URLSearchParams(body).get('Action')!;
const accepts: Network = (request) => okay(actionOf(request));

const replaceRoute = (RouteTableId = 'rtb-1'): Mutation => {
  const input = { RouteTableId, DestinationCidrBlock: '10.0.0.1/32', NetworkInterfaceId: 'eni-1' };
  return { action: 'ReplaceRoute', input, command: () => new ReplaceRouteCommand(input) };
};
const send = (client: EC2Client, mutation = replaceRoute(), maySend = ignore) =>
  sendMutation(client, mutation, { clock, maySend, abortSignal: never });

/** Everything that a caller can see of what was thrown. */
async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (e: Error & { $response?: { statusCode: number }; $metadata?: object }) => e,
  );
  if (error === undefined) return 'nothing';
  const { stack: _stack, ...own } = Object.fromEntries(
    Object.getOwnPropertyNames(error).map((name) => [name, error[name as keyof Error]]),
  );
  return { ...own, name: error.name, type: error.constructor.name, $response: error.$response?.statusCode };
}

// What is drawn is what EC2 may be told: ids of any text, addresses, lists.
const text = fc.oneof(
  fc.string({ minLength: 1, unit: 'binary' }),
  fc.stringMatching(/^[a-z]+-[0-9a-f!'()* /&=%+~]+$/),
);
const destination = fc.oneof(
  fc.ipV4().map((a) => `${a}/32`),
  fc.ipV6().map((a) => `${a}/128`),
  fc.stringMatching(/^pl-[0-9a-f]{17}$/),
);
const aim = { cell: fc.constant('c'), from: fc.constant('f') };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    ...aim,
    call: fc.constantFrom('ReplaceRoute' as const, 'CreateRoute' as const),
    table: text,
    destination,
    eni: text,
  }),
  fc.record({
    ...aim,
    call: fc.constant('AssociateAddress' as const),
    eip: text,
    eni: text,
    privateAddress: text,
  }),
  fc.record({ ...aim, call: fc.constant('ModifyNetworkInterfaceAttribute' as const), eni: text }),
) as unknown as fc.Arbitrary<Step>;

/** The step as a command, written down a second time. */
function plain(step: Step) {
  switch (step.call) {
    case 'AssociateAddress': {
      const to = {
        AllocationId: step.eip,
        NetworkInterfaceId: step.eni,
        PrivateIpAddress: step.privateAddress,
      };
      return new AssociateAddressCommand({ ...to, AllowReassociation: true });
    }
    case 'ModifyNetworkInterfaceAttribute':
      return new ModifyNetworkInterfaceAttributeCommand({
        NetworkInterfaceId: step.eni,
        SourceDestCheck: { Value: false },
      });
    default: {
      const { destination: to } = step;
      const by = to.startsWith('pl-') ? 'PrefixListId' : to.includes(':') ? 'Ipv6CidrBlock' : 'CidrBlock';
      const input = { RouteTableId: step.table, NetworkInterfaceId: step.eni, [`Destination${by}`]: to };
      return step.call === 'CreateRoute' ? new CreateRouteCommand(input) : new ReplaceRouteCommand(input);
    }
  }
}

const portOn = (writer: EC2Client) =>
  awsEc2({
    reader: writer,
    writer,
    tag: 'vipshift:dev',
    clock,
    signal: never,
  });

/** Without what is one request's own. */
function kept({ headers, body, ...rest }: Sent) {
  const { authorization, 'x-amz-date': _date, 'x-amz-content-sha256': _hash, ...others } = headers;
  const { 'amz-sdk-invocation-id': id, ...same } = others;
  const [, scope, signed] = /Credential=([^,]*),.*SignedHeaders=([^,]*)/.exec(authorization!)!;
  const parameters = body.split('&').sort();
  expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const { method, protocol, hostname, port, path } = rest;
  return { method, protocol, hostname, port, path, headers: same, scope, signed, parameters };
}

/** The signature that a plain client gives this request. */
async function signedAgain({ client, request }: { client: EC2Client; request: Sent }): Promise<string> {
  const [, region, name] = /\/(\w[\w-]*)\/(\w+)\/aws4_request/.exec(request.headers.authorization!)!;
  const at = request.headers['x-amz-date']!.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5');
  const { 'x-amz-content-sha256': _hash, authorization: _signature, ...headers } = request.headers;
  const signer = await client.config.signer({
    name: 'sigv4',
    signingName: name!,
    signingRegion: region!,
    properties: {},
  });
  const again = await signer.sign({ ...request, headers } as never, { signingDate: new Date(at) });
  return again.headers.authorization!;
}

describe('a mutation is sent', () => {
  it('as a plain client sends it, with a signature of its own, for every step', async () => {
    const ours = clientOn(accepts);
    const theirs = clientOn(accepts);
    const ec2 = portOn(ours.client);
    await fc.assert(
      fc.asyncProperty(step, async (drawn) => {
        await ec2.apply(drawn, () => true);
        await theirs.client.send(plain(drawn) as ReplaceRouteCommand);
        const [request, reference] = [ours.sent.pop()!, theirs.sent.pop()!];
        expect(kept(request)).toEqual(kept(reference));
        expect(request.headers.authorization).toBe(await signedAgain({ client: theirs.client, request }));
      }),
    );
  });

  it('with an id of its own, however many go out at once', async () => {
    const { client, sent } = clientOn(accepts);
    await Promise.all(Array.from({ length: 50 }, (_, n) => send(client, replaceRoute(`rtb-${n}`))));
    expect(new Set(sent.map(({ headers }) => headers['amz-sdk-invocation-id'])).size).toBe(50);
    expect(new Set(sent.map(({ body }) => body)).size).toBe(50);
  });

  const places: readonly EC2ClientConfig[] = [
    ...['eu-central-1', 'cn-north-1', 'us-gov-west-1', 'us-iso-east-1', 'eusc-de-east-1'].map((region) => ({
      region,
    })),
    { region: 'us-east-1', useFipsEndpoint: true },
    { region: 'us-gov-west-1', useFipsEndpoint: true, useDualstackEndpoint: true },
    { region: 'eu-west-1', useDualstackEndpoint: true },
    { region: 'fips-us-east-1' },
    { endpoint: 'http://127.0.0.1:4566' },
    { endpoint: 'https://vpce-1.ec2.eu-central-1.vpce.amazonaws.com/path' },
    { credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' } },
  ];
  it.each(places)('to the endpoint that a plain client finds: %j', async (config) => {
    const [ours, theirs] = [clientOn(accepts, config), clientOn(accepts, config)];
    for (let n = 0; n < 2; n++) {
      await send(ours.client);
      await theirs.client.send(replaceRoute().command());
    }
    expect(ours.sent.map(kept)).toEqual(theirs.sent.map(kept));
  });
});

const codeOf = (error: Error & { code?: string }) => error.code;
const mayBeLost = fc.constantFrom(
  ...['ECONNRESET', 'EPIPE', 'ENOTFOUND'].map((code) => Object.assign(new Error(`socket ${code}`), { code })),
  Object.assign(new Error('too slow'), { name: 'TimeoutError', code: 'ETIMEDOUT' }),
  Object.assign(new Error('Request aborted'), { name: 'AbortError' }),
);
const escapes = fc.constantFrom(
  'no',
  '&lt;a&gt; &amp; &quot;b&quot;',
  '&#x41;&#10;',
  '<![CDATA[a < b]]>',
  '',
  'ü\n ',
);
const errorBody = fc
  .tuple(
    fc.constantFrom(
      'InvalidRoute.NotFound',
      'RequestLimitExceeded',
      'Unheard.Of',
      'UnauthorizedOperation',
      '',
    ),
    escapes,
    fc.boolean(),
  )
  .map(([code, message, id]) => {
    const inner = `<Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>`;
    return `<?xml version="1.0"?><Response>${inner}${id ? '<RequestID>q-1</RequestID>' : ''}</Response>`;
  });
const whole = okay('ReplaceRoute').body.text;
const body = fc.oneof(
  errorBody,
  fc.constantFrom(
    ...['', ' ', whole, whole.replace('true', 'false'), whole.replace('<return>true</return>', '')],
    ...[whole.replace('true', '<b>true</b>'), okay('CreateRoute').body.text, `${whole}${whole}`],
    ...[
      '<html><body>Bad gateway</body></html>',
      '<html><br><p>',
      'true',
      '{"message":"no"}',
      '\u001f\u008b\b\0',
    ],
    '<Response><Errors/></Response>',
  ),
  fc.nat(whole.length).map((length) => whole.slice(0, length)),
  fc.string({ unit: 'binary' }),
);
const headers = fc.record(
  {
    'content-type': fc.constantFrom('text/xml', 'text/html', 'application/json'),
    'content-encoding': fc.constant('gzip'),
    'x-amzn-requestid': fc.constant('q-2'),
    'x-amz-cf-id': fc.constant('cf'),
    'retry-after': fc.constantFrom('1', '0', 'soon'),
  },
  { requiredKeys: [] },
);
const reply: fc.Arbitrary<Reply | Error> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      statusCode: fc.constantFrom(200, 200, 201, 204, 301, 400, 403, 404, 429, 500, 502, 503),
      headers,
      body: fc.record({ text: body, cut: fc.boolean() }),
    }),
  },
  { weight: 1, arbitrary: mayBeLost },
);

describe('what comes back', () => {
  it('is what a plain client makes of the same reply: nothing, or the same error with all that it carries', async () => {
    let now: Reply | Error;
    const again = () =>
      now instanceof Error
        ? Object.assign(new Error(now.message), { name: now.name, code: codeOf(now) })
        : now;
    const [ours, theirs] = [clientOn(again), clientOn(again)];
    await fc.assert(
      fc.asyncProperty(reply, async (drawn) => {
        now = drawn;
        const before = ours.sent.length;
        const expected = await thrownBy(theirs.client.send(replaceRoute().command()));
        expect(await thrownBy(send(ours.client))).toEqual(expected);
        expect(ours.sent.length - before, 'one request, whatever the reply').toBe(1);
      }),
      { numRuns: 400 },
    );
  });

  it('is read without the SDK where EC2 says that it was done, and nowhere else', async () => {
    const read = async (answer: Reply) => {
      let readBySdk = 0;
      const { client } = clientOn(() => answer);
      await send(client);
      client.middlewareStack.add((next) => (args) => {
        readBySdk++;
        return next(args);
      });
      await send(client);
      return readBySdk;
    };
    const spoilt = (was: string, is: string) => {
      const good = okay('ReplaceRoute');
      return { ...good, body: { text: good.body.text.replace(was, is) } };
    };
    expect(await read(okay('ReplaceRoute'))).toBe(0);
    expect(await read(okay('ReplaceRoute', '<associationId>eipassoc-1</associationId>'))).toBe(0);
    const others = [
      { ...okay('ReplaceRoute'), statusCode: 201 },
      okay('CreateRoute'),
      spoilt('true', 'false'),
      spoilt('<return>true</return>', ''),
      spoilt('<return>', '<unsuccessful/><return>'),
    ];
    for (const other of others) expect(await read(other)).toBe(1);
  });
});

describe('before it is sent', () => {
  const route = {
    call: 'ReplaceRoute',
    cell: 'c',
    from: 'f',
    destination: '10.0.0.1/32',
    eni: 'eni-1',
  } as const;

  it('asks when it is signed, in the tick in which it goes out: nothing comes between', async () => {
    const order: string[] = [];
    const { client } = clientOn((request) => {
      order.push(`sent, signed ${request.headers.authorization !== undefined}`);
      return accepts(request);
    });
    const mayStart = () => {
      order.push('asked');
      queueMicrotask(() => order.push('a microtask later'));
      process.nextTick(() => order.push('a tick later'));
      return true;
    };
    const ec2 = portOn(client);
    for (const table of ['rtb-1', 'rtb-2']) {
      order.length = 0;
      await ec2.apply({ ...route, table }, mayStart);
      expect(order.slice(0, 3)).toEqual(['asked', 'sent, signed true', 'a microtask later']);
    }
  });

  it('is not sent when the answer is no', async () => {
    const { client, sent } = clientOn(accepts);
    const error = await portOn(client)
      .apply({ ...route, table: 'rtb-1' }, () => false)
      .catch((e: unknown) => e);
    expect(isFault(error) && error.kind).toBe('lease-short');
    expect(sent).toEqual([]);
  });

  it('a mistake of ours is a bug, and no word of AWS', async () => {
    const broken = () => {
      throw new TypeError('ours');
    };
    const error = await portOn(clientOn(accepts).client)
      .apply({ ...route, table: 'rtb-1' }, broken)
      .catch((e: unknown) => e);
    expect(isFault(error) && error.kind).toBe('bug');
  });
});

describe('over a socket', () => {
  it('a reply that stalls in its middle ends with the attempt, as it does for a plain client', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '1000' });
      response.write('<ReplaceRouteResponse><return>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    /** Aborted when the reply has begun. */
    const thrownOnAbort = async (start: (client: EC2Client, signal: AbortSignal) => Promise<unknown>) => {
      const client = new EC2Client({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1, logger });
      const ended = new AbortController();
      const { requestHandler } = client.config;
      const handle = requestHandler.handle.bind(requestHandler);
      requestHandler.handle = async (...args: Parameters<typeof handle>) => {
        const reply = await handle(...args);
        setImmediate(() => ended.abort());
        return reply;
      };
      const thrown = await thrownBy(start(client, ended.signal));
      client.destroy();
      return thrown;
    };
    try {
      const ours = await thrownOnAbort((client, abortSignal) =>
        sendMutation(client, replaceRoute(), { clock, maySend: ignore, abortSignal }),
      );
      expect(ours).toMatchObject({ name: 'AbortError' });
      expect(ours).toEqual(
        await thrownOnAbort((client, abortSignal) => client.send(replaceRoute().command(), { abortSignal })),
      );
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('credentials and clock', () => {
  const keyOf = ({ headers: { authorization } }: Sent) => /Credential=(\w+)/.exec(authorization!)![1];

  it('expired credentials are fetched again', async () => {
    let given = 0;
    const provider = async () => {
      given++;
      const lives = given === 1 ? -1 : 3_600_000;
      return { accessKeyId: `AKIA${given}`, secretAccessKey: 's', expiration: new Date(Date.now() + lives) };
    };
    const { client, sent } = clientOn(accepts, { credentials: provider });
    for (let n = 0; n < 3; n++) await send(client);
    expect(sent.map(keyOf)).not.toContain('AKIA1');
    expect(keyOf(sent[1]!)).toBe(keyOf(sent[2]!));
  });

  it('missing ones are the SDK’s error, each time again', async () => {
    let there = false;
    const provider = async () => {
      if (!there) throw Object.assign(new Error('none'), { name: 'CredentialsProviderError' });
      return credentials;
    };
    const { client, sent } = clientOn(accepts, { credentials: provider });
    const theirs = clientOn(accepts, { credentials: provider }).client;
    expect(await thrownBy(send(client))).toEqual(await thrownBy(theirs.send(replaceRoute().command())));
    there = true;
    await send(client);
    expect(sent).toHaveLength(1);
  });

  const signedAt = ({ headers: h }: Sent) =>
    Date.parse(h['x-amz-date']!.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'));
  const HOUR = 3_600_000;
  const ahead = () => ({ date: new Date(Date.now() + HOUR).toUTCString() });
  const tooOld: Reply = {
    statusCode: 400,
    headers: {},
    body: { text: '<Response><Errors><Error><Code>RequestExpired</Code></Error></Errors></Response>' },
  };
  it.each([
    ['a refusal', () => ({ ...tooOld, headers: ahead() })],
    ['a reply that says it was done', () => ({ ...okay('ReplaceRoute'), headers: ahead() })],
  ])('a clock that is an hour behind is corrected after %s', async (_what, answer) => {
    const { client, sent } = clientOn(answer);
    for (let n = 0; n < 2; n++) await send(client).catch(ignore);
    expect(Math.abs(signedAt(sent[0]!) - Date.now())).toBeLessThan(HOUR / 60);
    expect(Math.abs(signedAt(sent[1]!) - Date.now() - HOUR)).toBeLessThan(HOUR / 60);
  });
});
