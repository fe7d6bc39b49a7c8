// One claim from the bus: parse it, let the domain decide and act, log and count the answer.
import { handleClaim, recordRejection } from '../../controller/handle-claim.ts';
import { parseClaimEvent } from '../events/claim-event.ts';
import type { Invocation } from './handler.ts';
import { countNewerVersion, countRejection, logAnswer } from './telemetry.ts';

/** A malformed event is an answer, too: delivered again it would be no better. */
export async function invokeForClaim(event: unknown, { ports, environment, telemetry }: Invocation) {
  const parsed = parseClaimEvent(event);
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
  return { answer: answer.answer };
}
