/**
 * Runs a scenario: set up, let the client ask, run, wait for the ending, check it, explain the outage.
 *
 * A scenario that throws, at whatever point, is broken and says why; the next one starts from scratch all the same.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { defined } from '../../../shared/optional.ts';
import { epochMs } from '../../../shared/time.ts';
import { elect } from '../../../shared/vip/election.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { Client, isGood, type Outage, outageOf } from '../node/client.ts';
import type { Lab } from '../sandbox/lab.ts';
import { VIP } from '../sandbox/topology.ts';
import { exceededBounds, failedExpectations, ownerOf } from './expectations.ts';
import { monotonicMs, wallToMonotonicMs } from './moment.ts';
import { type Account, explain, type Parts } from './outage-phases.ts';
import type { Scenario } from './scenario.ts';
import { restore, type ScenarioContext, scenarioContext } from './scenario-context.ts';

export interface ScenarioResult {
  readonly scenario: string;
  readonly says: string;
  readonly outageMs: number | undefined;
  readonly parts: Parts | undefined;
  /** From the last fault to the last route that was changed after it; undefined where none was. */
  readonly movedMs: number | undefined;
  /** The timeline's own words about the failover that ended the outage. */
  readonly timeline: Account | undefined;
  readonly refused: number;
  readonly lost: number;
  /** Connections that a node had accepted and that the switch then broke: see the limit in node/client.ts. */
  readonly cut: number;
  readonly verdict: 'held' | 'broken';
  /** What did not hold, one sentence each. */
  readonly broken: readonly string[];
  /** What held and took longer than it may, one sentence each: that breaks it too, and may be the machine's load. */
  readonly tooLong: readonly string[];
  readonly tookMs: number;
}

const BOOT_MS = 30_000;
const FIRST_ANSWER_MS = 15_000;
/** Past the backup's startup delay (1 s) and one round of adverts: only then it takes over as fast as it ever will. */
const QUIET_BEFORE_MS = 1_500;
/** A lease that no one releases runs out by then. */
const AT_REST_WITHIN_MS = 15_000;
/** Seldom enough not to be in the way of what is measured. */
const WATCH_EVERY_MS = 250;

interface Prepared {
  readonly context: ScenarioContext;
  readonly client: Client;
  readonly epochBefore: number;
  readonly startMs: number;
}

export async function runScenario(lab: Lab, scenario: Scenario): Promise<ScenarioResult> {
  const beganMs = monotonicMs();
  const failed = (error: unknown) => ({
    ...nothing,
    broken: [error instanceof Error ? error.message : String(error)],
  });
  let prepared: Prepared | undefined;
  const result = await setUp(lab, scenario)
    .then((ready) => {
      prepared = ready;
      return runAndCheck(scenario, ready);
    })
    .catch(failed);
  await prepared?.client.close();
  await restore(lab);
  return {
    scenario: scenario.name,
    says: scenario.says,
    ...result,
    verdict: result.broken.length + result.tooLong.length === 0 ? 'held' : 'broken',
    tookMs: monotonicMs() - beganMs,
  };
}

type Result = Omit<ScenarioResult, 'scenario' | 'says' | 'verdict' | 'tookMs'>;

const nothing: Omit<Result, 'broken'> = {
  outageMs: undefined,
  movedMs: undefined,
  parts: undefined,
  timeline: undefined,
  refused: 0,
  lost: 0,
  cut: 0,
  tooLong: [],
};

async function setUp(lab: Lab, scenario: Scenario): Promise<Prepared> {
  await restore(lab);
  await lab.cloud.calm();
  await lab.cloud.register(scenario.hold);
  const context = scenarioContext({ ...lab, hold: scenario.hold, ...defined({ shim: scenario.shim }) });
  const master = context.nodes.a.entered('MASTER', BOOT_MS);
  await Promise.all([context.boot('a'), context.boot('b')]);
  await master;
  await context.settled('a', BOOT_MS);
  const client =
    scenario.asks === 'vip' ? new Client('client', VIP, 80) : new Client('internet', lab.cloud.eip, 80);
  try {
    await client.answerFrom(monotonicMs(), FIRST_ANSWER_MS, 'a');
    await delay(QUIET_BEFORE_MS);
    lab.cloud.forget();
    return { context, client, epochBefore: (await lab.cloud.vip()).epoch, startMs: monotonicMs() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function runAndCheck(scenario: Scenario, prepared: Prepared): Promise<Result> {
  const { context, client, startMs } = prepared;
  const trouble = await act(scenario, prepared).catch((error: unknown) => [
    error instanceof Error ? error.message : String(error),
  ]);
  const outage = outageOf(client.answers, startMs, monotonicMs());
  const vip = await atRest(context);
  const failovers = await context.cloud.failovers(prepared.epochBefore + 1, vip.epoch);
  const lastAnswer = client.answers.findLast(isGood)?.what ?? 'no one';
  const seen = { outage, vip, failovers, epochBefore: prepared.epochBefore, lastAnswer };
  const broken = [...trouble, ...(await failedExpectations(scenario, context, seen))];
  const explained = explainOutage(scenario, prepared, outage, failovers);
  return {
    outageMs: outage.outageMs,
    movedMs: movedAfter(context),
    parts: explained.parts,
    timeline: explained.account,
    refused: outage.refused,
    lost: outage.lost,
    cut: outage.cut,
    broken,
    tooLong: exceededBounds(scenario, outage),
  };
}

/** The item when nothing is under way: a sweep, or an assertion, may have begun an epoch a moment ago. As it is where that takes too long. */
async function atRest(context: ScenarioContext): Promise<Vip> {
  const { cloud } = context;
  let vip = await cloud.vip();
  const rests = async () => {
    vip = await cloud.vip();
    return vip.lease === undefined && Object.keys(vip.open).length === 0;
  };
  await context.until('nothing to be under way', rests, AT_REST_WITHIN_MS).catch(() => undefined);
  return vip;
}

function movedAfter({ faultsMs, cloud }: ScenarioContext): number | undefined {
  const [faultMs, changedMs] = [faultsMs.at(-1), cloud.mirror.changes.at(-1)?.atMs];
  if (faultMs === undefined || changedMs === undefined || changedMs < faultMs) return undefined;
  return changedMs - faultMs;
}

/** Runs it and waits for its owner; notes what the election calls split brain meanwhile. */
async function act(scenario: Scenario, { context, client }: Prepared): Promise<string[]> {
  let splitBrain = 0;
  let running = true;
  const watch = (async () => {
    while (running) {
      await delay(WATCH_EVERY_MS);
      const vip = await context.cloud.vip().catch(() => undefined);
      if (vip !== undefined && elect(vip, epochMs(Date.now())).splitBrain.length > 0) splitBrain += 1;
    }
  })();
  try {
    await scenario.run(context);
    await context.calm(scenario.ends.owner, scenario.ends.settlesWithinMs);
    const owner = ownerOf(scenario.ends, context, await context.cloud.vip());
    await client.answerFrom(monotonicMs(), FIRST_ANSWER_MS, owner);
  } finally {
    running = false;
    await watch;
  }
  if (scenario.ends.splitBrain === 'never' && splitBrain > 0)
    return ['the election called it split brain, expected never'];
  if (scenario.ends.splitBrain === 'reported' && splitBrain === 0) {
    return ['the election never called it split brain, expected it reported'];
  }
  return [];
}

function explainOutage(
  scenario: Scenario,
  { context, client }: Prepared,
  outage: Outage,
  failovers: Awaited<ReturnType<ScenarioContext['cloud']['failovers']>>,
) {
  const { cloud, nodes } = context;
  return explain({
    faultMs: context.faultsMs.findLast((atMs) => atMs <= outage.firstGoodMs) ?? outage.lastGoodMs,
    firstGoodMs: outage.firstGoodMs,
    answers: client.answers,
    follows: scenario.asks === 'vip' ? 'client' : cloud.eip,
    changes: cloud.mirror.changes,
    claims: cloud.claims(),
    requests: [...cloud.ec2.exchanges, ...cloud.store.exchanges],
    failovers,
    lineOf: (claim) =>
      [nodes.a, nodes.b].find(({ instanceId }) => instanceId === claim.node)?.lineBehind(claim)?.atMs,
    offsetMs: wallToMonotonicMs(),
  });
}
