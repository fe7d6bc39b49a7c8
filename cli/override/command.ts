// `vipshift pin|unpin|freeze|unfreeze`: overrides that run out by themselves, each recorded before it takes effect. The command
// lines; override.ts does the work.
import { type CommandAction, defineCommand, type ParsedArgs } from '../command/command.ts';
import { usage } from '../command/exit.ts';
import { NODE_WORDS, nodeFrom } from '../command/node/chosen.ts';
import { option, reason } from '../command/options.ts';
import type { OrderKind, OrderOptions } from './override.ts';

const whom = [{ name: '[vip...]', about: 'these VIPs', is: 'vip' as const }];
const all = () => option('--all', 'every VIP of the registry');
const dryRun = (conflicts: readonly string[] = []) =>
  option('--dry-run', 'show what it would do, and what it would replace; change nothing', { conflicts });
const expiring = () => [
  option('--for <duration>', 'until it runs out: 30m, 2h, 1d; at most 30d', { default: '1h' }),
  reason({ mandatory: true }),
];

const order =
  (kind: OrderKind) =>
  async ({ args, options }: ParsedArgs<OrderOptions>): Promise<CommandAction<OrderOptions>> => {
    if ((options.all === true) === args.length > 0)
      throw usage('no VIPs, or VIPs and --all', 'pass VIP names or --all, not both');
    const { give } = await import('./override.ts');
    return (run) => give(run, kind);
  };

export const pinCommand = () =>
  defineCommand<OrderOptions>({
    name: 'pin',
    json: { is: 'lines', schema: 'override' },
    about: 'let one node own a VIP while it is fit, whatever VRRP elects',
    args: whom,
    options: [
      all(),
      option('--to <node>', NODE_WORDS, { mandatory: true, parse: nodeFrom, is: 'node' }),
      ...expiring(),
      dryRun(),
    ],
    examples: [`vipshift pin web --to node-a --for 2h --reason 'kernel update on the other node'`],
    load: order('pin'),
  });

export const unpinCommand = () =>
  defineCommand<OrderOptions>({
    name: 'unpin',
    json: { is: 'lines', schema: 'override' },
    about: 'end a pin before it runs out',
    args: whom,
    options: [all(), reason(), option('-y, --yes', 'do not ask, even if the VIP moves'), dryRun(['yes'])],
    notes: `Without the pin the VIP is where VRRP’s master is, within a minute: where that moves it, unpin names
the node and asks.`,
    examples: ['vipshift unpin web', `vipshift unpin web --yes --reason 'change 4711 is done'`],
    load: order('unpin'),
  });

export const freezeCommand = () =>
  defineCommand<OrderOptions>({
    name: 'freeze',
    json: { is: 'lines', schema: 'override' },
    about:
      'nothing moves: claims are recorded, and followed after the freeze; cancels a forced failover that is under way',
    args: whom,
    options: [all(), ...expiring(), dryRun()],
    examples: [
      `vipshift freeze web --for 30m --reason 'network maintenance in zone b'`,
      `vipshift freeze --all --for 2h --reason 'change window 4711'`,
    ],
    load: order('freeze'),
  });

/** In the record it is an order `thaw`, as it was called. */
export const unfreezeCommand = () =>
  defineCommand<OrderOptions>({
    name: 'unfreeze',
    json: { is: 'lines', schema: 'override' },
    formerly: ['thaw'],
    about: 'end a freeze before it runs out',
    args: whom,
    options: [all(), reason(), option('-y, --yes', 'do not ask, even if a VIP moves'), dryRun(['yes'])],
    notes: `What was claimed during the freeze is followed within a minute: where that moves a VIP, unfreeze
names the node and asks.`,
    examples: ['vipshift unfreeze web', 'vipshift unfreeze --all --yes'],
    load: order('thaw'),
  });
