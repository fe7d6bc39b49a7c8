import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepalivedConfig } from '../../cli/keepalived-config/config.ts';
import { type KeepalivedInput, keepalivedDefaults } from '../../cli/keepalived-config/input.ts';
import { ownNamespaces } from '../../lab/machine/namespaces.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-keepalived-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const given = (over: Partial<KeepalivedInput> = {}): KeepalivedInput => ({
  ...keepalivedDefaults,
  instance: 'VI_WEB',
  nodes: [
    { name: 'a', address: '10.0.1.10', interface: 'ens5' },
    { name: 'b', address: '10.0.2.10', interface: 'ens6' },
    { name: 'c', address: '10.0.3.10', interface: 'ens5' },
  ],
  addresses: ['192.168.255.10/32'],
  ...over,
});
const fileOf = (over: Partial<KeepalivedInput> = {}, node = 'a'): string =>
  keepalivedConfig(given(over))[node]!;
/** What keepalived reads: no comments, no indentation. */
const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('the files of the nodes', () => {
  test('speak VRRP version 3, unicast, into the FIFO, with the higher priority answering a lesser master', () => {
    const found = lines(fileOf({}, 'b'));
    for (const line of [
      'vrrp_version 3',
      'vrrp_higher_prio_send_advert true',
      'vrrp_notify_fifo /run/vipshift/notify.fifo root',
      'vrrp_instance VI_WEB {',
      'state BACKUP',
      'nopreempt',
      'interface ens6',
      'virtual_router_id 51',
      'advert_int 1',
      'unicast_src_ip 10.0.2.10',
      'check_unicast_src',
    ])
      expect(found).toContain(line);
    const peers = found.slice(found.indexOf('unicast_peer {') + 1);
    expect(peers.slice(0, 3)).toEqual(['10.0.1.10', '10.0.3.10', '}']);
  });

  test('differ in name, addresses, interface, priority and startup delay, and in nothing else', () => {
    const own = /^(router_id|vrrp_startup_delay|interface|priority|unicast_src_ip|10\.0\.\d\.10)/;
    const rest = ['a', 'b', 'c'].map((node) => lines(fileOf({}, node)).filter((line) => !own.test(line)));
    expect(rest[1]).toEqual(rest[0]);
    expect(rest[2]).toEqual(rest[0]);
    const priorities = ['a', 'b', 'c'].map((node) =>
      lines(fileOf({}, node)).find((line) => line.startsWith('priority')),
    );
    expect(priorities).toEqual(['priority 254', 'priority 253', 'priority 252']);
    const delays = ['a', 'b', 'c'].map((node) =>
      lines(fileOf({}, node)).find((line) => line.startsWith('vrrp_startup')),
    );
    expect(delays).toEqual([undefined, 'vrrp_startup_delay 1', 'vrrp_startup_delay 2']);
  });

  test('keep the VIP with hold both, so keepalived gets a decoy; with hold master they move it', () => {
    expect(lines(fileOf({ hold: 'both' }))).toContain('192.0.2.51/32 dev lo');
    expect(fileOf({ hold: 'both' })).not.toMatch(/^ +192\.168\.255\.10/m);
    expect(lines(fileOf({ hold: 'master' }))).toContain('192.168.255.10/32 dev lo');
    expect(fileOf({ hold: 'master' })).not.toContain('192.0.2.51');
  });

  test('hold an IPv6 address with IPv4 peers as an excluded one: VRRP carries one family', () => {
    const found = lines(fileOf({ hold: 'master', addresses: ['fd12::10'] }));
    expect(found.slice(found.indexOf('virtual_ipaddress {'))).toEqual([
      'virtual_ipaddress {',
      '192.0.2.51/32 dev lo',
      '}',
      'virtual_ipaddress_excluded {',
      'fd12::10/128 dev lo',
      '}',
      '}',
    ]);
  });

  test('put a node whose service fails into FAULT: with nopreempt a lower priority would move nothing', () => {
    const found = lines(fileOf({ process: 'nginx', checkUrl: 'http://127.0.0.1/healthy' }));
    expect(found.filter((line) => line.startsWith('weight'))).toEqual([
      'weight 0',
      'weight -200',
      'weight 0',
      'weight 0',
    ]);
    expect(found).toContain('process nginx');
    expect(found.join('\n')).toMatch(
      /track_file {\ndemote\nleaving\n}\ntrack_process {\nservice\n}\ntrack_script {\nanswers\n}/,
    );
  });

  test('leave nopreempt out only when told to, and never the state BACKUP', () => {
    expect(lines(fileOf({ preempt: true }))).not.toContain('nopreempt');
    expect(lines(fileOf({ preempt: true }))).toContain('state BACKUP');
  });

  test('state the rules of the security group, and warn of adverts that are too quick', () => {
    const text = fileOf({ ports: [80, 443] });
    expect(text).toContain('inbound  protocol 112 (VRRP) from');
    expect(text).toContain('inbound  tcp 443 from');
    expect(fileOf({ advertS: 0.1, instanceType: 't3.small' })).toContain('t3.small is burstable');
    expect(fileOf({ advertS: 1, instanceType: 't3.small' })).not.toContain('burstable');
    expect(fileOf({ advertS: 0.01 })).toContain('Under 0.1 s');
  });
});

const wrong: readonly [Partial<KeepalivedInput>, string][] = [
  [{ nodes: given().nodes.slice(0, 1) }, '1 node, expected at least 2'],
  [{ nodes: [given().nodes[0]!, given().nodes[0]!] }, 'two nodes are called a'],
  [
    { nodes: [given().nodes[0]!, { ...given().nodes[0]!, name: 'b' }] },
    'two nodes have the address 10.0.1.10',
  ],
  [
    { nodes: [given().nodes[0]!, { name: 'b', address: 'fd00::2', interface: 'ens5' }] },
    'some nodes have IPv4 and some IPv6',
  ],
  [
    { nodes: [given().nodes[0]!, { name: 'b', address: '10.0.2', interface: 'ens5' }] },
    'node b has the address "10.0.2"',
  ],
  [
    { nodes: [given().nodes[0]!, { name: 'b', address: '10.0.2.10', interface: 'en s5' }] },
    'node b has the interface "en s5"',
  ],
  [
    { nodes: [given().nodes[0]!, { name: 'b {', address: '10.0.2.10', interface: 'ens5' }] },
    'node name "b {"',
  ],
  [{ addresses: [] }, 'no address of the VIP'],
  [{ addresses: ['192.168.255.0/24'] }, 'has the prefix /24, expected /32'],
  [{ addresses: ['fd12::10/64'] }, 'has the prefix /64, expected /128'],
  [{ addresses: ['web.example'] }, 'address "web.example" is no IP address'],
  [{ addresses: ['127.0.0.1'] }, 'address 127.0.0.1 is loopback'],
  [{ addresses: ['169.254.168.1'] }, 'address 169.254.168.1 is loopback, link-local'],
  [{ addresses: ['192.168.255.10', '192.168.255.10/32'] }, 'given twice'],
  [{ addresses: ['10.0.1.10'] }, '10.0.1.10 is both node a and the VIP'],
  [{ routerId: 0 }, 'router id is 0, expected a whole number from 1 to 255'],
  [{ routerId: 256 }, 'router id is 256'],
  [{ advertS: 0.005 }, 'advert interval is 0.005 s, expected 0.01 to 40.95'],
  [{ advertS: 41 }, 'advert interval is 41 s'],
  [{ advertS: Number.NaN }, 'advert interval is NaN s'],
  [{ startupDelayS: 61 }, 'startup delay is 61 s, expected 0 to 60'],
  [{ ports: [0] }, 'port is 0, expected 1 to 65535'],
  [{ instance: 'VI WEB' }, 'instance "VI WEB"'],
  [{ process: 'nginx: master process' }, 'process is "nginx: master process"'],
  [{ checkUrl: 'http://127.0.0.1/" }' }, 'check URL is "http://127.0.0.1/" }"'],
  [{ checkUrl: '127.0.0.1/healthy' }, 'expected http:// or https://'],
  [{ demoteFile: 'demote' }, '--demote-file is "demote", expected an absolute path'],
  [{ fifo: '/run/x y' }, 'fifo is "/run/x y"'],
  [{ demoteFile: keepalivedDefaults.fifo }, 'demote file and FIFO are both'],
  [{ leavingFile: 'leaving' }, '--leaving-file is "leaving", expected an absolute path'],
  [{ leavingFile: keepalivedDefaults.fifo }, 'leaving file and FIFO are both'],
  [{ leavingFile: keepalivedDefaults.demoteFile }, 'demote file and leaving file are both'],
];

test.each(wrong)('%j is refused with what was found, what is expected and what to do', (over, message) => {
  expect(() => keepalivedConfig(given(over))).toThrow(
    expect.objectContaining({
      name: 'Complaint',
      message: expect.stringContaining(message),
      next: expect.stringMatching(/./),
      status: 2,
    }),
  );
});

/** In a network namespace of its own, with the node's interface and address; root or an unprivileged user alike. */
function inNamespace(script: string): { status: number | null; text: string } {
  const setUp = `ip link set lo up
ip link add ens5 type veth peer name far
ip addr add 10.0.1.10/24 dev ens5; ip addr add fd00::1/64 dev ens5 nodad
ip link set ens5 up; ip link set far up`;
  const args = [...ownNamespaces(), '--mount-proc', '--kill-child', 'bash', '-c', `${setUp}\n${script}`];
  const ended = spawnSync('unshare', args, { encoding: 'utf8', timeout: 30_000, cwd: folder });
  if (ended.error) throw new Error('unshare is missing: apt-get install util-linux', { cause: ended.error });
  const text = ended.stdout + ended.stderr;
  if (/keepalived: (command )?not found/.test(text))
    throw new Error('keepalived is missing: apt-get install keepalived');
  return { status: ended.status, text };
}

describe('a real keepalived', () => {
  const cases: readonly [string, Partial<KeepalivedInput>][] = [
    ['hold both', {}],
    ['hold master', { hold: 'master', addresses: ['192.168.255.10', '192.168.255.11'] }],
    ['both families', { hold: 'master', addresses: ['192.168.255.10', 'fd12::10'] }],
    [
      'nodes that speak IPv6',
      {
        nodes: [
          { name: 'a', address: 'fd00::1', interface: 'ens5' },
          { name: 'b', address: 'fd01::1', interface: 'ens5' },
        ],
      },
    ],
    [
      'process, URL and preemption',
      { process: 'nginx', checkUrl: 'http://127.0.0.1:80/h?full=1', preempt: true },
    ],
    ['quick adverts', { advertS: 0.01, startupDelayS: 0 }],
  ];
  test.each(cases)('accepts %s without a word', (_, over) => {
    const files = keepalivedConfig(
      given({
        demoteFile: `${folder}/demote`,
        leavingFile: `${folder}/leaving`,
        fifo: `${folder}/fifo`,
        ...over,
      }),
    );
    writeFileSync(join(folder, 'a.conf'), files.a!);
    expect(inNamespace('keepalived -t -f a.conf')).toEqual({ status: 0, text: '' });
  });

  test('refuses a broken one, so that its silence above means something', () => {
    writeFileSync(join(folder, 'a.conf'), fileOf().replace('unicast_peer', 'unicast_peers'));
    expect(inNamespace('keepalived -t -f a.conf').status).not.toBe(0);
  });

  test('runs it, writes into the FIFO, and gives up at once when it is demoted', () => {
    const tracked = { demoteFile: `${folder}/demote`, leavingFile: `${folder}/leaving` };
    const over = { ...tracked, fifo: `${folder}/fifo`, advertS: 0.05 };
    writeFileSync(join(folder, 'a.conf'), fileOf(over));
    const ended = inNamespace(`mkfifo -m 600 fifo; exec 3<>fifo
keepalived -n -f a.conf -p a.pid -r vrrp.pid >log 2>&1 &
await() { for i in 1 2 3; do read -t 5 -u 3 line; echo "$line"; [[ $line == *$1* ]] && return; done; cat log; exit 1; }
await MASTER
ip -4 -o addr show dev lo | grep -c 192.0.2.51
echo 1 >demote; await FAULT
echo 0 >demote; await MASTER
echo 2 >leaving; await FAULT
echo 1 >leaving; await MASTER
kill %1; await STOP`);
    expect(ended.text.trim().split('\n')).toEqual([
      'INSTANCE "VI_WEB" BACKUP 254',
      'INSTANCE "VI_WEB" MASTER 254',
      '1',
      'INSTANCE "VI_WEB" FAULT 254',
      'INSTANCE "VI_WEB" BACKUP 254',
      'INSTANCE "VI_WEB" MASTER 254',
      'INSTANCE "VI_WEB" FAULT 254',
      'INSTANCE "VI_WEB" BACKUP 54',
      'INSTANCE "VI_WEB" MASTER 54',
      'INSTANCE "VI_WEB" STOP 54',
    ]);
  });
});

describe('vipshift keepalived-config', () => {
  const command = join(import.meta.dirname, '..', '..', 'cli', 'vipshift.ts');
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const ended = spawnSync(process.execPath, [command, 'keepalived-config', ...args], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  };
  const two = [
    '--node',
    'a=10.0.1.10,b=10.0.2.10@ens6',
    '--address',
    '192.168.255.10',
    '--instance',
    'VI_WEB',
  ];

  test('prints every file and the unit for lo on stdout, the rules on stderr', () => {
    const ended = run(...two, '--port', '443');
    expect(ended.status).toBe(0);
    expect(ended.stdout.match(/^# =====.*$/gm)).toEqual([
      '# ===== a: /etc/keepalived/keepalived.conf =====',
      '# ===== b: /etc/keepalived/keepalived.conf =====',
      '# ===== every node: /etc/systemd/system/vipshift-vip.service =====',
    ]);
    expect(ended.stdout).toContain('ExecStart=/usr/sbin/ip address replace 192.168.255.10/32 dev lo');
    expect(ended.stderr).toContain('inbound  tcp 443 from');
  });

  test('with --only prints just that file, for > /etc/keepalived/keepalived.conf', () => {
    const ended = run(...two, '--only', 'b');
    expect(ended).toEqual({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^# keepalived of node b.*interface ens6/s),
    });
    expect(run(...two, '--only', 'x')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('name one of a, b'),
    });
  });

  test('with --out writes them, and says which', () => {
    const ended = run(...two, '--out', join(folder, 'new'));
    expect(ended.stdout.trim().split('\n')).toHaveLength(3);
    expect(readdirSync(join(folder, 'new')).toSorted()).toEqual(['a.conf', 'b.conf', 'vipshift-vip.service']);
    expect(readFileSync(join(folder, 'new/a.conf'), 'utf8')).toBe(run(...two, '--only', 'a').stdout);
    const blocked = run(...two, '--out', join(folder, 'new/a.conf'));
    expect(blocked).toMatchObject({ status: 3, stderr: expect.stringContaining('cannot write into') });
  });

  test('with --json gives files, unit, rules and remarks as one document', () => {
    const document = JSON.parse(run(...two, '--json').stdout) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual(['files', 'unit', 'securityRules', 'remarks']);
    expect(document.securityRules).toContainEqual({
      direction: 'inbound',
      protocol: 'tcp',
      port: 80,
      peer: 'the CIDRs of the clients',
    });
  });

  test('refuses what is wrong with the next thing to do', () => {
    expect(run('--node', 'a')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'vipshift: node "a" has no address\n  next: give name and address: --node a=10.0.1.10\n',
    });
    expect(run(...two, '--advert', 'fast').stderr).toContain('advert interval is NaN s');
    expect(run(...two, '--hold', 'none').status).toBe(2);
  });
});
