/**
 * The node's side as deb, rpm and apk (nfpm), and as a tarball for all others.
 *
 * Invariants: the same bytes for the same sources and the same date. Units are the package's, under /usr/lib, so that an operator's own in /etc
 * win; notify.conf is made from the example where there is none, and is no conffile: every node edits it. What else is in /etc
 * `vipshift-notify setup` writes.
 * Limit: the apk has no unit and no script, since Alpine has no systemd: there `vipshift-notify run` is started by the operator's own means.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { VERSION } from '../../shared/version.ts';
import { goProgram } from './go-program.ts';

const root = join(import.meta.dirname, '..', '..');
const NAME = 'vipshift-notify';
const LIBRARY = '/usr/lib/vipshift';
const UNITS = '/usr/lib/systemd/system';
const DROPINS = `${UNITS}/keepalived.service.d`;

export type Format = 'deb' | 'rpm' | 'apk';
const formats: readonly Format[] = ['deb', 'rpm', 'apk'];

interface Content {
  readonly src?: string;
  readonly dst: string;
  readonly type?: 'dir' | 'ghost' | 'license';
  readonly file_info: { readonly mode: number };
}

export interface PackageInput {
  readonly homepage: string;
  /** Seconds since 1970, of every file and of the package. */
  readonly date: number;
  /** Of the packages; the program keeps its own. By default this one's. */
  readonly version?: string;
}

/** What an operator types to take it off again: the shim says it, and by this file knows that it came as a package. */
const removal: Readonly<Record<Format, string>> = {
  deb: `apt-get remove ${NAME}`,
  rpm: `dnf remove ${NAME}`,
  apk: `apk del ${NAME}`,
};

const summary = "Publishes keepalived's VRRP state changes on an EventBridge bus";
/** apk's control file has one line for each key, and no place for it. */
const description = `The node's side of vipshift: reads keepalived's notify FIFO and reports on the
event bus what VRRP did. bash and curl; it decides nothing and moves nothing.`;

const depends: Readonly<Record<Format, readonly string[]>> = {
  deb: ['bash (>= 4.4)', 'curl (>= 7.86)', 'ca-certificates', 'coreutils', 'systemd (>= 240)'],
  // By its path, since Amazon Linux 2023 and RHEL have it in curl-minimal; whether it is new enough `vipshift-notify check` says.
  rpm: ['bash >= 4.4', '/usr/bin/curl', 'ca-certificates', 'coreutils', 'systemd >= 240'],
  apk: ['bash>=4.4', 'curl>=7.86', 'ca-certificates', 'coreutils'],
};

const recommends: Readonly<Record<Format, readonly string[]>> = {
  deb: ['keepalived (>= 1:2.2)', 'iproute2'],
  rpm: ['keepalived >= 2.2', 'iproute'],
  apk: [],
};

/** Makes all of them in the folder; returns their names. */
export const makeNodePackages = (folder: string, input: PackageInput): readonly string[] => [
  ...formats.map((format) => makePackage(folder, format, input)),
  makeTarball(folder, input),
];

interface Place extends PackageInput {
  readonly folder: string;
  readonly scratch: string;
}

/** Returns its name. */
export function makePackage(folder: string, format: Format, input: PackageInput): string {
  const program = goProgram('nfpm');
  const scratch = mkdtempSync(join(folder, '.packages-'));
  try {
    return runNfpm(program, format, { ...input, folder, scratch });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function runNfpm(program: string, format: Format, place: Place): string {
  const { folder, scratch, date } = place;
  const marker = join(scratch, `packaged-${format}`);
  writeFileSync(marker, `${removal[format]}\n`);
  const config = join(scratch, `${format}.json`);
  writeFileSync(config, JSON.stringify(packageConfig(format, marker, place)));
  const before = new Set(globSync(`*.${format}`, { cwd: folder }));
  execFileSync(program, ['package', '--config', config, '--packager', format, '--target', `${folder}/`], {
    cwd: root,
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return globSync(`*.${format}`, { cwd: folder }).find((name) => !before.has(name))!;
}

function packageConfig(format: Format, marker: string, { homepage, date, version }: Place): object {
  const hasSystemd = format !== 'apk';
  const scripts = Object.fromEntries(
    ['postinstall', 'preremove', 'postremove'].map((name) => [name, `packaging/scripts/${name}.sh`]),
  );
  return {
    ...{
      name: NAME,
      arch: format === 'apk' ? 'noarch' : 'all',
      platform: 'linux',
      version: version ?? VERSION,
      version_schema: 'semver',
      release: '1',
    },
    ...{ section: 'net', priority: 'optional', license: 'MIT', homepage },
    ...{ maintainer: 'vipshift maintainers <maintainers@vipshift.invalid>', vendor: 'vipshift' },
    description: format === 'apk' ? summary : `${summary}\n${description}`,
    mtime: new Date(date * 1000).toISOString(),
    umask: 0o022,
    depends: depends[format],
    recommends: recommends[format],
    ...(hasSystemd ? { scripts } : {}),
    rpm: { buildhost: 'reproducible', group: 'System Environment/Daemons' },
    contents: [
      ...programContents(marker),
      ...documentContents(format),
      ...(hasSystemd ? unitContents(format) : []),
    ],
  };
}

const file = (src: string, dst: string, mode = 0o644): Content => ({ src, dst, file_info: { mode } });
const directory = (dst: string, mode = 0o755): Content => ({ dst, type: 'dir', file_info: { mode } });
const asset = (name: string, dst: string): Content => file(`notify/lib/assets/${name}`, dst);

function programContents(marker: string): readonly Content[] {
  const library = globSync('notify/lib/**/*', { cwd: root }).sort();
  const isFolder = (path: string) => statSync(join(root, path)).isDirectory();
  const at = (path: string) => join(LIBRARY, relative('notify/lib', path));
  return [
    file('notify/vipshift-notify', '/usr/bin/vipshift-notify', 0o755),
    directory(LIBRARY),
    ...library.map((path) => (isFolder(path) ? directory(at(path)) : file(path, at(path)))),
    file(marker, `${LIBRARY}/packaged`),
    directory('/etc/vipshift'),
  ];
}

function documentContents(format: Format): readonly Content[] {
  const documents = `/usr/share/doc/${NAME}`;
  const licence = format === 'rpm' ? `/usr/share/licenses/${NAME}` : documents;
  return [
    directory(documents),
    file('notify/README.md', `${documents}/README.md`),
    ...(format === 'rpm' ? [directory(licence)] : []),
    {
      ...file('LICENSE', `${licence}/${format === 'deb' ? 'copyright' : 'LICENSE'}`),
      ...(format === 'rpm' ? { type: 'license' as const } : {}),
    },
  ];
}

function unitContents(format: Format): readonly Content[] {
  const units = [
    'vipshift-notify.service',
    'vipshift-notify.socket',
    'vipshift-linger.service',
    'vipshift-eip-route@.service',
  ];
  const all = [
    ...units.map((unit) => asset(unit, `${UNITS}/${unit}`)),
    directory(DROPINS),
    asset('keepalived-order.conf', `${DROPINS}/50-vipshift.conf`),
    asset('keepalived-wiring.conf', `${DROPINS}/50-vipshift-wiring.conf`),
    asset('vipshift-notify.tmpfiles', '/usr/lib/tmpfiles.d/vipshift-notify.conf'),
  ];
  if (format !== 'rpm') return all;
  // rpm removes only what the package owns, and enables by preset.
  return [
    ...all,
    file('packaging/preset', '/usr/lib/systemd/system-preset/90-vipshift-notify.preset'),
    directory('/var/lib/vipshift', 0o700),
    { dst: '/etc/vipshift/notify.conf', type: 'ghost', file_info: { mode: 0o644 } },
  ];
}

/** notify/ as it is, for `vipshift-notify install`. */
function makeTarball(folder: string, { date }: PackageInput): string {
  const name = `${NAME}-${VERSION}.tar.gz`;
  const scratch = mkdtempSync(join(folder, '.tarball-'));
  try {
    const home = join(scratch, `${NAME}-${VERSION}`);
    mkdirSync(home);
    for (const part of ['notify/vipshift-notify', 'notify/lib', 'notify/README.md', 'LICENSE'])
      cpSync(join(root, part), join(home, part.replace('notify/', '')), { recursive: true });
    for (const path of globSync('**/*', { cwd: home })) chmodSync(join(home, path), modeOf(home, path));
    chmodSync(home, 0o755);
    const settings = [
      '--sort=name',
      `--mtime=@${date}`,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--format=ustar',
    ];
    const packed = execFileSync(
      'bash',
      [
        '-ec',
        'set -o pipefail; tar "${@:3}" -C "$1" -cf - "$2" | gzip -9n',
        'bash',
        ...[scratch, `${NAME}-${VERSION}`, ...settings],
      ],
      { maxBuffer: 1 << 26 },
    );
    writeFileSync(join(folder, name), packed);
    return name;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const modeOf = (home: string, path: string): number =>
  statSync(join(home, path)).isDirectory() || path === NAME ? 0o755 : 0o644;
