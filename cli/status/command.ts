// `vipshift status`: its command line. run.ts does the work.
import { defineCommand } from '../command/command.ts';
import { option, positive } from '../command/options.ts';
import { LOOKS_MAX, type StatusOptions } from './options.ts';

export const statusCommand = () =>
  defineCommand<StatusOptions>({
    name: 'status',
    json: { is: 'lines', schema: 'status' },
    about: 'owner, claims, routes, EIPs, drift, lease, orders: as they are now',
    args: [{ name: '[vip]', about: 'one VIP in full; without it all of them in a line each', is: 'vip' }],
    options: [
      option('-w, --watch', 'look again and again, until Ctrl-C'),
      option('--every <seconds>', 'between two looks of --watch', {
        parse: positive(3600),
        default: 2,
        onlyWith: 'watch',
      }),
      option('--count <n>', 'end --watch after so many looks', {
        parse: positive(LOOKS_MAX),
        onlyWith: 'watch',
      }),
      option('--check', 'end with status 1 unless all is well, for scripts'),
    ],
    examples: [
      'vipshift status',
      'vipshift status web --watch',
      `vipshift status --check --json | jq -r 'select(.health != "well") | .vip'`,
    ],
    load: async () => (await import('./run.ts')).run,
  });
