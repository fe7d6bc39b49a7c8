// `vipshift vip …`: the ledger.
import { Command, Option } from 'commander';
import { defineCommand } from '../command/command.ts';
import { list, withCommon } from '../command/options.ts';
import type { AddOptions } from './add.ts';
import type { AdoptOptions } from './adopt.ts';
import type { ListOptions, RemoveOptions } from './list.ts';

export function vipCommand(): Command {
  return new Command('vip')
    .description('the ledger: which VIPs there are, their addresses, EIPs and labels')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(setCommand())
    .addCommand(removeCommand())
    .addCommand(adoptCommand());
}

function entryOptions(command: Command): Command {
  return command
    .option(
      '-a, --address <address>',
      'an address outside every CIDR of the VPC, or a managed prefix list pl-…; may be repeated',
      list,
    )
    .addOption(
      new Option('--pool <range>', 'take the next free address of this range; not with --address').conflicts(
        'address',
      ),
    )
    .option(
      '-e, --eip <id>',
      'an Elastic IP that moves along: eipalloc-… or its address; may be repeated',
      list,
    )
    .option('--vpc <id>', 'the VPC of its route tables and nodes (default: where its label is found)')
    .option(
      '--table-label <label>',
      'value of the tag on its route tables (default: its name); may be repeated, tables of the first one are moved first',
      list,
    )
    .option('--node-label <label>', 'value of the tag on its nodes’ ENIs (default: its name)', list)
    .addOption(
      new Option(
        '--hold <how>',
        'both: the address lies on lo of every node; master: keepalived adds it',
      ).choices(['both', 'master']),
    )
    .addOption(
      new Option(
        '--priority <which>',
        'first: before other VIPs where EC2’s request budget is short, as when a zone fails (default: normal)',
      ).choices(['first', 'normal']),
    )
    .option('--allow-public', 'take an address that is somebody’s on the Internet; it hides the real one')
    .option('--reason <text>', 'why, for the record');
}

const addCommand = () =>
  defineCommand<AddOptions>(
    withCommon(
      entryOptions(
        new Command('add')
          .description('register a VIP; its first claim then moves it')
          .argument('<name>', 'letters, digits, ".", "_", "-"')
          .addHelpText(
            'after',
            `
Examples:
  $ vipshift vip add web --address 192.168.255.10 --vpc vpc-0abc1234def567890
  $ vipshift vip add web --pool 192.168.255.0/24 --eip eipalloc-0abc1234def567890
  $ vipshift vip add dns --address 192.168.255.53 --address fd77:7669:7073::53 --table-label core`,
          ),
      ),
    ),
    async () => (await import('./add.ts')).add,
  );

const setCommand = () =>
  defineCommand<AddOptions>(
    withCommon(
      entryOptions(
        new Command('set')
          .description('change a VIP’s entry; what is not named stays. Lists are replaced as a whole')
          .argument('<name>')
          .option('--no-eip', 'no Elastic IP moves along any more')
          .option('-y, --yes', 'do not ask, also where the change moves the VIP')
          .addHelpText(
            'after',
            `
Examples:
  $ vipshift vip set web --eip eipalloc-0abc1234def567890 --reason 'public since today'
  $ vipshift vip set web --address 192.168.255.10,192.168.255.11
  $ vipshift vip set web --hold master
  $ vipshift vip set web --priority first --reason 'what earns the money goes first'`,
          ),
      ),
    ),
    async () => (await import('./add.ts')).set,
  );

const listCommand = () =>
  defineCommand<ListOptions>(
    withCommon(
      new Command('list')
        .alias('ls')
        .description('all VIPs of the ledger')
        .option('--removed', 'those that were removed, too')
        .option('--names', 'names only, one per line')
        .addHelpText(
          'after',
          '\nExamples:\n  $ vipshift vip list\n  $ vipshift vip list --json | jq .addresses',
        ),
    ),
    async () => (await import('./list.ts')).listVips,
  );

const showCommand = () =>
  defineCommand(
    withCommon(
      new Command('show')
        .description('one VIP’s entry, and what was found by its tags')
        .argument('<name>')
        .addHelpText('after', '\nExamples:\n  $ vipshift vip show web\n  $ vipshift vip show web --json'),
    ),
    async () => (await import('./list.ts')).show,
  );

const removeCommand = () =>
  defineCommand<RemoveOptions>(
    withCommon(
      new Command('remove')
        .alias('rm')
        .description('take a VIP out of the ledger; its epoch survives, its routes stay where they are')
        .argument('<name>')
        .option('--force', 'although route tables still have its label')
        .option('--reason <text>', 'why, for the record')
        .addHelpText('after', `\nExamples:\n  $ vipshift vip remove old --reason 'moved to an NLB'`),
    ),
    async () => (await import('./list.ts')).remove,
  );

const adoptCommand = () =>
  defineCommand<AdoptOptions>(
    withCommon(
      entryOptions(
        new Command('adopt')
          .description('take over a hand-made set-up once, after showing what would change')
          .argument('<name>')
          .option('--eni <id>', 'a node’s service ENI, to be labelled; may be repeated', list)
          .option('--eip-eni <id>', 'a node’s ENI for EIPs, to be labelled; may be repeated', list)
          .option('-y, --yes', 'do not ask')
          .addOption(new Option('--dry-run', 'show what would change').conflicts('yes'))
          .addHelpText(
            'after',
            `
Tags the tables that route to the addresses now, the ENIs and EIPs that are named, and lets the
controller replace the targets that stand there. Nothing moves until a node speaks.

Examples:
  $ vipshift vip adopt web -a 192.168.255.10 --vpc vpc-0abc1234def567890 --eni eni-0a,eni-0b --dry-run
  $ vipshift vip adopt web          # a registered VIP whose routes point to something foreign`,
          ),
      ),
    ),
    async () => (await import('./adopt.ts')).adopt,
  );
