/**
 * A life of two nodes that have the shim as a package, from the first install to the last trace: `npm run lab -- life --packages FOLDER`.
 *
 * One node is new; the other has had the shim by `vipshift-notify install` before. before.deb is the version before now.deb.
 */
import { LOOPBACK_UNIT } from '../../../cli/keepalived-config/advice.ts';
import type { BootedMachine } from '../booted-machine.ts';
import { claimsOf, master } from '../planned-stops.ts';
import {
  backupAgain,
  both,
  type Chapter,
  expectEqual,
  handOver,
  masterNode,
  moved,
  others,
  traces,
} from './life.ts';

/** Where the machines find them. */
export const PACKAGES = '/root/packages';

/** Debian 12 names it by the link /lib. */
const unitPath = async (machine: BootedMachine): Promise<string> =>
  (await machine.bash('realpath "$(systemctl show --property FragmentPath --value vipshift-notify)"')).trim();

const shown = async (machine: BootedMachine): Promise<string> =>
  (await machine.run('dpkg-query', '--show', '--showformat', '${Version}', 'vipshift-notify')).trim();

export const packageLife: readonly Chapter[] = [
  {
    name: 'install',
    says: 'the package, on a new node and over an install by hand: its units are those that systemd takes',
    mayFail: true,
    run: async (stage) => {
      await stage.nodes.b.machine.run('/root/notify/vipshift-notify', 'install');
      await both(stage, async ({ machine }) => {
        await machine.run('dpkg', '--install', `${PACKAGES}/before.deb`);
        expectEqual('the unit', await unitPath(machine), '/usr/lib/systemd/system/vipshift-notify.service');
        await machine.run('systemctl', 'is-enabled', 'vipshift-notify.service', 'vipshift-notify.socket');
        await machine.run('test', '-p', '/run/vipshift/notify.fifo');
        expectEqual(
          'what is left below /usr/local',
          await machine.bash('find /usr/local -name "*vipshift*"'),
          '',
        );
      });
    },
  },
  {
    name: 'configure',
    says: 'setup, bus and VIP; the first master owns the VIP',
    mayFail: true,
    run: async (stage) => {
      await both(stage, async (node) => {
        await node.configure(stage.cloud.notifyConf);
        await node.machine.run('vipshift-notify', 'setup', '--service', 'nginx.service');
        await node.machine.run('vipshift-notify', 'check');
        await node.machine.run('systemctl', 'restart', 'vipshift-notify');
        await node.enable();
      });
      await master(stage);
    },
  },
  {
    name: 'selftest',
    says: 'the probe is taken by the bus',
    run: async (stage) => {
      await both(stage, async ({ machine }) => {
        const { status } = await machine.attempt('vipshift-notify', 'selftest');
        // 5: the bus took it, and only the controller's record could confirm it.
        expectEqual('the status of selftest', String(status), '5');
      });
    },
  },
  {
    name: 'failover',
    says: 'the master’s power is cut: the other node takes over, and the first one stands by after its boot',
    mayFail: true,
    run: async (stage) => {
      const dying = await masterNode(stage);
      const before = claimsOf(stage.cloud, dying, 'BACKUP').length;
      await dying.machine.cutPower();
      await moved(stage, others(stage, dying));
      await dying.machine.powerOn();
      await backupAgain(stage.cloud, dying, before);
    },
  },
  {
    name: 'upgrade',
    says: 'to the next version: keepalived runs on, the configuration is kept, no node changes its state',
    run: async (stage) => {
      const state = 'systemctl show -P MainPID keepalived; sha256sum /etc/vipshift/notify.conf';
      const shim = 'systemctl show -P MainPID vipshift-notify';
      const transitions = () => stage.cloud.claims().filter(({ kind }) => kind === 'transition').length;
      const sent = transitions();
      await both(stage, async ({ machine }) => {
        const [before, version, pid] = [
          await machine.bash(state),
          await shown(machine),
          await machine.bash(shim),
        ];
        await machine.run('dpkg', '--install', `${PACKAGES}/now.deb`);
        expectEqual('keepalived and its configuration', await machine.bash(state), before);
        if ((await shown(machine)) === version) throw new Error(`the version is still ${version}`);
        if ((await machine.bash(shim)) === pid) throw new Error(`the shim was not restarted: process ${pid}`);
        await machine.run('systemctl', 'is-active', 'vipshift-notify', 'vipshift-linger');
      });
      await handOver(stage, await masterNode(stage));
      expectEqual('the number of transitions', String(transitions() - sent), '3');
    },
  },
  {
    name: 'reboot',
    says: 'the master reboots: a planned stop',
    run: async (stage) => {
      const node = await masterNode(stage);
      const before = claimsOf(stage.cloud, node, 'BACKUP').length;
      await node.machine.begin('reboot');
      await moved(stage, others(stage, node));
      await node.machine.rebooted();
      await backupAgain(stage.cloud, node, before);
    },
  },
  {
    name: 'remove',
    says: 'the shim is gone with its credentials, its configuration stays, and keepalived runs on',
    run: async (stage) => {
      await both(stage, async ({ machine }) => {
        const pid = await machine.bash('systemctl show -P MainPID keepalived');
        await machine.run('dpkg', '--remove', 'vipshift-notify');
        expectEqual('keepalived', await machine.bash('systemctl show -P MainPID keepalived'), pid);
        await machine.run('systemctl', 'is-active', 'keepalived', 'nginx');
        await machine.run('test', '-e', '/etc/vipshift/notify.conf');
        await machine.bash(
          '! pgrep -f "vipshift-notify run"; ! test -e /usr/bin/vipshift-notify; ! test -e /run/vipshift/credentials',
        );
      });
    },
  },
  {
    name: 'purge',
    says: `nothing of it is left on disk or in /run; the VIP’s own unit is the operator’s`,
    mayFail: true,
    run: async (stage) => {
      await both(stage, async ({ machine }) => {
        await machine.run('dpkg', '--purge', 'vipshift-notify');
        await machine.bash(
          `systemctl disable --now ${LOOPBACK_UNIT}; rm /etc/systemd/system/${LOOPBACK_UNIT}`,
        );
        expectEqual('what is left', await machine.bash(traces), '');
        await machine.run('systemctl', 'is-active', 'keepalived', 'nginx');
      });
    },
  },
];
