// What the design assumes of AWS and no one had measured: one line for each, PASS or FAIL, and SKIP where the answer needs more than this
// has. Everything is made here and taken away again; in an account all of it takes less than ten minutes and
// costs about two cents. all.ts has the whole list.
//
// Limit: it proves what AWS answers today in this Region. On the local AWS it proves that the probes work: that one evaluates no policies and
// checks no signatures.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNetworkInterfaceCommand,
  CreateRouteTableCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteInternetGatewayCommand,
  DeleteNetworkInterfaceCommand,
  DeleteRouteTableCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeAddressesCommand,
  DetachInternetGatewayCommand,
  DisassociateAddressCommand,
  type EC2Client,
  ReleaseAddressCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import { faultFromSdkError } from '../../shared/aws/error-codes.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Account {
  readonly ec2: EC2Client;
  readonly events: EventBridgeClient;
  readonly logs: CloudWatchLogsClient;
  readonly iam: IAMClient;
  readonly sts: STSClient;
  readonly sfn: SFNClient;
  readonly ssm: SSMClient;
  readonly cloudFormation: CloudFormationClient;
  /** The same account with a role's credentials. */
  as(credentials: Credentials): Pick<Account, 'ec2' | 'sfn'>;
  readonly region: string;
  /** Where `events` sends, for curl. */
  readonly eventsEndpoint: string;
  readonly stsEndpoint: string;
  /** Aborted when no more answers are wanted: what is asked ends at its next step, and what was made is taken away. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly verdict: 'PASS' | 'FAIL' | 'SKIP';
  readonly what: string;
  readonly found: string;
}

export interface Probe {
  readonly what: string;
  ask(account: Account, undo: Undo): Promise<Omit<Answer, 'what'>>;
}

/** What was made, to be taken away in the opposite order. It throws when the account's signal is aborted, so that nothing more is made. */
export type Undo = (take: () => Promise<unknown>) => void;

export const ADDRESS = '192.168.255.250/32';
export const name = `vipshift-assumptions-${Date.now()}`;

export const pass = (found: string) => ({ verdict: 'PASS', found }) as const;
export const fail = (found: string) => ({ verdict: 'FAIL', found }) as const;
export const skip = (found: string) => ({ verdict: 'SKIP', found }) as const;

const POLL_MS = 2_000;

/** Asks again until there is an answer or the time is over. Throws when the account's signal is aborted, also where `ask` does not. */
export async function until<T>(
  { signal }: Pick<Account, 'signal'>,
  maxS: number,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const endMs = Date.now() + maxS * 1000;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined || Date.now() > endMs) return answer;
    await delay(POLL_MS, undefined, { signal });
  }
}

export async function network({ ec2 }: Account, undo: Undo) {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.213.0.0/24' }));
  const VpcId = Vpc!.VpcId!;
  undo(() => ec2.send(new DeleteVpcCommand({ VpcId })));
  const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId, CidrBlock: '10.213.0.0/28' }));
  const SubnetId = Subnet!.SubnetId!;
  undo(() => ec2.send(new DeleteSubnetCommand({ SubnetId })));
  const eni = async () => {
    const { NetworkInterface } = await ec2.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    const NetworkInterfaceId = NetworkInterface!.NetworkInterfaceId!;
    undo(() => ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId })));
    return NetworkInterfaceId;
  };
  return { VpcId, subnet: SubnetId, eni };
}

const missingRoute: Probe = {
  what: 'ReplaceRoute on a missing route gives an error that we recognize',
  async ask(account, undo) {
    const { ec2 } = account;
    const { VpcId, eni } = await network(account, undo);
    const NetworkInterfaceId = await eni();
    const { RouteTable } = await ec2.send(new CreateRouteTableCommand({ VpcId }));
    const RouteTableId = RouteTable!.RouteTableId!;
    undo(() => ec2.send(new DeleteRouteTableCommand({ RouteTableId })));
    const route = { RouteTableId, NetworkInterfaceId, DestinationCidrBlock: ADDRESS };
    try {
      await ec2.send(new ReplaceRouteCommand(route));
      return fail('it was accepted');
    } catch (error) {
      const { kind, code, message } = faultFromSdkError(error, 'ReplaceRoute');
      return kind === 'no-route' ? pass(code) : fail(`${kind}: ${message}`);
    }
  },
};

const eipMove: Probe = {
  what: 'one AssociateAddress moves an EIP from ENI to ENI, without taking it away first',
  async ask(account, undo) {
    const { ec2 } = account;
    const { VpcId, eni } = await network(account, undo);
    const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
    const InternetGatewayId = InternetGateway!.InternetGatewayId!;
    undo(() => ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId })));
    await ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId }));
    undo(() => ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId, VpcId })));
    const [first, second] = [await eni(), await eni()];
    const { AllocationId } = await ec2.send(new AllocateAddressCommand({ Domain: 'vpc' }));
    undo(() => ec2.send(new ReleaseAddressCommand({ AllocationId })));
    const move = (NetworkInterfaceId: string) =>
      ec2.send(new AssociateAddressCommand({ AllocationId, NetworkInterfaceId, AllowReassociation: true }));
    await move(first);
    const began = performance.now();
    const { AssociationId } = await move(second);
    const tookMs = Math.round(performance.now() - began);
    undo(() => ec2.send(new DisassociateAddressCommand({ AssociationId })));
    const { Addresses } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId!] }));
    const at = Addresses?.[0]?.NetworkInterfaceId;
    return at === second ? pass(`accepted in ${tookMs} ms`) : fail(`it lies on ${at}, expected ${second}`);
  },
};

const curlSignature: Probe = {
  what: 'curl signs PutEvents as AWS wants it (7.86 or newer)',
  async ask({ events, region, eventsEndpoint }) {
    const { accessKeyId, secretAccessKey, sessionToken } = await events.config.credentials();
    const entry = { Source: 'vipshift.assumptions', DetailType: 'curl', Detail: '{}' };
    // On stdin and not on the command line, where others could read it.
    const config = [
      `url = "${eventsEndpoint}/"`,
      `aws-sigv4 = "aws:amz:${region}:events"`,
      `user = "${accessKeyId}:${secretAccessKey}"`,
      ...(sessionToken === undefined ? [] : [`header = "x-amz-security-token: ${sessionToken}"`]),
      'header = "content-type: application/x-amz-json-1.1"',
      'header = "x-amz-target: AWSEvents.PutEvents"',
      `data = ${JSON.stringify(JSON.stringify({ Entries: [entry] }))}`,
      'silent',
      'max-time = 10',
      'write-out = "\\n%{http_code}"',
    ].join('\n');
    const child = spawn('curl', ['-q', '-K', '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.end(config);
    const [status] = (await once(child, 'close')) as [number | null];
    const said = Buffer.concat(chunks).toString().trim();
    return status === 0 && said.endsWith('\n200')
      ? pass('200')
      : fail(`curl ${status}: ${said.slice(0, 300)}`);
  },
};

export const probes: readonly Probe[] = [missingRoute, eipMove, curlSignature];

/**
 * One answer for each probe; what a probe made is taken away, also when it failed or the account's signal was aborted. Then its answer is a
 * SKIP, and none follows.
 */
export async function* answers(account: Account, asked: readonly Probe[] = probes): AsyncGenerator<Answer> {
  for (const probe of asked) {
    const made: (() => Promise<unknown>)[] = [];
    let answer: Omit<Answer, 'what'>;
    const undo: Undo = (take) => {
      made.push(take);
      account.signal.throwIfAborted();
    };
    try {
      answer = await probe.ask(account, undo);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      answer = account.signal.aborted ? skip('interrupted') : fail(why);
    }
    const left: string[] = [];
    for (const take of made.reverse())
      await take().catch((error: unknown) =>
        left.push(error instanceof Error ? error.message : String(error)),
      );
    yield {
      what: probe.what,
      ...answer,
      found: [answer.found, ...left.map((l) => `left behind: ${l}`)].join('; '),
    };
    if (account.signal.aborted) return;
  }
}

export const line = ({ verdict, what, found }: Answer): string => `${verdict}  ${what}: ${found}`;
