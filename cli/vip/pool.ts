// Addresses out of a pool: the next one that is free, of a range that an operator names.
import { type Range, rangeText } from '../../shared/registry/ip-range.ts';
import { nextFree, poolFrom, refusal, type VpcSeen } from '../../shared/registry/validate.ts';
import { refused, usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';

/** What a pool may not give. */
export interface Drawing {
  readonly vpc: VpcSeen;
  /** Although it is free now: ranges of others' prefix lists, addresses that a file names. */
  readonly closed?: readonly string[];
}

/** The next address that the pool gives; undefined when it is used up. */
export const drawnFrom = (
  pool: Range,
  { vpc, closed = [] }: Drawing,
  taken: ReadonlySet<string>,
): string | undefined => nextFree(pool, taken, { ...vpc, cidrs: [...vpc.cidrs, ...closed] });

export function poolOf(text: string, allowPublic: boolean): Range {
  const pool = poolFrom(text, allowPublic);
  if ('what' in pool) throw usage(refusal(pool), 'name another range with --pool');
  return pool;
}

export const usedUp = (pool: Range, name: string) =>
  refused(
    `no free address is left in ${rangeText(pool)} for ${name}`,
    `name another or a larger range; ${hint('vip list')} shows what is taken`,
  );
