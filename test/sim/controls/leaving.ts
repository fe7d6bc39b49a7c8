// The protections of docs/decisions/0045 and 0047, each taken out: a node that AWS is about to take.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (path: string, replace: string, by: string): Patch => ({ file: `${path}.ts`, replace, by });

export const leavings: readonly Control[] = [
  {
    name: 'the election does not ask who is about to go',
    breaks: ['drained', 'convergence'],
    patches: [
      patch(
        'shared/vip/vip',
        "return cause === undefined ? undefined : { key: 'leaving', cause };",
        'return undefined;',
      ),
    ],
  },
  {
    name: 'a node once about to go is so for good',
    breaks: ['convergence'],
    patches: [
      patch(
        'shared/vip/node-state',
        '...defined({ leaving: last.leaving, atRisk: last.atRisk }),',
        '...defined({ leaving: last.leaving ?? known.leaving ?? told.leaving }),',
      ),
      patch(
        'shared/vip/node-state',
        'return isNewerTransition(told, known) ? told : known;',
        '{\n    const newer = isNewerTransition(told, known) ? told : known;\n    return known.leaving === undefined ? newer : { ...newer, leaving: known.leaving };\n  }',
      ),
    ],
  },
  {
    name: 'a node that is about to go fails until it is gone',
    breaks: ['leaving'],
    patches: [
      patch('test/sim/node/leaving', "raise(world, machine, 'low');", 'if (machine.boot > 0) return;'),
    ],
  },
];
