import type { Failover } from '../timeline/timeline.ts';

export interface FailoverOrder {
  readonly vip: string;
  readonly to: string;
  /** `routes-only`: the routes move, keepalived stays. `via-keepalived`: its master is demoted and the claim awaited. */
  readonly mode: 'routes-only' | 'via-keepalived';
  readonly reason: string;
  /** Who gave it, as the caller said. */
  readonly by: string;
  readonly dryRun: boolean;
  readonly approval: boolean;
  /** 0 for no pin. */
  readonly pinMinutes: number;
  /** How long, via keepalived, the target may take to become master and report it. */
  readonly claimWaitSeconds: number;
  /** When, via keepalived, the demotion is undone; `safe` by default. */
  readonly release?: RejoinPolicy;
}

export type SwitchResult =
  | {
      readonly outcome: 'switched';
      readonly owner: string;
      readonly epoch: number;
      /** Cells of the VIP's own that could not follow, and why: reconcile goes on with them. */
      readonly unmet?: readonly string[];
      readonly failover?: Failover;
    }
  /** The invocation ends before the switch does: ask again. Nothing is wrong, and nothing may be undone for it. */
  | {
      readonly outcome: 'moving';
      readonly why: string;
      readonly owner?: string;
      readonly failover?: Failover;
    }
  | {
      readonly outcome: 'failed';
      readonly why: string;
      readonly owner?: string;
      readonly failover?: Failover;
    };

/** `safe`: where it cannot move traffic. `now`: at once. `by-hand`: never; the message has the command. */
export type RejoinPolicy = 'safe' | 'now' | 'by-hand';
