// `vipshift pin|unpin|freeze|thaw`: orders that run out by themselves, each recorded before it takes effect.
//
// Beside a forced failover that is under way: a freeze cancels it, in the same write; a pin elsewhere is refused, and so is an
// unpin of the pin that it set.
//
// Limit: an order is a word in the VIP's item. The controller follows it with the next claim or reconcile, within a
// minute; what has to move at once is a failover.
import { Command } from 'commander';
import { defineCommand, type ParsedArgs } from '../command/command.ts';
import { usage } from '../command/exit.ts';
import { withCommon } from '../command/options.ts';
import { give, type OrderOptions } from './override.ts';

const whom = (command: Command): Command =>
  command.argument('[vip...]', 'these VIPs').option('--all', 'every VIP of the ledger');

const expiring = (command: Command): Command =>
  command
    .option('--for <duration>', 'until it runs out: 30m, 2h, 1d; at most 30d', '1h')
    .requiredOption('--reason <text>', 'why, for the record');

export const pinCommand = () =>
  defineCommand<OrderOptions>(
    withCommon(
      expiring(
        whom(new Command('pin'))
          .description('let one node own a VIP while it is fit, whatever VRRP elects')
          .requiredOption('--to <node>', 'the instance')
          .addHelpText(
            'after',
            `
Example:
  $ vipshift pin web --to i-0abc1234def567890 --for 2h --reason 'kernel update on the other node'`,
          ),
      ),
    ),
    async (line) => {
      refuseUnaddressed(line);
      return (run) => give(run, 'pin');
    },
  );

export const unpinCommand = () =>
  defineCommand<OrderOptions>(
    withCommon(
      whom(new Command('unpin'))
        .description('take a pin back before it runs out')
        .option('--reason <text>', 'why, for the record')
        .option('-y, --yes', 'do not ask, also where the VIP moves')
        .addHelpText(
          'after',
          `
Without the pin the VIP is where VRRP’s master is, within a minute: where that moves it, unpin says
where to and asks.

Examples:
  $ vipshift unpin web
  $ vipshift unpin web --yes --reason 'change 4711 is done'`,
        ),
    ),
    async (line) => {
      refuseUnaddressed(line);
      return (run) => give(run, 'unpin');
    },
  );

export const freezeCommand = () =>
  defineCommand<OrderOptions>(
    withCommon(
      expiring(
        whom(new Command('freeze'))
          .description(
            'nothing moves: claims are recorded, and followed after the freeze; cancels a forced failover that is under way',
          )
          .addHelpText(
            'after',
            `
Examples:
  $ vipshift freeze web --for 30m --reason 'network maintenance in zone b'
  $ vipshift freeze --all --for 2h --reason 'change window 4711'`,
          ),
      ),
    ),
    async (line) => {
      refuseUnaddressed(line);
      return (run) => give(run, 'freeze');
    },
  );

export const thawCommand = () =>
  defineCommand<OrderOptions>(
    withCommon(
      whom(new Command('thaw'))
        .description('take a freeze back before it runs out')
        .option('--reason <text>', 'why, for the record')
        .option('-y, --yes', 'do not ask, also where a VIP moves')
        .addHelpText(
          'after',
          `
What was claimed during the freeze is followed within a minute: where that moves a VIP, thaw says
where to and asks.

Examples:
  $ vipshift thaw web
  $ vipshift thaw --all --yes`,
        ),
    ),
    async (line) => {
      refuseUnaddressed(line);
      return (run) => give(run, 'thaw');
    },
  );

function refuseUnaddressed({ args, options }: ParsedArgs<OrderOptions>): void {
  if ((options.all === true) === args.length > 0)
    throw usage('which VIPs?', 'name them, or say --all; not both');
}
