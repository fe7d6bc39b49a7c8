// `vipshift vip …`: the registry.
import { defineCommand, defineGroup } from '../command/command.ts';
import { list, option, reason } from '../command/options.ts';
import type { AddOptions } from './add.ts';
import type { AdoptOptions } from './adopt.ts';
import type { ListOptions, RemoveOptions } from './list.ts';

export const vipCommand = () =>
  defineGroup(
    { name: 'vip', about: 'the registry: which VIPs there are, their addresses, EIPs and labels' },
    [addCommand(), listCommand(), showCommand(), setCommand(), removeCommand(), adoptCommand()],
  );

const entryOptions = () => [
  option(
    '-a, --address <address>',
    'an address outside every CIDR of the VPC, or a managed prefix list pl-…; may be repeated',
    { parse: list },
  ),
  option('--pool <range>', 'take the next free address of this range; not with --address', {
    conflicts: ['address'],
  }),
  option('-e, --eip <id>', 'an Elastic IP that moves along: eipalloc-… or its address; may be repeated', {
    parse: list,
  }),
  option('--vpc <id>', 'the VPC of its route tables and nodes (default: where its label is found)'),
  option(
    '--table-label <label>',
    'value of the tag on its route tables (default: its name); may be repeated, tables of the first one are moved first',
    { parse: list },
  ),
  option('--node-label <label>', 'value of the tag on its nodes’ ENIs (default: its name)', { parse: list }),
  option('--hold <how>', 'both: the address lies on lo of every node; master: keepalived adds it', {
    choices: ['both', 'master'],
  }),
  option(
    '--priority <which>',
    'first: before other VIPs where EC2’s request budget is short, as when a zone fails (default: normal)',
    { choices: ['first', 'normal'] },
  ),
  option('--allow-public', 'take an address that is in use on the Internet; the VIP hides the real one'),
  reason(),
];

const rehearsing = (conflicts: readonly string[] = []) =>
  option('--dry-run', 'show what would change, and what refuses it; change nothing', { conflicts });

const addCommand = () =>
  defineCommand<AddOptions>({
    name: 'add',
    json: { is: 'document', schema: 'vip-add' },
    about: 'register a VIP; its first claim then moves it',
    args: [{ name: '<name>', about: 'letters, digits, ".", "_", "-"' }],
    options: [...entryOptions(), rehearsing()],
    examples: [
      'vipshift vip add web --address 192.168.255.10 --vpc vpc-0abc1234def567890',
      'vipshift vip add web --pool 192.168.255.0/24 --eip eipalloc-0abc1234def567890',
      'vipshift vip add dns --address 192.168.255.53 --address fd77:7669:7073::53 --table-label core',
    ],
    load: async () => (await import('./add.ts')).add,
  });

const setCommand = () =>
  defineCommand<AddOptions>({
    name: 'set',
    json: { is: 'document', schema: 'vip-add' },
    about: 'change a VIP’s entry; what is not named stays; lists are replaced as a whole',
    args: [{ name: '<name>', is: 'vip' }],
    options: [
      ...entryOptions(),
      option('--no-eip', 'take all Elastic IPs out of the entry'),
      option('-y, --yes', 'do not ask, even if the change moves the VIP or takes an address from it'),
      rehearsing(['yes']),
    ],
    examples: [
      `vipshift vip set web --eip eipalloc-0abc1234def567890 --reason 'public since today'`,
      'vipshift vip set web --address 192.168.255.10,192.168.255.11 --dry-run',
      'vipshift vip set web --hold master',
      `vipshift vip set web --priority first --reason 'what earns the money goes first'`,
    ],
    load: async () => (await import('./add.ts')).set,
  });

const listCommand = () =>
  defineCommand<ListOptions>({
    name: 'list',
    json: { is: 'lines', schema: 'vip-list' },
    alias: 'ls',
    about: 'all VIPs of the registry',
    options: [
      option('--removed', 'those that were removed, too'),
      option('--names', 'names only, one per line'),
    ],
    examples: ['vipshift vip list', 'vipshift vip list --json | jq .addresses'],
    load: async () => (await import('./list.ts')).listVips,
  });

const showCommand = () =>
  defineCommand({
    name: 'show',
    json: { is: 'document', schema: 'vip-show' },
    about: 'one VIP’s entry, and what was found by its tags',
    args: [{ name: '<name>', is: 'vip' }],
    examples: ['vipshift vip show web', 'vipshift vip show web --json'],
    load: async () => (await import('./list.ts')).show,
  });

const removeCommand = () =>
  defineCommand<RemoveOptions>({
    name: 'remove',
    json: { is: 'lines', schema: 'vip-remove' },
    alias: 'rm',
    about: 'take VIPs out of the registry; their epochs survive, their routes stay where they are',
    args: [{ name: '<name...>', is: 'vip' }],
    options: [
      option('--force', 'even if route tables still have its label'),
      reason(),
      option('--dry-run', 'show what would stay, and what refuses it; change nothing'),
    ],
    examples: ['vipshift vip remove old --dry-run', `vipshift vip remove old --reason 'moved to an NLB'`],
    load: async () => (await import('./list.ts')).remove,
  });

const adoptCommand = () =>
  defineCommand<AdoptOptions>({
    name: 'adopt',
    json: { is: 'document', schema: 'vip-adopt' },
    about: 'take over a hand-made set-up once, after showing what would change',
    args: [{ name: '<name>' }],
    options: [
      ...entryOptions(),
      option('--eni <id>', 'a node’s service ENI, to be labelled; may be repeated', { parse: list }),
      option('--eip-eni <id>', 'a node’s ENI for EIPs, to be labelled; may be repeated', { parse: list }),
      option('-y, --yes', 'do not ask'),
      rehearsing(['yes']),
    ],
    notes: `Tags the tables that route to the addresses now, the ENIs and EIPs that are named, and lets the
controller replace the targets that are there. Nothing moves until a node reports.`,
    examples: [
      'vipshift vip adopt web -a 192.168.255.10 --vpc vpc-0abc1234def567890 --eni eni-0a,eni-0b --dry-run',
      'vipshift vip adopt web          # a registered VIP whose routes point to something foreign',
    ],
    load: async () => (await import('./adopt.ts')).adopt,
  });
