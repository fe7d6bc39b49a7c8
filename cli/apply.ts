// `vipshift apply FILE`: the command line of it. apply-file.ts does it.
import { Command, Option } from 'commander';
import { act } from './act.ts';
import { onlyWith } from './contradictions.ts';
import { usage } from './exit.ts';
import { withCommon } from './options.ts';

export interface ApplyOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly force?: boolean;
  readonly reason?: string;
}

export const applyCommand = () =>
  act<ApplyOptions>(
    withCommon(
      new Command('apply')
        .description('make the ledger say what a YAML file says, after showing the difference')
        .argument('<file>', 'the file; - for stdin')
        .option('-y, --yes', 'do not ask')
        .addOption(
          new Option('--dry-run', 'show the difference only; status 1 when there is one').conflicts('yes'),
        )
        .option('--prune', 'also remove VIPs that the file does not name')
        .addOption(
          onlyWith(
            new Option('--force', 'with --prune: although route tables still bear the label'),
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
        throw usage('stdin is the file, so nobody can be asked', 'say --yes or --dry-run');
      return (await import('./apply-file.ts')).applyFile;
    },
  );
