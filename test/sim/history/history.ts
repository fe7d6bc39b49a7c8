// A story is what one history is made from, as data: the things that exist, how likely each fault is, and what happens
// when. The same story always gives the same history; leaving acts out gives a smaller one (shrink.ts).
import type { VrrpState } from '../../../shared/vip/claim.ts';
import type { Hold } from '../../../shared/vip/vip.ts';
import type { Blow } from '../functions/invocation.ts';
import type { Forgery } from '../node/forged.ts';

/** Faults that strike by chance while the story is troubled; each with its own probability. */
export const faultNames = [
  'event lost',
  'event doubled',
  'event delayed',
  'event late',
  'send failed',
  'send reply lost',
  'invocation killed',
  'invocation paused',
  'slow start',
  'read failed',
  'read slow',
  'read stale',
  'write refused',
  'write failed before effect',
  'write failed after effect',
  'write landed late',
  'store failed before effect',
  'store reply lost',
  'store write repeated',
  'store write landed late',
  'record failed',
  'announcement failed',
  'reconcile left out',
  'hint lost',
  'hint doubled',
  'hint delayed',
  'step repeated',
  'read empty',
  'call breaks',
  'direct refused',
  'direct failed',
  'direct delayed',
  'direct throttled',
  'direct reply lost',
  'first carrier dies',
] as const;

/** Acts that are faults, too: they count, and are paired with the states of the nodes. */
export const deedNames = [
  'dies',
  'stops',
  'fails',
  'is cut off',
  'is transient',
  'clock jumps',
  'bus goes',
  'describes fail',
  'bucket is drained',
  'is untagged',
  'is replaced',
  'is deleted',
  'foreign route',
  'foreign eip',
  'route is changed',
  'route is deleted',
  'eip is loosed',
  'stranger speaks',
  'flaps',
] as const;
export type FaultName = (typeof faultNames)[number];
export type Odds = Readonly<Partial<Record<FaultName, number>>>;

export interface NodeSpec {
  readonly id: string;
  readonly zone: string;
  /** Priority by VIP. */
  readonly priorities: readonly number[];
  /** How wrong the node's wall clock is, in ms. */
  readonly clockMs: number;
  readonly hasEipEni: boolean;
  /** What CLOCK_BOOTTIME shows when the history begins, an hour by default, and by how much it runs wrong. */
  readonly upMs?: number;
  readonly driftPpm?: number;
  /** It has the function URL, too. */
  readonly direct?: boolean;
}

export interface VipSpec {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly eips: readonly string[];
  readonly tableLabel: string;
  readonly nodeLabel: string;
  readonly tables: number;
  /** `both` by default. */
  readonly hold?: Hold;
}

/** What happens at a stated moment. `vip` and `node` are indexes. */
export type Act = { readonly atMs: number } & Deed;
export type Deed =
  | { readonly does: 'boots' | 'stops' | 'starts' | 'fails' | 'recovers'; readonly node: number }
  /** `stopped`: EC2 stopped it and reports it; by chance by default. */
  | { readonly does: 'dies'; readonly node: number; readonly stopped?: boolean }
  | { readonly does: 'is deleted' | 'is added'; readonly node: number; readonly vip: number }
  /** The nodes named are cut off from the others, for VRRP only. */
  | { readonly does: 'is cut off'; readonly nodes: readonly number[] }
  | { readonly does: 'heals'; readonly adverts: boolean }
  /** A backup misses adverts for a while and becomes MASTER next to the real one. */
  | {
      readonly does: 'is transient';
      readonly node: number;
      readonly vip: number;
      readonly forMs: number;
      readonly adverts: boolean;
    }
  | { readonly does: 'clock jumps'; readonly node: number; readonly clockMs: number }
  | { readonly does: 'bus goes' | 'bus returns'; readonly zone?: string }
  | { readonly does: 'describes fail' | 'describes work' | 'bucket is drained' }
  /** Every mutation is refused, as by an SCP, with all that EC2 says then. */
  | { readonly does: 'calls are denied' | 'calls are allowed' }
  | {
      readonly does: 'pin';
      readonly vip: number;
      readonly node: number;
      readonly forMs: number;
      readonly older?: boolean;
    }
  | { readonly does: 'freeze'; readonly vip: number; readonly forMs: number; readonly older?: boolean }
  | { readonly does: 'unpin'; readonly vip: number; readonly older?: boolean }
  /** An operator wants the node empty, of all its VIPs. */
  | { readonly does: 'drain'; readonly node: number; readonly forMs: number }
  | { readonly does: 'undrain'; readonly node: number }
  /** AWS is about to take the node, which hears of it later; and what AWS said is gone. */
  | { readonly does: 'leaves'; readonly node: number; readonly lateMs: number }
  | { readonly does: 'stays'; readonly node: number }
  /** AWS warns of the node's end; each event comes so much later, or never. */
  | {
      readonly does: 'is warned';
      readonly node: number;
      readonly as: 'right' | 'malformed' | 'foreign' | 'unknown';
      readonly comesAfterMs: readonly number[];
    }
  | {
      readonly does: 'is scheduled';
      readonly node: number;
      readonly code: string;
      readonly inMs: number;
      readonly comesAfterMs: readonly number[];
    }
  /** What was scheduled last. */
  | { readonly does: 'is called off'; readonly node: number; readonly comesAfterMs: readonly number[] }
  | {
      readonly does: 'table appears' | 'foreign route' | 'foreign eip' | 'route is deleted' | 'eip is loosed';
      readonly vip: number;
    }
  /** From the registry, and into it again. */
  | { readonly does: 'is removed' | 'is registered'; readonly vip: number; readonly older?: boolean }
  | { readonly does: 'route is changed'; readonly vip: number; readonly node: number }
  /** Someone who is not a member, or who speaks in a member's name, says MASTER. */
  | {
      readonly does: 'stranger speaks';
      readonly vip: number;
      readonly node: number;
      readonly forged: boolean;
    }
  /** With its host, which EC2 says where it hibernates; the boot goes on, and its clock stood still or did not. */
  | {
      readonly does: 'stands still';
      readonly node: number;
      readonly forMs: number;
      readonly clock: 'stands' | 'runs on';
      readonly hibernates: boolean;
    }
  /** keepalived changes its state again and again, of these VIPs; the other nodes hear of it, or do not. */
  | {
      readonly does: 'flaps';
      readonly node: number;
      readonly vips: readonly number[];
      readonly everyMs: number;
      readonly times: number;
      readonly between: 'BACKUP' | 'FAULT';
      readonly isHeard: boolean;
    }
  /** Not the node nor its keepalived, but the shim: node/mishaps.ts. */
  | { readonly does: 'shim restarts'; readonly node: number; readonly disk: 'fine' | 'full' }
  | { readonly does: 'fifo is remade'; readonly node: number }
  | {
      readonly does: 'instance is renamed' | 'instance is named again';
      readonly node: number;
      readonly vip: number;
    }
  /** Someone who has got hold of the node's identity says something. */
  | {
      readonly does: 'forges';
      readonly node: number;
      readonly vip: number;
      readonly how: Forgery;
      readonly state: VrrpState;
    }
  | { readonly does: 'is untagged' | 'is tagged' | 'is replaced'; readonly node: number }
  /** An operator starts the workflow (runbook/failover.asl.json). */
  | {
      readonly does: 'forced failover';
      readonly vip: number;
      readonly node: number;
      readonly mode: 'routes-only' | 'via-keepalived';
      readonly pinMinutes: number;
      readonly claimWaitSeconds: number;
      /** What the second person says, where one is asked; `malformed`: something that is no decision. */
      readonly approved?: boolean | 'malformed';
      /** How long they think about it; seconds by default. The workflow gives up after an hour. */
      readonly approvalMs?: number;
      /** What happens at the same time, when it enters a state. */
      readonly beside?: readonly Beside[];
    };

/** Something that hits a forced failover where it hurts. */
export interface Beside {
  readonly at: 'requestApproval' | 'recordOrder' | 'beginOrder' | 'demote' | 'awaitClaim' | 'switchVip';
  readonly afterMs: number;
  readonly does:
    | 'target fails'
    | 'target dies'
    | 'target is untagged'
    | 'owner fails'
    | 'owner dies'
    | 'is frozen'
    | 'is pinned elsewhere'
    | 'is unpinned'
    | 'is removed'
    | 'is ordered elsewhere';
  readonly forMs: number;
  /** By a command line of an older version, which knows nothing of forced failovers. */
  readonly older: boolean;
}

export interface History {
  readonly seed: number;
  readonly nodes: readonly NodeSpec[];
  readonly vips: readonly VipSpec[];
  readonly odds: Odds;
  readonly preempt: boolean;
  /** How long an invocation may take; the least that is allowed by default. */
  readonly timeoutMs?: number;
  /** How long a step of a workflow may take; five minutes by default. */
  readonly stepTimeoutMs?: number;
  /** Whether the account's request budget is shared through the store, or each sandbox keeps its own. */
  readonly sharedBudget: boolean;
  readonly acts: readonly Act[];
  /** Blows at stated invocations, beside those by chance: for crashes that are enumerated and not drawn. */
  readonly blows?: readonly (Blow & { readonly invocation: string })[];
  /** From here on nothing goes wrong any more. */
  readonly quietAtMs: number;
  /** Milliseconds by which the history's beginning is off a whole second. */
  readonly phaseMs: number;
  /** How wrong the clocks are that stamp claims; right by default. */
  readonly frontEnds?: { readonly busMs: number; readonly directMs: number };
}
