// The bugs that the simulation found in this code: each put back, so that it stays findable. A smallest history of each
// is a line of regressions/kept.jsonl, by its name.
// Two more, about plans longer than an invocation, cannot be put back alone any more: a failed switch now pauses.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `shared/${file}.ts`,
  replace,
  by,
});

export const found: readonly Control[] = [
  {
    name: 'reconcile gives up when a claim comes in between',
    breaks: ['convergence'],
    patches: [
      patch(
        'controller/reconcile',
        'if (again === undefined || isLive(again.lease, ports.clock.now())) break;',
        'break;',
      ),
    ],
  },
  {
    name: 'a renewal that lands late shortens the lease',
    breaks: ['one writer'],
    patches: [patch('memory/vip-store', 'if (expiresAtMs > vip.lease.expiresAtMs) {', 'if (true) {')],
  },
  {
    name: 'a renewal that leaves rev alone',
    breaks: ['one writer'],
    patches: [patch('memory/vip-store', 'rev: vip.rev + 1, lease:', 'lease:')],
  },
  {
    name: 'every VIP takes the first free address',
    breaks: ['convergence'],
    patches: [
      patch('network/plan', 'return place === -1 ? textHash(at.eip) : place;', 'return 0;'),
      // Else the read-back repairs it.
      patch('switch/verify', 'return eip !== undefined && eip !== own.eip;', 'return false;'),
      // Else the sweep looks again.
      patch('controller/reconcile-all', 'if (displaced.size === 0)', 'if (displaced.size >= 0)'),
    ],
  },
  {
    name: 'departed members are strangers',
    breaks: ['convergence'],
    patches: [patch('controller/reconcile', 'if (gone.length === 0) return vip.wrote;', 'return vip.wrote;')],
  },
  {
    name: 'what could not be moved is forgotten',
    breaks: ['convergence'],
    patches: [
      patch(
        'switch/switch-vip',
        'held.committable && !unmet && !mayLand, sent',
        'held.committable && !mayLand, sent',
      ),
    ],
  },
  {
    name: 'a late claim takes an epoch first',
    breaks: ['order'],
    patches: [patch('controller/handle-claim', 'isUrgent(claim) && !isLate(claim, now)', 'isUrgent(claim)')],
  },
  {
    name: 'a refusal hides an attempt without an answer',
    breaks: ['true record'],
    patches: [patch('switch/verify', "is.result === 'failed' && was.result === 'unknown'", 'false')],
  },
  {
    name: 'late is five slots back',
    breaks: ['never worse', 'order', 'convergence'],
    patches: [
      patch(
        'vip/node-state',
        'slot: late ? NEVER_IN_TIME : windowOf(claim.timeMs),',
        'slot: windowOf(claim.timeMs) - (late ? 5 : 0),',
      ),
    ],
  },
  {
    name: 'a late word wins where there is no other',
    breaks: ['never worse', 'order'],
    patches: [patch('vip/election', ' && c.nodeState.slot !== NEVER_IN_TIME', '')],
  },
  {
    name: 'a late lower-advert counts',
    breaks: ['order', 'convergence'],
    patches: [
      patch('vip/node-state', "claim.kind !== 'lower-advert' || late", "claim.kind !== 'lower-advert'"),
    ],
  },
  {
    name: 'a departed member is forgotten while something may still land on it',
    breaks: ['convergence'],
    patches: [
      patch(
        'switch/switch-vip',
        'held.committable && !unmet && !mayLand, sent',
        'held.committable && !unmet, sent',
      ),
    ],
  },
  {
    name: 'what a stopped node said before brings it back',
    breaks: ['order', 'never worse', 'convergence'],
    patches: [
      patch(
        'vip/node-state',
        'seq: Math.max((nodeState.upMs + 1) * 1000, (at - nodeState.bootAtMs) * 1000),',
        'seq: nodeState.seq,',
      ),
    ],
  },
  {
    name: 'a claim that comes late fills an evidence window',
    breaks: ['order'],
    patches: [patch('vip/liveness', 'slot !== NEVER_IN_TIME;', 'slot >= NEVER_IN_TIME;')],
  },
  {
    name: 'the second copy of what a stopped node said before brings it back',
    breaks: ['no claim lost'],
    patches: [patch('vip/node-state', 'word.stampMs > gone + ORDER_DOUBT', 'word.stampMs > gone')],
  },
  {
    name: 'a node that was stopped and lives is believed by the clock of its boot alone',
    breaks: ['convergence'],
    patches: [
      patch('vip/node-state', 'if (bGone === undefined && livesAfter(b, aGone)) return b;', ''),
      patch('vip/node-state', 'if (aGone === undefined && livesAfter(a, bGone)) return a;', ''),
    ],
  },
  {
    name: 'what a read-back does not show counts as right',
    breaks: ['true record'],
    patches: [
      patch('switch/verify', 'steps.filter((s) => !isShown(s, vip, seen))', 'steps.filter(() => false)'),
    ],
  },
  {
    name: 'what was not carried out counts as right when a read that is too early shows it',
    breaks: ['true record'],
    patches: [
      patch(
        'switch/verify',
        "fresh ? [] : steps.filter((s) => !unseen.includes(s) && s.result !== 'done')",
        '[] as StepTried[]',
      ),
    ],
  },
  {
    name: 'what landed and was refused when it was sent again counts as failed, though it is read back',
    breaks: ['true record'],
    patches: [patch('switch/verify', "result === 'unknown' || landed === true", "result === 'unknown'")],
  },
  {
    name: 'what landed and was refused when it was sent again counts as failed, though no read has followed',
    breaks: ['true record'],
    patches: [patch('switch/verify', "s.result === 'failed' && s.landed === true", 'false')],
  },
  {
    name: 'a VIP that has just left the registry is moved',
    breaks: ['orders'],
    patches: [
      patch('switch/switch-vip', ' || before.removedAtMs !== undefined', ''),
      patch(
        'controller/reconcile',
        "if (read.removedAtMs !== undefined) return idle(read, 'skipped', 'removed from the registry');",
        '',
      ),
    ],
  },
  {
    name: 'a removed VIP goes on under a new epoch',
    breaks: ['orders'],
    patches: [patch('switch/switch-vip', 'item.removedAtMs === undefined &&', '')],
  },
  {
    name: 'a long plan ignores the election',
    breaks: ['convergence'],
    patches: [
      patch('switch/held-lease', 'expiresAtMs = until;\n      wanted = wants(item);', 'expiresAtMs = until;'),
      // Else a holder that waits for EC2's budget sees it.
      patch('switch/held-lease', 'lease.epoch) wanted = wants(item);', 'lease.epoch) return;'),
    ],
  },
  {
    name: 'an order is done although an EIP found no place',
    breaks: ['orders'],
    patches: [patch('forced-failover/execute', ', ...unmetCells(conflicts)];', '];')],
  },
  {
    name: 'of two masters that cannot be told apart the one with the later bound wins',
    breaks: ['order'],
    patches: [patch('vip/election', 'c.node === vip.owner && isAsNew(c, newest)', 'c === newest')],
  },
  {
    name: 'EIPs that displaced each other in a sweep wait for the next one',
    breaks: ['convergence'],
    patches: [patch('controller/reconcile-all', 'if (displaced.size === 0)', 'if (displaced.size >= 0)')],
  },
  {
    name: 'a caller whose reply was lost announces the storm that a later transition began',
    breaks: ['damping'],
    patches: [patch('controller/handle-claim', 'after: action.recorded }', 'after: taken }')],
  },
  {
    name: 'a storm is announced again by a transition from before the last ones',
    breaks: ['damping'],
    patches: [
      patch(
        'controller/notices/storm',
        '[...countedTransitions(before, node), ...counted]',
        'counted.filter((one) => one.atMs <= added.atMs)',
      ),
    ],
  },
  {
    name: 'calls that were given up keep their place in the queue',
    breaks: ['convergence'],
    patches: [patch('switch/execute', 'isWanted = false;', '')],
  },
];
