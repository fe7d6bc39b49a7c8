/**
 * BootedNode: a lab node on a machine that really boots. The shim is installed on it as docs/install.md says, keepalived and nginx run as
 * the distribution's units.
 */

import { LOOPBACK_UNIT } from '../../cli/keepalived-config/advice.ts';
import { defined } from '../../shared/optional.ts';
import { type Hold, INSTANCE } from '../netns/node/keepalived.ts';
import type { NodeLabel } from '../netns/sandbox/topology.ts';
import { BootedMachine } from './booted-machine.ts';
import { BUS_HOST, nodeFiles, type Resolver, resolverNames } from './node-files.ts';

export interface BootedNodeInput {
  readonly label: NodeLabel;
  readonly instanceId: string;
  readonly hold: Hold;
  readonly cgroup: string;
  /** Path in the machine → folder of the host, read-only. */
  readonly folders?: Readonly<Record<string, string>>;
}

/** What 0.1.0 first installed: the shim's own order alone. */
const TAKE_ORDER_OUT = `
systemctl stop --no-block vipshift-linger.service
rm /etc/systemd/system/vipshift-linger.service /etc/systemd/system/nginx.service.d/vipshift.conf
sed -i 's/ vipshift-linger.service//; s/ vipshift-vip.service//' /etc/systemd/system/keepalived.service.d/vipshift.conf
sed -i 's/ nss-lookup.target//; /^After=dnsmasq/d; /^Wants=network/d' /etc/systemd/system/vipshift-notify.service
mkdir -p /etc/systemd/system/vipshift-vip.service.d
printf '[Unit]\\nBefore=nginx.service\\n' >/etc/systemd/system/vipshift-vip.service.d/lab.conf
systemctl daemon-reload`;

/** The default of `install`. */
export const LINGER_S = 3;

export class BootedNode {
  readonly label: NodeLabel;
  readonly instanceId: string;
  readonly machine: BootedMachine;

  private constructor({ label, instanceId }: BootedNodeInput, machine: BootedMachine) {
    this.label = label;
    this.instanceId = instanceId;
    this.machine = machine;
  }

  /** A machine with keepalived and nginx configured, and nothing of vipshift but the VIP's unit, which is not enabled. */
  static async boot(input: BootedNodeInput): Promise<BootedNode> {
    const machine = await BootedMachine.boot({
      name: `node-${input.label}`,
      network: input.label,
      cgroup: input.cgroup,
      files: nodeFiles(input.label, input.hold),
      enabled: ['networking.service'],
      ...defined({ folders: input.folders }),
    });
    const node = new BootedNode(input, machine);
    await node.resolveBy('dnsmasq');
    return node;
  }

  /** The shim's configuration file; its bus is known by name. */
  async configure(notifyConf: string): Promise<void> {
    const byName = notifyConf.replace(
      /^endpoint_events = http:\/\/[\d.]+/m,
      `endpoint_events = http://${BUS_HOST}`,
    );
    await this.machine.bash(`mkdir -p /etc/vipshift && cat >/etc/vipshift/notify.conf <<'END'\n${byName}END`);
  }

  /** As docs/install.md says. The negative control takes the order of the units out again. */
  async install({ isUnordered = false, lingerS = LINGER_S } = {}): Promise<void> {
    await this.machine.bash(
      `/root/notify/vipshift-notify install --instance ${INSTANCE}=web --service nginx.service --linger ${lingerS}`,
    );
    if (isUnordered) await this.machine.bash(TAKE_ORDER_OUT);
  }

  async enable(): Promise<void> {
    await this.machine.bash(`systemctl enable --now ${LOOPBACK_UNIT} nginx keepalived`);
  }

  /** From now on, also after a boot, this one is the node's resolver. */
  async resolveBy(resolver: Resolver): Promise<void> {
    const wants = '/etc/systemd/system/multi-user.target.wants';
    const others = resolverNames.filter((name) => name !== resolver).map((name) => `${name}.service`);
    await this.machine.bash(`
mkdir -p ${wants}
rm -f ${others.map((unit) => `${wants}/${unit}`).join(' ')}
systemctl stop ${others.join(' ')} 2>/dev/null || true
ln -sf /etc/systemd/system/${resolver}.service ${wants}/
systemctl start ${resolver}.service`);
  }

  /** What the shim says of keepalived. */
  async isMaster(): Promise<boolean> {
    const { status, stdout } = await this.machine.attempt('vipshift-notify', 'status', '--json');
    if (status !== 0) return false;
    const { vips } = JSON.parse(stdout) as { vips: readonly { state: string }[] };
    return vips.length > 0 && vips.every(({ state }) => state === 'MASTER');
  }

  /** Whether at the last boot keepalived was started only when nginx had been. */
  async claimedAfterService(): Promise<boolean> {
    const [nginx, keepalived] = await Promise.all([
      this.#instantOf('nginx.service', 'ActiveEnterTimestampMonotonic'),
      this.#instantOf('keepalived.service', 'InactiveExitTimestampMonotonic'),
    ]);
    return nginx > 0 && nginx <= keepalived;
  }

  async #instantOf(unit: string, property: string): Promise<number> {
    return Number(await this.machine.run('systemctl', 'show', '--property', property, '--value', unit));
  }
}
