// What an execution of the workflow `failover` is started with, as a forced failover; every fault of it named at once.
import * as z from 'zod/mini';
import { REASON_MAX, reasonProblem } from '../../bounded.ts';
import type { FailoverOrder } from '../../forced-failover/order.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const isReason = z.check<string>((given) => {
  const message = reasonProblem(given.value);
  if (message !== undefined) given.issues.push({ code: 'custom', message, input: given.value });
});
/** A week: longer pins are forgotten by those who set them. */
const PIN_MAX_MINUTES = 7 * 24 * 60;
/** What keeps a VIP against keepalived's own master when nothing else was asked for. */
export const PIN_DEFAULT_MINUTES = 60;
/** VRRP's three adverts, the shim and the bus, with room for a slow one; the function itself has five minutes. */
const CLAIM_WAIT_DEFAULT_S = 30;
const CLAIM_WAIT_MAX_S = 240;

const input = z.object({
  vip: z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)),
  to: z.string().check(z.regex(/^i-[0-9a-f]{8,17}$/)),
  mode: z.enum(['routes-only', 'via-keepalived']),
  reason: z.string().check(isReason),
  by: text(REASON_MAX),
  dryRun: z.optional(z.boolean()),
  approval: z.optional(z.boolean()),
  pinMinutes: z.optional(z.int().check(z.minimum(0), z.maximum(PIN_MAX_MINUTES))),
  claimWaitSeconds: z.optional(z.int().check(z.minimum(1), z.maximum(CLAIM_WAIT_MAX_S))),
  release: z.optional(z.enum(['safe', 'now', 'by-hand'])),
});

export type OrderInput =
  | { readonly ok: true; readonly order: FailoverOrder }
  | { readonly ok: false; readonly reasons: readonly string[] };

export function orderFrom(given: unknown): OrderInput {
  const parsed = input.safeParse(given);
  if (!parsed.success)
    return {
      ok: false,
      reasons: parsed.error.issues.map((i) => `${i.path.join('.') || 'input'}: ${i.message}`),
    };
  const { dryRun = false, approval = false, pinMinutes, ...others } = parsed.data;
  const { claimWaitSeconds = CLAIM_WAIT_DEFAULT_S, release = 'safe', ...rest } = others;
  const pin = pinMinutes ?? (rest.mode === 'routes-only' ? PIN_DEFAULT_MINUTES : 0);
  return { ok: true, order: { ...rest, dryRun, approval, claimWaitSeconds, release, pinMinutes: pin } };
}
