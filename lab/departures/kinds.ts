/**
 * Kinds: the ways in which a node goes, each as a scenario with delays like those of AWS. One leg at a time: the node's own, or the
 * cloud's with the node's poll off; the stories of lab/scenarios/leaving have both.
 */
import { slowDown } from '../netns/cloud/delays.ts';
import type { Hold } from '../netns/node/keepalived.ts';
import type { Ending, Scenario } from '../netns/scenario/scenario.ts';
import type { ScenarioContext } from '../netns/scenario/scenario-context.ts';
import { hasLeft } from '../scenarios/leaving/warn.ts';

interface Kind {
  readonly says: string;
  readonly owner: Ending['owner'];
  /** Whether a connection that no node took breaks it, with hold `both`. */
  readonly isPlanned: boolean;
  readonly shim?: readonly string[];
  /** `run` from 0 on, of so many. */
  act(context: ScenarioContext, run: number): Promise<void>;
}

const POLL_OFF = ['leaving_poll = 0'];
/** So far apart at the most are two warnings of one run. */
const APART_MAX_MS = 1_000;
const APART_STEPS = 20;

export const kinds = {
  node: {
    says: "a spot warning in the node's metadata, and no event",
    owner: 'b',
    isPlanned: true,
    async act(context) {
      context.fault();
      context.cloud.warnings.spotNotice('a');
      await hasLeft(context, 'a');
    },
  },
  event: {
    says: "a spot warning as an event, the node's poll off",
    owner: 'b',
    isPlanned: true,
    shim: POLL_OFF,
    async act(context) {
      context.fault();
      await context.cloud.warnings.spotEvent('a');
    },
  },
  listed: {
    says: "a retirement in EC2's list, the event lost, the node's poll off: from the sweep that reads it",
    owner: 'b',
    isPlanned: true,
    shim: POLL_OFF,
    async act(context) {
      await context.cloud.warnings.listRetirement('a');
      context.fault();
      await context.cloud.reconcile();
    },
  },
  both: {
    says: 'both nodes warned in their metadata within a second',
    owner: 'master',
    isPlanned: true,
    async act(context, run) {
      const { warnings } = context.cloud;
      context.fault();
      warnings.spotNotice('a');
      await context.pause(((run % APART_STEPS) / APART_STEPS) * APART_MAX_MS);
      warnings.spotNotice('b');
      await Promise.all([hasLeft(context, 'a'), hasLeft(context, 'b')]);
    },
  },
  dead: {
    says: 'the host dies without a word',
    owner: 'b',
    isPlanned: false,
    act: (context) => context.hostDies('a'),
  },
} satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;

const END = { longestOutageMs: 60_000, splitBrain: 'never', settlesWithinMs: 40_000 } as const;

export function departure(name: KindName, hold: Hold, run: number): Scenario {
  const kind: Kind = kinds[name];
  const isFree = kind.isPlanned && hold === 'both';
  return {
    name: `${name}, hold ${hold}`,
    says: kind.says,
    hold,
    asks: 'vip',
    shim: kind.shim ?? [],
    ends: { ...END, owner: kind.owner, ...(isFree ? { failedConnections: 0 } : {}) },
    async run(context) {
      slowDown(context.cloud);
      await kind.act(context, run);
    },
  };
}
