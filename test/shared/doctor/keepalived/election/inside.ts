// Runs inside the sandbox of namespaces (elections.ts starts it): real keepalived processes, two for each election.
//
// Input, on stdin: Batch as JSON. Output: a line of JSON for each question, in the order in which they end.
// A node is a network namespace with a /run of its own. What keepalived says on its standard output is what is waited for.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
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
  /** Which of the nodes is there first, one election each. */
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
  /** `keepalived -t` of each node. */
  readonly checks: readonly [Check, Check];
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
      this.#child.on('exit', () => {
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

/** In a pid namespace of its own, whose end is the end of keepalived's children. */
const onNode = (place: string, folder: string, options: string): ChildProcess =>
  spawn(
    'ip',
    [
      ...['netns', 'exec', place, 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', '-c'],
      `${PREPARE} && { keepalived -t ${options} 2>&1; echo "checked $?"; exec keepalived -n -l ${options}; }`,
      ...['node', folder],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );

/** The states in which two end, `early` having had the time to become master before `late` comes. */
async function elected(
  early: () => Daemon,
  late: () => Daemon,
  downMs: readonly [number, number],
): Promise<{ early: Daemon; late: Daemon }> {
  const one = early();
  const isUp = (daemon: Daemon) => () => daemon.hasEnded || daemon.state !== 'none';
  await one.until(isUp(one), START_MS);
  await one.until(() => one.hasEnded || one.state === 'MASTER', downMs[0] + LATE_MS);
  const two = late();
  await two.until(isUp(two), START_MS);
  // A node that hears no better master becomes one; one that hears a better master gives way at its next advert.
  if (await two.until(() => two.hasEnded || two.state === 'MASTER', downMs[1] + LATE_MS))
    await one.until(() => one.hasEnded || one.state === 'BACKUP', Math.max(...downMs) / 2 + LATE_MS);
  await two.until(() => two.state !== 'MASTER' || one.state !== 'MASTER', Math.max(...downMs) / 2);
  return { early: one, late: two };
}

async function answer({ id, nodes, first }: Question): Promise<Answer> {
  const folders = nodes.map((node, n) => laidOut(node, join(ROOT, id, String(n))));
  const results = await Promise.all(
    first.map(async (n) => {
      const other = n === 0 ? 1 : 0;
      const daemon = (one: 0 | 1) => () => new Daemon(placeOf(id, n, one), folders[one]!, nodes[one]);
      const { early, late } = await elected(daemon(n), daemon(other), [nodes[n].downMs, nodes[other].downMs]);
      return n === 0 ? ([early, late] as const) : ([late, early] as const);
    }),
  );
  const elections = results.map(([a, b]) => [a.state, b.state] as const);
  const daemons = results.flat();
  await Promise.all(daemons.map((one) => one.stop()));
  const [a, b] = results[0]!;
  const said = daemons.map((one) => one.said.join('\n')).join('\n--\n');
  return { id, checks: [a.check!, b.check!], elections, said };
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
function buildNetwork({ id, nodes, first }: Question): void {
  const batch = (lines: readonly string[], place: readonly string[] = []) =>
    execFileSync('ip', [...place, '-batch', '-'], {
      input: `${lines.join('\n')}\n`,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
  const wires = first.map((n) => [placeOf(id, n, 0), placeOf(id, n, 1)] as const);
  batch([
    ...wires.flat().map((place) => `netns add ${place}`),
    ...wires.map(([a, b]) => `link add ve0 netns ${a} type veth peer name ve0 netns ${b}`),
  ]);
  for (const wire of wires)
    for (const [n, place] of wire.entries())
      batch(
        [
          'link set lo up',
          ...nodes[n]!.addresses.map((one) => `addr add ${one} dev ve0${one.includes(':') ? ' nodad' : ''}`),
          'link set ve0 up',
        ],
        ['-n', place],
      );
}

async function main(): Promise<void> {
  const { questions, width } = JSON.parse(readFileSync(0, 'utf8')) as Batch;
  const queue = [...questions];
  const worker = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      buildNetwork(one);
      process.stdout.write(`${JSON.stringify(await answer(one))}\n`);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}

await main();
