// The protections of the two ways, each taken out: who speaks, whose silence counts, and who goes on where the first carrier dies.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({ file, replace, by });

export const direct: readonly Control[] = [
  {
    name: 'anyone may speak for a node',
    breaks: ['never worse', 'convergence', 'no claim lost', 'order'],
    patches: [patch('shared/vip/admission.ts', 'if (node !== claim.node) {', 'if (false) {')],
  },
  {
    name: 'a window counts against every node, whatever way it was filled by',
    breaks: ['never worse', 'convergence', 'order'],
    patches: [
      patch(
        'shared/vip/liveness.ts',
        'if (ways === undefined || heardDirectly.length === 0) return heard;',
        '',
      ),
    ],
  },
  {
    name: 'the second copy of a claim does not wait for the first one’s lease',
    breaks: ['second carrier'],
    patches: [
      patch(
        'shared/controller/next-action.ts',
        'told.isOwnWrite === true || (told.isSecondCopy === true && isCausedBy(lease, told.claim));',
        'told.isOwnWrite === true && !(told.isSecondCopy === true && isCausedBy(lease, told.claim));',
      ),
    ],
  },
  {
    name: 'what the function URL took leaves the spool',
    breaks: ['reports'],
    patches: [
      patch(
        'test/sim/node/machine.ts',
        'line.directly ||= said;',
        'line.directly ||= said;\n      if (said) machine.spool = machine.spool.filter((other) => other !== line);',
      ),
    ],
  },
];
