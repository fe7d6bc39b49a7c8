/**
 * Translation: the Internet gateway's one-to-one address translation. A packet from the Internet to an EIP goes to the
 * private address that the EIP is associated with, and its answer back under the EIP.
 *
 * One rule per EIP, replaced in one step, so that there is never an instant without one.
 * Honest limits: the kernel applies the rule for the first packet of a connection only, so open connections stay where
 * they are until they end (on AWS they break); a change costs one `iptables` process, 3–6 ms, which is the emulators' share.
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { ROUTER } from './topology.ts';

const run = promisify(execFile);
const inRouter = ['netns', 'exec', ROUTER];

function ruleOf(eip: string, address: string): string[] {
  return ['-i', 'to-net', '-d', `${eip}/32`, '-j', 'DNAT', '--to-destination', address];
}

/** The kernel may have either of the two backends, or none. */
function workingTool(): string {
  const tried: string[] = [];
  for (const tool of ['iptables-nft', 'iptables-legacy', 'iptables']) {
    try {
      execFileSync(
        'ip',
        [...inRouter, tool, '-t', 'nat', '-A', 'PREROUTING', ...ruleOf('203.0.113.1', '10.0.1.20')],
        {
          stdio: 'pipe',
          timeout: 5_000,
        },
      );
      execFileSync('ip', [...inRouter, tool, '-t', 'nat', '-F', 'PREROUTING'], {
        stdio: 'pipe',
        timeout: 5_000,
      });
      return tool;
    } catch (error) {
      tried.push(`${tool}: ${(error as { stderr?: Buffer }).stderr?.toString().trim() || String(error)}`);
    }
  }
  throw new Error(
    `this kernel translates no addresses, so no EIP can be shown: load nf_nat with nf_tables or ip_tables (${tried.join('; ')})`,
  );
}

export class Translation {
  readonly #tool = workingTool();
  readonly #order: string[] = [];
  readonly #targets = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  /** Associates an EIP with a private address; `undefined` takes it off: its packets are then dropped. */
  associate(eip: string, address: string | undefined): Promise<boolean> {
    const next = this.#last.then(() => this.#associate(eip, address));
    this.#last = next.catch(() => undefined);
    return next;
  }

  associations(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#targets);
  }

  async #associate(eip: string, address: string | undefined): Promise<boolean> {
    if (this.#targets.get(eip) === address) return false;
    const position = this.#order.indexOf(eip) + 1;
    if (address === undefined) {
      await this.#iptables(['-D', 'PREROUTING', String(position)]);
      this.#order.splice(position - 1, 1);
      this.#targets.delete(eip);
      return true;
    }
    if (position > 0) await this.#iptables(['-R', 'PREROUTING', String(position), ...ruleOf(eip, address)]);
    else {
      await this.#iptables(['-A', 'PREROUTING', ...ruleOf(eip, address)]);
      this.#order.push(eip);
    }
    this.#targets.set(eip, address);
    return true;
  }

  async #iptables(args: readonly string[]): Promise<void> {
    await run('ip', [...inRouter, this.#tool, '-t', 'nat', ...args], { timeout: 5_000 });
  }
}
