import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BootedMachine } from '../../lab/booted/booted-machine.ts';
import { ownNamespaces } from '../../lab/machine/namespaces.ts';
import { shimPath } from '../../lab/shim/node.ts';
import { bootRouted, managersThere } from './routed-machine.ts';

/** A script in a network of its own, in which ens6 has 10.0.1.20/26; `$0` is the shim. */
function inNetwork(script: string): readonly string[] {
  const prepared = `set -e
ip link set lo up
ip link add ens6 type veth peer name far
ip addr add 10.0.1.20/26 dev ens6
ip link set ens6 up; ip link set far up
state() { ip rule show | grep 20151 | sort; ip route show table all | grep "table 2000"; }
route() { "$0" route ens6 "$@" >/dev/null; }
${script}`;
  const ended = spawnSync('unshare', [...ownNamespaces(), 'bash', '-c', prepared, shimPath], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  return ended.stdout.trim().split('\n');
}

describe('route', () => {
  test('again changes nothing, so it opens no gap: the kernel reports no event', () => {
    const lines = inNetwork(`
route
before=$(state)
exec 3< <(exec ip -4 -o monitor route rule)
# What ends the reading below: the monitor reports it, so it was listening.
until read -r -t 0.1 -u 3 _; do ip route replace 203.0.113.0/24 dev ens6; ip route del 203.0.113.0/24; done
while read -r -t 0.2 -u 3 _; do :; done
route; route
ip route add 203.0.113.9 dev ens6
read -r -u 3 first; echo "first event: $first"
[[ $before == "$(state)" ]] && echo same`);
    expect(lines).toEqual([expect.stringMatching(/^first event: 203\.0\.113\.9 dev ens6/), 'same']);
  });

  test('adds what is missing, and takes away what is left over of its own alone', () => {
    const lines = inNetwork(`
ip rule add from 192.0.2.1 lookup 77 priority 20151
route
T=$(ip rule show | grep -o '20[0-9][0-9][0-9]$' | head -1)
ip addr add 10.0.1.40/26 dev ens6
ip rule add from 10.0.1.99 lookup $T priority 20151
ip rule add from 10.0.1.20 lookup 20999 priority 20151
ip rule add from 10.0.1.20 lookup 78 priority 20151
ip route add 10.9.0.0/24 dev ens6 table $T
ip route add 10.9.1.0/24 dev ens6 table $T proto dhcp
ip route del default table $T
route
state | sed "s/$T/T/"`);
    expect(lines.map((line) => line.trim().replaceAll(/\s+/g, ' '))).toEqual([
      '20151: from 10.0.1.20 lookup T',
      '20151: from 10.0.1.20 lookup 78',
      '20151: from 10.0.1.40 lookup T',
      '20151: from 192.0.2.1 lookup 77',
      'default via 10.0.1.1 dev ens6 table T',
      '10.0.1.0/26 dev ens6 table T scope link',
      '10.9.1.0/24 dev ens6 table T proto dhcp scope link',
    ]);
  });

  test('keeps what there is while the interface has no address, and says why it cannot do more', () => {
    const lines = inNetwork(`
route
ip addr flush dev ens6
"$0" route ens6 2>&1 || echo "status $?"
ip rule show | grep -c 20151
ip addr add 10.0.1.50/26 dev ens6
route
state | sed 's/table .*//; s/lookup.*//'`);
    expect(lines.map((line) => line.trim().replaceAll(/\s+/g, ' '))).toEqual([
      'vipshift-notify: ens6 has no IPv4 address yet: is it up, and does DHCP run on it?',
      'status 1',
      '1',
      '20151: from 10.0.1.50',
      'default via 10.0.1.1 dev ens6',
      '10.0.1.0/26 dev ens6',
    ]);
  });
});

/** Replies from ens6's address leave by it, through the subnet's router. */
const isRouted = (address: string, priority = 20_151): string =>
  `ip route get 198.51.100.7 from ${address} | grep -q "via 10.0.2.1 dev ens6" && ip rule show | grep ^${priority}: | grep -q "from ${address} "`;

/** Nothing is to be waited for, neither a bus nor a route that moves. */
const install = (machine: BootedMachine) =>
  machine.run('/root/notify/vipshift-notify', 'install', '--linger', '0', '--eip-interface', 'ens6');

describe('on a machine whose interfaces systemd-networkd manages', () => {
  let machine: BootedMachine;
  beforeAll(async () => {
    machine = await bootRouted('networkd');
    await install(machine);
  });
  afterAll(() => machine?.stop());

  test('a DHCP that is late at boot is waited for: the unit stays', async () => {
    expect(await machine.attempt('sh', '-c', isRouted('10.0.2.30'))).not.toMatchObject({ status: 0 });
    expect(await machine.run('systemctl', 'is-active', 'vipshift-eip-route@ens6')).toBe('active\n');
    await machine.run('systemctl', 'enable', '--now', 'dhcp-server');
    await machine.until('the lease and its routing', isRouted('10.0.2.30'));
  });

  test.each([
    ['networkctl reconfigure ens6'],
    ['networkctl reload'],
    ['networkctl down ens6; networkctl up ens6'],
    ['ip link set ens6 down; ip link set ens6 up'],
    ['systemctl restart systemd-networkd'],
    ['systemctl restart vipshift-eip-route@ens6'],
    ['ip route flush table $(ip rule show | grep -o "20[0-9]*$" | head -1)'],
    ['ip rule del priority 20151'],
  ])('the routing is there again after %s', async (command) => {
    await machine.until('the routing', isRouted('10.0.2.30'));
    await machine.bash(command);
    await machine.until('the routing', isRouted('10.0.2.30'));
  });

  test('and after a reboot, and gone after uninstall', async () => {
    await machine.begin('reboot');
    await machine.rebooted();
    await machine.until('the routing', isRouted('10.0.2.30'));
    await machine.run('vipshift-notify', 'uninstall', '--purge');
    expect(await machine.bash('ip rule show; ip route show table all')).not.toMatch(/20151|table 200/);
    expect(await machine.bash('ls /etc/systemd/system /etc/sysctl.d /etc/systemd')).not.toContain('vipshift');
  });
});

describe('on a machine whose operator has told systemd-networkd itself of the rule and the table', () => {
  let machine: BootedMachine;
  beforeAll(async () => {
    machine = await bootRouted('networkd', {
      '/etc/systemd/network/20-ens6.network.d/eip.conf':
        '[DHCPv4]\nRouteTable=100\n[RoutingPolicyRule]\nFrom=10.0.2.30\nTable=100\nPriority=100\n',
    });
    await machine.run('systemctl', 'start', 'dhcp-server');
    await machine.until('the lease', isRouted('10.0.2.30', 100));
    await install(machine);
  });
  afterAll(() => machine?.stop());

  test('both are there side by side, also after a reconfiguration, and uninstall leaves the operator’s', async () => {
    const routes = () => machine.bash('ip rule show priority 100; ip route show table 100');
    const before = await routes();
    await machine.until('the routing', isRouted('10.0.2.30'));
    await machine.run('networkctl', 'reconfigure', 'ens6');
    await machine.until('the routing', `${isRouted('10.0.2.30')} && ${isRouted('10.0.2.30', 100)}`);
    await machine.run('vipshift-notify', 'uninstall', '--purge');
    expect(await routes()).toBe(before);
    expect(await machine.bash('ip rule show')).not.toContain('20151');
  });
});

describe.each(managersThere())(
  'on a machine whose interfaces $name manages',
  ({ name, files, start, disturbances }) => {
    let machine: BootedMachine;
    beforeAll(async () => {
      machine = await bootRouted(name, files);
      await machine.run('systemctl', 'start', 'dhcp-server');
      await machine.bash(start);
      await install(machine);
    });
    afterAll(() => machine?.stop());

    test.each(disturbances)('the routing is there again after %s', async (command) => {
      await machine.until('the routing', isRouted('10.0.2.30'));
      await machine.bash(command);
      await machine.until('the routing', isRouted('10.0.2.30'));
    });
  },
);

describe('on a machine whose interfaces something else manages, such as dhclient alone', () => {
  let machine: BootedMachine;
  const up = 'ip address add 10.0.2.30/24 dev ens6; ip link set ens6 up';
  const down = 'ip address flush dev ens6; ip link set ens6 down';
  beforeAll(async () => {
    machine = await bootRouted('none');
    await machine.bash(up);
    await install(machine);
  });
  afterAll(() => machine?.stop());

  test.each([
    ['what ifdown and ifup do', `${down}; ${up}`],
    ['another address, as a new lease', 'ip address flush dev ens6; ip address add 10.0.2.30/24 dev ens6'],
    [
      'an interface that was taken away and came back under another number',
      `ip link del ens6; ip link add ens6 type veth peer name far6; ip link set far6 up; ${up}`,
    ],
  ])('the routing is there again after %s', async (_what, script) => {
    await machine.until('the routing', isRouted('10.0.2.30'));
    await machine.bash(script);
    await machine.until('the routing', isRouted('10.0.2.30'));
    expect(await machine.bash('ip rule show | grep -c "20151:.*from 10.0.2.30"')).toBe('1\n');
  });

  test('the routing goes with an uninstall, also when an earlier one was interrupted behind the end of its unit', async () => {
    await machine.run('systemctl', 'disable', '--now', 'vipshift-eip-route@ens6');
    expect(await machine.bash('ip rule show')).toContain('20151');
    await machine.run('vipshift-notify', 'uninstall', '--purge');
    expect(await machine.bash('ip rule show; ip route show table all')).not.toMatch(/20151|table 200/);
    expect(await machine.bash('ls /etc/systemd/system /etc/sysctl.d')).not.toContain('vipshift');
  });
});
