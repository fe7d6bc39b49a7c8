// `vipshift keepalived-config`: every node's keepalived.conf for one VIP, and what it needs around it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { onlyWith } from './contradictions.ts';
import { refused, usage } from './exit.ts';
import {
  keepalivedDefaults as defaults,
  type Hold,
  type KeepalivedInput,
  type KeepalivedNode,
} from './keepalived-input.ts';
import {
  LOOPBACK_UNIT,
  loopbackUnit,
  remarksOn,
  securityRuleList,
  securityRules,
} from './keepalived-remarks.ts';
import { keepalivedConfig } from './keepalived-text.ts';
import { list } from './options.ts';
import { output } from './output.ts';

export { keepalivedConfig } from './keepalived-text.ts';

interface Options {
  readonly node?: readonly string[];
  readonly address?: readonly string[];
  readonly interface: string;
  readonly instance: string;
  readonly routerId: string;
  readonly hold: Hold;
  readonly advert: string;
  readonly instanceType?: string;
  readonly startupDelay: string;
  readonly preempt?: boolean;
  readonly process?: string;
  readonly checkUrl?: string;
  readonly scriptUser: string;
  readonly port?: readonly string[];
  readonly lever: string;
  readonly fifo: string;
  readonly only?: string;
  readonly out?: string;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ vipshift keepalived-config --node a=10.0.1.10 --node b=10.0.2.10 --address 192.168.255.10 --instance VI_WEB --process nginx
  $ vipshift keepalived-config … --advert 0.1 --check-url http://127.0.0.1/healthy --out keepalived/
  $ vipshift keepalived-config … --only a > /etc/keepalived/keepalived.conf`;

export function keepalivedConfigCommand(): Command {
  return new Command('keepalived-config')
    .description(
      'every node’s keepalived.conf for one VIP, and the security-group rules it needs; asks nobody',
    )
    .optionsGroup('The nodes and their VIP:')
    .option('--node <name=address[@interface]>', 'a node, the preferred one first; at least two', list)
    .option('--address <ip>', 'an address of the VIP; several if it has several', list)
    .option('--interface <name>', 'of the nodes that name none of their own', defaults.interface)
    .option('--instance <name>', 'the VRRP instance, as notify.conf will name it', defaults.instance)
    .option(
      '--router-id <number>',
      'virtual_router_id, unlike that of any other VIP of these nodes',
      String(defaults.routerId),
    )
    .addOption(
      new Option('--hold <how>', 'both: the VIP stays on lo of every node; master: keepalived moves it')
        .choices(['both', 'master'])
        .default(defaults.hold),
    )
    .optionsGroup('How quickly, and back again:')
    .option(
      '--advert <seconds>',
      'advert interval; a dead node is noticed after three to four of them',
      String(defaults.advertS),
    )
    .option('--instance-type <type>', 'to be told if the adverts are too quick for it, such as t3.small')
    .option(
      '--startup-delay <seconds>',
      'by which each node starts later than the one before it',
      String(defaults.startupDelayS),
    )
    .option('--preempt', 'a node of higher priority takes the VIP back as soon as it can (default: it stays)')
    .optionsGroup('What makes a node unfit:')
    .option('--process <name>', 'a process that has to run, such as nginx; missed after half a second')
    .option(
      '--check-url <url>',
      'an address that has to answer; asked by curl once a second, two failures in a row',
    )
    .addOption(
      onlyWith(
        new Option('--script-user <name>', 'who runs that curl').default(defaults.scriptUser),
        'checkUrl',
      ),
    )
    .option('--lever <path>', 'a file: 1 in it hands the VIP over, 0 takes part again', defaults.lever)
    .optionsGroup('Where it goes:')
    .option(
      '--port <number>',
      `a TCP port of the service, for the security group (default: ${defaults.ports.join()})`,
      list,
    )
    .option('--fifo <path>', 'the notify FIFO of vipshift-notify', defaults.fifo)
    .option('--only <name>', 'the file of this node alone')
    .option('--out <folder>', 'write NODE.conf (and the unit for lo) into this folder')
    .option('--json', 'files, unit, rules and remarks as one JSON document')
    .addHelpText('after', examples)
    .action((options: Options) => run(options));
}

function run(options: Options): void {
  const input = inputFrom(options);
  const files = filesOf(input, options.only);
  const unit = input.hold === 'both' ? loopbackUnit(input) : undefined;
  const out = output({ json: options.json === true });
  if (options.out !== undefined) {
    const units = unit === undefined ? {} : { [LOOPBACK_UNIT]: unit };
    const written = writeAll(options.out, { ...withSuffix(files), ...units });
    if (out.json) out.document({ written });
    else out.lines(written.map((path) => `wrote ${path}`));
  } else if (out.json) {
    out.document({ files, unit, securityRules: securityRuleList(input), remarks: remarksOn(input) });
  } else if (options.only !== undefined) {
    process.stdout.write(Object.values(files).join(''));
  } else {
    for (const [name, text] of Object.entries(files))
      out.line(`# ===== ${name}: /etc/keepalived/keepalived.conf =====\n${text}`);
    if (unit !== undefined)
      out.line(`# ===== every node: /etc/systemd/system/${LOOPBACK_UNIT} =====\n${unit}`);
    for (const line of ['Security groups:', ...securityRules(input).map((rule) => `  ${rule}`)])
      out.note(line);
  }
}

function filesOf(input: KeepalivedInput, only: string | undefined): Readonly<Record<string, string>> {
  const files = keepalivedConfig(input);
  if (only === undefined) return files;
  const text = files[only];
  if (text === undefined)
    throw usage(`--only ${only}: there is no such node`, `name one of ${Object.keys(files).join(', ')}`);
  return { [only]: text };
}

const withSuffix = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${name}.conf`, text]));

function writeAll(folder: string, files: Readonly<Record<string, string>>): readonly string[] {
  const paths: string[] = [];
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      writeFileSync(path, text);
      paths.push(path);
    }
  } catch (error) {
    throw refused(
      `cannot write into ${folder}: ${(error as Error).message}`,
      'give another folder: --out DIR',
    );
  }
  return paths;
}

const inputFrom = (options: Options): KeepalivedInput => ({
  instance: options.instance,
  routerId: Number(options.routerId),
  nodes: (options.node ?? []).map((text) => nodeFrom(text, options.interface)),
  addresses: options.address ?? [],
  hold: options.hold,
  advertS: Number(options.advert),
  startupDelayS: Number(options.startupDelay),
  preempt: options.preempt === true,
  process: options.process,
  checkUrl: options.checkUrl,
  scriptUser: options.scriptUser,
  ports: options.port?.map(Number) ?? defaults.ports,
  lever: options.lever,
  fifo: options.fifo,
  instanceType: options.instanceType,
});

function nodeFrom(text: string, otherwise: string): KeepalivedNode {
  const [name = '', rest] = text.split(/=(.*)/s);
  if (rest === undefined)
    throw usage(`node "${text}" has no address`, 'give name and address: --node a=10.0.1.10');
  const [address = '', own] = rest.split('@');
  return { name, address, interface: own ?? otherwise };
}
