// The command's front door with a small AWS behind it: a command line in, its end and everything that was asked of AWS out. In this process, since a
// thousand command lines are tried.
//
// Invariant: each line finds the same registry: one VIP, web, with two tables and two nodes. What the small AWS does not know it denies.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { marshall } from '@aws-sdk/util-dynamodb';
import { fakeDynamo } from '../../bench/fake/dynamo.ts';
import { fakeEc2 } from '../../bench/fake/ec2.ts';
import { vipWith } from '../../bench/fake/region.ts';
import { endOf } from '../../cli/command/end.ts';
import { program } from '../../cli/program.ts';
import { type AwsCall, awsCall, refusal } from '../../lab/fault/aws-call.ts';
import { nodeStateFrom } from '../../shared/vip/node-state.ts';
import { claimOf, START } from '../support/world.ts';

export interface Ended {
  /** The exit status; 70 is a fault of vipshift itself. */
  readonly status: number;
  readonly error: unknown;
  /** What it asked AWS to change, in its registry and its record or by its workflow. */
  readonly writes: readonly string[];
  /** What it asked EC2 to change. */
  readonly moves: readonly string[];
}

export interface FrontDoor extends AsyncDisposable {
  run(argv: readonly string[]): Promise<Ended>;
}

/** A line that takes longer hangs. */
const LINE_MAX_MS = 20_000;
const { vip, item, entry } = vipWith('web', 2);
/** Every node was heard a while ago, the first one as master. */
const claims = Object.fromEntries(
  Object.keys(entry.members).map((node, n) => [
    node,
    nodeStateFrom(claimOf(node, { state: n === 0 ? 'MASTER' : 'BACKUP' }), START),
  ]),
);
/** As EC2 spells it: the registry looks at that. */
const spelt = (text: string): string => text.replaceAll('vpc-bench', 'vpc-0123456789abcdef0');
const stored = JSON.parse(spelt(JSON.stringify({ ...item, ...marshall({ claims }) }))) as typeof item;

/** What the benchmark's AWS has no need of. */
const others: Readonly<Record<string, string>> = {
  DescribeVpcs: `<R><vpcSet><item><vpcId>vpc-bench</vpcId><ownerId>111122223333</ownerId><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockAssociationSet><item><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet></item></vpcSet></R>`,
  GetCallerIdentity: `<R><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/night</Arn><UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></R>`,
  StartExecution: JSON.stringify({
    executionArn: 'arn:aws:states:eu-central-1:111122223333:execution:vipshift-dev-failover:one',
    startDate: 1_795_000_000,
  }),
};

export async function openFrontDoor(): Promise<FrontDoor> {
  const dynamo = fakeDynamo();
  const ec2 = fakeEc2('vipshift:dev');
  const calls: AwsCall[] = [];
  const answer = (call: AwsCall): { status: number; type: string; body: string } => {
    const denied = () => {
      const code = call.service === 'ec2' ? 'UnauthorizedOperation' : 'AccessDeniedException';
      const { status, headers, body } = refusal(call, code, `no ${call.action} here`);
      return { status, type: String(headers['content-type']), body: body.toString('utf8') };
    };
    try {
      const other = others[call.action];
      if (other !== undefined)
        return {
          status: 200,
          type: other.startsWith('<') ? 'text/xml' : 'application/x-amz-json-1.0',
          body: other,
        };
      if (call.service === 'ec2') {
        const told = ec2.answer(call.action, call.parameters as Record<string, string>);
        return 'xml' in told ? { status: 200, type: 'text/xml', body: told.xml } : denied();
      }
      if (call.service !== 'dynamodb') return denied();
      const { status, body } = dynamo.answer(call.action, call.parameters as never);
      return { status, type: 'application/x-amz-json-1.0', body: JSON.stringify(body) };
    } catch {
      return denied();
    }
  };
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const call = awsCall({ method: request.method!, path: request.url!, headers: request.headers, body });
      calls.push(call);
      const told = answer(call);
      response.writeHead(told.status, { 'content-type': told.type }).end(spelt(told.body));
    });
  });
  const env = { ...process.env, ...environment(await listen(server)) };
  const before = { env: process.env, exitCode: process.exitCode };
  return {
    async run(argv) {
      dynamo.clear();
      dynamo.put('vipshift-dev-vips', stored);
      ec2.clear();
      ec2.build({ ...vip, eips: ['eipalloc-0123456789abcdef0'] });
      calls.length = 0;
      // An option such as --profile is kept in the environment.
      process.env = { ...env };
      const { status, error } = await quietly(() => inTime(ended(argv)));
      const asked = calls.filter(
        (call) => !/^(Describe|Get|List|Query|Scan|BatchGet|Filter)/.test(call.action),
      );
      return {
        status,
        error,
        writes: asked.filter((call) => call.service !== 'ec2').map((call) => call.action),
        moves: asked.filter((call) => call.service === 'ec2').map((call) => call.action),
      };
    },
    async [Symbol.asyncDispose]() {
      process.env = before.env;
      process.exitCode = before.exitCode;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const environment = (endpoint: string) => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  NO_COLOR: '1',
});

/** As cli/vipshift.ts ends it. */
async function ended(argv: readonly string[]): Promise<Pick<Ended, 'status' | 'error'>> {
  process.exitCode = 0;
  try {
    await program().parseAsync(argv, { from: 'user' });
    return { status: Number(process.exitCode), error: undefined };
  } catch (error) {
    return { status: endOf(error), error };
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${LINE_MAX_MS / 1000} s`)), LINE_MAX_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const streams = [process.stdout, process.stderr].map((stream) => ({
    stream,
    own: Object.getOwnPropertyDescriptor(stream, 'write'),
  }));
  const value = () => true;
  // On the object itself, before the one that it inherits.
  for (const { stream } of streams)
    Object.defineProperty(stream, 'write', { value, configurable: true, writable: true });
  try {
    return await work();
  } finally {
    for (const { stream, own } of streams) {
      if (own === undefined) Reflect.deleteProperty(stream, 'write');
      else Object.defineProperty(stream, 'write', own);
    }
  }
}
