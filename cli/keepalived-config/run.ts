// What `vipshift keepalived-config` does: writes every node's keepalived.conf for one VIP, and what it needs around it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { defined } from '../../shared/optional.ts';
import { CliError, refused, usage } from '../command/exit.ts';
import type { Output } from '../command/output.ts';
import { LOOPBACK_UNIT, loopbackUnit, remarksOn, securityRuleList, securityRules } from './advice.ts';
import { keepalivedConfig } from './config.ts';
import {
  keepalivedDefaults as defaults,
  type Hold,
  type KeepalivedInput,
  type KeepalivedNode,
} from './input.ts';

export interface KeepalivedConfigOptions {
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
  readonly demoteFile: string;
  readonly leavingFile: string;
  readonly fifo: string;
  readonly only?: string;
  readonly out?: string;
  readonly overwrite?: boolean;
}

export function run(options: KeepalivedConfigOptions, out: Output): void {
  const input = inputFrom(options);
  const files = filesOf(input, options.only);
  const unit = input.hold === 'both' ? loopbackUnit(input) : undefined;
  if (options.out !== undefined) {
    const units = defined({ [LOOPBACK_UNIT]: unit });
    const written = writeAll(options.out, { ...withSuffix(files), ...units }, options.overwrite === true);
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

function writeAll(
  folder: string,
  files: Readonly<Record<string, string>>,
  overwrite: boolean,
): readonly string[] {
  const paths: string[] = [];
  try {
    makeFolder(resolve(folder));
    const edited = Object.entries(files).filter(([name, text]) => differs(join(folder, name), text));
    if (edited.length > 0 && !overwrite)
      throw refused(
        `${edited.map(([name]) => join(folder, name)).join(', ')} would be overwritten, and differ`,
        'name another folder with --out, or say --overwrite',
      );
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      writeFileSync(path, text);
      paths.push(path);
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw refused(
      `cannot write into ${folder}: ${(error as Error).message}`,
      'give another folder: --out DIR',
    );
  }
  return paths;
}

/** Not `recursive`: Node.js tries for ever where the file system makes no folders, such as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder);
}

const differs = (path: string, text: string): boolean =>
  existsSync(path) && readFileSync(path, 'utf8') !== text;

const inputFrom = (options: KeepalivedConfigOptions): KeepalivedInput => ({
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
  demoteFile: options.demoteFile,
  leavingFile: options.leavingFile,
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
