// One claim, from the bus or by the function URL: parse it, let the domain decide and act, log and count the answer.
import { handleClaim } from '../../controller/handle-claim.ts';
import { recordRejection } from '../../controller/reject-claim.ts';
import { defined } from '../../optional.ts';
import type { RejectReason } from '../../vip/admission.ts';
import { type Parsed, parseClaimEvent } from '../events/claim-event.ts';
import { type HttpAnswer, httpAnswer, isDirectCall, parseDirectCall } from '../events/direct-call.ts';
import type { Invocation } from './handler.ts';
import { countNewerVersion, countRejection, logAnswer } from './telemetry.ts';

export interface ClaimAnswer {
  readonly answer: string;
  readonly reason?: RejectReason;
}

/** To throw is to say deliver again: to the bus's retries, and as HTTP 502 to the caller of the function URL. */
export async function invokeForClaim(event: unknown, given: Invocation): Promise<ClaimAnswer | HttpAnswer> {
  if (isDirectCall(event)) return httpAnswer(await answerTo(parseDirectCall(event), event, given));
  return answerTo(parseClaimEvent(event), event, given);
}

/** A malformed event is an answer, too: delivered again it would be no better. */
async function answerTo(
  parsed: Parsed,
  event: unknown,
  { ports, environment, telemetry }: Invocation,
): Promise<ClaimAnswer> {
  if (!parsed.ok) {
    const { vip, node, eventId, rejection: refusal } = parsed;
    countRejection(telemetry, { vip, node, eventId, ...refusal });
    await recordRejection(ports, { vip, node, ...refusal }, event);
    return { answer: 'rejected', reason: refusal.reason };
  }
  const { claim, source, version } = parsed;
  countNewerVersion(telemetry, version);
  const answer = await handleClaim(ports, { claim, source }, environment.settings.identity);
  logAnswer(telemetry, answer, claim);
  const reason = answer.answer === 'rejected' ? answer.refusal.reason : undefined;
  return { answer: answer.answer, ...defined({ reason }) };
}
