// What to run where an operator's order keeps a VIP from moving: read from the item, not from the sentence that refused.
import type { EpochMs } from '../../shared/time.ts';
import { isLiveOrder } from '../../shared/vip/election.ts';
import { drainOf, type Vip } from '../../shared/vip/vip.ts';
import { hint } from '../command/hint.ts';

type Orders = Pick<Vip, 'name'> & Partial<Pick<Vip, 'freeze' | 'pin' | 'drains' | 'forced'>>;

/** Empty where no one's order is in the way. */
export function inTheWay(
  { name, freeze, pin, forced, ...rest }: Orders,
  to: string,
  now: EpochMs,
): readonly string[] {
  const ways: string[] = [];
  if (isLiveOrder(freeze, now)) ways.push(`to end the freeze: ${hint(`unfreeze ${name}`)}`);
  if (isLiveOrder(pin, now) && pin!.node !== to) ways.push(`to end the pin: ${hint(`unpin ${name}`)}`);
  if (drainOf(rest, to, now) !== undefined) ways.push(`to end the drain: ${hint(`undrain ${to}`)}`);
  if (isLiveOrder(forced, now))
    ways.push(`to follow the other failover: ${hint(`failover --follow ${forced!.execution}`)}`);
  return ways;
}
