// A dead letter as the redrive reads it: whose event it was, or that it is none. Never throws, whatever lies in the queue:
// Step Functions cannot catch what goes wrong while it reads a message itself, so one message would end every redrive.
//
// A function's failure has the event within (Lambda developer guide, "Capturing records of asynchronous invocations"); a
// rule's dead letter is the event.
import * as z from 'zod/mini';
import { DETAIL_TYPE } from './claim-event.ts';
import { CONTROLLER_SOURCE, WARNED } from './publisher.ts';

export type DeadLetter =
  | {
      /** `announcement`: of a failover, for people. `hint`: whatever else starts a reconcile, the schedule included. */
      readonly kind: 'claim' | 'announcement' | 'hint';
      readonly event: object;
    }
  | { readonly kind: 'poison'; readonly why: string };

const envelope = z.looseObject({ 'detail-type': z.string(), source: z.string() });
const failure = z.object({ requestPayload: z.unknown() });

/** `body`: of the SQS message. */
export function deadLetterFrom(body: unknown): DeadLetter {
  const read = jsonOf(body);
  if (read === undefined) return { kind: 'poison', why: 'the body is not JSON' };
  const failed = failure.safeParse(read.value);
  const event = envelope.safeParse(failed.success ? failed.data.requestPayload : read.value);
  if (!event.success) return { kind: 'poison', why: 'it holds no event: no detail-type, or no source' };
  const kind = kindOf(event.data);
  // Anyone who may write to the queue chooses the stamp as well.
  return { kind, event: kind === 'claim' ? { ...event.data, redriven: true } : event.data };
}

function kindOf(event: z.infer<typeof envelope>): 'claim' | 'announcement' | 'hint' {
  if (event['detail-type'] === DETAIL_TYPE) return 'claim';
  // A sweep finds again what EC2 has scheduled.
  return event.source === CONTROLLER_SOURCE && event['detail-type'] !== WARNED ? 'announcement' : 'hint';
}

/** Undefined when it is not JSON. */
function jsonOf(body: unknown): { readonly value: unknown } | undefined {
  if (typeof body !== 'string') return undefined;
  try {
    return { value: JSON.parse(body) };
  } catch {
    return undefined;
  }
}
