// `vipshift drain` and `undrain`: a node that is to be stopped, rebooted or replaced gives its VIPs away first. The command lines;
// drain.ts and undrain.ts do the work.
import { defineCommand } from '../command/command.ts';
import { NODE_WORDS } from '../command/node/chosen.ts';
import { option, reason } from '../command/options.ts';
import type { DrainOptions } from './drain.ts';
import type { UndrainOptions } from './undrain.ts';

const nodes = [{ name: '<node...>', about: `each by ${NODE_WORDS}`, is: 'node' as const }];

export const drainCommand = () =>
  defineCommand<DrainOptions>({
    name: 'drain',
    about: 'empty a node before it is stopped, rebooted or replaced: its VIPs go to others, and stay there',
    json: { is: 'lines', schema: 'drain' },
    args: nodes,
    options: [
      option('--for <duration>', 'until it runs out: 30m, 4h, 2d; at most 72h', { default: '4h' }),
      reason({ mandatory: true }),
      option('-y, --yes', 'do not ask, even if something is against a move'),
      option('--detach', 'do not wait until the node is empty'),
      option('--dry-run', 'show where each VIP would go, or why it would stay; change nothing', {
        conflicts: ['yes', 'detach'],
      }),
    ],
    notes: `A drained node is passed over while another one can have the VIP, also when VRRP elects it. With
hold both only the routes move; with hold master keepalived is demoted there, as by failover.
What is frozen stays, and so does a VIP that no other node can have.

Exit status: 0 the nodes own no VIP (or would not); 1 they still own one.`,
    examples: [
      `vipshift drain i-0abc1234def567890 --reason 'kernel update' --dry-run`,
      `vipshift drain i-0abc1234def567890 --for 1h --reason 'kernel update'`,
    ],
    more: `When it ends, or is taken back (vipshift undrain), a VIP goes where VRRP’s master is: back, unless
keepalived’s master is another node by then.`,
    load: async () => (await import('./drain.ts')).drain,
  });

export const undrainCommand = () =>
  defineCommand<UndrainOptions>({
    name: 'undrain',
    about: 'end a drain before it runs out',
    json: { is: 'lines', schema: 'drain' },
    args: nodes,
    options: [
      reason(),
      option('-y, --yes', 'do not ask, even if a VIP moves'),
      option('--dry-run', 'show what would end, and what would move; change nothing', { conflicts: ['yes'] }),
    ],
    notes: `Where a VIP moves back when the drain ends, undrain names it and asks.`,
    examples: [
      'vipshift undrain i-0abc1234def567890',
      `vipshift undrain i-0abc1234def567890 --yes --reason 'the update is done'`,
    ],
    load: async () => (await import('./undrain.ts')).undrain,
  });
