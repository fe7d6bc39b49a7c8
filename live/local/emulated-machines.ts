// The machines of a local run: two machines of the network lab with keepalived, shim and the drill's echo, and the drill's probe in the
// client's namespace. An accepted route of the emulated EC2 becomes a route of the kernel at once.
//
// Limit: adverts come every 0.1 s whatever --advert says, as in all of the lab.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { LocalAws } from '../../lab/aws/local-aws.ts';
import { startMetadata } from '../../lab/netns/cloud/metadata.ts';
import { Mirror } from '../../lab/netns/cloud/mirror.ts';
import type { Tap } from '../../lab/netns/cloud/recording-proxy.ts';
import { DEMOTE_FILE } from '../../lab/netns/node/keepalived.ts';
import { LabNode } from '../../lab/netns/node/node.ts';
import { Machine } from '../../lab/netns/sandbox/machine.ts';
import type { Router } from '../../lab/netns/sandbox/router.ts';
import { Translation } from '../../lab/netns/sandbox/translation.ts';
import type { TestBed } from '../environment.ts';
import { type Machines, stretchesFrom } from '../machines.ts';
import { ECHO_PORT, type NodeName, PROBE_EVERY_MS, VIP_ADDRESS, VRRP_INSTANCE } from '../plan.ts';
import { busOf } from '../run-id.ts';

export interface EmulatedMachine {
  readonly testBed: TestBed;
  readonly aws: LocalAws;
  readonly router: Router;
  readonly bus: Tap;
  readonly ec2Tap: Tap;
  readonly ec2: EC2Client;
  readonly logFolder: string;
}

const MACHINES = '/run/machines';
const onNode = join(import.meta.dirname, '..', 'on-node');
const startEcho = (name: NodeName) =>
  `unit echo never python3 /run/machine/drill/echo.py ${name} ${VIP_ADDRESS} ${ECHO_PORT}`;

export async function emulatedMachines({
  testBed,
  aws,
  router,
  bus,
  ec2Tap,
  ec2,
  logFolder,
}: EmulatedMachine): Promise<Machines> {
  const { run, identity, instances, vpcId } = testBed;
  const mirror = new Mirror(ec2, vpcId, router, new Translation());
  await mirror.load();
  ec2Tap.answered = (exchange) => mirror.follow(exchange);
  const metadata = await startMetadata({
    nodes: { a: instances.a, b: instances.b },
    region: aws.region,
    accountId: aws.accountId,
    roleId: identity.roleId,
  });
  const notifyConf = [
    `instance ${VRRP_INSTANCE} = ${run.vip}`,
    `bus = ${busOf(run.stage)}`,
    'allow_http = yes',
    `endpoint_events = ${bus.endpoint}`,
    `endpoint_sts = ${metadata.stsEndpoint}`,
    '',
  ].join('\n');
  const make = (name: NodeName) =>
    new LabNode(
      new Machine(name, join(MACHINES, name), join(logFolder, `node-${name}.log`)),
      instances[name].instanceId,
    );
  const nodes = { a: make('a'), b: make('b') };
  const boot = async (name: NodeName) => {
    await nodes[name].boot({ hold: 'both', notifyConf, folders: { drill: onNode } });
    await nodes[name].machine.console(startEcho(name));
  };
  await Promise.all([boot('a'), boot('b')]);
  const probe = startProbe();
  return {
    hit: async (node, kind) => Number(await drillOn(nodes[node].machine, `hit ${kind}`)),
    async repair(node, kind) {
      if (kind === 'demote') return void (await drillOn(nodes[node].machine, 'repair demote'));
      await nodes[node].machine.console(startEcho(node));
      await nodes[node].startKeepalived();
    },
    answers: async (fromMs) => stretchesFrom(await drillHere(`answers ${fromMs}`)),
    // All machines have this one's clock.
    clocks: () => Promise.resolve({}),
    async close() {
      probe.kill('SIGKILL');
      await Promise.all([nodes.a.machine.kill(), nodes.b.machine.kill(), metadata.stop()]);
    },
  };
}

const probeFolder = join(MACHINES, 'probe');

function startProbe(): ChildProcess {
  mkdirSync(probeFolder, { recursive: true });
  const words = [VIP_ADDRESS, String(ECHO_PORT), String(PROBE_EVERY_MS), probeFolder];
  const args = ['netns', 'exec', 'client', 'python3', join(onNode, 'probe.py'), ...words];
  return spawn('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** drill.bash on a machine; what it printed. */
async function drillOn(machine: Machine, words: string): Promise<string> {
  await machine.console(
    `DRILL_DEMOTE_FILE=${DEMOTE_FILE} bash /run/machine/drill/drill.bash ${words} >/run/drill.said 2>&1; echo $? >/run/drill.status`,
  );
  const said = machine.read('drill.said') ?? '';
  if (Number(machine.read('drill.status')) !== 0)
    throw new Error(`machine ${machine.label}: drill.bash ${words}: ${said.trim()}`);
  return said;
}

/** drill.bash, which runs next to the probe. */
async function drillHere(words: string): Promise<string> {
  const env = { PATH: process.env.PATH, DRILL_FOLDER: probeFolder };
  const args = [join(onNode, 'drill.bash'), ...words.split(' ')];
  return (await promisify(execFile)('bash', args, { env, timeout: 5_000 })).stdout;
}
