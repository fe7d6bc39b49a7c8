// Runs inside the sandbox of namespaces (elections.ts starts it): real keepalived processes, two for each election.
//
// Input, on stdin: Batch as JSON. Output: a line of JSON for each question, in the order in which they end.
// A node is a network namespace with a /run of its own. What keepalived says on its standard output is what is waited for.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface NodeInput {
  readonly files: Readonly<Record<string, string>>;
  /** The one of them that keepalived is given. */
  readonly main: string;
  /** keepalived's configuration id. */
  readonly host: string;
  /** On its interface, with their prefix lengths. */
  readonly addresses: readonly string[];
  readonly instance: string;
  /** How long it waits for adverts of a master before it becomes master, at most. */
  readonly downMs: number;
}

export interface Question {
  readonly id: string;
  readonly nodes: readonly [NodeInput, NodeInput];
  /** Which of the nodes is there first, one election each; a single one is the better of the two. */
  readonly first: readonly (0 | 1)[];
}

export interface Batch {
  readonly questions: readonly Question[];
  /** How many elections at a time. */
  readonly width: number;
}

export type State = 'MASTER' | 'BACKUP' | 'FAULT' | 'none';

export interface Check {
  readonly status: number;
  readonly said: string;
}

export interface Answer {
  readonly id: string;
  /** `keepalived -t` of each node; missing where it did not even start. */
  readonly checks: readonly [Check | undefined, Check | undefined];
  /** The states of both at the end of each election. */
  readonly elections: readonly (readonly [State, State])[];
  readonly said: string;
}

/** For the nodes' files, which their own /run would hide. */
const ROOT = process.argv[2]!;
/** How late a busy machine may be. */
const LATE_MS = 1_000;
/** keepalived's own start, until it says which state it begins with. */
const START_MS = 20_000;

const CHECKED = /^checked (\d+)$/;
const ENTERING = /^\((\S+)\) Entering (MASTER|BACKUP|FAULT) STATE/;

class Daemon {
  readonly said: string[] = [];
  state: State = 'none';
  check: Check | undefined;
  #ended = false;
  #waiting: (() => void)[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  constructor(place: string, folder: string, node: NodeInput) {
    this.#child = onNode(place, folder, optionsOf(node));
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.#heard(line, node.instance));
    this.#gone = new Promise((resolve) =>
      // With all that it said.
      this.#child.on('close', () => {
        this.#ended = true;
        this.state = 'none';
        this.#wake();
        resolve();
      }),
    );
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  #heard(line: string, instance: string): void {
    const text = line.replace(/^\w{3} \w{3} +\d+ [\d:]+ \d{4}: /, '');
    const [, status] = CHECKED.exec(text) ?? [];
    if (status !== undefined) this.check = { status: Number(status), said: this.said.join('\n') };
    else this.said.push(text);
    const [, name, state] = ENTERING.exec(text) ?? [];
    if (name === instance) this.state = state as State;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one();
  }

  /** True as soon as it holds, false once `ms` have passed. */
  until(holds: () => boolean, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      const look = (): void => {
        if (holds()) {
          clearTimeout(timer);
          resolve(true);
        } else this.#waiting.push(look);
      };
      look();
    });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}

const optionsOf = (node: NodeInput): string =>
  `-f ${node.main} -i ${node.host} -p /run/keepalived.pid -r /run/vrrp.pid -c /run/checkers.pid`;

const PREPARE = 'mount -t tmpfs tmpfs /run && mkdir -p /run/vipshift && cd "$1"';

/** In mounts of its own. keepalived's children end with it. */
const onNode = (place: string, folder: string, options: string): ChildProcess =>
  spawn(
    'ip',
    [
      ...['netns', 'exec', place, 'bash', '-c'],
      `${PREPARE} && { keepalived -t ${options} 2>&1; echo "checked $?"; exec keepalived -n -l ${options}; }`,
      ...['node', folder],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );

/** From here on the skew time, which goes by priority, is longer than a busy machine is late. */
const APART_FROM_MS = 4_000;

interface Election {
  readonly early: () => Daemon;
  readonly late: () => Daemon;
  readonly downMs: readonly [number, number];
  /** `early` has the better priority. */
  readonly isBetter: boolean;
}

/**
 * The states in which two end. `early` begins to wait for adverts before `late`; where that does not make it master first, it is
 * master before `late` comes.
 */
async function elected({ early, late, downMs, isBetter }: Election): Promise<readonly [Daemon, Daemon]> {
  const one = early();
  const isUp = (daemon: Daemon) => () => daemon.hasEnded || daemon.state !== 'none';
  const becomes = (daemon: Daemon, state: State) => () => daemon.hasEnded || daemon.state === state;
  await one.until(isUp(one), START_MS);
  if (!isBetter || Math.min(...downMs) < APART_FROM_MS)
    await one.until(becomes(one, 'MASTER'), downMs[0] + LATE_MS);
  const two = late();
  await two.until(isUp(two), START_MS);
  // A node that hears no better master becomes one; one that hears a better master gives way at its next advert.
  const isMaster = await two.until(becomes(two, 'MASTER'), downMs[1] + LATE_MS);
  if (isMaster) await one.until(becomes(one, 'BACKUP'), Math.max(...downMs) / 2 + LATE_MS);
  await two.until(() => two.state !== 'MASTER' || one.state !== 'MASTER', Math.max(...downMs) / 2);
  return [one, two];
}

async function answer({ id, nodes, first }: Question): Promise<Answer> {
  const folders = nodes.map((node, n) => laidOut(node, join(ROOT, id, String(n))));
  const results = await Promise.all(
    first.map(async (n) => {
      const other = n === 0 ? 1 : 0;
      const daemon = (one: 0 | 1) => () => new Daemon(placeOf(id, n, one), folders[one]!, nodes[one]);
      const [early, late] = await elected({
        early: daemon(n),
        late: daemon(other),
        downMs: [nodes[n].downMs, nodes[other].downMs],
        isBetter: first.length === 1,
      });
      return n === 0 ? ([early, late] as const) : ([late, early] as const);
    }),
  );
  const elections = results.map(([a, b]) => [a.state, b.state] as const);
  const daemons = results.flat();
  await Promise.all(daemons.map((one) => one.stop()));
  const said = daemons.map((one) => one.said.join('\n')).join('\n--\n');
  const [a, b] = results[0]!;
  return { id, checks: [a.check, b.check], elections, said };
}

const placeOf = (id: string, first: 0 | 1, node: 0 | 1): string => `${id}-${first}-${node}`;

function laidOut(node: NodeInput, folder: string): string {
  for (const [path, text] of Object.entries(node.files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o644 });
  }
  return folder;
}

/** Two namespaces for each election, with a wire between them. */
async function buildNetwork({ id, nodes, first }: Question): Promise<void> {
  const wires = first.map((n) => [placeOf(id, n, 0), placeOf(id, n, 1)] as const);
  await carryOut([
    ...wires.flat().map((place) => `netns add ${place}`),
    ...wires.map(([a, b]) => `link add ve0 netns ${a} type veth peer name ve0 netns ${b}`),
  ]);
  const set = (place: string, { addresses }: NodeInput): Promise<void> =>
    carryOut(
      [
        'link set lo up',
        ...addresses.map((one) => `addr add ${one} dev ve0${one.includes(':') ? ' nodad' : ''}`),
        'link set ve0 up',
      ],
      ['-n', place],
    );
  await Promise.all(wires.flatMap((wire) => wire.map((place, n) => set(place, nodes[n]!))));
}

async function carryOut(lines: readonly string[], where: readonly string[] = []): Promise<void> {
  const child = spawn('ip', [...where, '-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(`${lines.join('\n')}\n`);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`ip ended with status ${status}: ${lines.join('; ')}`);
}

async function main(): Promise<void> {
  const { questions, width } = JSON.parse(readFileSync(0, 'utf8')) as Batch;
  const queue = [...questions];
  const worker = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      await buildNetwork(one);
      process.stdout.write(`${JSON.stringify(await answer(one))}\n`);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}

await main();
