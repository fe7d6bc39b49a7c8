// The protections of the shim, each taken out of its model: what it sends first, what survives its end and a FIFO that is made again, and
// of what it says nothing. The shim itself meets the same faults in test/notify.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `test/sim/node/${file}.ts`,
  replace,
  by,
});

export const shim: readonly Control[] = [
  {
    name: 'a shim sends what was said first before the newest',
    breaks: ['reports'],
    patches: [patch('machine', '[...newest, ...spool.filter(isSuperseded)]', '[...spool, ...newest]')],
  },
  {
    name: 'a shim that starts on a full disk has an empty spool',
    breaks: ['reports'],
    patches: [
      patch(
        'mishaps',
        "({ spool }: Machine, _disk: 'fine' | 'full'): Machine['spool'] => spool;",
        "({ spool }: Machine, disk: 'fine' | 'full'): Machine['spool'] => (disk === 'full' ? [] : spool);",
      ),
    ],
  },
  {
    name: 'a FIFO that keepalived makes again is not found',
    breaks: ['reports', 'convergence'],
    patches: [patch('mishaps', 'if (machine.alive) follow(machine, road);', 'if (machine.alive) return;')],
  },
  {
    name: 'an instance that keepalived no longer has is asserted',
    breaks: ['reports'],
    patches: [patch('machine', 'of.named && !(machine.unread', '!(machine.unread')],
  },
  {
    name: 'what the function URL took leaves the spool',
    breaks: ['reports'],
    patches: [
      patch(
        'direct',
        "line.directly = said ? 'answered' : 'not yet';",
        "line.directly = said ? 'answered' : 'not yet';\n      if (said) Object.assign(machine, { spool: machine.spool.filter((other) => other !== line) });",
      ),
    ],
  },
];
