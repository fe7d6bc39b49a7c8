// `vipshift failover`: moves a VIP to a node by order. The ways to do it are files of their own.
import { Command } from 'commander';
import { act } from './act.ts';
import { breakGlass, type FailoverOptions } from './break-glass.ts';
import { withCommon } from './options.ts';

export const failoverCommand = () =>
  act<FailoverOptions>(
    withCommon(
      new Command('failover')
        .description('move a VIP to a node now')
        .argument('<vip>')
        .requiredOption('--to <node>', 'the instance')
        .requiredOption('--reason <text>', 'why, for the record')
        .requiredOption(
          '--break-glass',
          'do it from this machine, under the controller’s own lease (the only way so far)',
        )
        .option('--for <duration>', 'how long the node keeps the VIP against what VRRP elects', '15m')
        .addHelpText(
          'after',
          `
A runbook that asks for approval will come; until then only --break-glass is offered. It needs
DynamoDB and EC2, but neither EventBridge nor Lambda.

Example:
  $ vipshift failover web --to i-0abc1234def567890 --break-glass --reason 'EventBridge is down'
Take the pin back afterwards: vipshift unpin web`,
        ),
    ),
    breakGlass,
  );
