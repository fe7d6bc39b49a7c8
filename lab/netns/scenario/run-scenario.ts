/**
 * To play a story: set the stage, let the client ask, play, wait for the ending, check it, explain the outage.
 *
 * A story that throws, at whatever point, is broken and says why; the next one starts from scratch all the same.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { epochMs } from '../../../shared/time.ts';
import { elect } from '../../../shared/vip/election.ts';
import { Client, isGood, type Outage, outageOf } from '../node/client.ts';
import type { Lab } from '../sandbox/lab.ts';
import { VIP } from '../sandbox/topology.ts';
import { brokenPromises } from './expectations.ts';
import { monotonicMs, wallToMonotonicMs } from './moment.ts';
import { type Account, explain, type Parts } from './outage-phases.ts';
import type { Scenario } from './scenario.ts';
import { restore, type ScenarioContext, scenarioContext } from './scenario-context.ts';

export interface ScenarioResult {
  readonly story: string;
  readonly says: string;
  readonly outageMs: number | undefined;
  readonly parts: Parts | undefined;
  /** The timeline's own words about the failover that ended the outage. */
  readonly timeline: Account | undefined;
  readonly refused: number;
  readonly lost: number;
  /** Connections that a node had accepted and that the switch then broke: see outage.ts's limits. */
  readonly cut: number;
  readonly verdict: 'held' | 'broken';
  /** Why it is broken, one sentence each. */
  readonly broken: readonly string[];
  readonly tookMs: number;
}

const BOOT_MS = 15_000;
const FIRST_ANSWER_MS = 5_000;
/** Past the backup's startup delay (1 s) and one round of adverts: only then it takes over as fast as it ever will. */
const QUIET_BEFORE_MS = 1_500;
/** Seldom enough not to be in the way of what is measured. */
const WATCH_EVERY_MS = 250;

interface Scene {
  readonly stage: ScenarioContext;
  readonly client: Client;
  readonly epochBefore: number;
  readonly startMs: number;
}

export async function runScenario(lab: Lab, history: Scenario): Promise<ScenarioResult> {
  const beganMs = monotonicMs();
  const failed = (error: unknown) => ({
    ...nothing,
    broken: [error instanceof Error ? error.message : String(error)],
  });
  let scene: Scene | undefined;
  const result = await setUp(lab, history)
    .then((set) => {
      scene = set;
      return perform(history, set);
    })
    .catch(failed);
  await scene?.client.close();
  await restore(lab);
  return {
    story: history.name,
    says: history.says,
    ...result,
    verdict: result.broken.length === 0 ? 'held' : 'broken',
    tookMs: monotonicMs() - beganMs,
  };
}

type Result = Omit<ScenarioResult, 'story' | 'says' | 'verdict' | 'tookMs'>;

const nothing: Omit<Result, 'broken'> = {
  outageMs: undefined,
  parts: undefined,
  timeline: undefined,
  refused: 0,
  lost: 0,
  cut: 0,
};

async function setUp(lab: Lab, history: Scenario): Promise<Scene> {
  await restore(lab);
  const stage = scenarioContext({ ...lab, hold: history.hold });
  const master = stage.nodes.a.entered('MASTER', BOOT_MS);
  await Promise.all([stage.boot('a'), stage.boot('b')]);
  await master;
  await stage.settled('a', BOOT_MS);
  const client =
    history.asks === 'vip' ? new Client('client', VIP, 80) : new Client('internet', lab.cloud.eip, 80);
  try {
    await client.answerFrom(monotonicMs(), FIRST_ANSWER_MS, 'a');
    await delay(QUIET_BEFORE_MS);
    lab.cloud.forget();
    return { stage, client, epochBefore: (await lab.cloud.vip()).epoch, startMs: monotonicMs() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function perform(history: Scenario, scene: Scene): Promise<Result> {
  const { stage, client, startMs } = scene;
  const trouble = await act(history, scene).catch((error: unknown) => [
    error instanceof Error ? error.message : String(error),
  ]);
  const outage = outageOf(client.answers, startMs, monotonicMs());
  const vip = await stage.cloud.vip();
  const failovers = await stage.cloud.failovers(scene.epochBefore + 1, vip.epoch);
  const lastAnswer = client.answers.findLast(isGood)?.what ?? 'nobody';
  const seen = { outage, vip, failovers, epochBefore: scene.epochBefore, lastAnswer };
  const broken = [...trouble, ...(await brokenPromises(history, stage, seen))];
  const explained = explainOutage(history, scene, outage, failovers);
  return {
    outageMs: outage.outageMs,
    parts: explained.parts,
    timeline: explained.account,
    refused: outage.refused,
    lost: outage.lost,
    cut: outage.cut,
    broken,
  };
}

/** Plays it and waits for its owner; what the election calls split brain meanwhile is noted. */
async function act(history: Scenario, { stage, client }: Scene): Promise<string[]> {
  let splitBrain = 0;
  let playing = true;
  const watch = (async () => {
    while (playing) {
      await delay(WATCH_EVERY_MS);
      const vip = await stage.cloud.vip().catch(() => undefined);
      if (vip !== undefined && elect(vip, epochMs(Date.now())).splitBrain.length > 0) splitBrain += 1;
    }
  })();
  try {
    await history.play(stage);
    await stage.calm(history.ends.owner, history.ends.settlesWithinMs);
    await client.answerFrom(monotonicMs(), FIRST_ANSWER_MS, history.ends.owner);
  } finally {
    playing = false;
    await watch;
  }
  if (history.ends.splitBrain === 'never' && splitBrain > 0)
    return ['the election called it split brain, want never'];
  if (history.ends.splitBrain === 'reported' && splitBrain === 0) {
    return ['the election never called it split brain, want it reported'];
  }
  return [];
}

function explainOutage(
  history: Scenario,
  { stage, client }: Scene,
  outage: Outage,
  failovers: Awaited<ReturnType<ScenarioContext['cloud']['failovers']>>,
) {
  const { cloud, nodes } = stage;
  return explain({
    faultMs: stage.faultsMs.findLast((atMs) => atMs <= outage.firstGoodMs) ?? outage.lastGoodMs,
    firstGoodMs: outage.firstGoodMs,
    answers: client.answers,
    follows: history.asks === 'vip' ? 'client' : cloud.eip,
    changes: cloud.mirror.changes,
    told: cloud.told(),
    requests: [...cloud.ec2.exchanges, ...cloud.store.exchanges],
    failovers,
    lineOf: (told) =>
      [nodes.a, nodes.b].find(({ instanceId }) => instanceId === told.node)?.lineBehind(told)?.atMs,
    offsetMs: wallToMonotonicMs(),
  });
}
