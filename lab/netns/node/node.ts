/**
 * Node: what runs on a lab machine: keepalived, nginx behind the VIP and the shim, each as its unit would run it.
 *
 * The shim is restarted whenever it ends, keepalived and nginx are not (as Debian's units have it); the FIFO is held open
 * by the machine's first process, as the socket unit does.
 */
import { join } from 'node:path';
import type { Line, Machine } from '../sandbox/machine.ts';
import { type NodeLabel, VIP } from '../sandbox/topology.ts';
import type { SentClaim } from './claims.ts';
import { DEMOTE_FILE, FIFO, type Hold, INSTANCE, keepalivedConf, nginxConf } from './keepalived.ts';

const root = join(import.meta.dirname, '..', '..', '..');
/** From the start of keepalived to its first word; startup delay included. */
const START_MS = 20_000;

export interface NodeSettings {
  readonly hold: Hold;
  /** The shim's configuration file. */
  readonly notifyConf: string;
  /** Further folders of the host, seen as /run/machine/NAME. */
  readonly folders?: Readonly<Record<string, string>>;
}

/** What keepalived logs as it enters the state that its FIFO line names. */
const SAID: Readonly<Record<string, string>> = {
  MASTER: 'Entering MASTER STATE',
  BACKUP: 'Entering BACKUP STATE',
  FAULT: 'Entering FAULT STATE',
  STOP: 'sent 0 priority',
};

/** As `ExecStopPost=` of the service's unit: keepalived knows within milliseconds that the service is gone. */
const DEMOTE_SCRIPT = `#!/bin/sh\necho 1 >${DEMOTE_FILE}\n`;

export type Unit = 'keepalived' | 'nginx' | 'shim';

export class LabNode {
  readonly machine: Machine;
  readonly instanceId: string;

  constructor(machine: Machine, instanceId: string) {
    this.machine = machine;
    this.instanceId = instanceId;
  }

  get label(): NodeLabel {
    return this.machine.label;
  }

  /** Boots the machine and starts its units. Resolves when keepalived has said its first word. */
  async boot(settings: NodeSettings): Promise<Line> {
    const { machine } = this;
    await machine.boot({
      files: {
        'keepalived.conf': keepalivedConf(this.label, settings.hold),
        'nginx.conf': nginxConf(this.label),
        'notify.conf': `${settings.notifyConf}state_dir = /run/disk/vipshift\n`,
        'after.nginx': DEMOTE_SCRIPT,
      },
      folders: { notify: join(root, 'notify'), ...settings.folders },
      addresses: settings.hold === 'both' ? [VIP] : [],
    });
    await machine.console(`mkfifo -m 600 ${FIFO}; exec 9<>${FIFO}`);
    await machine.console('unit nginx never nginx -c /run/machine/nginx.conf');
    await machine.console(
      'unit shim 0.1 bash /run/machine/notify/vipshift-notify run --config /run/machine/notify.conf',
    );
    const entered = this.entered('BACKUP', START_MS);
    await this.startKeepalived();
    return entered;
  }

  async startKeepalived(): Promise<void> {
    // Ahead of everything else: on a busy machine adverts every 0.1 s would come too late, and the backup take over. Without the right to,
    // `nice` warns and runs it all the same.
    await this.machine.console(
      'unit keepalived never nice -n -15 keepalived -n -l -D -f /run/machine/keepalived.conf',
    );
  }

  /** keepalived's own line about its next entering a state. */
  entered(state: 'MASTER' | 'BACKUP' | 'FAULT', withinMs?: number): Promise<Line> {
    const wanted = `(${INSTANCE}) Entering ${state} STATE`;
    return this.machine.heard(`keepalived to enter ${state}`, (text) => text.includes(wanted), withinMs);
  }

  /** Whether the last state that keepalived entered is MASTER. */
  get isMaster(): boolean {
    const entering = `(${INSTANCE}) Entering `;
    const line = this.machine.lines.findLast(({ text }) => text.includes(entering));
    return this.machine.isUp && line?.text.includes('MASTER') === true;
  }

  /** keepalived's own line about what the node then sent to the bus; an assertion has none. */
  lineBehind({ kind, state, atMs }: SentClaim): Line | undefined {
    const said = kind === 'lower-advert' ? 'with lower priority' : SAID[state];
    if (kind === 'assertion' || said === undefined) return undefined;
    return this.machine.lines.findLast(
      (line) => line.atMs <= atMs && line.text.includes(`(${INSTANCE})`) && line.text.includes(said),
    );
  }

  /** A clean stop, as `systemctl stop` does it. */
  async stop(unit: Unit): Promise<void> {
    await this.machine.console(`halt ${unit}`);
  }

  /** A signal to the unit's main process alone. */
  async strike(signal: string, unit: Unit): Promise<void> {
    await this.machine.console(`strike ${signal} ${unit}`);
  }

  /** SIGKILL to the unit's main process and all its children in one go. */
  async strikeAll(unit: Unit): Promise<void> {
    await this.machine.console(
      `p=$(</run/unit.${unit}); kill -KILL "$p" $(cat /proc/"$p"/task/*/children 2>/dev/null)`,
    );
  }

  /** SIGSTOP to the unit's main process and all its children: it lives, and does nothing. */
  async hang(unit: Unit): Promise<void> {
    await this.machine.console(
      `p=$(</run/unit.${unit}); kill -STOP "$p" $(cat /proc/"$p"/task/*/children 2>/dev/null)`,
    );
  }

  /** What a tracked file has: by default that by which the workflow demotes. */
  tracked(file = DEMOTE_FILE): string | undefined {
    return this.machine.read(file.replace('/run/', ''))?.trim();
  }

  /** The demote file: down is a fault to keepalived, within milliseconds. */
  async setDemoteFile(position: 'up' | 'down'): Promise<void> {
    await this.machine.console(`echo ${position === 'down' ? 1 : 0} >${DEMOTE_FILE}`);
  }
}
