// One look at a whole stage, for the commands that judge labels. The AWS client is loaded when it is wanted: help is not.
import type { Surveyed } from '../../shared/aws/ec2/survey.ts';
import type { RegistryEntry } from '../../shared/vip/vip.ts';
import type { Session } from './session.ts';

export async function surveyFor(
  { ec2, tag, ports }: Session,
  entries: readonly RegistryEntry[],
): Promise<Surveyed> {
  const { surveyed } = await import('../../shared/aws/ec2/survey.ts');
  return surveyed({ ...ec2, tag, clock: ports.clock }, entries);
}
