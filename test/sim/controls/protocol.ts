// Negative controls: each takes one protection out of the real code. The simulation has to catch it, and for the stated
// reason; otherwise it would not have noticed had the protection been forgotten. There is one for each odd-looking rule of the protocol.
import type { Guarantee } from '../violation.ts';
import type { Patch } from './variant.ts';

export interface Control {
  readonly name: string;
  /** Any of these is the stated reason. */
  readonly breaks: readonly Guarantee[];
  readonly patches: readonly Patch[];
}

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `shared/${file}.ts`,
  replace,
  by,
});

export const controls: readonly Control[] = [
  {
    name: 'no lease',
    breaks: ['one writer'],
    patches: [patch('vip/lease', 'lease !== undefined && now < plus(lease.expiresAtMs, SKEW)', 'false')],
  },
  {
    name: 'no margin before the end of the lease',
    breaks: ['one writer'],
    patches: [
      patch(
        'vip/lease',
        'now < minus(expiresAtMs, durationMs(ATTEMPT_MAX + 2 * SKEW));',
        'now < expiresAtMs;',
      ),
    ],
  },
  {
    name: 'reconcile without a lease',
    breaks: ['one writer', 'true record'],
    patches: [
      patch(
        'controller/reconcile',
        'const taken = await take(ports, vip, vip, cause);',
        'const taken = { ...vip, lease: { holder: ports.nonce(), epoch: vip.epoch, expiresAtMs: now + 10_000, cause } };',
      ),
    ],
  },
  {
    name: 'a release without a condition, and no one who waits',
    breaks: ['no claim lost'],
    patches: [
      patch(
        'switch/switch-vip',
        "return await ports.vips.write(before, after);\n  } catch (error) {\n    if (toFault(error).kind !== 'unknown') throw error;\n    const item = await ports.vips.read(before.name);\n    if (after.lease",
        "return await ports.vips.write(await ports.vips.read(before.name), after);\n  } catch (error) {\n    if (toFault(error).kind !== 'unknown') throw error;\n    const item = await ports.vips.read(before.name);\n    if (after.lease",
      ),
      patch('controller/next-action', 'isLive(item.lease, now) && isPresent', 'false && isPresent'),
    ],
  },
  {
    name: 'merge by arrival',
    breaks: ['no claim lost', 'convergence'],
    patches: [patch('vip/node-state', 'if (known === undefined) return told;', 'if (true) return told;')],
  },
  {
    name: 'seq from the wall clock of the node',
    breaks: ['no claim lost', 'convergence', 'order'],
    patches: [
      {
        file: 'test/sim/node/machine.ts',
        replace: 'of.sinceUs = drawSeq(machine, road);',
        by: 'of.sinceUs = drawSeq(machine, road); of.wallUs = wallClock(machine, road) * 1000;',
      },
      {
        file: 'test/sim/node/machine.ts',
        replace: '    seq,\n',
        by: '    seq: (line?.atMs ?? wallClock(machine, road)) * 1000,\n',
      },
      {
        file: 'test/sim/node/machine.ts',
        replace: 'since: line?.seqUs ?? of.sinceUs,',
        by: 'since: line === undefined ? of.wallUs : line.atMs * 1000,',
      },
      {
        file: 'test/sim/node/machine.ts',
        replace: 'uptimeMs: up,',
        by: 'uptimeMs: wallClock(machine, road),',
      },
    ],
  },
  {
    name: 'transitions dated by the node’s clock',
    breaks: ['convergence'],
    patches: [
      patch(
        'vip/node-state',
        'epochMs(clamp(nodeState.atMs, nodeState.hiMs - STAMP_MS, nodeState.hiMs))',
        'epochMs(nodeState.atMs)',
      ),
    ],
  },
  {
    name: 'transitions dated again by every assertion',
    breaks: ['order', 'convergence'],
    patches: [patch('vip/node-state', 'const bound = tighter(known, told);', 'const bound = last;')],
  },
  {
    name: 'a lower-advert makes the transition newer',
    breaks: ['convergence', 'order'],
    patches: [
      patch(
        'vip/node-state',
        'epochMs(clamp(nodeState.atMs, nodeState.hiMs - STAMP_MS, nodeState.hiMs))',
        'epochMs(nodeState.affHiMs ?? clamp(nodeState.atMs, nodeState.hiMs - STAMP_MS, nodeState.hiMs))',
      ),
    ],
  },
  {
    name: 'silence measured against the present',
    breaks: ['convergence', 'never worse', 'order'],
    patches: [
      patch(
        'vip/election',
        'masters.filter((c) => !isSilent(vip, c.nodeState))',
        'masters.filter((c) => Math.floor(now / 25_000) - c.nodeState.slot < 5)',
      ),
    ],
  },
  {
    name: 'no silence rule',
    breaks: ['convergence'],
    patches: [patch('vip/liveness', '>=\n    SILENT_AFTER_WINDOWS;', '> 1e9;')],
  },
  {
    name: 'superseded claims merged',
    breaks: ['convergence', 'never worse', 'order', 'no claim lost'],
    patches: [patch('controller/handle-claim', 'if (claim.superseded) return superseded(ports, claim);', '')],
  },
  {
    name: 'an observation trusted that was made in parallel with the lease',
    breaks: ['convergence', 'true record', 'order'],
    patches: [patch('switch/run-epoch', 'seen.beganAtMs >= plus(vip.touchedAtMs, STALE_READ);', 'true;')],
  },
  {
    name: 'no map of open epochs',
    breaks: ['true record'],
    patches: [
      patch(
        'vip/vip',
        'const open = { ...vip.open, [lease.holder]: { epoch, cause: lease.cause } };',
        'const open = {};',
      ),
    ],
  },
  {
    name: 'the outcome recorded after the release',
    breaks: ['true record'],
    patches: [
      patch('switch/run-epoch', '...(await recordOutcome(ports.timeline, failover)),', 'recorded: true,'),
      patch(
        'switch/switch-vip',
        'const next = await release(ports, vip, held, epochs < EPOCHS_MAX ? releaseOrGoOn : releaseOnly);',
        'const next = await release(ports, vip, held, epochs < EPOCHS_MAX ? releaseOrGoOn : releaseOnly);\n    await ports.timeline.put(held.failover).catch(() => undefined);',
      ),
    ],
  },
  {
    name: 'no record of abandoned epochs',
    breaks: ['true record'],
    patches: [
      patch('switch/close-abandoned', 'return (await Promise.all(closing)).flat();', 'return holders;'),
      patch('switch/close-abandoned', 'await timeline.put(fitted(entry));', 'void fitted(entry);'),
    ],
  },
  {
    name: 'no reconcile',
    breaks: ['convergence'],
    patches: [
      patch('controller/reconcile', 'if (listed.removedAtMs !== undefined) return', 'if (true) return'),
    ],
  },
  {
    name: 'late claims as fresh ones',
    breaks: ['never worse', 'order', 'convergence'],
    patches: [patch('vip/node-state', 'const late = isLate(claim, arrivedAt);', 'const late = false;')],
  },
  {
    name: 'a route deleted before it is created',
    breaks: ['no gap'],
    patches: [
      {
        file: 'test/sim/world/region.ts',
        replace: 'const answer = ec2.apply(step, yes);\n      if',
        by: `if (target !== undefined) {
        const { [step.destination]: _gone, ...routes } = was!.routes;
        ec2.tables.set(step.table, { ...was!, routes });
        note({ cell: step.cell, was: target, is: undefined, wasAlive, by: attempt });
      }
      const answer = ec2.apply({ ...step, call: 'CreateRoute' }, yes);
      if`,
      },
    ],
  },
  {
    name: 'a pin that ignores fitness',
    breaks: ['convergence'],
    patches: [patch('vip/election', 'if (suspendedPin === undefined) return', 'if (true) return')],
  },
  {
    name: 'an EIP taken from a stranger',
    breaks: ['scope'],
    patches: [patch('network/plan', 'if (at.eni !== undefined && !own.has(at.eni))', 'if (false)')],
  },
  {
    name: 'a route taken from a stranger',
    breaks: ['scope'],
    patches: [
      patch(
        'network/plan',
        "route.state === 'active' && !route.propagated && !own.has(route.target);",
        'false;',
      ),
    ],
  },
  {
    name: 'tables of another VPC',
    breaks: ['scope'],
    patches: [
      patch('network/observation', 'thing.vpc === entry.vpc && thing.account === entry.account;', 'true;'),
    ],
  },
  {
    name: 'anyone may speak for a node',
    breaks: ['never worse', 'convergence', 'no claim lost', 'order'],
    patches: [patch('vip/admission', 'if (node !== claim.node) {', 'if (false) {')],
  },
  {
    name: 'a window counts against every node, whatever way it was filled by',
    breaks: ['never worse', 'convergence', 'order'],
    patches: [
      patch('vip/liveness', 'if (ways === undefined || heardDirectly.length === 0) return heard;', ''),
    ],
  },
  {
    name: 'the second copy of a claim does not wait for the first one’s lease',
    breaks: ['second carrier'],
    patches: [patch('controller/next-action', '(told.isSecondCopy === true &&', '(false &&')],
  },
];
