/**
 * A life of two nodes in one story, from the first install to the last trace, on machines that really boot. A client asks the VIP throughout.
 *
 * Each chapter acts, and throws where what it says did not come about. The story begins with the version before this one
 * (notify-before.tgz: the folder notify/ as it was before install gave an order to the units), so that the upgrade is one.
 */
import type { Cloud } from '../../netns/cloud/cloud.ts';
import { INSTANCE } from '../../netns/node/keepalived.ts';
import { VIP } from '../../netns/sandbox/topology.ts';
import type { BootedNode } from '../booted-node.ts';
import { claimsOf, master, type Stage, until } from '../planned-stops.ts';

export interface Chapter {
  readonly name: string;
  /** What must come about. */
  readonly says: string;
  /** Whether connections may fail meanwhile: nothing serves yet, or a node dies. */
  readonly mayFail?: true;
  run(stage: Stage): Promise<void>;
}

const BEFORE = '/root/before';

export const both = ({ nodes }: Stage, act: (node: BootedNode) => Promise<unknown>) =>
  Promise.all([act(nodes.a), act(nodes.b)]);

export const others = ({ nodes }: Stage, node: BootedNode): BootedNode =>
  nodes[node.label === 'a' ? 'b' : 'a'];

/** As the record has it. */
async function owner({ nodes, cloud }: Stage): Promise<string> {
  const vip = await cloud.vip();
  return [nodes.a, nodes.b].find(({ instanceId }) => instanceId === vip.owner)?.label ?? 'none';
}

export async function masterNode(stage: Stage): Promise<BootedNode> {
  return stage.nodes[await master(stage)];
}

export const moved = (stage: Stage, to: BootedNode): Promise<void> =>
  until(`node ${to.label} to own the VIP`, async () => stage.nodes[await master(stage)] === to);

export function expectEqual(what: string, found: string, expected: string): void {
  if (found !== expected)
    throw new Error(`${what} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}

export const backupAgain = (cloud: Cloud, node: BootedNode, sinceClaims: number): Promise<void> =>
  until(`node ${node.label} to be a backup`, () => claimsOf(cloud, node, 'BACKUP').length > sinceClaims);

/** keepalived alone is stopped: the other node takes over, and this one is a backup when it is started again. */
export async function handOver(stage: Stage, from: BootedNode): Promise<void> {
  const before = claimsOf(stage.cloud, from, 'BACKUP').length;
  await from.machine.run('systemctl', 'stop', 'keepalived');
  await moved(stage, others(stage, from));
  await from.machine.run('systemctl', 'start', 'keepalived');
  await backupAgain(stage.cloud, from, before);
}

/** All that is named after it, but for what the lab itself has put there and systemd's notes of running units; and the VIP. */
export const traces = `
find /etc /usr /var/lib /run -xdev -name '*vipshift*' -not -path '/run/systemd/*' -not -name vipshift-notify.service.d
ip -o address show dev lo | grep -F ${VIP} || true`;

export const life: readonly Chapter[] = [
  {
    name: 'install',
    says: 'the version before: program, units and an example of a configuration',
    mayFail: true,
    run: async (stage) => {
      await both(stage, ({ machine }) =>
        machine.bash(`mkdir ${BEFORE}; tar -xzf /root/lab/notify-before.tgz -C ${BEFORE}
${BEFORE}/notify/vipshift-notify install --bus vipshift-lab --instance ${INSTANCE}=web`),
      );
    },
  },
  {
    name: 'configure',
    says: 'bus and VIP are named, keepalived and nginx are enabled; the first master owns the VIP',
    mayFail: true,
    run: async (stage) => {
      await both(stage, async (node) => {
        await node.configure(stage.cloud.notifyConf);
        await node.machine.run('systemctl', 'restart', 'vipshift-notify');
        await node.enable();
      });
      await master(stage);
    },
  },
  {
    name: 'boot',
    says: 'both nodes are off and boot: one of them claims, and the VIP is served',
    mayFail: true,
    run: async (stage) => {
      await both(stage, async ({ machine }) => {
        await machine.begin('poweroff');
        await machine.off();
        await machine.powerOn();
      });
      await master(stage);
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
    says: 'over the version before: keepalived runs on, the configuration is kept, no node changes its state',
    run: async (stage) => {
      const state = `systemctl show -P MainPID keepalived; sha256sum /etc/vipshift/notify.conf`;
      const transitions = () => stage.cloud.claims().filter(({ kind }) => kind === 'transition').length;
      const sent = transitions();
      await both(stage, async (node) => {
        const before = await node.machine.bash(state);
        await node.install();
        expectEqual('keepalived and its configuration', await node.machine.bash(state), before);
        await node.machine.run('systemctl', 'is-active', 'vipshift-notify', 'vipshift-linger');
      });
      await handOver(stage, await masterNode(stage));
      expectEqual('the number of transitions', String(transitions() - sent), '3');
    },
  },
  {
    name: 'full disk',
    says: 'the shim’s folder takes no byte more: the VIP moves all the same',
    run: async (stage) => {
      const node = await masterNode(stage);
      await node.machine.bash(`mount -t tmpfs -o size=64k,mode=700 none /var/lib/vipshift
systemctl restart vipshift-notify
dd if=/dev/zero of=/var/lib/vipshift/full bs=1k 2>/dev/null || true
[ $(df --output=avail /var/lib/vipshift | tail -1) -eq 0 ]`);
      await handOver(stage, node);
      await node.machine.bash('umount -l /var/lib/vipshift; systemctl restart vipshift-notify');
    },
  },
  {
    name: 'wrong configuration',
    says: 'a key that does not exist on the backup: check names it, its MASTER waits until that is repaired, then the VIP moves',
    run: async (stage) => {
      const node = await masterNode(stage);
      const backup = others(stage, node);
      const check = () => backup.machine.attempt('vipshift-notify', 'check');
      await backup.machine.bash(
        `sed -i 's/^bus = /buss = /' /etc/vipshift/notify.conf; systemctl restart vipshift-notify`,
      );
      const { status, stderr } = await check();
      expectEqual('the status of check', String(status), '2');
      if (!stderr.includes('"buss"')) throw new Error(`check does not name the key: ${stderr}`);
      const entered = 'journalctl -b -u keepalived -o cat | grep -c "Entering MASTER STATE"';
      const before = Number(await backup.machine.bash(`${entered} || true`));
      await node.machine.run('systemctl', 'stop', 'keepalived');
      await backup.machine.until('keepalived to be master', `[ $(${entered}) -gt ${before} ]`);
      expectEqual('the owner', await owner(stage), node.label);
      expectEqual(
        'the daemon',
        (await backup.machine.run('systemctl', 'is-active', 'vipshift-notify')).trim(),
        'active',
      );
      await backup.machine.bash(
        `sed -i 's/^buss = /bus = /' /etc/vipshift/notify.conf; vipshift-notify check; systemctl restart vipshift-notify`,
      );
      await moved(stage, backup);
      await node.machine.run('systemctl', 'start', 'keepalived');
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
    name: 'uninstall',
    says: 'nothing of it is left on disk, in /run or on lo, and keepalived runs on',
    mayFail: true,
    run: async (stage) => {
      await both(stage, async ({ machine }) => {
        await machine.run('vipshift-notify', 'uninstall', '--purge');
        expectEqual('what is left', await machine.bash(traces), '');
        await machine.run('systemctl', 'is-active', 'keepalived', 'nginx');
      });
    },
  },
];
