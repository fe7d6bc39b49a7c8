// One look at a whole stage, for the commands that judge labels. The AWS client is loaded when it is wanted: help is not.
import type { Surveyed } from '../shared/aws/survey.ts';
import type { LedgerEntry } from '../shared/vip.ts';
import type { Session } from './session.ts';

export async function surveyFor(
  { ec2, tag, wire }: Session,
  entries: readonly LedgerEntry[],
): Promise<Surveyed> {
  const { surveyed } = await import('../shared/aws/survey.ts');
  return surveyed({ ...ec2, tag, clock: wire.clock }, entries);
}
