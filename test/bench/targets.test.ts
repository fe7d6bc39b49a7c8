import { describe, expect, it } from 'vitest';
import { type Row, rowOf, valueRow } from '../../bench/figures.ts';
import { targetsOf } from '../../bench/targets.ts';

const of = 'EC2 60 ms, DynamoDB 5 ms';
const warm = (oursMs: number): readonly Row[] => [
  rowOf(`floor: bare node:http, ${of}`, 45, [100], { floorMs: 100 }),
  rowOf(`vipshift warm, ${of}`, 45, [oursMs], { floorMs: 100 }),
];
const zone = (seconds: number, refused: number): readonly Row[] => [
  rowOf('zone failure, 40 VIPs × 10 tables: last mutation accepted', 400, [seconds * 1000]),
  rowOf('zone failure, 40 VIPs × 10 tables: a VIP’s first table', 40, [1000]),
  valueRow('zone failure, 40 VIPs × 10 tables: refused for throttle, %', 400, refused),
];
const verdicts = (rows: readonly Row[]) => targetsOf(rows).map((t) => t.held);

describe('the targets of a run', () => {
  it('are held up to the figure itself, and missed beyond it', () => {
    expect(verdicts(warm(109.9))).toEqual([true, true]);
    expect(verdicts(warm(110.1))).toEqual([false, true]);
    expect(verdicts(warm(150.1))).toEqual([false, false]);
    expect(verdicts(zone(84, 9.9))).toEqual([true, true, true]);
    expect(verdicts(zone(84.1, 10))).toEqual([false, false, true]);
  });

  it('of 200 tables and of cut connections are ratios', () => {
    const many = (ms: number) => [rowOf(`vipshift warm, ${of}`, 200, [ms], { floorMs: 100 })];
    expect([verdicts(many(130)), verdicts(many(131))]).toEqual([[true], [false]]);
    const cut = (n: number, ms: number) => [
      rowOf('vipshift over TLS, connections cut', n, [ms], { floorMs: 100 }),
    ];
    expect([verdicts(cut(45, 115)), verdicts(cut(45, 116)), verdicts(cut(10, 116))]).toEqual([
      [true],
      [false],
      [],
    ]);
  });

  it('hold a mutation’s CPU against that of the SDK’s send, and not against the bare calls', () => {
    const cpu = (ours: number) => [
      valueRow('CPU a mutation, µs: bare node:http', 200, 50),
      valueRow('CPU a mutation, µs: the SDK’s send', 200, 300),
      valueRow('CPU a mutation, µs: vipshift', 200, ours),
    ];
    expect(verdicts(cpu(150))).toEqual([true]);
    expect(verdicts(cpu(151.6))).toEqual([false]);
    expect(verdicts(cpu(150).slice(1))).toEqual([true]);
  });

  it('say what was found and wanted', () => {
    expect(targetsOf(warm(111))[0]).toEqual({
      what: 'warm, 45 tables, median: 1.05 × bare + 5 ms',
      wanted: '≤ 110 ms',
      found: '111 ms',
      held: false,
    });
  });

  it('of what was not measured say nothing', () => {
    expect(targetsOf([])).toEqual([]);
  });
});
