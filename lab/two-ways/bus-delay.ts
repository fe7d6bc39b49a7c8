/**
 * How long the bus takes from PutEvents to the function: log-normal, with the median 150 ms and the 99th percentile 390 ms that a third
 * party measured in 2023 (docs/decisions/0050).
 *
 * The nth delay of a seed is always the same, so that two runs differ in the way alone.
 */
import { createHash } from 'node:crypto';

export const BUS_MEDIAN_MS = 150;
export const BUS_P99_MS = 390;
/** Of the normal distribution. */
const QUANTILE_99 = 2.3263;
const SIGMA = Math.log(BUS_P99_MS / BUS_MEDIAN_MS) / QUANTILE_99;

/** In [0, 1), the same for the same text. */
const uniform = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;

/** Milliseconds. By Box and Muller. */
export function busDelayMs(seed: number, nth: number): number {
  const [one, other] = [1 - uniform(`${seed} ${nth} a`), uniform(`${seed} ${nth} b`)];
  const normal = Math.sqrt(-2 * Math.log(one)) * Math.cos(2 * Math.PI * other);
  return BUS_MEDIAN_MS * Math.exp(SIGMA * normal);
}
