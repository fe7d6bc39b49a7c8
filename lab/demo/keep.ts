// The demo that stays up, to try the commands on: nothing is wrong with it, reconcile runs on its period, and what
// is printed can be pasted as it is.
//
// Limit: the emulator has no schedules; the period is this process's.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invoke, type Stack, VIP } from '../aws/stack/stack.ts';
import { makeWhole, type Whole } from '../aws/whole/whole.ts';
import { type DemoNode, startDemoNode } from './node.ts';

/** As serverless.yml schedules it. */
const RECONCILE_EVERY_MS = 60_000;

const cli = join(import.meta.dirname, '..', '..', 'cli', 'vipshift.ts');

export interface Kept {
  readonly whole: Whole;
  /** The node that had died, back as a standby. */
  readonly revived: DemoNode;
}

export async function makeReady(stack: Stack): Promise<Kept> {
  const whole = await makeWhole(stack);
  try {
    const revived = await startDemoNode(stack, stack.vpc.nodes.a);
    await revived.says('INSTANCE "VI_WEB" BACKUP 254');
    await stack.until('node a as a standby', (vip) => vip.claims[revived.instanceId]?.state === 'BACKUP');
    await reconcile(stack);
    return { whole, revived };
  } catch (error) {
    await whole.stop();
    throw error;
  }
}

const reconcile = (stack: Stack) => invoke(stack.aws, stack.deployment.functions.reconcile, {});

/** Every line of it is a command. */
export const commandsToTry = ({ vpc }: Stack, page: string): readonly string[] => [
  'vipshift status',
  `vipshift status ${VIP}`,
  'vipshift doctor',
  `vipshift vip add dns --address 192.168.255.53 --table-label ${VIP} --node-label ${VIP}`,
  "vipshift vip remove dns --reason 'only a try'",
  `vipshift failover ${VIP} --to ${vpc.nodes.a.instanceId} --reason 'to see it move'`,
  `vipshift explain ${VIP}`,
  `vipshift unpin ${VIP} --yes`,
  `vipshift freeze ${VIP} --for 10m --reason 'nothing moves now'`,
  `vipshift unfreeze ${VIP} --yes`,
  'vipshift timeline',
  `vipshift timeline --html ${page}`,
];

/** Resolves with the first signal. */
export async function keep(stack: Stack, { whole }: Kept, signals: readonly NodeJS.Signals[]): Promise<void> {
  const file = join(stack.aws.folder, 'shell');
  await writeFile(file, shell(stack, whole));
  const commands = commandsToTry(stack, join(stack.aws.folder, 'page.html'));
  process.stdout.write(
    [
      '\nThe local AWS stays up until Ctrl-C, and reconcile runs every minute. In another shell:',
      `  . ${file}`,
      ...commands.map((line) => `  ${line}`),
      `\nClaims go to the bus ${stack.deployment.busName}; the functions’ log is ${stack.aws.logFile}\n`,
    ].join('\n'),
  );
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      reconcile(stack).catch((error: unknown) => {
        process.stderr.write(`reconcile failed: ${error instanceof Error ? error.message : String(error)}\n`);
      });
    }, RECONCILE_EVERY_MS);
    for (const signal of signals)
      process.once(signal, () => {
        clearInterval(timer);
        resolve();
      });
  });
}

/** For bash and zsh. The Node.js of this process runs the sources: nothing is built. */
function shell({ aws, deployment }: Stack, whole: Whole): string {
  const env = { ...aws.env, ...whole.env, VIPSHIFT_STAGE: deployment.stage };
  const lines = Object.entries(env).map(([key, value]) => `export ${key}='${value}'`);
  const command = `vipshift() { '${process.execPath}' '${cli}' "$@"; }`;
  return `${[...lines, command].join('\n')}\n`;
}
