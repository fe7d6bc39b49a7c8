// The parts that touch nothing: elections and plans, how many a second.

import { parseClaimEvent } from '../../shared/aws/events/claim-event.ts';
import { systemNow } from '../../shared/aws/wire.ts';
import type { Observation } from '../../shared/network/observation.ts';
import { plan } from '../../shared/network/plan.ts';
import { elect } from '../../shared/vip/election.ts';
import { nodeStateFrom } from '../../shared/vip/node-state.ts';
import { claimEvent } from '../claim.ts';
import { DESTINATION, nowMs, vipWith } from '../fake/region.ts';
import { type Row, valueRow } from '../figures.ts';

const SPAN_MS = 300;

/** Calls a second over a short span, measured in batches so that the clock is not what is measured. */
function perSecond(work: () => unknown): number {
  for (let n = 0; n < 200; n++) work();
  const startMs = nowMs();
  let count = 0;
  while (nowMs() - startMs < SPAN_MS) {
    for (let n = 0; n < 50; n++) work();
    count += 50;
  }
  return (count / (nowMs() - startMs)) * 1000;
}

export function pureRows(): readonly Row[] {
  const now = systemNow();
  const { entry, vip } = vipWith('web', 45);
  const claims = Object.fromEntries(
    Object.keys(entry.members).map((node) => {
      const parsed = parseClaimEvent(claimEvent('web', node));
      if (!parsed.ok) throw new Error(parsed.rejection.message);
      return [node, nodeStateFrom(parsed.claim, now)];
    }),
  );
  const vipItem = { ...entry, claims };
  const [from, to] = Object.values(entry.members);
  const route = { target: from!.eni, state: 'active', propagated: false } as const;
  const place = { vpc: entry.vpc, account: entry.account };
  const seen: Observation = {
    source: 'ec2',
    beganAtMs: now,
    endedAtMs: now,
    tables: vip.tables.map((table) => ({ ...place, table, edge: false, routes: { [DESTINATION]: route } })),
    enis: [],
    eips: [],
  };
  return [
    valueRow(
      'elections a second, 2 members',
      2,
      perSecond(() => elect(vipItem, now)),
    ),
    valueRow(
      'plans a second',
      45,
      perSecond(() => plan(vipItem, seen, to!, true)),
    ),
  ];
}
