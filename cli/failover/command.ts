// `vipshift failover`: moves a VIP to a node by order. The command line of it; the two ways to do it are files of their
// own, run.ts (the workflow) and break-glass.ts.
import { durationFrom } from '../../shared/instants.ts';
import { type CommandAction, defineCommand, type ParsedArgs } from '../command/command.ts';
import { usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { NODE_WORDS, nodeFrom } from '../command/node/chosen.ts';
import { list, option, positive, reason } from '../command/options.ts';
import { refuseKeepalivedOnly } from './keepalived-only.ts';
import type { FailoverAsked, FailoverOptions } from './run.ts';

/** The workflow waits no longer (claimWaitSeconds of order-input.ts). */
const CLAIM_WAIT_MAX_S = 240;
const workflowOnly = ['mode', 'approval', 'name', 'claimWait', 'release', 'detach'];
/** For when DynamoDB does not answer. */
const byHandOnly = { onlyWith: 'printCommands' };

export const failoverCommand = () =>
  defineCommand<FailoverOptions>({
    name: 'failover',
    json: { is: 'document', schema: 'failover' },
    about: 'move a VIP to a node now, with the Step Functions workflow, and follow it to its end',
    args: [{ name: '[vip]', is: 'vip' }],
    options: [
      option('--to <node>', NODE_WORDS, { parse: nodeFrom, is: 'node' }),
      reason(),
      option(
        '--mode <mode>',
        'routes-only: keepalived stays as it is; via-keepalived: its master is demoted (default: by the VIP’s hold)',
        { choices: ['routes-only', 'via-keepalived'] },
      ),
      option(
        '--for <duration>',
        'pin it there for that long, whatever VRRP elects (default: 1h routes-only, none via-keepalived, 15m break-glass)',
      ),
      option(
        '--dry-run',
        'show what would be done, or why it is refused, and what the doctor says of the node',
      ),
      option('--approval', 'wait until it is approved, an hour at most'),
      option(
        '--name <name>',
        'the execution’s name: if it was started before it is followed, never started twice',
      ),
      option(
        '--claim-wait <seconds>',
        'via-keepalived: how long the node may take to say MASTER (default: 30)',
        { parse: positive(CLAIM_WAIT_MAX_S) },
      ),
      option(
        '--release <when>',
        'via-keepalived: undo the demotion where that cannot move the VIP (safe, the default), at once (now), or never (by-hand)',
        { choices: ['safe', 'now', 'by-hand'] },
      ),
      option('--detach', 'start it and do not wait for its end', { conflicts: ['dryRun'] }),
      option('--follow <name>', 'follow one that was started: its name or ARN'),
      option(
        '--break-glass',
        'do it from this machine, under the controller’s own lease: needs neither Step Functions, Lambda nor EventBridge',
        { conflicts: workflowOnly },
      ),
      option(
        '--print-commands',
        'print the AWS CLI’s commands that move it by hand, and run nothing: for when neither the workflow nor break-glass can',
        { conflicts: [...workflowOnly, 'breakGlass', 'dryRun', 'follow'] },
      ),
      option(
        '--manifest <file>',
        'with --print-commands: the registry’s file, as apply takes it, where DynamoDB does not answer',
        {
          ...byHandOnly,
          conflicts: ['address'],
        },
      ),
      option(
        '-a, --address <address>',
        'with --print-commands: an address of the VIP, where DynamoDB does not answer',
        {
          ...byHandOnly,
          parse: list,
        },
      ),
      option(
        '-e, --eip <eip>',
        'with --print-commands: an Elastic IP of the VIP, where DynamoDB does not answer',
        {
          ...byHandOnly,
          parse: list,
        },
      ),
    ],
    notes: `Ctrl-C ends the following, not the failover. Without --mode a VIP whose hold is both moves
routes-only, one whose hold is master via-keepalived.

Exit status: 0 it is there (or a dry run found nothing against it); 1 it failed and went back, or
a dry run found reasons against it, or a fault of the node; 3 refused or not approved, nothing was moved.`,
    examples: [
      `vipshift failover web --to node-b --reason 'kernel update on node-a' --dry-run`,
      `vipshift failover web --to 10.0.2.10 --reason 'kernel update' --for 2h`,
      `vipshift failover web --to i-0abc1234def567890 --reason 'change 4711' --approval --name change-4711`,
      'vipshift failover --follow change-4711',
      `vipshift failover web --to i-0abc1234def567890 --break-glass --reason 'Lambda is down' --dry-run`,
      `vipshift failover web --to i-0abc1234def567890 --break-glass --reason 'Lambda is down'`,
      'vipshift failover web --to i-0abc1234def567890 --print-commands',
      'vipshift failover web --to i-0abc1234def567890 --print-commands --manifest vips.yaml',
    ],
    more: `The pin keeps it there; when it ends, or is taken back (vipshift unpin web), the VIP goes where
VRRP’s master is: back, unless keepalived’s master is the new node by then.`,
    load,
  });

async function load(line: ParsedArgs<FailoverOptions>): Promise<CommandAction<FailoverOptions>> {
  const { args, options } = line;
  if (options.follow !== undefined) {
    refuseBeside(line);
    const { followed } = await import('./run.ts');
    return followed;
  }
  const missing = [
    ...(args[0] === undefined ? ['the VIP'] : []),
    ...(options.to === undefined ? ['--to NODE'] : []),
    ...(options.reason === undefined && options.printCommands !== true ? ['--reason TEXT'] : []),
  ];
  if (missing.length > 0) throw usage(`missing: ${missing.join(', ')}`, 'vipshift failover --help');
  if (options.printCommands === true) {
    const { printCommands } = await import('./by-hand/run.ts');
    return (run) => printCommands({ ...run, options: { ...run.options, to: options.to! } });
  }
  const asked = checked(options as FailoverAsked);
  if (options.breakGlass === true) {
    const { breakGlass } = await import('./break-glass.ts');
    return (run) => breakGlass({ ...run, options: { ...run.options, ...asked, for: asked.for ?? '15m' } });
  }
  const { forced } = await import('./run.ts');
  return (run) => forced({ ...run, options: { ...run.options, ...asked } });
}

function refuseBeside({ args, options }: ParsedArgs<FailoverOptions>): void {
  const { to, reason, breakGlass } = options;
  const others = [
    args[0],
    to,
    reason,
    breakGlass,
    options.for,
    options.dryRun,
    options.printCommands,
    ...workflowOnly.map((name) => options[name as 'mode']),
  ];
  if (others.some((other) => other !== undefined))
    throw usage('--follow cannot be combined with a VIP or other options', hint('failover --follow NAME'));
}

/** Of an execution of Step Functions; its dots and dashes need no quoting anywhere. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}$/;

function checked(asked: FailoverAsked): FailoverAsked {
  if (asked.name !== undefined && !NAME.test(asked.name))
    throw usage(
      `--name ${asked.name}: not a name of an execution`,
      'expected up to 80 letters, digits, ".", "_", "-"',
    );
  if (asked.mode === 'routes-only') refuseKeepalivedOnly(asked, 'with --mode routes-only');
  if (asked.for !== undefined && !((durationFrom(asked.for) ?? 0) > 0))
    throw usage(`--for ${asked.for}: not a duration`, 'expected 5m, 15m or 2h');
  return asked;
}
