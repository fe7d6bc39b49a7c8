// The order of a boot and of a shutdown that `install` gives to the units, on a machine that really boots. `npm run lab -- reboots` shows
// what a client and the bus see of it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOOPBACK_UNIT, loopbackUnit } from '../../cli/keepalived-config/advice.ts';
import { keepalivedConfig } from '../../cli/keepalived-config/config.ts';
import { type KeepalivedInput, keepalivedDefaults } from '../../cli/keepalived-config/input.ts';
import { BootedMachine } from '../../lab/booted/booted-machine.ts';
import { lonelyNetwork } from '../../lab/booted/node-files.ts';

const input: KeepalivedInput = {
  ...keepalivedDefaults,
  instance: 'VI_WEB',
  nodes: [
    { name: 'a', address: '10.9.9.1', interface: 'ens5' },
    { name: 'b', address: '10.9.9.2', interface: 'ens5' },
  ],
  addresses: ['192.168.255.10', 'fd12::10'],
};

let machine: BootedMachine;
beforeAll(async () => {
  machine = await BootedMachine.boot({
    name: 'ordered',
    files: {
      '/etc/keepalived/keepalived.conf': keepalivedConfig(input).a!,
      '/etc/nginx/nginx.conf':
        'events {}\nhttp { server { listen 192.168.255.10:80; location / { return 200 "here"; } } }\n',
      [`/etc/systemd/system/${LOOPBACK_UNIT}`]: loopbackUnit(input),
      '/etc/systemd/system/networking.service': lonelyNetwork('10.9.9.1/24'),
      '/etc/systemd/system/after.service':
        '[Unit]\nAfter=keepalived.service\n[Service]\nExecStart=/bin/sleep infinity\n',
      '/var/log/journal/.keep': '',
    },
    enabled: ['networking.service'],
  });
});
afterAll(() => machine?.stop());

const install = (...args: string[]) => machine.attempt('/root/notify/vipshift-notify', 'install', ...args);
const vipshiftFiles = (): Promise<string> =>
  machine.bash("find /etc /usr/local -name '*vipshift*' 2>/dev/null | sort; true");

/** Seconds since the boot at which systemd wrote this about the unit, in the boot before this one. */
async function instants(boot: '0' | '-1'): Promise<(what: string) => number> {
  const lines = (
    await machine.run('journalctl', '-b', boot, '-o', 'short-monotonic', '--no-pager', '_PID=1')
  ).split('\n');
  return (what) => {
    const line = lines.findLast((one) => one.includes(what));
    if (line === undefined)
      throw new Error(`the journal of boot ${boot} has no "${what}":\n${lines.join('\n')}`);
    return Number(/^\[ *([\d.]+)\]/.exec(line)![1]);
  };
}

describe('install', () => {
  test.each([
    [['--service', 'ngnix'], 1, 'there is no unit ngnix.service: systemctl list-unit-files shows'],
    [
      ['--service', 'after'],
      1,
      'after.service is ordered after keepalived.service, so it cannot serve before',
    ],
    [['--service', 'keepalived'], 2, 'expected the unit that answers on the VIP and not one that moves it'],
    [['--service', 'vipshift-vip.service'], 2, 'and not one that moves it'],
    [['--service', 'a b'], 2, 'expected the unit that answers on the VIP, such as nginx.service'],
    [['--linger', '61'], 2, '--linger is "61", expected whole seconds from 0 to 60'],
    [['--linger', 'x'], 2, '--linger is "x"'],
    [['--eip-interface', 'nope0'], 1, 'there is no interface nope0: ip link shows those that are'],
  ])('with %j is refused, and nothing is written', async (args, status, message) => {
    const before = await vipshiftFiles();
    const ended = await install(...args);
    expect(ended).toMatchObject({ status, stdout: '' });
    expect(ended.stderr).toContain(message);
    expect(await vipshiftFiles()).toBe(before);
  });

  test.each([
    ['a resolver', 'unbound', 'Before=nss-lookup.target'],
    ['one of another name', 'own-resolver', 'Before=nss-lookup.target'],
    ['a proxy', 'squid', ''],
  ])(
    'refuses %s that starts after keepalived: systemd would leave one of the circle out',
    async (_what, name, more) => {
      const file = `/etc/systemd/system/${name}.service`;
      await machine.bash(
        `printf '[Unit]\nAfter=keepalived.service\n${more}\n[Service]\nExecStart=/bin/sleep infinity\n' >${file}; systemctl daemon-reload; systemctl start ${name}`,
      );
      const before = await vipshiftFiles();
      const ended = await install();
      expect(ended).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr).toContain(
        `${name}.service is ordered after keepalived.service, and keepalived after the shim`,
      );
      expect(await vipshiftFiles()).toBe(before);
      await machine.bash(`systemctl stop ${name}; rm ${file}; systemctl daemon-reload`);
    },
  );

  test('is refused where curl would trust no server, and nothing is written', async () => {
    const before = await vipshiftFiles();
    await machine.bash(
      'for folder in /etc/ssl /etc/pki; do [ ! -d $folder ] || mount -t tmpfs none $folder; done',
    );
    const ended = await install();
    await machine.bash('umount /etc/ssl; umount /etc/pki 2>/dev/null || true');
    expect(ended).toMatchObject({ status: 3, stdout: '' });
    expect(ended.stderr).toContain('no certificates of authorities');
    expect(await vipshiftFiles()).toBe(before);
  });

  test('says what a reboot does to a service that no one has named, until one is', async () => {
    const bare = await install();
    expect(bare).toMatchObject({ status: 0 });
    expect(bare.stdout).toContain('  - name the service that answers on the VIP, or a reboot cuts it:');
    const named = await install('--service', 'nginx', '--linger', '1');
    expect(named.stdout).toContain('wrote      /etc/systemd/system/nginx.service.d/vipshift.conf\n');
    expect(named.stdout).toContain(
      'wrote      /etc/systemd/system/vipshift-linger.service.d/vipshift.conf\n',
    );
    const again = await install();
    expect([named.stdout, again.stdout].join('')).not.toContain('name the service');
    expect(again.stdout).not.toContain('wrote ');
    const other = await install('--linger', '2');
    expect(other.stdout.match(/^wrote .*$/gm)).toEqual([
      'wrote      /etc/systemd/system/vipshift-linger.service.d/vipshift.conf',
    ]);
    expect(await machine.run('systemctl', 'show', '-P', 'Environment', 'vipshift-linger')).toBe(
      'LINGER_S=2\n',
    );
  });
});

describe('the units of a node', () => {
  beforeAll(async () => {
    await machine.bash("printf 'bus = prod\\ninstance VI_WEB = web\\n' >/etc/vipshift/notify.conf");
    expect(await install('--service', 'nginx', '--linger', '1')).toMatchObject({ status: 0 });
    await machine.run('systemctl', 'enable', '--now', LOOPBACK_UNIT, 'nginx', 'keepalived');
    await machine.begin('reboot');
    await machine.rebooted();
  });

  test('are right by systemd-analyze, and go in no circle', async () => {
    const units = [
      'vipshift-notify.service',
      'vipshift-notify.socket',
      'vipshift-linger.service',
      LOOPBACK_UNIT,
    ];
    const verified = await machine.attempt(
      'systemd-analyze',
      'verify',
      '--man=no',
      ...units,
      'keepalived.service',
      'nginx.service',
    );
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    expect(await machine.run('journalctl', '--no-pager', '-o', 'cat', '_PID=1')).not.toContain(
      'ordering cycle',
    );
  });

  test('start at a boot as address, service, keepalived: nothing claims before the service serves', async () => {
    const at = await instants('0');
    expect(at('Finished vipshift-vip.service')).toBeLessThanOrEqual(at('Starting nginx.service'));
    expect(at('Started nginx.service')).toBeLessThanOrEqual(at('Starting keepalived.service'));
    expect(at('Started vipshift-notify.service')).toBeLessThanOrEqual(at('Starting keepalived.service'));
  });

  test('end at a shutdown as keepalived, the shim, and the service and its address a second later', async () => {
    const at = await instants('-1');
    expect(at('Stopped keepalived.service')).toBeLessThanOrEqual(at('Stopping vipshift-notify.service'));
    expect(at('Stopped vipshift-linger.service') - at('Stopped keepalived.service')).toBeGreaterThanOrEqual(
      1,
    );
    expect(at('Stopped vipshift-linger.service')).toBeLessThanOrEqual(at('Stopping nginx.service'));
    expect(at('Stopped nginx.service')).toBeLessThanOrEqual(at('Stopping vipshift-vip.service'));
    expect(at('Stopped vipshift-notify.service')).toBeLessThanOrEqual(at('Stopped target network.target'));
    expect(at('Stopped vipshift-notify.service')).toBeLessThanOrEqual(at('Stopped target nss-lookup.target'));
  });

  test('take the address away when the VIP’s unit is stopped', async () => {
    const addresses = () => machine.run('ip', '-o', 'address', 'show', 'dev', 'lo');
    expect(await addresses()).toMatch(/192\.168\.255\.10\/32.*fd12::10\/128/s);
    await machine.run('systemctl', 'stop', 'nginx', LOOPBACK_UNIT);
    expect(await addresses()).not.toMatch(/192\.168\.255\.10|fd12::10/);
  });

  test('are both up after an install that found the service without its socket', async () => {
    await machine.bash(`systemctl stop vipshift-notify.socket
systemctl start --job-mode=ignore-dependencies vipshift-notify.service
[ "$(systemctl is-active vipshift-notify.socket)" != active ]`);
    expect(await install()).toMatchObject({ status: 0 });
    expect(await machine.run('systemctl', 'is-active', 'vipshift-notify.socket', 'vipshift-notify')).toBe(
      'active\nactive\n',
    );
  });

  const FILTER = '/etc/systemd/system/keepalived.service.d/vipshift-journal.conf';
  test.each([
    [252, false],
    [253, true],
  ])(
    'keep keepalived’s lines about each question out of the journal where systemd can: with %i %s',
    async (version, can) => {
      const fake = '/usr/local/sbin/systemctl';
      await machine.bash(`rm -f ${FILTER}
cat >${fake} <<'END'
#!/bin/sh
[ "$1" = --version ] && exec echo "systemd ${version} (${version}.1-1)"
exec /usr/bin/systemctl "$@"
END
chmod 755 ${fake}`);
      expect(await install()).toMatchObject({ status: 0 });
      await machine.run('rm', fake);
      const filter = await machine.attempt('cat', FILTER);
      expect(filter.status === 0).toBe(can);
      if (can) expect(filter.stdout).toMatch(/^\[Service\]\nLogFilterPatterns=~Printing VRRP as json$/m);
    },
  );

  test('are gone after uninstall, drop-ins and their folders too', async () => {
    await machine.run('/usr/local/bin/vipshift-notify', 'uninstall', '--purge');
    expect(await vipshiftFiles()).toBe('');
    expect(await machine.bash('find /etc/systemd/system -name "*.d"')).toBe('');
    expect(await machine.attempt('systemctl', 'is-active', 'vipshift-linger')).toMatchObject({
      stdout: 'inactive\n',
    });
  });
});
