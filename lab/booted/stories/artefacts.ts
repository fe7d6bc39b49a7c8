/**
 * `npm run lab -- artefacts`: from the files of a release alone, in an empty folder, to a first failover. The stack comes from the template, the
 * command line from its tarball, and the shim from the deb, on two machines that really boot.
 *
 * Exit status: as the lab's; 1 when a step did not come about.
 * Limit: the local AWS and the machines are this repository's; nothing else of it is used. The functions get the emulators' endpoints.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { LabCommand, Say } from '../../command.ts';
import { VIP } from '../../netns/sandbox/topology.ts';
import type { BootedNode } from '../booted-node.ts';
import { openBootedLab } from '../lab.ts';
import { master, type Stage, until } from '../planned-stops.ts';

const COMMAND_MAX_MS = 60_000;

const usage = `usage: npm run lab -- artefacts [--release FOLDER] [--logs FOLDER]

  --release FOLDER  what \`npm run release\` has made (default: dist/release)
  --logs FOLDER     where the emulators' logs go (default: .lab/netns)
`;

export const artefactsCommand: LabCommand = {
  usage,
  prepare(argv, logFolder) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        release: { type: 'string', default: join(import.meta.dirname, '..', '..', '..', 'dist', 'release') },
        help: { type: 'boolean', default: false },
        logs: { type: 'string', default: logFolder },
      },
    });
    const { release, help, logs } = values;
    return { help, logFolder: logs, run: (say) => firstFailover(resolve(release), logs, say) };
  },
};

const print = (line: string): boolean => process.stdout.write(`${line.trimEnd()}\n`);

async function firstFailover(release: string, logFolder: string, say: Say): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-empty-'));
  cpSync(release, folder, { recursive: true });
  const files = readdirSync(folder);
  const named = (ending: string) => files.find((file) => file.endsWith(ending))!;
  print(`${files.length} files in ${folder}, and nothing else`);
  await run(folder, process.env, 'sha256sum', '--check', '--quiet', 'SHA256SUMS');
  const lab = await openBootedLab(logFolder, say, folder);
  const { cloud } = lab;
  print(
    `stack from ${named('.template.json')}: version ${cloud.outputs.Version}, bus ${cloud.outputs.BusName}`,
  );

  await run(
    folder,
    process.env,
    'npm',
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    `./${named('.tgz')}`,
  );
  const vipshift = (...args: readonly string[]) =>
    run(folder, cloud.operatorEnv, join(folder, 'node_modules', '.bin', 'vipshift'), ...args);
  await vipshift('--version');
  const { vpcId, eip } = cloud.vpc;
  await vipshift(
    'vip',
    'add',
    'web',
    '--address',
    VIP,
    '--vpc',
    vpcId,
    '--eip',
    eip.allocationId,
    '--reason',
    'first VIP',
  );

  // The machines do not see what is below this sandbox's /run.
  const nodes = await lab.bootNodes({ '/root/release': release });
  const install = (node: BootedNode) =>
    installPackage(node, `/root/release/${named('.deb')}`, cloud.notifyConf);
  await Promise.all([install(nodes.a), install(nodes.b)]);
  await failOver({ nodes, cloud });
  await vipshift('status', 'web');
  await vipshift('timeline', 'web');
  await lab.close();
  return 0;
}

/** Runs a program in the folder, and prints the command and what it says. */
async function run(
  folder: string,
  env: NodeJS.ProcessEnv,
  program: string,
  ...args: readonly string[]
): Promise<void> {
  print(`$ ${[basename(program), ...args].join(' ')}`);
  const options = { cwd: folder, env, timeout: COMMAND_MAX_MS };
  const { stdout, stderr } = await promisify(execFile)(program, args, options);
  for (const line of `${stdout}${stderr}`.split('\n')) if (line.trim() !== '') print(`  ${line}`);
}

async function installPackage(node: BootedNode, deb: string, notifyConf: string): Promise<void> {
  const { label, machine } = node;
  await machine.run('dpkg', '--install', deb);
  await node.configure(notifyConf);
  await machine.run('vipshift-notify', 'setup', '--service', 'nginx.service');
  await machine.run('systemctl', 'restart', 'vipshift-notify');
  await node.enable();
  const [version, check] = [
    await machine.run('vipshift-notify', '--version'),
    await machine.run('vipshift-notify', 'check'),
  ];
  print(`node ${label}: ${basename(deb)} installed, version ${version.trim()}; ${check.trim()}`);
}

async function failOver(stage: Stage): Promise<void> {
  const from = await master(stage);
  print(`node ${from} is master and owns the VIP; its power is cut`);
  await stage.nodes[from].machine.cutPower();
  const to = from === 'a' ? 'b' : 'a';
  await until(`node ${to} to own the VIP`, async () => (await master(stage)) === to);
  print(`node ${to} owns the VIP`);
}
