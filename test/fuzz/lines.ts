// Command lines: valid ones, spoilt by a grammar of mutations.
import fc from 'fast-check';
import { nodesOf } from '../../bench/fake/region.ts';
import { everyCommand } from '../../cli/command/command.ts';
import { program } from '../../cli/program.ts';
import { change, double, insert, leaveOut, type Spoil, spoilt } from './spoil.ts';

const [node] = nodesOf('web');

/** One or more of every command. `{file}` is a registry file that can be read. */
const valid: readonly string[] = [
  'vip add db --address 192.168.255.11 --vpc vpc-0123456789abcdef0 --table-label web --node-label web --reason new',
  'vip add db --pool 192.168.254.0/24 --eip eipalloc-0123456789abcdef0 --hold master --json',
  'vip set web --hold master --reason tidy',
  'vip set web --table-label web --table-label edge --no-eip',
  'vip show web --json',
  'vip list --removed',
  'vip remove web --force --reason gone',
  'vip adopt web --eni eni-0123456789abcdef0 --address 192.168.255.10 --dry-run',
  'apply {file} --dry-run',
  'apply {file} --yes --prune --force --reason weekly',
  'status web --check',
  'status --watch --every 1 --count 1',
  'doctor web --no-probe --port 443 --port 53/udp',
  `pin web --to ${node} --for 2h --reason maintenance`,
  'unpin web --reason over',
  'freeze --all --for 30m --reason change',
  'thaw web',
  `drain ${node} --for 4h --reason change --dry-run`,
  `drain ${node} node-b --reason change --detach --yes`,
  `undrain ${node} --yes --reason over`,
  `failover web --to ${node} --reason test --dry-run`,
  `failover web --to ${node} --mode routes-only --for 1h --reason test --detach --name one`,
  `failover web --to ${node} --reason test --break-glass`,
  'failover --follow one',
  'approve web --execution one --reason yes',
  'deny --list',
  'timeline web --since 2h --until 2026-11-22T14:03Z --outcome switched,partial --limit 5',
  'timeline --day 2026-11-22 --tz Europe/Berlin --kind order --node i-0a1b2c3d4e5f60718',
  'explain web/1 --tz UTC',
  'owner web --at 2026-11-22T14:03:07Z',
  'audit verify --since 1d --log-file {file}',
  'keepalived-config --help',
  'completion bash',
  'help vip',
];

const words = [
  ...new Set(
    everyCommand(program()).flatMap((c) => [
      c.name(),
      ...c.options.flatMap((o) => o.flags.split(/[ ,|]+/).filter((flag) => flag.startsWith('-'))),
    ]),
  ),
];

const hostile = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '--', '--=', '-1', '0', '1e9', 'NaN', 'Infinity', '999999999999d', '2h2h', '-2h', '1.5h'],
    ...['2026-02-30', '2026-13-01T99:99Z', '0000-00-00', 'Mars/Olympus', '__proto__', 'constructor', '<a>'],
    ...[
      'web\u0000',
      '\u202Eweb',
      '💥',
      'x'.repeat(3000),
      '*',
      '$(id)',
      '"',
      "'",
      '%s',
      '{}',
      '[',
      'toString',
    ],
    ...['192.168.255.10/33', '::', '::1/128', 'fe80::1%eth0', '999.1.1.1', '10.0.0.0/8', 'pl-', 'eipalloc-'],
    ...['web/', 'web/-1', 'web/1e3', '/1', 'no-such-file', 'eu central 1', 'https://[', '70000/udp', '443/'],
  ),
  // A path of its own choosing is not for a test to write to; `-` would wait for stdin.
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('/', '').replace(/^-$/, '')),
);

const spoils: fc.Arbitrary<Spoil> = fc.oneof(
  fc.constant(leaveOut),
  fc.constant(double),
  fc.constant(change((word) => word.slice(0, -1))),
  fc.constant(change((word) => word.toUpperCase())),
  fc.constant<Spoil>((line, at) => [...line.slice(at), ...line.slice(0, at)]),
  hostile.map((text) => change(() => text)),
  hostile.map((text) => change((word) => `${word}=${text}`)),
  hostile.map(insert),
  fc.constantFrom(...words).map(insert),
);

/** Looking again and again ends with Ctrl-C only. */
const ends = (line: readonly string[]): boolean =>
  !line.some((word) => /^(-\w*w|--w)/.test(word)) || line.join(' ').endsWith('--watch --every 1 --count 1');

export const commandLine: fc.Arbitrary<readonly string[]> = spoilt(
  fc.constantFrom(...valid.map((line) => line.split(' '))),
  spoils,
)
  .filter(ends)
  // Stdin is no one's here.
  .map((line) => line.map((word) => (word === '-' ? '--' : word)));
