// `vipshift failover`: moves a VIP to a node by order. The command line of it; the two ways to do it are files of their
// own, failover-run.ts (the workflow) and break-glass.ts.
import { Command, Option } from 'commander';
import { durationFrom } from '../shared/audit-time.ts';
import type { FailoverOrder } from '../shared/order.ts';
import type { ReleaseWish } from '../shared/release.ts';
import { act, type Line, type Work } from './act.ts';
import { usage } from './exit.ts';
import { positive, withCommon } from './options.ts';

export interface FailoverOptions {
  readonly to?: string;
  readonly reason?: string;
  readonly mode?: FailoverOrder['mode'];
  readonly for?: string;
  readonly dryRun?: boolean;
  readonly approval?: boolean;
  readonly name?: string;
  readonly claimWait?: number;
  readonly release?: ReleaseWish;
  readonly detach?: boolean;
  readonly follow?: string;
  readonly breakGlass?: boolean;
}

/** What is left when the command line was found to say enough. */
export type FailoverAsked = FailoverOptions & { readonly to: string; readonly reason: string };

/** The workflow waits no longer (claimWaitSeconds of order-input.ts). */
const CLAIM_WAIT_MAX_S = 240;
const workflowOnly = ['mode', 'dryRun', 'approval', 'name', 'claimWait', 'release', 'detach'];

export const failoverCommand = () =>
  act<FailoverOptions>(
    withCommon(
      new Command('failover')
        .description('move a VIP to a node now, by the workflow in Step Functions, and follow it to its end')
        .argument('[vip]')
        .option('--to <node>', 'the instance')
        .option('--reason <text>', 'why, for the record')
        .addOption(
          new Option(
            '--mode <mode>',
            'routes-only: keepalived stays as it is; via-keepalived: its master is demoted (default: by the VIP’s hold)',
          ).choices(['routes-only', 'via-keepalived']),
        )
        .option(
          '--for <duration>',
          'pin it there so long against what VRRP elects (default: 1h routes-only, none via-keepalived, 15m break-glass)',
        )
        .option('--dry-run', 'show what would be done, or the reasons against it')
        .option('--approval', 'wait for somebody’s vipshift approve, an hour at most')
        .option(
          '--name <name>',
          'the execution’s name: what was started under it is followed, never done twice',
        )
        .option(
          '--claim-wait <seconds>',
          'via-keepalived: how long the node may take to say MASTER (default: 30)',
          positive(CLAIM_WAIT_MAX_S),
        )
        .addOption(
          new Option(
            '--release <when>',
            'via-keepalived: let the demoted node stand by again where that cannot move the VIP (safe, the default), now, or never (by-hand)',
          ).choices(['safe', 'now', 'by-hand']),
        )
        .addOption(new Option('--detach', 'start it and do not wait').conflicts('dryRun'))
        .option('--follow <name>', 'follow one that was started: its name or ARN')
        .addOption(
          new Option(
            '--break-glass',
            'do it from this machine, under the controller’s own lease: needs neither Step Functions, Lambda nor EventBridge',
          ).conflicts(workflowOnly),
        )
        .addHelpText('after', help),
    ),
    load,
  );

const help = `
Ctrl-C ends the following, not the failover. Without --mode a VIP whose hold is both moves
routes-only, one whose hold is master via-keepalived.

Exit status: 0 it is there (or a dry run found nothing against it); 1 it failed and went back, or
a dry run found reasons against it; 3 refused or not approved, nothing was moved.

Examples:
  $ vipshift failover web --to i-0abc1234def567890 --reason 'kernel update on the other node' --dry-run
  $ vipshift failover web --to i-0abc1234def567890 --reason 'kernel update' --for 2h
  $ vipshift failover web --to i-0abc1234def567890 --reason 'change 4711' --approval --name change-4711
  $ vipshift failover --follow change-4711
  $ vipshift failover web --to i-0abc1234def567890 --break-glass --reason 'Lambda is down'
The pin keeps it there; when it ends, or is taken back (vipshift unpin web), the VIP goes where
VRRP’s master is: back, unless keepalived’s master is the new node by then.`;

async function load(line: Line<FailoverOptions>): Promise<Work<FailoverOptions>> {
  const { args, options } = line;
  if (options.follow !== undefined) {
    refuseBeside(line);
    const { followed } = await import('./failover-run.ts');
    return followed;
  }
  const missing = [
    ...(args[0] === undefined ? ['the VIP'] : []),
    ...(options.to === undefined ? ['--to NODE'] : []),
    ...(options.reason === undefined ? ['--reason TEXT'] : []),
  ];
  if (missing.length > 0) throw usage(`missing: ${missing.join(', ')}`, 'vipshift failover --help');
  const asked = checked(options as FailoverAsked);
  if (options.breakGlass === true) {
    const { breakGlass } = await import('./break-glass.ts');
    return (run) => breakGlass({ ...run, options: { ...run.options, ...asked, for: asked.for ?? '15m' } });
  }
  const { forced } = await import('./failover-run.ts');
  return (run) => forced({ ...run, options: { ...run.options, ...asked } });
}

function refuseBeside({ args, options }: Line<FailoverOptions>): void {
  const { to, reason, breakGlass } = options;
  const others = [
    args[0],
    to,
    reason,
    breakGlass,
    options.for,
    ...workflowOnly.map((name) => options[name as 'mode']),
  ];
  if (others.some((other) => other !== undefined))
    throw usage('--follow stands for itself', 'vipshift failover --follow NAME');
}

/** What only says how keepalived is handled does nothing where it is left alone. */
export function refuseKeepalivedOnly({ claimWait, release }: FailoverOptions, why: string): void {
  const idle = [
    ...(claimWait === undefined ? [] : ['--claim-wait']),
    ...(release === undefined ? [] : ['--release']),
  ];
  if (idle.length > 0)
    throw usage(
      `${idle.join(' and ')} cannot be used ${why}: keepalived stays as it is`,
      `leave ${idle.length === 1 ? 'it' : 'them'} out, or take --mode via-keepalived`,
    );
}

const NODE = /^i-[0-9a-f]{8,17}$/;
/** Of an execution of Step Functions; its dots and dashes need no quoting anywhere. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}$/;

function checked(asked: FailoverAsked): FailoverAsked {
  if (!NODE.test(asked.to))
    throw usage(
      `--to ${asked.to}: no instance id`,
      'want i-0abc1234def567890; vipshift status VIP names them',
    );
  if (asked.reason.trim() === '') throw usage('--reason is empty', 'say why, for whoever reads the record');
  if (asked.name !== undefined && !NAME.test(asked.name))
    throw usage(
      `--name ${asked.name}: no name of an execution`,
      'want up to 80 letters, digits, ".", "_", "-"',
    );
  if (asked.mode === 'routes-only') refuseKeepalivedOnly(asked, 'with --mode routes-only');
  if (asked.for !== undefined && !((durationFrom(asked.for) ?? 0) > 0))
    throw usage(`--for ${asked.for}: no such duration`, 'want 5m, 15m or 2h');
  return asked;
}
