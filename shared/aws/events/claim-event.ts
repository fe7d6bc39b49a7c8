// The wire contract: an EventBridge event in, a claim or a rejection out. Never throws, whatever comes.
//
// events/vrrp-state-change.schema.json says the same for everybody else; a test holds both against the same examples.
// Versions: fields are only ever added, unknown ones are ignored, and a higher version is read as far as it is known,
// because a refused claim is a missed failover.

import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { defined } from '../../optional.ts';
import { epochMs } from '../../time.ts';
import type { Rejection } from '../../vip/admission.ts';
import { type Claim, claimKinds, vrrpStates } from '../../vip/claim.ts';

export const DETAIL_TYPE = 'VRRP State Change';
export const VERSION = 2;

// The mini build leaves its messages out; a rejection without a message is no help.
z.config(en());

const count = z.int().check(z.minimum(0));
/** A hundred years: bounds every instant that is computed from it. */
const UPTIME_MAX_MS = 3_155_760_000_000;
const uptime = z.number().check(z.minimum(0), z.maximum(UPTIME_MAX_MS));
const text = (min: number, max: number) => z.string().check(z.minLength(min), z.maxLength(max));

const detail = z.object({
  version: z.int().check(z.minimum(1)),
  vip: z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)),
  node: z.string().check(z.regex(/^i-[0-9a-f]{8,17}$/)),
  state: z.enum(vrrpStates),
  kind: z.enum(claimKinds),
  instance: text(1, 255),
  priority: z.int().check(z.minimum(0), z.maximum(255)),
  bootId: text(1, 64),
  seq: count,
  since: count,
  uptimeMs: uptime,
  ageMs: uptime,
  superseded: z.boolean(),
  dropped: count,
  atMs: z.number().check(z.minimum(-8.64e15), z.maximum(8.64e15)),
  shim: text(0, 64),
  // Since version 2.
  leaving: z.optional(text(1, 64)),
  atRisk: z.optional(z.boolean()),
});

const envelope = z.object({
  id: text(1, 128),
  source: text(0, 256),
  time: z.iso.datetime(),
  'detail-type': z.literal(DETAIL_TYPE),
  detail: z.unknown(),
  // Set by the redrive alone (dead-letter.ts): a sender chooses no field of the envelope but source, time and detail-type.
  redriven: z.optional(z.literal(true)),
});

/** The node's own clock may have ticked between drawing a number and sending; more than this is a mistake or a fraud. */
const UPTIME_SLACK_MS = 1000;

export type Parsed =
  | { readonly ok: true; readonly claim: Claim; readonly source: string; readonly version: number }
  | {
      readonly ok: false;
      readonly vip: string;
      readonly node: string;
      readonly eventId: string;
      readonly rejection: Rejection;
    };

export function parseClaimEvent(event: unknown): Parsed {
  const outer = envelope.safeParse(event);
  if (!outer.success) return malformed(namesIn(event), outer.error);
  const { id, source, time, detail: said, redriven } = outer.data;
  const taken = { timeMs: epochMs(Date.parse(time)), eventId: id, ...defined({ redriven }) };
  return parseDetail(said, taken, source);
}

/** What AWS says of a claim, and not its sender. */
export type Taken = Pick<Claim, 'timeMs' | 'eventId' | 'redriven' | 'way'>;

/** The claim itself, by whichever way it came. */
export function parseDetail(said: unknown, taken: Taken, source: string): Parsed {
  const names = namesIn({ id: taken.eventId, detail: said });
  const inner = detail.safeParse(said);
  if (!inner.success) return malformed(names, inner.error);
  const contradiction = contradictionIn(inner.data);
  if (contradiction !== undefined) return refused(names, { reason: 'malformed', message: contradiction });
  const { version, leaving, atRisk, ...rest } = inner.data;
  const claim: Claim = {
    ...rest,
    // Whole numbers, like every other instant: no store keeps an arbitrarily small fraction.
    atMs: Math.round(rest.atMs),
    uptimeMs: Math.round(rest.uptimeMs * 1000) / 1000,
    ageMs: Math.round(rest.ageMs * 1000) / 1000,
    ...defined({ leaving, atRisk }),
    ...taken,
  };
  return { ok: true, claim, source, version };
}

/** What no schema can say: the numbers of one claim must agree with each other. */
function contradictionIn(fields: z.infer<typeof detail>): string | undefined {
  if (fields.since > fields.seq) return `since is ${fields.since}, expected at most seq, ${fields.seq}`;
  const latest = (fields.uptimeMs + UPTIME_SLACK_MS) * 1000;
  if (fields.seq > latest)
    return `seq is ${fields.seq}, expected at most uptimeMs in µs, ${fields.uptimeMs * 1000}`;
  if (fields.kind === 'transition' && fields.since !== fields.seq) {
    return `since of a transition is ${fields.since}, expected its seq, ${fields.seq}`;
  }
  return undefined;
}

export interface Names {
  readonly vip: string;
  readonly node: string;
  readonly eventId: string;
}

export function malformed(names: Names, error: z.core.$ZodError): Parsed {
  const issues = error.issues.slice(0, 3).map((i) => `${i.path.join('.') || 'event'}: ${i.message}`);
  return refused(names, { reason: 'malformed', message: issues.join('; ') });
}

export const refused = (names: Names, rejection: Rejection): Parsed => ({ ok: false, ...names, rejection });

/** The names are kept, cut and cleaned, so that the rejection is found under them. */
export function namesIn(event: unknown): Names {
  const outer = (event ?? {}) as { id?: unknown; detail?: unknown };
  const fields = (outer.detail ?? {}) as { vip?: unknown; node?: unknown };
  return { vip: nameOf(fields.vip), node: nameOf(fields.node), eventId: nameOf(outer.id) };
}

const nameOf = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? value.slice(0, 64).replace(/[^A-Za-z0-9._-]/g, '?') : 'unknown';
