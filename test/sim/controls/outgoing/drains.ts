// The protections of docs/decisions/0039, each taken out: a node that an operator wants empty, and what a drain must not do.
import type { Control } from '../protocol.ts';
import type { Patch } from '../variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `shared/${file}.ts`,
  replace,
  by,
});

export const drains: readonly Control[] = [
  {
    name: 'the election does not ask who is drained',
    breaks: ['drained'],
    patches: [
      patch(
        'vip/election',
        'pastOutgoing(vip, asIfAllStay(vip, masters, heard, now), heard, now)',
        'asIfAllStay(vip, masters, heard, now)',
      ),
    ],
  },
  {
    name: 'a drained node does not keep the VIP when it is the last',
    breaks: ['convergence'],
    patches: [
      patch(
        'vip/election',
        'if (place === undefined) return elected;',
        "if (place === undefined) return { owner: vip.owner, reason: { key: 'no-candidate' } };",
      ),
    ],
  },
  {
    name: 'a drain gives the VIP to a standby that withdrew',
    breaks: ['convergence'],
    patches: [
      patch(
        'vip/election',
        'const fit = Object.keys(vip.members).filter((node) => unfit(vip, node) === undefined);',
        'const fit = Object.keys(vip.members).filter((node) => vip.claims[node] !== undefined);',
      ),
    ],
  },
  {
    name: 'with hold master a drain gives the VIP to a standby',
    breaks: ['convergence', 'never worse'],
    patches: [patch('vip/election', "if (vip.hold !== 'both') return undefined;", '')],
  },
  {
    name: 'a pin holds a VIP at a drained node',
    breaks: ['drained'],
    patches: [
      patch(
        'vip/election',
        'if (why === undefined) return elected;',
        "if (why === undefined || reason.key === 'pinned') return elected;",
      ),
    ],
  },
  {
    name: 'a drain never ends',
    breaks: ['convergence'],
    patches: [
      patch('vip/vip', 'drain !== undefined && now < drain.untilMs ? drain', 'drain !== undefined ? drain'),
    ],
  },
  {
    name: 'a drain moves a VIP that is frozen',
    breaks: ['orders'],
    patches: [
      patch(
        'vip/election',
        'if (isLiveOrder(vip.freeze, now)) return',
        'if (isLiveOrder(vip.freeze, now) && vip.drains === undefined) return',
      ),
      patch('switch/run-epoch', 'if (isLiveOrder(vip.freeze, now) || election.owner', 'if (election.owner'),
      patch('controller/assess', 'const frozen = isLiveOrder(vip.freeze, now);', 'const frozen = false;'),
    ],
  },
  {
    name: 'reconcile forgets drains that have not ended',
    breaks: ['drained'],
    patches: [
      patch(
        'vip/vip',
        '(node) => drainOf(vip, node, now) !== undefined);',
        '(node) => node === String(now));',
      ),
    ],
  },
  {
    name: 'a VIP is forced to a node that is drained',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/preflight',
        'if (drain !== undefined) reasons.push',
        'if (drain === null) reasons.push',
      ),
    ],
  },
  {
    name: 'a drained node drains the others of its VIP',
    breaks: ['convergence', 'drained'],
    patches: [
      patch(
        'vip/vip',
        'const drain = drains?.[node];',
        'const drain = Object.values(drains ?? {})[0] ?? drains?.[node];',
      ),
    ],
  },
];

/** Those of docs/decisions/0045 and 0047: a node that AWS is about to take. */
export const leavings: readonly Control[] = [
  {
    name: 'a claim that comes late tells that no one took over from a node that leaves',
    breaks: ['leaving'],
    patches: [
      patch(
        'controller/notices/leaving',
        "return is?.bootId === claim.bootId && is.since === claim.since && is.state === 'MASTER';",
        'return is !== undefined;',
      ),
    ],
  },
  {
    name: 'the election does not ask who is about to go',
    breaks: ['drained', 'convergence'],
    patches: [
      patch(
        'vip/vip',
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
        'vip/node-state',
        '...defined({ leaving: last.leaving, atRisk: last.atRisk }),',
        '...defined({ leaving: last.leaving ?? known.leaving ?? told.leaving }),',
      ),
      patch(
        'vip/node-state',
        'return isNewerTransition(told, known) ? told : known;',
        '{\n    const newer = isNewerTransition(told, known) ? told : known;\n    return known.leaving === undefined ? newer : { ...newer, leaving: known.leaving };\n  }',
      ),
    ],
  },
  {
    name: 'a node that is about to go fails until it is gone',
    breaks: ['leaving'],
    patches: [
      {
        file: 'test/sim/node/leaving.ts',
        replace: "raise(world, machine, 'low');",
        by: 'if (machine.boot > 0) return;',
      },
    ],
  },
  {
    name: 'each claim of a node that is about to go tells people of it',
    breaks: ['leaving'],
    patches: [
      patch(
        'controller/notices/leaving',
        'strandedTold[stranded.node]?.cause !== stranded.cause;',
        'strandedTold !== undefined;',
      ),
    ],
  },
  {
    name: 'a caller that reads that people have been told tells them, too',
    breaks: ['leaving'],
    patches: [
      patch('controller/notices/leaving', 'is?.strandedTold?.[stranded.node]?.by !== by', 'is === undefined'),
      patch('controller/notices/leaving', "if (noteBy('')(item) === item) return {};", ''),
    ],
  },
  {
    name: 'a node that is about to go under a freeze, or as the last, is no news',
    breaks: ['leaving'],
    patches: [
      patch(
        'controller/notices/leaving',
        'await ports.bus.leaving(item.name, stranded)',
        'await Promise.resolve()',
      ),
    ],
  },
  {
    name: 'what no other keepalived took from a node that is about to go is no news',
    breaks: ['leaving'],
    patches: [patch('controller/notices/leaving', 'becameMaster(was, claim)', 'false')],
  },
];
