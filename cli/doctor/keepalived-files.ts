// keepalived's files on this machine, as `vipshift doctor` is given them, and what the shim's file says of them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Finding } from '../../shared/doctor/finding.ts';
import { keepalivedFindings } from '../../shared/doctor/keepalived/findings/findings.ts';
import type { Shim } from '../../shared/doctor/keepalived/findings/one-configuration.ts';
import type { ConfigFolder } from '../../shared/doctor/keepalived/grammar/folder.ts';
import type { NodeFile } from '../../shared/doctor/keepalived/model/node-files.ts';
import { refused } from '../command/exit.ts';
import { keepalivedDefaults } from '../keepalived-config/input.ts';

export interface KeepalivedOptions {
  /** FILE, or HOST=FILE. */
  readonly keepalived?: readonly string[];
  readonly notifyConf?: string;
}

/** Throws a CliError for a file that cannot be read. */
export function keepalivedFilesFindings(options: KeepalivedOptions): readonly Finding[] {
  const given = (options.keepalived ?? []).map(nodeFileFrom);
  return keepalivedFindings({ files: onDisk, given, shim: shimFrom(options.notifyConf) });
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** A file whose name has `=` in it goes before a host. */
function nodeFileFrom(text: string): NodeFile {
  const [, host, path] = isFile(text) ? [] : (/^([^=/]+)=(.+)$/.exec(text) ?? []);
  const file = path ?? text;
  textOf(file);
  return { path: file, host };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw refused((error as Error).message, 'name a file that can be read: --keepalived FILE');
  }
}

const onDisk: ConfigFolder = {
  read: (path) => (isFile(path) ? readFileSync(path, 'utf8') : undefined),
  list: (path) => (statSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path) : undefined),
};

const LINE = /^\s*([^=#]*[^=#\s])\s*=\s*(.*?)\s*$/;

/** What notify.conf says of keepalived: FIFO, leaving file, and the names of instances and groups. */
function shimFrom(path: string | undefined): Shim {
  const { fifo, leavingFile } = keepalivedDefaults;
  if (path === undefined) return { fifo, leavingFile };
  const pairs = textOf(path)
    .split('\n')
    .flatMap((line) => {
      const [, key, value] = LINE.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    });
  const named = pairs.flatMap(([key, value]) => {
    const name = /^(?:instance|group)\s+(\S+)$/.exec(key)?.[1];
    return name === undefined ? [] : [[name, value.split(/[\s,]+/)] as const];
  });
  const said = (key: string) => pairs.find(([one]) => one === key)?.[1];
  return {
    fifo: said('fifo') ?? fifo,
    leavingFile: said('leaving_file') ?? leavingFile,
    vipsOf: new Map(named),
  };
}
