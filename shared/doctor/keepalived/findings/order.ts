// Which of two nodes is the better one: who is master where both hear each other.
import { rangeFrom } from '../../../registry/ip-range.ts';
import type { Instance } from '../model/instance.ts';
import type { Side } from './virtual-routers.ts';

/** Higher priority first; of equal ones the higher address. Undefined where that is not known. */
export function orderOf(left: Side, right: Side): readonly [Side, Side] | undefined {
  const [a, b] = [left.instance, right.instance];
  const [mine, theirs] = [a.priority.value, b.priority.value];
  if (mine === undefined || theirs === undefined) return undefined;
  if (mine !== theirs) return mine > theirs ? [left, right] : [right, left];
  const [from, to] = [addressNumber(a), addressNumber(b)];
  if (from === undefined || to === undefined || from === to) return undefined;
  return from > to ? [left, right] : [right, left];
}

const addressNumber = ({ source }: Instance): bigint | undefined =>
  source.value === undefined ? undefined : rangeFrom(source.value)?.base;
