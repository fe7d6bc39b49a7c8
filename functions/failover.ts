// One claim from the bus: parse it, let the domain decide and act, tell what became of it.
import { parseClaimEvent } from '../shared/aws/events/claim-event.ts';
import { type Invocation, lambda } from '../shared/aws/lambda/handler.ts';
import { countNewerVersion, countRejection, logAnswer } from '../shared/aws/lambda/telemetry.ts';
import { handleClaim, recordRejection } from '../shared/controller/handle-claim.ts';

export const handler = lambda(
  async (event: unknown, { ports, environment: box, telemetry: journal }: Invocation) => {
    const parsed = parseClaimEvent(event);
    if (!parsed.ok) {
      const { vip, node, eventId, refusal } = parsed;
      countRejection(journal, { vip, node, eventId, ...refusal });
      await recordRejection(ports, { vip, node, ...refusal }, event);
      return { answer: 'rejected', reason: refusal.reason };
    }
    const { claim, source, version } = parsed;
    countNewerVersion(journal, version);
    const answer = await handleClaim(ports, { claim, source }, box.settings.identity);
    logAnswer(journal, answer, claim);
    return { answer: answer.answer };
  },
);
