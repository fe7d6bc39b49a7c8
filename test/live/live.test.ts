// The parts of the live harness that need no AWS: what is asked, planned, computed, signed, sent to the machines.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { delivery, shimArchive } from '../../live/aws/ssm-machines.ts';
import { rights } from '../../live/build/node-role.ts';
import { type Resource, templateOf } from '../../live/build/template.ts';
import { USER_DATA_MAX_BYTES, userData } from '../../live/build/user-data.ts';
import { type Stretch, stretchesFrom } from '../../live/machines.ts';
import { optionsFrom, TABLES_MAX } from '../../live/options.ts';
import { durationOf, pauseS, planLines } from '../../live/plan.ts';
import { costLines, hourlyUsd, totalUsd } from '../../live/report/cost.ts';
import { longestGap, partsOf } from '../../live/report/outage-phases.ts';
import { percentilesOf } from '../../live/report/percentiles.ts';
import { runOf } from '../../live/run-id.ts';
import { saysAbsent } from '../../live/teardown/absence.ts';
import type { Kind } from '../../live/teardown/kinds.ts';
import { removeAll } from '../../live/teardown/remove.ts';
import { Fault } from '../../shared/fault.ts';
import { epochMs } from '../../shared/time.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';

describe('a options', () => {
  it('has defaults that cost little', () => {
    expect(optionsFrom([])).toMatchObject({ drills: 20, tables: 3, kinds: ['demote', 'crash'], yes: false });
    expect(totalUsd(costLines(optionsFrom([])))).toBeLessThan(0.1);
  });

  it.each([
    [['--drills', '0'], '--drills is "0", expected a whole number from 1 to 1000'],
    [['--tables', '200'], 'expected a whole number from 1 to 190'],
    [['--kinds', 'demote,burn'], '--kinds has "burn"'],
    [['--stage', 'prod'], '--stage and --instance-profile go together'],
    [['--local', '--keep'], '--local creates and removes everything itself'],
    [['--clean', 'prod'], 'expected the eight hex digits of a run'],
  ])('is refused with what was found and what is wanted: %s', (argv, why) => {
    expect(() => optionsFrom(argv)).toThrow(why);
  });
});

describe('plan and cost', () => {
  it('wait between drills until EC2’s bucket is full again: 5 a second', () => {
    expect([pauseS(1), pauseS(25), pauseS(26), pauseS(190)]).toEqual([5, 5, 6, 38]);
  });

  it('grow with what is asked for', () => {
    const [few, many] = [optionsFrom(['--drills', '10']), optionsFrom(['--drills', '1000'])];
    expect(durationOf(many).drillsS).toBe(100 * durationOf(few).drillsS);
    expect(totalUsd(costLines(many))).toBeGreaterThan(2 * totalUsd(costLines(few)));
    // Three machines with their addresses and volumes, by hand: 3 × (0.0042 + 0.005) + 24 GB × 0.08 / 730.
    expect(hourlyUsd()).toBeCloseTo(0.0302, 4);
  });

  it('leave the stage’s own cost out where it is there already', () => {
    const given = optionsFrom(['--stage', 'prod', '--instance-profile', 'nodes']);
    expect(costLines(given).map(({ what }) => what)).not.toContain('alarms, metrics, dashboard of the stage');
    expect(planLines(given).join()).toContain('the stage prod is used');
    expect(runOf('0a0a0a0a', 'prod')).toMatchObject({
      ownStage: false,
      labelKey: 'vipshift:prod',
      vip: 'drill-0a0a0a0a',
    });
  });
});

const stages = [
  { stage: 'node said so (its clock)', atMs: epochMs(1_250) },
  { stage: 'controller began', atMs: epochMs(1_400) },
  { stage: 'last mutation accepted', atMs: epochMs(1_600) },
];
const step = { cell: 'rtb-1 192.168.255.10/32', result: 'done', doneAtMs: epochMs(1_550) };
const failover = {
  stages,
  steps: [{ ...step, cell: 'rtb-2 x', doneAtMs: epochMs(1_600) }, step],
} as unknown as Failover;
const stretches: readonly Stretch[] = [
  { who: 'a', firstMs: 500, lastMs: 1_001, count: 250 },
  { who: 'b', firstMs: 1_575, lastMs: 3_000, count: 700 },
];
const evidence = { hitMs: 1_000, successor: 'b', cell: step.cell, failover, stretches };

describe('the parts of a drill', () => {
  it('end where the next begin, and packets are computed from the probe’s own table', () => {
    expect(partsOf(evidence)).toEqual({
      vrrpMs: 250,
      eventMs: 150,
      controllerMs: 200,
      packetsMs: 25,
      totalMs: 575,
      outageMs: 574,
    });
  });

  it('without evidence are missing, not zero', () => {
    const { vrrpMs, packetsMs, totalMs } = partsOf({ ...evidence, failover: undefined });
    expect([vrrpMs, packetsMs, totalMs]).toEqual([undefined, undefined, 575]);
    expect(partsOf({ ...evidence, stretches: [stretches[0]!] })).toMatchObject({
      packetsMs: undefined,
      totalMs: undefined,
      outageMs: undefined,
    });
  });

  it('do not take the successor’s answers of its former time for those of the failover', () => {
    const before = { who: 'b', firstMs: 100, lastMs: 480, count: 190 };
    expect(partsOf({ ...evidence, stretches: [before, ...stretches] }).totalMs).toBe(575);
  });

  it('count the longest silence, also one between two answers of the same node', () => {
    const late = { who: 'b', firstMs: 3_900, lastMs: 4_000, count: 50 };
    expect(longestGap([...stretches, late])).toBe(900);
  });

  it('come from the probe’s lines, sorted, whatever else there is', () => {
    expect(stretchesFrom('b 1575.000 3000.000 700\n\na 500.000 1001.000 250\nnoise\n')).toEqual(stretches);
  });
});

describe('percentiles', () => {
  it('are by kind and part, over the drills in which the part was seen', () => {
    const parts = partsOf(evidence);
    const one = (totalMs: number | undefined) =>
      ({
        kind: 'crash',
        from: 'a',
        to: 'b',
        epoch: 1,
        outcome: 'switched',
        parts: { ...parts, totalMs },
      }) as const;
    const drills = [...Array.from({ length: 99 }, (_, n) => one(n + 1)), one(5_000), one(undefined)];
    const total = percentilesOf(drills).find(({ part }) => part === 'totalMs');
    expect(total).toEqual({ kind: 'crash', part: 'totalMs', n: 100, p50Ms: 50, p99Ms: 99, worstMs: 5_000 });
  });
});

describe('what a machine gets', () => {
  it('fits into user data, with room: EC2 refuses one byte more', () => {
    for (const name of ['a', 'b', 'probe'] as const)
      expect(Buffer.byteLength(userData(name, 1))).toBeLessThan(USER_DATA_MAX_BYTES * 0.75);
    expect(userData('b', 0.5)).toContain('advert_int 0.5');
  });

  it('is the whole notify folder, in commands that SSM takes', () => {
    const archive = shimArchive();
    const commands = delivery(archive);
    expect(Math.max(...commands.map((command) => command.length))).toBeLessThan(9_000);
    const text = commands.map((command) => /^printf %s (\S+) >>/.exec(command)?.[1] ?? '').join('');
    expect(Buffer.from(text, 'base64')).toEqual(archive);
    expect(gunzipSync(archive).toString('latin1')).toContain('notify/lib/daemon.bash');
  });

  it('may do what the nodes of a stage may do, and nothing more', () => {
    interface Said {
      readonly Sid: string;
      readonly Action: unknown;
      readonly Condition?: unknown;
    }
    const known = (tag: string) => ({ tag, resolve: (text: string) => text });
    const list = { tag: '!If', collection: 'seq' as const };
    const text = readFileSync(new URL('../../resources/policies/node-policies.yml', import.meta.url), 'utf8');
    const { Resources } = parse(text, {
      customTags: [known('!GetAtt'), known('!Sub'), known('!Ref'), list],
    }) as {
      Resources: Record<
        string,
        {
          Properties: {
            PolicyDocument: { Statement: (Said | [condition: string, yes: Said, no: string])[] };
          };
        }
      >;
    };
    const theirs = ['NodePolicy', 'NodeHandOverPolicy'].flatMap((name) =>
      Resources[name]!.Properties.PolicyDocument.Statement.map((one) => (Array.isArray(one) ? one[1] : one)),
    );
    const words = ({ Sid, Action, Condition }: Said): Said => ({ Sid, Action, Condition });
    const bySid = (a: Said, b: Said) => a.Sid.localeCompare(b.Sid);
    const said = JSON.parse(JSON.stringify(theirs.map(words)).replace('${!aws', '${aws')) as Said[];
    const { Statement } = rights({ bus: 'arn:bus', failover: 'arn:failover' });
    expect(Statement.map(words).toSorted(bySid)).toEqual(said.toSorted(bySid));
  });
});

describe('the test bed’s template', () => {
  const run = runOf('0a0a0a0a');
  const of = (tables: number, instanceProfile?: string) =>
    templateOf({ run, region: 'eu-central-1', tables, advertS: 1, instanceProfile });
  const ofType = (template: ReturnType<typeof of>, type: string) =>
    Object.entries(template.Resources).filter(([, { Type }]) => Type === `AWS::${type}`);

  it('is small enough for one request, also with as many tables as a VPC takes', () => {
    const template = of(TABLES_MAX);
    // CloudFormation quotas: 51,200 bytes of a template in a request, 500 resources, 200 outputs.
    expect(Buffer.byteLength(JSON.stringify(template))).toBeLessThan(51_200 * 0.95);
    expect(Object.keys(template.Resources).length).toBeLessThan(500);
    expect(ofType(template, 'EC2::RouteTable')).toHaveLength(TABLES_MAX + 1);
  });

  it('starts no machine before it can reach AWS, so that the gateway also goes after the last public address', () => {
    const { Resources } = of(1);
    const needs = (id: string): readonly string[] => {
      const { DependsOn = [], Properties } = Resources[id] as Resource;
      const named = [...JSON.stringify(Properties ?? {}).matchAll(/"Ref":"(\w+)"/g)].map(([, name]) => name!);
      const direct = [...[DependsOn].flat(), ...named].filter((name) => name in Resources);
      return [...direct, ...direct.flatMap(needs)];
    };
    for (const id of ['NodeA', 'NodeB', 'Probe']) expect(needs(id), id).toContain('Attachment');
    expect(needs('Probe')).toContain('AssociationProbe');
  });

  it('has the user data that the machines get, compressed', () => {
    const { Properties } = of(1).Resources.NodeB as { Properties: { UserData: string } };
    expect(gunzipSync(Buffer.from(Properties.UserData, 'base64')).toString()).toBe(userData('b', 1));
  });

  it('makes no role where the machines have one already', () => {
    const given = of(1, 'nodes');
    expect([...ofType(given, 'IAM::Role'), ...ofType(given, 'IAM::InstanceProfile')]).toEqual([]);
    expect(JSON.stringify(given.Resources.NodeTemplate)).toContain('{"Name":"nodes"}');
    expect(Object.keys(given.Outputs)).not.toContain('RoleId');
  });
});

describe('what says that there is no such thing', () => {
  it('is the service’s code, not a sentence that quotes it', () => {
    const named = (name: string, message: string) => Object.assign(new Error(message), { name });
    expect(saysAbsent(named('ResourceNotFoundException', 'Requested resource not found'))).toBe(true);
    expect(saysAbsent(named('ValidationError', 'Stack with id vipshift-x does not exist'))).toBe(true);
    expect(saysAbsent(new Fault('refused', 'ResourceNotFoundException', 'reading x'))).toBe(true);
    expect(
      saysAbsent(new Error('DELETE_FAILED; Group: it is in use; Template: NotFound, does not exist')),
    ).toBe(false);
  });
});

describe('the removal', () => {
  const kind = (what: string, ids: string[], take: Kind['take']): Kind => ({
    what,
    find: () => Promise.resolve([...ids]),
    take,
  });
  const removing = { say: () => undefined, pauseMs: 0 };

  it('ends after a bounded number of rounds, with what would not go', async () => {
    let tries = 0;
    const stubborn = kind('rock', ['r-1'], () => {
      tries += 1;
      return Promise.resolve();
    });
    expect(await removeAll([stubborn], removing)).toEqual([
      { what: 'rock', id: 'r-1', why: 'it is still there' },
    ]);
    expect(tries).toBe(6);
  });

  it('checks twice: what the first listing did not show yet is found by the second', async () => {
    let listings = 0;
    const ids = ['late'];
    const shy: Kind = {
      what: 'vpc',
      find: () => Promise.resolve(++listings > 1 ? [...ids] : []),
      take: () => Promise.resolve(ids.pop()),
    };
    expect(await removeAll([shy], removing)).toEqual([]);
    expect(ids).toEqual([]);
  });
});
