// Records for tests: failovers as the controller would have written them.
import { epochMs } from '../../../shared/time.ts';
import type { Failover, Outcome } from '../../../shared/timeline/timeline.ts';

export const START_MS = Date.UTC(2026, 10, 22, 14, 0, 0);

export function failoverOf(epoch: number, over: Partial<Failover> = {}): Failover {
  const atMs = over.atMs ?? epochMs(START_MS + epoch * 60_000);
  const to = epoch % 2 === 1 ? 'i-0aaaaaaaaaaaaaaaa' : 'i-0bbbbbbbbbbbbbbbb';
  const from = epoch % 2 === 1 ? 'i-0bbbbbbbbbbbbbbbb' : 'i-0aaaaaaaaaaaaaaaa';
  const outcome: Outcome = 'switched';
  const before = (ms: number) => epochMs(atMs - ms);
  return {
    entry: 'outcome',
    vip: 'web',
    epoch,
    holder: `holder-${epoch}`,
    cause: {
      kind: 'claim',
      node: to,
      seq: epoch,
      id: `event-${epoch}`,
      why: `${to} said MASTER`,
      atMs: before(500),
    },
    outcome,
    ...(epoch === 1 ? {} : { from }),
    to,
    why: `newest MASTER is ${to}`,
    steps: ['rtb-1', 'rtb-2'].map((table) => ({
      cell: `${table} 192.168.255.10/32`,
      call: 'ReplaceRoute',
      from: `eni-${from}`,
      to: `eni-${to}`,
      result: 'done',
      attempts: 1,
      unanswered: 0,
      sentAtMs: before(300),
      doneAtMs: before(250),
    })),
    conflicts: [],
    stages: [
      { stage: 'node said so (its clock)', atMs: before(450) },
      { stage: 'controller began', atMs: before(350) },
      { stage: 'described', atMs: before(310) },
      { stage: 'first mutation sent', atMs: before(300) },
      { stage: 'last mutation accepted', atMs: before(250) },
      { stage: 'read back', atMs: before(100) },
    ],
    verified: true,
    notes: [],
    claims: {},
    splitBrain: [],
    atMs,
    ...over,
  };
}
