// Why a failover went where it went, in the record: the reason as data, with its text (docs/decisions/0028).
import { type Texts, textOf } from '../keyed.ts';
import { type ElectionReason, electionTexts } from '../vip/election.ts';

/** `holder-gone`: who held the lease did not come back, and the next holder closed the epoch. */
export type DecisionReason = ElectionReason | { readonly key: 'holder-gone' };

export interface Decided {
  /** Absent in records of versions before the keys. */
  readonly reason?: DecisionReason;
  /** The reason as text, for readers that do not know its key. */
  readonly why: string;
}

const texts: Texts<DecisionReason> = {
  ...electionTexts,
  'holder-gone': () => 'its holder did not come back; closed by the next one with what EC2 shows now',
};

export const decided = (reason: DecisionReason): Required<Decided> => ({
  reason,
  why: textOf(texts, reason) ?? reason.key,
});

/** As people read it; of an older or newer version as it was stored. */
export const decisionText = ({ reason, why }: Decided): string =>
  (reason === undefined ? undefined : textOf(texts, reason)) ?? why;
