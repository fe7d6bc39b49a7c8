/**
 * Machine: one node as a machine of its own. Pid, mount, time and network namespaces give it processes, a /run, a /tmp, a
 * clock since boot and a boot id that no other has; killing it ends all of it in one instant, as pulling the plug does.
 *
 * Invariant: what runs on it is reached over its console only (machine-init.bash), and one line is carried out after the other.
 * Honest limits: the network namespace, and with it addresses and half-closed connections, outlives a reboot;
 * the wall clock is the host's.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync, rmSync, type WriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { monotonicMs } from '../scenario/moment.ts';
import { type NodeLabel, VIP } from './topology.ts';

export interface Line {
  readonly atMs: number;
  readonly text: string;
}

/** What a machine boots with. */
export interface Image {
  /** Put into /run/machine, scripts executable. */
  readonly files: Readonly<Record<string, string>>;
  /** Folders of the host, seen as /run/machine/NAME. */
  readonly folders: Readonly<Record<string, string>>;
  /** On `lo` from the start. */
  readonly addresses: readonly string[];
}

const TIMEOUT_MS = 20_000;
/** A freshly booted machine's uptime: small, as after a boot, and enough for nothing to be negative. */
const UPTIME_AT_BOOT_S = 20;

export class Machine {
  readonly label: NodeLabel;
  /** The machine's files as seen from outside; `run` inside it is its /run, emptied by a boot, but for `run/disk`. */
  readonly directory: string;
  readonly lines: Line[] = [];
  readonly #log: WriteStream;
  #process: ChildProcessWithoutNullStreams | undefined;
  #waiting: { fits: (text: string) => boolean; resolve: (line: Line) => void }[] = [];

  constructor(label: NodeLabel, directory: string, logFile: string) {
    this.label = label;
    this.directory = directory;
    this.#log = createWriteStream(logFile);
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  /** Resolves when the console answers. */
  async boot(image: Image): Promise<void> {
    if (this.isUp) throw new Error(`machine ${this.label} is already up`);
    this.#layOut(image);
    this.#resetAddresses(image.addresses);
    const upForS = Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]));
    const init = new URL('./machine-init.bash', import.meta.url).pathname;
    const offset = String(UPTIME_AT_BOOT_S - upForS);
    const child = spawn(
      'ip',
      [
        ...[
          'netns',
          'exec',
          this.label,
          'unshare',
          '--mount',
          '--pid',
          '--fork',
          '--kill-child',
          '--mount-proc',
        ],
        ...['--time', '--boottime', offset, 'bash', init, this.directory],
        ...Object.entries(image.folders).map(([name, folder]) => `${name}=${folder}`),
      ],
      { stdio: 'pipe', env: { PATH: process.env.PATH, LC_ALL: 'C' } },
    );
    this.#process = child;
    child.stdin.on('error', () => {});
    child.on('error', (error) => this.#receive(`machine did not start: ${error.message}`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (text) => this.#receive(text));
    }
    await this.heard('the machine to come up', (text) => text === 'machine up');
  }

  /** One console line; resolves when it has been carried out. */
  async console(command: string): Promise<void> {
    if (this.#process === undefined)
      throw new Error(`machine ${this.label} is down, so it cannot: ${command}`);
    const done = this.heard(`"${command}" to be done`, (text) => text === `done: ${command}`);
    this.#process.stdin.write(`${command}\n`);
    await done;
  }

  /** The next line of the machine that fits. */
  async heard(what: string, fits: (text: string) => boolean, withinMs = TIMEOUT_MS): Promise<Line> {
    return new Promise((resolve, reject) => {
      const waiter = {
        fits,
        resolve: (line: Line) => {
          clearTimeout(timer);
          resolve(line);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiting) => waiting !== waiter);
        const last = this.lines.slice(-5).map((line) => line.text);
        reject(
          new Error(
            `machine ${this.label}: waited ${withinMs} ms for ${what}; it last said: ${last.join(' | ')}`,
          ),
        );
      }, withinMs);
      this.#waiting.push(waiter);
    });
  }

  /** Pulls the plug. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    this.#receive('machine killed');
  }

  /** A file of the machine's /run, read from outside; undefined when it is not there. */
  read(path: string): string | undefined {
    try {
      return readFileSync(join(this.directory, 'run', path), 'utf8');
    } catch {
      return undefined;
    }
  }

  #layOut({ files, folders }: Image): void {
    const run = join(this.directory, 'run');
    mkdirSync(join(this.directory, 'disk'), { recursive: true });
    rmSync(run, { recursive: true, force: true });
    for (const folder of ['machine', 'disk', 'vipshift', 'vipshift/hand-over'])
      mkdirSync(join(run, folder), { recursive: true, mode: 0o755 });
    for (const name of Object.keys(folders)) mkdirSync(join(run, 'machine', name));
    writeFileSync(join(this.directory, 'boot_id'), `${randomUUID()}\n`);
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(run, 'machine', name), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
    }
  }

  /** An address that keepalived left behind does not survive a reboot of a real machine. */
  #resetAddresses(addresses: readonly string[]): void {
    const inNamespace = ['-n', this.label, 'addr'];
    execFileSync('ip', [...inNamespace, 'flush', 'dev', 'lo', 'to', `${VIP}/32`]);
    for (const address of addresses)
      execFileSync('ip', [...inNamespace, 'replace', `${address}/32`, 'dev', 'lo']);
  }

  #receive(text: string): void {
    const line = { atMs: monotonicMs(), text };
    this.lines.push(line);
    this.#log.write(`${line.atMs.toFixed(1)} ${text}\n`);
    const served = this.#waiting.filter((waiting) => waiting.fits(text));
    this.#waiting = this.#waiting.filter((waiting) => !served.includes(waiting));
    for (const waiting of served) waiting.resolve(line);
  }
}
