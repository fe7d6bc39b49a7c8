// Runs inside a sandbox of namespaces (pulse.long.netns.test.ts starts it): two real keepalived processes for each scenario, and
// the pulse of a node that leaves: by hand, or by the real shim, to which an emulated IMDS says that AWS takes the instance.
//
// Input, on stdin: Scenario[] as JSON. Output: a line of JSON for each, in the order in which they end.
// A node is a network namespace with a /run of its own, on the system whose folder is given. What keepalived says on its standard output is what is waited for.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startImds } from '../../../lab/aws/imds.ts';
import { spotNotice } from '../../../lab/aws/notices.ts';

export type Name = 'a' | 'b';

export type Step =
  | { readonly does: 'pulse'; readonly nodes: readonly Name[] }
  | { readonly does: 'kill'; readonly node: Name }
  | { readonly does: 'set'; readonly node: Name; readonly file: 'demote' | 'leaving'; readonly to: 0 | 1 | 2 }
  /** Until it is so, or for as long as any election takes. */
  | { readonly does: 'until'; readonly node: Name; readonly state: string }
  /** For as long as any election takes. */
  | { readonly does: 'rest' };

export interface Scenario {
  readonly id: string;
  /** keepalived's file of each node; `{folder}` is where its tracked files are. */
  readonly files: Readonly<Record<Name, string>>;
  readonly instance: string;
  readonly address: string;
  /** How long another node may take to become master. */
  readonly takeoverMs: number;
  readonly steps: readonly Step[];
  /** Who makes the pulse. */
  readonly by: 'hand' | 'shim';
}

export interface Result {
  readonly id: string;
  /** Of keepalived, as it says itself. */
  readonly version: string;
  /** What the nodes and the pulses did, in order, such as `a MASTER`, `pulse a`, `pulse a ends`; without the beginning. */
  readonly happened: readonly string[];
  readonly states: Readonly<Record<Name, string>>;
  /** Nodes that run and have the address at the end. */
  readonly holders: readonly Name[];
}

/** For the nodes' files, which their own /run would hide. */
const ROOT = process.argv[2]!;
/** Whose keepalived, bash and curl the nodes have: the folder of a Debian, or nothing for this machine's own. */
const SYSTEM = process.argv[3] ?? '';
const names: readonly Name[] = ['a', 'b'];
const LOOK_MS = 20;
/** keepalived's own start on a busy machine, and how late it may be. */
const START_MS = 20_000;

const ENTERING = /^\((\S+)\) Entering (MASTER|BACKUP|FAULT) STATE/;
/** Each node has a /run and a /tmp of its own; its files are below PLACE. */
const PLACE = '/mnt';
const PREPARE = [
  `mount --bind ${ROOT} ${SYSTEM}${PLACE}`,
  `mount -t tmpfs tmpfs ${SYSTEM}/run`,
  `mkdir -p ${SYSTEM}/run/vipshift`,
  ...(SYSTEM === '' ? [] : [`mount -t proc proc ${SYSTEM}/proc`, `mount --rbind /dev ${SYSTEM}/dev`]),
  `mount -t tmpfs tmpfs ${SYSTEM}/tmp`,
].join(' && ');
const STARTING = /Starting Keepalived v(\S+)/;
const IMDS = '169.254.169.254';

class Node {
  state = 'none';
  version = 'none';
  readonly folder: string;
  readonly #child: ChildProcess;
  #waiting: (() => void)[] = [];

  constructor(name: Name, { id, files, instance, by }: Scenario, happened: string[]) {
    this.folder = join(ROOT, id, name);
    const inside = join(PLACE, id, name);
    mkdirSync(this.folder, { recursive: true });
    this.set('demote', 0);
    this.set('leaving', 0);
    const shim = `${PLACE}/notify/vipshift-notify run --config ${inside}/notify.conf 2>${inside}/shim.log & `;
    const file = join(this.folder, 'keepalived.conf');
    writeFileSync(file, files[name].replaceAll('{folder}', inside), { mode: 0o644 });
    writeFileSync(join(this.folder, 'notify.conf'), shimConf(inside, instance));
    const options = `-f ${inside}/keepalived.conf -p /run/keepalived.pid -r /run/vrrp.pid -c /run/checkers.pid`;
    this.#child = spawn(
      'ip',
      [
        ...['netns', 'exec', `${id}-${name}`, 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc'],
        ...['bash', '-c', `${PREPARE} && exec chroot ${SYSTEM}/ bash -c "$1"`, 'node'],
        `${by === 'shim' ? shim : ''} exec keepalived -n -l ${options} 2>&1`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
    );
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.version = STARTING.exec(line)?.[1] ?? this.version;
      const [, said, state] = ENTERING.exec(line.replace(/^\w{3} \w{3} +\d+ [\d:]+ \d{4}: /, '')) ?? [];
      if (said !== instance) return;
      this.state = state!;
      happened.push(`${name} ${state}`);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  get leaving(): string {
    return readFileSync(join(this.folder, 'leaving'), 'utf8').trim();
  }

  set(file: 'demote' | 'leaving', to: 0 | 1 | 2): void {
    writeFileSync(join(this.folder, file), `${to}\n`);
  }

  /** True as soon as it is in this state, false once `ms` have passed. */
  until(state: string, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      const look = (): void => {
        if (this.state === state) {
          clearTimeout(timer);
          resolve(true);
        } else this.#waiting.push(look);
      };
      look();
    });
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await gone;
    this.state = 'dead';
  }
}

/** It reports to no one here. */
const shimConf = (folder: string, instance: string): string =>
  [
    ...['bus = none', 'endpoint_events = http://127.0.0.1:9', 'leaving_poll = 1', 'state_dir = /run/state'],
    ...[
      `leaving_file = ${folder}/leaving`,
      `demote_file = ${folder}/demote`,
      `instance ${instance} = web`,
      '',
    ],
  ].join('\n');

/** What IMDS says to each node, by its address. */
const notices = new Map<string, Readonly<Record<string, string>>>();
const askers = new Map<string, string>();

async function played(scenario: Scenario): Promise<Result> {
  const { id, takeoverMs, steps, address } = scenario;
  const happened: string[] = [];
  const a = new Node('a', scenario, happened);
  await a.until('MASTER', START_MS);
  const b = new Node('b', scenario, happened);
  await b.until('BACKUP', START_MS);
  const nodes = { a, b };
  happened.splice(0);
  const restMs = 2 * takeoverMs;
  const pulse = async (name: Name): Promise<void> => {
    happened.push(`pulse ${name}`);
    if (scenario.by === 'shim') {
      notices.set(askers.get(`${id}-${name}`)!, spotNotice('terminate', Date.now() + 120_000));
      while (nodes[name].leaving !== '1') await nodes[name].until('never', LOOK_MS);
      happened.push(`pulse ${name} ends`);
      return;
    }
    nodes[name].set('leaving', 2);
    await nodes[name].until('FAULT', START_MS);
    await nodes[name].until('never', takeoverMs);
    happened.push(`pulse ${name} ends`);
    nodes[name].set('leaving', 1);
    await nodes[name].until('BACKUP', START_MS);
  };
  for (const step of steps) {
    if (step.does === 'pulse') await Promise.all(step.nodes.map(pulse));
    else if (step.does === 'kill') await nodes[step.node].kill();
    else if (step.does === 'set') nodes[step.node].set(step.file, step.to);
    else if (step.does === 'until') await nodes[step.node].until(step.state, START_MS);
    else await a.until('never', restMs);
  }
  // A process that was killed takes nothing with it; its host would have.
  const alive = names.filter((name) => nodes[name].state !== 'dead');
  const holders = alive.filter((name) => addressesOf(`${id}-${name}`).includes(` ${address} `));
  const states = { a: a.state, b: b.state };
  await Promise.all(alive.map((name) => nodes[name].kill()));
  return { id, version: a.version, happened, states, holders };
}

const addressesOf = (place: string): string =>
  spawnSync('ip', ['-n', place, '-o', 'addr', 'show', 'dev', 'lo'], { encoding: 'utf8' }).stdout;

function network({ id }: Scenario, nth: number): void {
  const lines = [
    ...names.map((name) => `netns add ${id}-${name}`),
    `link add ve0 netns ${id}-a type veth peer name ve0 netns ${id}-b`,
  ];
  batch(lines, []);
  for (const [n, name] of names.entries()) {
    const asker = `169.254.${nth + 1}.${n + 1}`;
    askers.set(`${id}-${name}`, asker);
    const port = `m${nth}${name}`;
    batch(
      [
        `link add ${port} type veth peer name meta netns ${id}-${name}`,
        `link set ${port} master imds`,
        `link set ${port} up`,
      ],
      [],
    );
    batch(
      [
        ...['link set lo up', `addr add 10.0.1.${n + 10}/24 dev ve0`, 'link set ve0 up'],
        ...[`addr add ${asker}/16 dev meta`, 'link set meta up'],
      ],
      ['-n', `${id}-${name}`],
    );
  }
}

function batch(lines: readonly string[], where: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', [...where, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`ip ended with status ${status}: ${stderr}`);
}

const scenarios = JSON.parse(readFileSync(0, 'utf8')) as readonly Scenario[];
batch(['link add imds type bridge', `addr add ${IMDS}/16 dev imds`, 'link set imds up'], []);
const imds = await startImds({
  ...{ host: IMDS, port: 80, instanceId: 'i-0abc0000000000001', roleName: 'node', region: 'eu-west-1' },
  more: (asker) => notices.get(asker) ?? {},
});
for (const [nth, scenario] of scenarios.entries()) network(scenario, nth);
await Promise.all(
  scenarios.map(async (scenario) => process.stdout.write(`${JSON.stringify(await played(scenario))}\n`)),
);
await imds.stop();
