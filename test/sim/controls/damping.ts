// The protections of docs/decisions/0035, each taken out: a node that flaps, and what damping must not do.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `shared/${file}.ts`,
  replace,
  by,
});

export const damping: readonly Control[] = [
  {
    name: 'no node is damped',
    breaks: ['damping'],
    patches: [patch('vip/flapping', 'FLAPS_MIN = 4;', 'FLAPS_MIN = 1e9;')],
  },
  {
    name: 'damping goes on for five minutes',
    breaks: ['damping', 'convergence'],
    patches: [
      patch('vip/flapping', 'FLAP_WINDOW: DurationMs = minutes(1)', 'FLAP_WINDOW: DurationMs = minutes(5)'),
    ],
  },
  {
    name: 'the transitions of one node damp another',
    breaks: ['damping'],
    patches: [
      patch(
        'vip/flapping',
        '(vip.transitions?.[node] ?? []).filter(',
        'Object.values(vip.transitions ?? {}).flat().filter(',
      ),
    ],
  },
  {
    name: 'a transition that is told twice counts twice',
    breaks: ['damping'],
    patches: [patch('vip/flapping', 'a.boot === b.boot && a.since === b.since;', 'a === b;')],
  },
  {
    name: 'damping keeps a VIP at an owner that withdrew',
    breaks: ['damping', 'convergence'],
    patches: [
      patch(
        'vip/election',
        'if (node === damped.node || unfit(vip, node) !== undefined)',
        'if (node === damped.node || vip.claims[node] === undefined)',
      ),
    ],
  },
  {
    name: 'damping keeps a VIP at an owner that is dead',
    breaks: ['damping', 'convergence'],
    patches: [
      patch('vip/election', "REPORTED_WITHIN[isMaster ? 'MASTER' : 'BACKUP'];", 'Number.POSITIVE_INFINITY;'),
    ],
  },
  {
    name: 'damping never ends',
    breaks: ['convergence'],
    patches: [
      patch(
        'vip/flapping',
        'storm === undefined || now - newest[0]!.atMs >= FLAP_WINDOW',
        'storm === undefined',
      ),
      // Else reconcile forgets them a minute later.
      patch('vip/flapping', 'of.some(({ atMs }) => now - atMs < FORGET_AFTER),', 'of.length > 0,'),
    ],
  },
  {
    name: 'a standby that flapped does not get the VIP of an owner that died',
    breaks: ['damping'],
    patches: [
      patch(
        'vip/election',
        'if (node === undefined) return elected;',
        "if (node === undefined) return { owner: vip.owner, reason: { key: 'no-candidate' } };",
      ),
    ],
  },
  {
    name: 'a node is damped before it flaps',
    breaks: ['never worse'],
    patches: [patch('vip/flapping', 'FLAPS_MIN = 4;', 'FLAPS_MIN = 2;')],
  },
  {
    name: 'with hold master a VIP rests at a standby',
    breaks: ['damping', 'never worse', 'convergence'],
    patches: [patch('vip/election', "if (vip.hold === 'master' && !isMaster) return false;", '')],
  },
  {
    name: 'every failover of a storm is announced',
    breaks: ['damping'],
    patches: [patch('switch/outcome', 'decision.flapping.length === 0 ? {}', 'true ? {}')],
  },
  {
    name: 'a storm is announced again by each transition',
    breaks: ['damping'],
    patches: [patch('controller/notices/storm', 'if (!beginsStorm(', 'if (false && !beginsStorm(')],
  },
];
