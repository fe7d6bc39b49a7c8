// What keeps a forced failover to what is so now, taken out one by one: from the code, and from the workflow's own text.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `shared/${file}.ts`,
  replace,
  by,
});

const asl = (replace: string, by: string): Patch => ({ file: 'runbook/failover.asl.json', replace, by });

/** From the record straight to the demotion, as before there was a step that writes the order into the item. */
const noBegin = asl('"Next": "beginOrder"', '"Next": "isViaKeepalived"');

/** Else the missing order in the item would be the reason, and not what came of it. */
const blind: Patch = {
  file: 'test/sim/checks/forced.ts',
  replace: "return item.forced?.execution === name ? undefined : 'the order did not stand in the item';",
  by: 'return name === undefined ? name : undefined;',
};

export const forced: readonly Control[] = [
  {
    name: 'an approved order does not look again',
    breaks: ['orders'],
    patches: [asl('"Next": "lookAgain"', '"Next": "recordOrder"'), noBegin, blind],
  },
  {
    name: 'an order does not ask the item before it demotes',
    breaks: ['orders'],
    patches: [noBegin, blind],
  },
  {
    name: 'an order stands in the item whatever that says',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/under-way',
        'const reasons = beginReasons(vip, order, run, now);',
        'const reasons: string[] = [];',
      ),
    ],
  },
  {
    name: 'an order begins for an owner of before',
    breaks: ['orders'],
    patches: [patch('forced-failover/under-way', 'if (vip.owner !== run.owner)', 'if (false)')],
  },
  {
    name: 'an order begins while another switch is under way',
    breaks: ['orders'],
    patches: [patch('switch/when-free', 'if (isLive(vip.lease, now)) {', 'if (false) {')],
  },
  {
    name: 'a freeze leaves the forced failover that it meets',
    breaks: ['orders'],
    patches: [
      patch('vip/vip', '({ ...withoutForced(vip), freeze })', '({ ...vip, freeze })'),
      // The checker takes a freeze that leaves the order for that of an older command line.
      {
        file: 'test/sim/checks/forced.ts',
        replace: 'const cancelled = froze?.item?.forced === undefined;',
        by: 'const cancelled = true;',
      },
    ],
  },
  {
    name: 'a wait for the claim ignores the operator',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/execute',
        'const reasons = stopReasons(vip, order, run, now);\n  const why',
        'const reasons: string[] = [];\n  const why',
      ),
    ],
  },
  {
    name: 'a claim is awaited of a node that cannot take over',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/execute',
        'const why = unfit(vip, order.to);',
        'const why = undefined as string | undefined;',
      ),
    ],
  },
  {
    name: 'looks at a live lease count as lost races',
    breaks: ['orders'],
    patches: [
      patch(
        'switch/when-free',
        'if (await mayWaitOn(ports)) continue;',
        'race += 1;\n      if (await mayWaitOn(ports)) continue;',
      ),
    ],
  },
  {
    name: 'what still moves when the step ends is undone',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/execute',
        'const moving = elect(vip, now).owner === order.to;',
        'const moving = false;',
      ),
    ],
  },
  {
    name: 'an order that has ended stays in the item',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/under-way',
        'vip?.forced?.execution === execution ? withoutForced(vip) : vip',
        'vip',
      ),
    ],
  },
  {
    name: 'two orders of a VIP are under way at once',
    breaks: ['orders'],
    patches: [patch('forced-failover/preflight', 'forced.execution !== execution', 'false')],
  },
  {
    name: 'an answer that is no decision approves',
    breaks: ['orders'],
    patches: [
      patch(
        'forced-failover/steps',
        'return { outcome: answer.outcome, why: answer.why };',
        "return { outcome: 'approved', why: answer.why };",
      ),
    ],
  },
];
