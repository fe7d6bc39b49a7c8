// Bugs that were planted: mistakes that one would be ashamed to miss, in places that no rule of the protocol's list speaks of.
// Each has to be caught as the others are; where one was not, the simulation was made stronger until it was. Two more were
// tried that it does not find, since something else heals them: see docs/simulation.md.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `shared/${file}.ts`,
  replace,
  by,
});

export const planted: readonly Control[] = [
  {
    name: 'a hint of an earlier life stops a node that has spoken since',
    breaks: ['no claim lost', 'never worse', 'convergence'],
    patches: [patch('controller/hint', ' || nodeState.seenMs > hint.atMs + STAMP_MS', '')],
  },
  {
    name: 'that an instance starts counts as its stop',
    breaks: ['no claim lost', 'never worse', 'convergence'],
    patches: [patch('controller/hint', "new Set(['stopping',", "new Set(['running', 'stopping',")],
  },
  {
    name: 'a lease is never renewed',
    breaks: ['convergence', 'nothing stuck', 'true record'],
    patches: [
      patch(
        'switch/held-lease',
        'if (lost || !mayRenew || expiresAtMs - clock.now() > RENEW_BELOW) return;',
        'if (expiresAtMs > 0) return;',
      ),
    ],
  },
  {
    // Each of the three alone keeps a record small enough.
    name: 'the messages are neither cut nor folded, and the size is not checked',
    breaks: ['nothing stuck', 'true record'],
    patches: [
      patch('aws/error-codes', "readable(text.replace(encodedPart, ''), MESSAGE_MAX);", 'text;'),
      patch(
        'timeline/fold-faults',
        'return known === undefined && reasons.has(key) ? step : rest;',
        'return step;',
      ),
      patch(
        'timeline/fit',
        'for (const reduce of reductions) {',
        'for (const reduce of reductions.slice(9)) {',
      ),
    ],
  },
  {
    name: 'a pin that an order set outlives what was asked',
    breaks: ['orders'],
    patches: [patch('forced-failover/execute', 'minutes(order.pinMinutes)', 'minutes(order.pinMinutes + 1)')],
  },
  {
    name: 'a refusal empties the budget for an hour',
    breaks: ['convergence'],
    patches: [
      patch(
        'rate-limit/shared-bucket',
        'PAUSE: DurationMs = seconds(1)',
        'PAUSE: DurationMs = seconds(3600)',
      ),
    ],
  },
  {
    name: 'a holder abandons its own epoch',
    breaks: ['true record'],
    patches: [
      patch(
        'switch/run-epoch',
        'Object.keys(vip.open).filter((holder) => holder !== heldLease.lease.holder)',
        'Object.keys(vip.open)',
      ),
    ],
  },
  {
    name: 'what could not be read back counts as verified',
    breaks: ['true record'],
    patches: [
      patch(
        'switch/verify',
        'verified: false,\n        conflicts: [],\n        notes: [`could not read back',
        'verified: true,\n        conflicts: [],\n        notes: [`could not read back',
      ),
    ],
  },
  {
    name: 'what was read back after the lease counts as verified',
    breaks: ['true record'],
    patches: [patch('switch/verify', 'const ours = heldLease.wasOurs(readBackAtMs);', 'const ours = true;')],
  },
  {
    name: 'the stored view is trusted like a fresh one',
    breaks: ['true record', 'convergence', 'order'],
    patches: [patch('switch/run-epoch', "  seen.source === 'ec2' &&\n", '')],
  },
  {
    name: 'the claims of a node that left are forgotten at once',
    breaks: ['no claim lost'],
    patches: [patch('controller/reconcile', ' && now - vip.claims[node]!.seenMs > TOMBSTONE_KEPT', '')],
  },
  {
    name: 'an EIP goes to an address that has another one',
    breaks: ['no gap', 'convergence'],
    patches: [patch('network/plan', 'a.eip === undefined && !taken', '!taken')],
  },
  {
    name: 'a freeze stops the election and not the switch',
    breaks: ['orders'],
    patches: [
      patch(
        'switch/run-epoch',
        'if (isLiveOrder(vip.freeze, now) || election.owner === undefined) return said;',
        'if (election.owner === undefined) return said;',
      ),
    ],
  },
  {
    name: 'an order that failed leaves its pin',
    breaks: ['orders', 'convergence'],
    patches: [
      patch('forced-failover/execute', 'isOurs(freed.pin, order) ? withoutPin(freed) : freed', 'freed'),
    ],
  },
  {
    name: 'an order overrides the pin of someone else',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/preflight',
        'if (pin !== undefined && isLiveOrder(pin, now) && pin.node !== order.to)',
        'if (false)',
      ),
    ],
  },
  {
    name: 'an order takes effect without a record',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/steps',
        "return { id: await record(ports, order, execution, { order: 'failover', by: order.by, reason }) };",
        'return { id: reason };',
      ),
    ],
  },
  {
    name: 'within a boot uptime alone decides, whatever AWS stamped',
    breaks: ['no node silenced'],
    patches: [
      patch(
        'vip/boot-clock',
        'return stamped && later.bootAtMs - earlier.bootAtMs > ORDER_DOUBT;',
        'return stamped && false;',
      ),
    ],
  },
  {
    name: 'within a boot the later transition decides, whatever was sent after it',
    breaks: ['no node silenced', 'convergence'],
    patches: [
      patch(
        'vip/node-state',
        'if (a.seq < begunAt(b)) return false;\n    if (b.seq < begunAt(a)) return true;',
        'return a.since > b.since;',
      ),
    ],
  },
  {
    name: 'across boots the later boot decides, whatever AWS stamped',
    breaks: ['no node silenced'],
    patches: [
      patch(
        'vip/boot-clock',
        'return a.stampMs - b.stampMs || a.bootAtMs - b.bootAtMs ||',
        'return a.bootAtMs - b.bootAtMs ||',
      ),
    ],
  },
  {
    name: 'an event’s time is believed when its sender dates it ahead',
    breaks: ['no node silenced'],
    patches: [patch('vip/admission', 'timeMs: notAheadOf(now, claim.timeMs)', 'timeMs: claim.timeMs')],
  },
  {
    name: 'two boots in quick succession contradict each other',
    breaks: ['no node silenced'],
    patches: [patch('vip/boot-clock', 'bootAtMs + ORDER_DOUBT +', 'bootAtMs - 60_000 +')],
  },
  {
    name: 'a host that stood still contradicts itself',
    breaks: ['no node silenced'],
    patches: [
      patch(
        'vip/boot-clock',
        'earlier.stampMs > STAMPS_DIFFER && later.upMs <= earlier.upMs;',
        'earlier.stampMs > STAMPS_DIFFER;',
      ),
    ],
  },
];
