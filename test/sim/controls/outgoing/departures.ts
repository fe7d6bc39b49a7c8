// The protections of docs/decisions/0048, each taken out: a node leaves when AWS warns of it, and by that alone.
import type { Control } from '../protocol.ts';
import type { Patch } from '../variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `shared/${file}.ts`,
  replace,
  by,
});

export const departures: readonly Control[] = [
  {
    name: 'the sweep announces nothing that EC2 has scheduled',
    breaks: ['departures'],
    patches: [patch('controller/warned', 'slice(0, ANNOUNCED_MAX)) await', 'slice(0, 0)) await')],
  },
  {
    name: 'what is called off keeps its drain',
    breaks: ['departures'],
    patches: [
      patch(
        'departure/warned',
        'was !== undefined && isIts(was) ? withoutDrain(was, node) : was',
        'was !== undefined && isIts(was) ? was : was',
      ),
    ],
  },
  {
    name: 'what is called off does not ask what else is due',
    breaks: ['departures'],
    patches: [
      patch(
        'departure/warned',
        'isAsked ? await stillDue(ports, node, startsAtMs) : undefined',
        'isAsked ? await stillDue(ports, node, startsAtMs).then(() => undefined) : undefined',
      ),
    ],
  },
  {
    name: 'what is called off ends the drain of an operator',
    breaks: ['departures'],
    patches: [
      patch(
        'controller/warned',
        'if (departure === undefined) return false;',
        'if (departure === undefined) return drainOf(vip, node, now) !== undefined;',
      ),
    ],
  },
  {
    name: 'a departure shortens the drain of an operator',
    breaks: ['departures'],
    patches: [patch('departure/leave', 'own === undefined || own.untilMs < untilMs', 'true')],
  },
  {
    name: 'a departure drains a node again whose drain an operator has ended',
    breaks: ['departures'],
    patches: [
      patch('departure/leave', 'drained.has(name) ? was : await drain(', 'false ? was : await drain('),
    ],
  },
  {
    name: 'a departure drains no node',
    breaks: ['departures', 'convergence'],
    patches: [
      patch(
        'departure/leave',
        '(is) => (isRegistered(is) ? change(is) : is)',
        '(is) => (isRegistered(is) ? is : is)',
      ),
    ],
  },
  {
    name: 'the report of a departure does not say why',
    breaks: ['departures'],
    patches: [patch('departure/leave', '`Cause: ${why} (${by})`', '`Cause: ${by}`')],
  },
  {
    name: 'what is over leaves the drain of a node that is a member no more',
    breaks: ['departures'],
    patches: [
      patch(
        'controller/warned',
        'registered.some((vip) => isDrainedFor(vip, node, startsAtMs, now))',
        'registered.some((vip) => vip.members[node] !== undefined && isDrainedFor(vip, node, startsAtMs, now))',
      ),
    ],
  },
  {
    name: 'maintenance that a drain is handed over to has no departure of its own',
    breaks: ['departures'],
    patches: [
      patch('departure/warned', 'if (ended.next !== undefined) departures.push(startOf(ended.next));', ''),
    ],
  },
];
