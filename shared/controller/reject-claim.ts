// A claim that is turned away is counted, with the reason and the last example.
import type { Ports } from '../switch/switch-vip.ts';
import { type CountedReason, countedUnder } from '../vip/admission.ts';

/** Counts what was turned away, under names that are registered. `example` is kept as it came. */
export async function recordRejection(
  { timeline, vips, clock }: Pick<Ports, 'timeline' | 'vips' | 'clock'>,
  refused: {
    readonly reason: CountedReason;
    readonly message: string;
    readonly vip: string;
    readonly node: string;
  },
  example: unknown,
): Promise<void> {
  const { reason, message, vip, node } = refused;
  const under = countedUnder(await vips.read(vip), node);
  const came = JSON.stringify(example) ?? 'undefined';
  await timeline.reject({ ...under, reason, message, example: came, atMs: clock.now() });
}
