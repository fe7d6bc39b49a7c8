// What forced failovers go through: approvals that take their time, things that happen at the same time, and plans that take longer
// than anybody's patience. Drawn apart from all else, so that the seeds before keep their stories.

import type { Act, Beside, History } from './history.ts';
import type { Chance } from './random.ts';

type Forced = Act & { readonly does: 'forced failover' };

const HOUR_MS = 3_600_000;

/** Some of a story's forced failovers, with things that happen at the same time. */
export function underFire(luck: Chance, history: History): History {
  const acts = history.acts.map((act) =>
    act.does === 'forced failover' && luck.odds(0.7) ? under(luck, act, history) : act,
  );
  return acts.some((act, n) => act !== history.acts[n]) ? { ...history, acts } : history;
}

function under(luck: Chance, act: Forced, { quietAtMs }: History): Forced {
  const waits = luck.odds(0.5);
  const leftMs = Math.max(2000, quietAtMs - act.atMs);
  // Hardly anybody lets it run into its hour: that is a long history.
  const approvalMs = luck.odds(0.02) ? HOUR_MS : luck.log(1000, Math.max(2000, leftMs * 0.8));
  const approval = waits
    ? { approved: luck.odds(0.9) ? true : luck.pick([false, 'malformed'] as const), approvalMs }
    : {};
  const beside = Array.from({ length: luck.pick([1, 1, 1, 2]) }, () =>
    besideOf(luck, waits ? approvalMs : 0, leftMs),
  );
  return { ...act, ...approval, beside };
}

const states = ['recordOrder', 'beginOrder', 'demote', 'awaitClaim', 'awaitClaim', 'switchVip'] as const;
const deeds: readonly Beside['does'][] = [
  ...(['target fails', 'target dies', 'target is untagged', 'owner fails', 'owner dies'] as const),
  ...(['is frozen', 'is frozen', 'is frozen', 'is pinned elsewhere', 'is pinned elsewhere'] as const),
  ...(['is unpinned', 'is removed', 'is removed', 'is ordered elsewhere'] as const),
];

function besideOf(luck: Chance, approvalMs: number, leftMs: number): Beside {
  const during = approvalMs > 0 && luck.odds(0.6);
  return {
    at: during ? 'requestApproval' : luck.pick(states),
    afterMs: during ? luck.between(0, approvalMs) : luck.log(1, 8000),
    does: luck.pick(deeds),
    // A freeze of a moment counts, too: it may be over before anybody looks.
    forMs: Math.min(luck.log(luck.pick([20, 300, 5000]), 200_000), leftMs),
    older: luck.odds(0.3),
  };
}

/** Nodes that are well, and operators who are not: else most orders are refused before anything can happen to them. */
export function ordeal(luck: Chance, history: History): History {
  if (!luck.odds(0.08)) return history;
  const quietAtMs = Math.round(luck.log(150_000, 400_000));
  const acts = Array.from({ length: luck.pick([1, 1, 2]) }, () => {
    const mode = luck.odds(0.8) ? ('via-keepalived' as const) : ('routes-only' as const);
    const forced: Forced = {
      does: 'forced failover',
      vip: luck.int(0, history.vips.length - 1),
      node: luck.int(0, history.nodes.length - 1),
      mode,
      pinMinutes: mode === 'routes-only' ? luck.pick([1, 30]) : luck.pick([0, 0, 1, 30]),
      claimWaitSeconds: luck.int(5, 60),
      atMs: luck.between(20_000, quietAtMs - 40_000),
    };
    return luck.odds(0.9) ? under(luck, forced, { ...history, quietAtMs }) : forced;
  });
  const few = Object.entries(history.odds).filter(() => luck.odds(0.15));
  return { ...history, acts: acts.sort((a, b) => a.atMs - b.atMs), odds: Object.fromEntries(few), quietAtMs };
}

/** More cells than EC2 lets anybody move in 40 s; some with steps that live no longer than that. */
export function longPlan(luck: Chance, history: History): History {
  if (!luck.odds(0.006)) return history;
  const [vip] = history.vips;
  const forced: Forced = {
    does: 'forced failover',
    vip: 0,
    node: luck.int(0, history.nodes.length - 1),
    mode: luck.odds(0.7) ? 'via-keepalived' : 'routes-only',
    pinMinutes: luck.pick([1, 30]),
    claimWaitSeconds: 30,
    atMs: luck.between(60_000, 80_000),
  };
  return {
    ...history,
    vips: [
      { ...vip!, tables: luck.int(135, 150), addresses: ['192.168.255.10/32', 'fd77:7669:7073::1/128'] },
    ],
    nodes: history.nodes.map((node) => ({ ...node, priorities: node.priorities.slice(0, 1) })),
    odds: {},
    acts: [forced],
    timeoutMs: 300_000,
    ...(luck.odds(0.5) ? { stepTimeoutMs: 45_000 } : {}),
    quietAtMs: 300_000,
  };
}
