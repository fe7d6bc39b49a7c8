// `vipshift completion-values`: what the completion script asks for. Not in the help; values.ts does the work.
import { defineCommand } from '../command/command.ts';
import { valueKinds } from './values.ts';

export const completionValuesCommand = () =>
  defineCommand({
    name: 'completion-values',
    about: 'names that the completion script offers, one per line',
    hidden: true,
    args: [
      { name: '<kind>', choices: valueKinds },
      { name: '[vip]', about: 'what of it is asked for, if anything' },
    ],
    examples: ['vipshift completion-values node web'],
    load: async () => (await import('./look-up.ts')).values,
  });
