import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../lab/netns/cloud/recording-proxy.ts';
import { busyMs, type Evidence, explain } from '../../../lab/netns/scenario/outage-phases.ts';
import { type EpochMs, epochMs } from '../../../shared/time.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';

const request = (action: string, askedMs: number, answeredMs: number): Exchange => ({
  action,
  body: '',
  from: { address: '127.0.0.1', port: 1 },
  askedMs,
  answeredMs,
  status: 200,
});

const failover = (epoch: number, beganMs: number): Failover => ({
  entry: 'outcome',
  vip: 'web',
  epoch,
  holder: `h${epoch}`,
  cause: { kind: 'claim', node: 'i-b', seq: 7, why: 'said MASTER', atMs: epochMs(beganMs) },
  outcome: 'switched',
  from: 'i-a',
  to: 'i-b',
  why: 'newest MASTER',
  steps: [
    {
      cell: 'rtb-1 192.0.2.51/32',
      call: 'ReplaceRoute',
      from: 'eni-a',
      to: 'eni-b',
      result: 'done',
      attempts: 1,
      unanswered: 0,
    },
  ],
  conflicts: [],
  stages: [
    { stage: 'node said so (its clock)', atMs: (beganMs - 40) as EpochMs },
    { stage: 'controller began', atMs: epochMs(beganMs) },
    { stage: 'described', atMs: epochMs(beganMs + 10) },
  ],
  verified: true,
  notes: [],
  claims: {},
  splitBrain: [],
  atMs: epochMs(beganMs + 50),
});

/** A host that died at 1000 on the lab's clock; the wall clock is 500 behind it. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  const mutation = request('ReplaceRoute', 1_350, 1_354);
  return {
    faultMs: 1_000,
    firstGoodMs: 1_360,
    answers: [{ askedMs: 1_356, endedMs: 1_360, what: 'b' }],
    follows: 'client',
    changes: [{ atMs: 1_355, what: 'client', address: '10.0.2.20', because: mutation }],
    claims: [
      { atMs: 1_315, node: 'i-b', state: 'MASTER', kind: 'transition', seq: 7, superseded: false, entry: {} },
    ],
    requests: [request('UpdateItem', 1_331, 1_338), request('DescribeRouteTables', 1_332, 1_342), mutation],
    failovers: [failover(3, 830)],
    lineOf: () => 1_300,
    offsetMs: 500,
    ...changes,
  };
}

describe('what an outage was made of', () => {
  it('is claim part by part, each ending where the next begins: their sum is fault to first answer', () => {
    const { parts } = explain(evidence());
    expect(parts).toMatchObject({ vrrpMs: 300, shimMs: 15, busMs: 15, handlerMs: 20, ec2Ms: 5, answerMs: 5 });
  });

  it("counts the time in which the handler waited for an emulator as the emulators', once where two overlap", () => {
    const { parts } = explain(evidence());
    expect(parts).toMatchObject({ emulatorsMs: 15 + 11 + 5, oursMs: 15 + 20 - 11 });
  });

  it("gives the timeline's own account from the handler's first line on", () => {
    expect(explain(evidence()).account).toEqual({
      epoch: 3,
      outcome: 'switched',
      stages: [
        { key: 'node-reported', stage: 'node reported (its clock)', afterMs: -40 },
        { key: 'claim-began', stage: 'controller began', afterMs: 0 },
        { key: 'described', stage: 'described', afterMs: 10 },
      ],
    });
  });

  it('leaves a part undefined whose evidence is missing, instead of calling it zero', () => {
    const { parts } = explain(evidence({ claims: [] }));
    expect(parts).toMatchObject({ vrrpMs: undefined, shimMs: undefined, busMs: undefined, handlerMs: 20 });
    expect(parts?.oursMs).toBeUndefined();
  });

  it('has no parts when no route of the client changed: there was no failover to explain', () => {
    expect(explain(evidence({ changes: [] }))).toEqual({ parts: undefined, account: undefined });
  });

  it('explains the change that ended the outage, not one that came after it', () => {
    const later = {
      atMs: 2_000,
      what: 'client',
      address: '10.0.1.10',
      because: request('ReplaceRoute', 1_990, 1_995),
    };
    const { parts } = explain(evidence({ changes: [...evidence().changes, later] }));
    expect(parts?.ec2Ms).toBe(5);
  });
});

describe('the time in which at least one request was under way', () => {
  it('counts overlaps once, and nothing outside the window', () => {
    const requests = [request('x', 0, 20), request('x', 10, 30), request('x', 40, 50), request('x', 95, 200)];
    expect(busyMs(requests, 5, 100)).toBe(25 + 10 + 5);
  });

  it('takes a request that was never answered as under way to the end: its caller was waiting', () => {
    expect(busyMs([{ ...request('x', 10, 0), answeredMs: undefined }], 0, 30)).toBe(20);
  });
});
