// The doctor's event from end to end: sent to the bus, looked for in the record. PutEvents to a bus or rule that leads
// nowhere answers as if all were well, so only the trace at the far end proves the way.
import { type IdentityAccess, sendProbe } from '../../shared/aws/iam/identity-facts.ts';
import type { IdentityFacts } from '../../shared/doctor/service/identity-facts.ts';
import { durationMs, epochMs, minus, minutes, plus } from '../../shared/time.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { DoctorSession } from './clients.ts';

const WAIT_MAX_MS = 15_000;
const LOOK_EVERY = durationMs(500);
/** No node has it: a probe that is believed (NodeIdentity none) says nothing of a real one. */
const NO_NODE = 'i-00000000000000000';

export async function probed(
  session: DoctorSession,
  access: IdentityAccess,
  vip: Vip,
): Promise<NonNullable<IdentityFacts['probe']>> {
  const began = session.now();
  const id = await sendProbe(access, vip.name, NO_NODE, began);
  while (session.now() - began < WAIT_MAX_MS) {
    if (await arrived(session, vip.name, id)) return { arrived: true, waitedMs: session.now() - began };
    await session.ports.clock.wait(LOOK_EVERY);
  }
  return { arrived: false, waitedMs: session.now() - began };
}

/** As a recorded probe, or as the example of the rejection that a source of no node gets. */
async function arrived(session: DoctorSession, vip: string, eventId: string): Promise<boolean> {
  const now = session.now();
  const [probes, rejected] = await Promise.all([
    session.log.probes(vip, 20),
    session.log.find({
      vip,
      kinds: ['rejected'],
      limit: 50,
      sinceMs: minus(epochMs(now), minutes(5)),
      untilMs: plus(epochMs(now), minutes(5)),
    }),
  ]);
  return (
    probes.some((p) => p.eventId === eventId) ||
    rejected.records.some((r) => r.entry === 'rejected' && r.example.includes(eventId))
  );
}
