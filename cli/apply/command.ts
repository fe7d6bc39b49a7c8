// `vipshift apply FILE`: its command line. run.ts does the work.
import { defineCommand } from '../command/command.ts';
import { usage } from '../command/exit.ts';
import { option, reason } from '../command/options.ts';
import type { ApplyOptions } from './options.ts';

export const applyCommand = () =>
  defineCommand<ApplyOptions>({
    name: 'apply',
    json: { is: 'lines', schema: 'apply' },
    about: 'make the registry match a YAML file, after showing the difference',
    args: [{ name: '<file>', about: 'the file; - for stdin', is: 'file' }],
    options: [
      option('-y, --yes', 'do not ask'),
      option('--dry-run', 'show the difference only; status 1 when there is one', { conflicts: ['yes'] }),
      option('--prune', 'also remove VIPs that are not in the file'),
      option('--force', 'with --prune: even if route tables still have the label', { onlyWith: 'prune' }),
      reason(),
    ],
    notes: `The file:
  vips:
    web:
      vpc: vpc-0abc1234def567890
      addresses: [192.168.255.10, "fd77:7669:7073::10"]
      eips: [eipalloc-0abc1234def567890]
    dns:
      pool: 192.168.255.0/24      # drawn once; later runs keep what was drawn
      tableLabels: [core]         # default: the name
      hold: master                # default: both
      priority: first             # default: normal; first where EC2’s request budget is short`,
    examples: [
      'vipshift apply vips.yaml --dry-run',
      'vipshift apply vips.yaml --yes --reason "$(git log -1 --format=%h)"',
    ],
    async load({ args, options }) {
      if (args[0] === '-' && options.yes !== true && options.dryRun !== true)
        throw usage('stdin is the file, so it cannot ask', 'say --yes or --dry-run');
      return (await import('./run.ts')).applyFile;
    },
  });
