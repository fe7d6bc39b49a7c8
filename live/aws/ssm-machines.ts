// The machines of a run on AWS, reached through SSM: awaited, given the notify shim, then broken and repaired.
//
// Limit: not yet run on a real account (docs/live.md says what that means).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FOLDER, HOME, READY } from '../build/user-data.ts';
import type { Instances } from '../environment.ts';
import { type Machines, stretchesFrom } from '../machines.ts';
import { type NodeName, VRRP_INSTANCE } from '../plan.ts';
import { busOf, type Run } from '../run-id.ts';
import type { Ssm } from './ssm.ts';

const BOOT_MAX_MS = 600_000;
const BOOT_LOOK_MS = 5_000;
const COMMAND_MAX_MS = 60_000;
/** Well below what a command may hold. */
const CHUNK = 8_000;
const nodes = ['a', 'b'] as const;

export async function ssmMachines(
  ssm: Ssm,
  run: Run,
  instances: Instances,
  signal: AbortSignal,
): Promise<Machines> {
  const all = Object.values(instances).map(({ instanceId }) => instanceId);
  await online(ssm, all, signal);
  const on = (name: keyof Instances, script: string) =>
    ssm.run(instances[name].instanceId, script, COMMAND_MAX_MS);
  await Promise.all(all.map((instance) => ssm.run(instance, untilReady, BOOT_MAX_MS)));
  // One after the other, so that a is the first master.
  for (const node of nodes) {
    signal.throwIfAborted();
    await furnish((script) => on(node, script), run);
  }
  const drill = (name: keyof Instances, words: string) => on(name, `${HOME}/drill.bash ${words}`);
  const restart = 'systemctl reset-failed; systemctl restart vipshift-drill-echo.service keepalived.service';
  return {
    hit: async (node, kind) => instantFrom(await drill(node, `hit ${kind}`), node),
    async repair(node, kind) {
      await (kind === 'crash' ? on(node, restart) : drill(node, 'repair demote'));
    },
    answers: async (fromMs) => stretchesFrom(await drill('probe', `answers ${fromMs}`)),
    async clocks() {
      const said = await Promise.all(
        (['a', 'b', 'probe'] as const).map(
          async (name) => [name, clockFrom(await drill(name, 'clock'))] as const,
        ),
      );
      return Object.fromEntries(said);
    },
    close: () => Promise.resolve(),
  };
}

const untilReady = `for try in $(seq 100); do test -e ${READY} && exit 0; sleep 5; done; tail -n 20 /var/log/cloud-init-output.log >&2; exit 1`;

async function online(ssm: Ssm, instances: readonly string[], signal: AbortSignal): Promise<void> {
  const until = Date.now() + BOOT_MAX_MS;
  for (;;) {
    const there = await ssm.online(instances);
    if (there.length === instances.length) return;
    const missing = instances.filter((instance) => !there.includes(instance));
    if (Date.now() > until)
      throw new Error(
        `no SSM agent of ${missing.join(', ')} after ${BOOT_MAX_MS / 1000} s: can they reach AWS?`,
      );
    await delay(BOOT_LOOK_MS, undefined, { signal });
  }
}

/** Puts the shim onto a node as an operator does, and only then starts keepalived. */
async function furnish(on: (script: string) => Promise<string>, run: Run): Promise<void> {
  for (const script of delivery(shimArchive())) await on(script);
  const install = `${FOLDER}/notify/vipshift-notify install --bus ${busOf(run.stage)} --instance ${VRRP_INSTANCE}=${run.vip}`;
  await on(`${install} && systemctl enable --now keepalived.service`);
}

export function shimArchive(): Buffer {
  const root = join(import.meta.dirname, '..', '..');
  return execFileSync('tar', ['-czf', '-', '-C', root, 'notify'], { maxBuffer: 1_000_000 });
}

/** Commands that lay an archive out under FOLDER, each small enough for SSM; the last one checks what came. */
export function delivery(archive: Buffer): readonly string[] {
  const text = archive.toString('base64');
  const chunks = Array.from({ length: Math.ceil(text.length / CHUNK) }, (_, n) =>
    text.slice(n * CHUNK, (n + 1) * CHUNK),
  );
  const sum = createHash('sha256').update(archive).digest('hex');
  const file = `${FOLDER}/notify.tgz`;
  return [
    `mkdir -p ${FOLDER} && rm -f ${file}.base64`,
    ...chunks.map((chunk) => `printf %s ${chunk} >>${file}.base64`),
    `base64 -d ${file}.base64 >${file} && echo '${sum}  ${file}' | sha256sum -c --quiet && tar -xzf ${file} -C ${FOLDER}`,
  ];
}

function instantFrom(said: string, node: NodeName): number {
  const atMs = Number(said.trim());
  if (!(atMs > 0)) throw new Error(`node ${node} said "${said.trim()}", expected its clock in ms`);
  return atMs;
}

const clockFrom = (said: string): number | undefined =>
  /^[\d.]+$/.test(said.trim()) ? Number(said) : undefined;
