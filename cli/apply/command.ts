// `vipshift apply FILE`: the command line of it. apply-file.ts does it.
import { Command, Option } from 'commander';
import { defineCommand } from '../command/command.ts';
import { onlyWith } from '../command/contradictions.ts';
import { usage } from '../command/exit.ts';
import { withCommon } from '../command/options.ts';
import type { ApplyOptions } from './run.ts';

export const applyCommand = () =>
  defineCommand<ApplyOptions>(
    withCommon(
      new Command('apply')
        .description('make the registry match a YAML file, after showing the difference')
        .argument('<file>', 'the file; - for stdin')
        .option('-y, --yes', 'do not ask')
        .addOption(
          new Option('--dry-run', 'show the difference only; status 1 when there is one').conflicts('yes'),
        )
        .option('--prune', 'also remove VIPs that the file does not name')
        .addOption(
          onlyWith(
            new Option('--force', 'with --prune: although route tables still have the label'),
            'prune',
          ),
        )
        .option('--reason <text>', 'why, for the record')
        .addHelpText(
          'after',
          `
The file:
  vips:
    web:
      vpc: vpc-0abc1234def567890
      addresses: [192.168.255.10, "fd77:7669:7073::10"]
      eips: [eipalloc-0abc1234def567890]
    dns:
      pool: 192.168.255.0/24      # drawn once; later runs keep what was drawn
      tableLabels: [core]         # default: the name
      hold: master                # default: both
      priority: first             # default: normal; first where EC2’s request budget is short

Examples:
  $ vipshift apply vips.yaml --dry-run
  $ vipshift apply vips.yaml --yes --reason "$(git log -1 --format=%h)"`,
        ),
    ),
    async ({ args, options }) => {
      if (args[0] === '-' && options.yes !== true && options.dryRun !== true)
        throw usage('stdin is the file, so it cannot ask', 'say --yes or --dry-run');
      return (await import('./run.ts')).applyFile;
    },
  );
