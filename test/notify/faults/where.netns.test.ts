// Where the shim runs: partitions, both kinds of endpoint, proxies, and what IMDS and STS say themselves when they refuse.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, test } from 'vitest';
import { listening } from '../../../lab/aws/listening.ts';
import { type Node, shimPath, startNode } from '../../../lab/shim/node.ts';

const endpointLib = join(shimPath, '../lib/send/endpoint.bash');
const credentialsLib = join(shimPath, '../lib/send/credentials.bash');

/** The host that the shim calls for a service in a Region. */
function hostOf(service: string, region: string, dualStack: boolean): string {
  const script = `declare -A CONFIG=([dual_stack]=${dualStack ? 'yes' : 'no'} [endpoint_events]='' [endpoint_sts]=''); source "$0"; REGION=$2; url_of "$1"; printf %s "$URL"`;
  return execFileSync('bash', ['-c', script, endpointLib, service, region], { encoding: 'utf8' });
}

describe('a host name', () => {
  const regions = [
    'eu-central-1',
    'us-east-1',
    'ap-southeast-5',
    'il-central-1',
    'mx-central-1',
    'cn-north-1',
    'cn-northwest-1',
    'us-gov-west-1',
    'us-iso-east-1',
    'us-isob-east-1',
    'eu-isoe-west-1',
    'us-isof-south-1',
    'eusc-de-east-1',
  ];
  test.each(regions)('in %s is the one that AWS’s own table has, for both kinds of endpoint', (region) => {
    const events = new EventBridgeClient({ region });
    const sts = new STSClient({ region });
    for (const dualStack of [false, true]) {
      const asked = { Region: region, UseDualStack: dualStack, UseFIPS: false };
      expect(hostOf('events', region, dualStack)).toBe(
        events.config.endpointProvider!({ ...asked }).url.href.replace(/\/$/, ''),
      );
      expect(hostOf('sts', region, dualStack)).toBe(
        sts.config.endpointProvider!({ ...asked, UseGlobalEndpoint: false }).url.href.replace(/\/$/, ''),
      );
    }
  });
});

let node: Node | undefined;
let other: { stop(): Promise<void> } | undefined;
afterEach(async () => {
  await node?.stop();
  await other?.stop();
  node = other = undefined;
});

async function imdsThat(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const started = await listening(createServer(answer));
  other = started;
  return started.url;
}

const complaint = async (config: Record<string, string>): Promise<string> => {
  node = await startNode(config);
  await node.start();
  await expect.poll(() => node!.stderr(), { timeout: 60_000 }).toMatch(/^<3>/m);
  return node.stderr();
};

describe('a refusal of the metadata service', () => {
  test('has its own code and message, and their cause', async () => {
    const url = await imdsThat((request, response) => {
      const path = request.url!.replace('/latest/', '');
      if (path === 'api/token') response.end('token');
      else if (path === 'meta-data/instance-id') response.end('i-0abc0000000000001');
      else if (path === 'meta-data/placement/region') response.end('eu-west-1');
      else if (path.endsWith('/security-credentials/')) response.end('keepalived-node');
      else
        response.end(
          '{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role keepalived-node.\nevil"}',
        );
    });
    expect(await complaint({ endpoint_imds: url })).toMatch(
      /^<3>no credentials of role keepalived-node from \S+ \(HTTP 200\): AssumeRoleUnauthorizedAccess: EC2 cannot assume the role keepalived-node\. evil; the trust policy of the role must name ec2\.amazonaws\.com$/m,
    );
  });

  test('of a token says whether it is switched off', async () => {
    const url = await imdsThat((_, response) => response.writeHead(403).end());
    expect(await complaint({ endpoint_imds: url })).toMatch(
      /no IMDSv2 token .* HTTP 403; is the metadata service switched off \(HttpEndpoint\)\?/,
    );
  });

  test('that is none, since it does not answer, speaks of the hop limit', async () => {
    const url = await imdsThat(() => undefined);
    expect(await complaint({ endpoint_imds: url })).toMatch(
      /curl status 28\): no answer; in a container HttpPutResponseHopLimit must be 2/,
    );
  });

  test('that cannot be reached speaks of IPv6-only subnets', async () => {
    expect(await complaint({ endpoint_imds: 'http://127.0.0.1:9' })).toMatch(
      /curl status 7\): unreachable; in an IPv6-only subnet switch on HttpProtocolIpv6 .*http:\/\/\[fd00:ec2::254\]/,
    );
  });

  test('that is another server’s page is told as that', async () => {
    const url = await imdsThat((_, response) => response.end('<html>\n<title>Welcome</title>\n</html>'));
    expect(await complaint({ endpoint_imds: url })).toMatch(
      /no IMDSv2 token .* HTTP 200 with something that is no token; is it the metadata service that answers there\?/,
    );
  });

  test('is asked again within five seconds, however often it failed before, and sooner for a line that waits', () => {
    const script = `set -u; printable() { REPLY=$1; }; source "$0"; NOW_MS=100000
for ((n = 0; n < 30; n++)); do credentials_failed 'no answer'; echo $((CREDENTIALS_DUE_MS - NOW_MS)); done
CREDENTIALS_STARTED_MS=$NOW_MS; want_first_credentials; echo $((CREDENTIALS_DUE_MS - NOW_MS))`;
    const waits = execFileSync('bash', ['-c', script, credentialsLib], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
    expect(waits[0]).toBeLessThanOrEqual(100);
    expect(Math.min(...waits.slice(10, 30))).toBeGreaterThan(3000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5000);
    expect(waits.at(-1)).toBe(250);
  });
});

test('a refusal of STS has its own code and message', async () => {
  node = await startNode();
  node.userId = undefined;
  await node.start();
  await expect
    .poll(() => node!.stderr(), { timeout: 60_000 })
    .toMatch(
      /^<3>no GetCallerIdentity from \S+ \(curl status 0, HTTP 403\): AccessDenied: no identity for ASIALAB/m,
    );
});

describe('an IPv6-only subnet', () => {
  test('is known by its metadata service, and then by endpoints with IPv6', () => {
    const script = `set -uf; log() { :; }; printable() { REPLY=$1; }; RUN_DIR_USABLE=0 CONFIG_FILE=x UNTRUSTED=60; declare -A CONFIG=([dual_stack]=auto [endpoint_events]='' [endpoint_sts]='' [endpoint_imds]='' [proxy]='' [run_dir]=/nowhere)
source "$0"; source "\${0%/*}/metadata.bash"; REGION=eu-west-1
ask() { [[ $* == *'[fd00:ec2::254]'* ]] || return 7; REPLY=token HTTP_STATUS=200; }
fetch_token; url_of events; printf '%s %s %s' "$BY_IPV6" "$IMDS_URL" "$URL"`;
    expect(execFileSync('bash', ['-c', script, endpointLib], { encoding: 'utf8' })).toBe(
      '1 http://[fd00:ec2::254] https://events.eu-west-1.api.aws',
    );
  });
});

describe('a proxy', () => {
  let proxy: Server | undefined;
  afterEach(() => {
    proxy?.closeAllConnections();
    proxy?.close();
  });

  test('tunnels to the bus and to STS, and the metadata service is asked directly', async () => {
    const tunnels: string[] = [];
    const asked: string[] = [];
    node = await startNode();
    const busPort = Number(new URL(node.bus.url).port);
    const running = node;
    proxy = createServer((request) => asked.push(request.url ?? ''));
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url!);
      const upstream = connect(busPort, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy!.listen(0, '127.0.0.1', resolve));
    const port = (proxy.address() as AddressInfo).port;
    const text = execFileSync('cat', [running.configFile], { encoding: 'utf8' })
      .replace(/^endpoint_events.*\n/m, 'endpoint_events = https://bus.example\n')
      .replace(/^endpoint_sts.*\n/m, 'role_id = AROALAB00000000000001\n');
    execFileSync('tee', [running.configFile], {
      input: `${text}proxy = http://127.0.0.1:${port}\n`,
      encoding: 'utf8',
    });
    await running.start();
    await running.write('INSTANCE "VI_WEB" MASTER 254');
    // The certificate of the bus is for localhost, so the tunnel is built and the name refused: by curl, and told with the proxy.
    await expect
      .poll(() => running.stderr(), { timeout: 60_000 })
      .toMatch(/^<3>curl status 60: .* \(by the proxy 127\.0\.0\.1:\d+\)$/m);
    expect(new Set(tunnels)).toEqual(new Set(['bus.example:443']));
    expect(asked).toEqual([]);
    expect(running.imds.requests.length).toBeGreaterThan(0);
  });
});

test('a machine that is short of CPU, and takes longer than half a second for a handshake, gets through at its second attempt', async () => {
  node = await startNode();
  const port = Number(new URL(node.bus.url).port);
  const sockets = new Set<Socket>();
  const slow = createTcpServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [client, upstream].map((one) => one.destroy()));
    }
    client.pause();
    upstream.pipe(client);
    setTimeout(() => client.pipe(upstream), 900);
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  try {
    const text = readFileSync(node.configFile, 'utf8');
    const url = `https://localhost:${(slow.address() as AddressInfo).port}`;
    writeFileSync(node.configFile, text.replace(/^endpoint_events.*$/m, `endpoint_events = ${url}`));
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node!.bus.accepted.length > 0);
  } finally {
    for (const socket of sockets) socket.destroy();
    slow.close();
  }
});
