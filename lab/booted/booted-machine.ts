/**
 * BootedMachine: a machine with systemd as its first process, booted in about a second. Its disk is an overlay of this very machine, or of a
 * folder with another Debian, so it has the distribution's own systemd, keepalived, nginx, bash and curl.
 *
 * Invariant: it lives in namespaces of its own (pid, mount, time, and network unless it is given one), whose first process dies with this one.
 * So nothing of it outlives this process, however that ends; lab/booted/cgroup.ts has the one exception.
 * Limits: root only. docs/lab.md has what such a machine cannot show.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { processes, statOf } from '../aws/process-group.ts';
import { type Cgroup, makeCgroup } from './cgroup.ts';

/** Names a folder with a Debian, such as trixie, to boot instead of this machine's own. */
export const ROOT_VARIABLE = 'VIPSHIFT_BOOT_ROOT';
export const bootRoot = (): string => process.env[ROOT_VARIABLE] ?? '/';

export interface BootedInput {
  readonly name: string;
  /** The disk's lower layer; `bootRoot()` by default. */
  readonly root?: string;
  /** Path → text. One that begins with `#!` is executable. */
  readonly files?: Readonly<Record<string, string>>;
  /** Units that are enabled as the distribution brings them, such as `systemd-networkd.service`. */
  readonly enabled?: readonly string[];
  /** Path in the machine → folder of the host, read-only. */
  readonly folders?: Readonly<Record<string, string>>;
  /** The network namespace to live in, by its `ip netns` name; by default one of its own with nothing but `lo`. */
  readonly network?: string;
  /** Where its control group goes; by default it makes its own. */
  readonly cgroup?: string;
}

export interface Ended {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

const init = join(import.meta.dirname, 'booted-init.bash');
const notify = join(import.meta.dirname, '..', '..', 'notify');
const BOOT_MAX_MS = 60_000;
const COMMAND_MAX_MS = 60_000;
const LOOK_AGAIN_MS = 50;
const ENVIRONMENT = [
  'HOME=/root',
  'LC_ALL=C',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];

export class BootedMachine implements AsyncDisposable {
  readonly name: string;
  /** What systemd and nspawn have printed so far. */
  readonly console: string[] = [];
  readonly #child: ChildProcess;
  readonly #cgroup: Cgroup | undefined;
  #leader: number | undefined;
  #isOn = false;

  private constructor(name: string, child: ChildProcess, cgroup: Cgroup | undefined) {
    this.name = name;
    this.#child = child;
    this.#cgroup = cgroup;
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.console.push(line));
    createInterface({ input: child.stdio[3] as Readable }).on('line', () => {
      this.#isOn = false;
    });
  }

  /** Resolves when all units have been started. The checkout's `notify/` is at /root/notify. */
  static async boot(input: BootedInput): Promise<BootedMachine> {
    if (process.getuid?.() !== 0)
      throw new Error('a booted machine needs root: sudo npm test, or npm run test:fast without it');
    const seed = seedOf(input);
    const cgroup = input.cgroup === undefined ? makeCgroup(`vipshift-${randomUUID()}`) : undefined;
    const folders = { '/root/notify': notify, ...input.folders };
    const bindings = Object.entries(folders).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`);
    const group = cgroup?.path ?? input.cgroup!;
    const own = ['unshare', input.network === undefined ? '-nmpf' : '-mpf', '--mount-proc', '--kill-child'];
    const place = input.network === undefined ? [] : ['nsenter', `--net=/run/netns/${input.network}`];
    const args = [
      ...place,
      ...own,
      'bash',
      init,
      input.name,
      input.root ?? bootRoot(),
      seed,
      group,
      ...bindings,
    ];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...args], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    child.stdin!.on('error', () => undefined);
    const machine = new BootedMachine(input.name, child, cgroup);
    try {
      await machine.powerOn();
      return machine;
    } catch (error) {
      await machine.stop();
      throw error;
    } finally {
      rmSync(seed, { recursive: true });
    }
  }

  /** After a poweroff: the same disk. Resolves when all units have been started. */
  async powerOn(): Promise<void> {
    this.#isOn = true;
    this.#child.stdin!.write('on\n');
    await this.#booted(undefined);
  }

  /** Runs a command; throws with what it said unless it ends with 0. */
  async run(...command: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(...command);
    if (status !== 0)
      throw new Error(
        `${this.name}: ${command.join(' ')} ended with ${status}: ${stderr.trim() || stdout.trim()}`,
      );
    return stdout;
  }

  /** A script for bash, which ends at the first command that fails. */
  bash(script: string): Promise<string> {
    return this.run('bash', '-ec', script);
  }

  async attempt(...command: string[]): Promise<Ended> {
    const leader = this.#leaderPid();
    if (leader === undefined) return { status: 'off', stdout: '', stderr: `machine ${this.name} is off` };
    const entering = [
      '-t',
      String(leader),
      '-m',
      '-u',
      '-i',
      '-n',
      '-p',
      '-C',
      '-T',
      '-r',
      '-w',
      'env',
      '-i',
      ...ENVIRONMENT,
    ];
    return new Promise((resolve) => {
      // KILL: at a machine's end systemd stops every process (SIGSTOP), and nsenter waits for its own for ever.
      const limits = { timeout: COMMAND_MAX_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 26 } as const;
      const child = execFile('nsenter', [...entering, ...command], limits, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : (error.code ?? error.signal ?? 'unknown'), stdout, stderr }),
      );
      child.stdin?.end();
    });
  }

  /** Asks again until the script ends with 0. */
  async until(what: string, script: string, withinMs = BOOT_MAX_MS): Promise<void> {
    let last: Ended | undefined;
    await this.#wait(what, withinMs, async () => {
      last = await this.attempt('bash', '-ec', script);
      return last.status === 0;
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${last?.stdout}${last?.stderr}`, { cause: error });
    });
  }

  /** `systemctl reboot` or `poweroff`; resolves when systemd has taken it. */
  async begin(what: 'reboot' | 'poweroff'): Promise<void> {
    await this.run('systemctl', '--no-block', what);
  }

  /** Resolves when the machine that was asked for a reboot has booted again. */
  async rebooted(): Promise<void> {
    await this.#booted(this.#leader);
  }

  /** Resolves when the machine that was asked for a poweroff is off. */
  async off(): Promise<void> {
    await this.#wait('the machine to be off', BOOT_MAX_MS, () => !this.#isOn);
  }

  /** As pulling the plug; the disk is kept. */
  async cutPower(): Promise<void> {
    const leader = this.#leaderPid();
    if (leader !== undefined) process.kill(leader, 'SIGKILL');
    await this.off();
  }

  /** For good, with its disk. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    await this.#cgroup?.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #booted(before: number | undefined): Promise<void> {
    await this.#wait('systemd to have started everything', BOOT_MAX_MS, async () => {
      if (!this.#isOn || this.#child.exitCode !== null)
        throw new Error(`machine ${this.name} went off:\n${this.#lately()}`);
      if (this.#leaderPid() === before) return false;
      const { stdout } = await this.attempt('systemctl', 'is-system-running');
      return ['running', 'degraded'].includes(stdout.trim());
    });
    this.#leader = this.#leaderPid();
  }

  async #wait(what: string, withinMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
    const untilMs = performance.now() + withinMs;
    while (!(await holds())) {
      if (performance.now() > untilMs)
        throw new Error(
          `machine ${this.name}: waited ${withinMs} ms for ${what}; its console:\n${this.#lately()}`,
        );
      await delay(LOOK_AGAIN_MS);
    }
  }

  #lately(): string {
    return this.console.slice(-30).join('\n');
  }

  /** Its systemd, as this process sees it: the first of a pid namespace below nspawn. */
  #leaderPid(): number | undefined {
    const parents = new Map(processes().map((pid) => [pid, statOf(pid)?.parent]));
    const isBelow = (pid: number | undefined): boolean =>
      pid !== undefined && pid > 0 && (pid === this.#child.pid || isBelow(parents.get(pid)));
    const depthOf = (pid: number) => namespacePids(pid).length;
    const own = depthOf(this.#child.pid!);
    // The sandbox's first process is one namespace down, the machine's is two.
    return [...parents.keys()].find(
      (pid) => isBelow(pid) && namespacePids(pid).at(-1) === 1 && depthOf(pid) === own + 2,
    );
  }
}

/** The ids that a process has in its pid namespaces, from ours to its own. */
function namespacePids(pid: number): readonly number[] {
  try {
    const line = /^NSpid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return line?.split('\t').map(Number) ?? [];
  } catch {
    return [];
  }
}

function seedOf({ files = {}, enabled = [], root = bootRoot() }: BootedInput): string {
  const seed = mkdtempSync(join(tmpdir(), 'vipshift-seed-'));
  chmodSync(seed, 0o755);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(seed, dirname(path)), { recursive: true });
    writeFileSync(join(seed, path), text);
    chmodSync(join(seed, path), text.startsWith('#!') ? 0o755 : 0o644);
  }
  const wants = join(seed, 'etc/systemd/system/multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  for (const unit of enabled) {
    const places = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
    const found = places.find(
      (place) => existsSync(join(seed, place, unit)) || existsSync(join(root, place, unit)),
    );
    if (found === undefined) throw new Error(`there is no unit ${unit} in ${root}`);
    symlinkSync(join(found, unit), join(wants, unit));
  }
  return seed;
}
