/**
 * The first carrier: the process of the function that first asks something after the fault, killed at one of its requests. Where the
 * number of the run is even the request does not go out, where it is odd it takes effect and its sender does not hear of it.
 *
 * Invariant: none but that process is killed, and it once.
 * Limit: a sweep of reconcile that begins at that very moment is taken for it; then the claim's own function goes on.
 */
import { callerOf } from '../netns/cloud/caller.ts';
import type { Gate, Tap } from '../netns/cloud/recording-proxy.ts';
import type { ScenarioContext } from '../netns/scenario/scenario-context.ts';

export interface FirstCarrier {
  /** Requests that it began, the one at which it was killed included. */
  requests: number;
  /** The action of the request at which it was killed; undefined where it made fewer. */
  killedAt: string | undefined;
}

/** Of run `nth`, from 0 on: two runs for each request. */
export function followFirstCarrier(context: ScenarioContext, nth: number): FirstCarrier {
  const { bus, direct, ec2, store } = context.cloud;
  const carrier: FirstCarrier = { requests: 0, killedAt: undefined };
  const at = Math.floor(nth / 2) + 1;
  let first: number | undefined;
  const kill = (pid: number) => {
    // The time that counts is from here on.
    context.fault();
    process.kill(pid, 'SIGKILL');
  };
  const isWatching = () =>
    context.faultsMs.length > 0 &&
    carrier.killedAt === undefined &&
    [bus, direct!.tap].some(({ exchanges }) => exchanges.length > 0);
  const watched =
    (tap: Tap, open: Gate): Gate =>
    async (exchange) => {
      const pid = isWatching() ? await callerOf(exchange) : undefined;
      first ??= pid;
      if (pid === undefined || pid !== first) return open(exchange);
      carrier.requests += 1;
      if (carrier.requests !== at) return open(exchange);
      carrier.killedAt = exchange.action;
      if (nth % 2 === 0) {
        kill(pid);
        return 'drop';
      }
      const answered = tap.answered.bind(tap);
      tap.answered = (one) => {
        answered(one);
        if (one !== exchange) return;
        tap.answered = answered;
        kill(pid);
      };
      return open(exchange);
    };
  for (const tap of [ec2, store]) tap.gate = watched(tap, tap.gate);
  return carrier;
}
