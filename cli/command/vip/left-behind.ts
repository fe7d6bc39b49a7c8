// What a failover of a VIP leaves where it is because of its tags: told before, in a dry run, and at the end.
//
// Invariant: it only tells. That EC2 does not answer it is no reason to hold a failover back.
import { toFault } from '../../../shared/fault.ts';
import { mislabelled, mislabelledText } from '../../../shared/network/labels.ts';
import { isRegistered } from '../../../shared/registry/registry.ts';
import { hint } from '../hint.ts';
import { type Output, plain } from '../output.ts';
import { type Session, surveyFor } from '../session.ts';

export interface LeftThing {
  readonly id: string;
  readonly why: string;
}

/** A sentence in place of the answer when it could not be looked up. */
export async function leftBy(session: Session, name: string): Promise<readonly LeftThing[] | string> {
  try {
    const vips = (await session.ports.vips.list()).filter(isRegistered);
    const vip = vips.find((v) => v.name === name);
    if (vip === undefined) return [];
    const { survey } = await surveyFor(session, [vip]);
    return mislabelled(vip, vips, survey).map((one) => ({ id: one.id, why: mislabelledText(one) }));
  } catch (error) {
    return `which tables a failover of ${name} leaves could not be looked up: ${toFault(error).message}`;
  }
}

/** The command that names the fix. */
export const doctorOf = (vip: string): string => hint(`doctor ${vip}`);

export function tellLeft(out: Output, left: readonly LeftThing[] | string, doctor: string): void {
  if (typeof left === 'string') out.note(plain(left));
  else if (left.length > 0) {
    for (const { why } of left) out.note(plain(`left alone: ${why}`));
    out.note(`for the fix, run: ${doctor}`);
  }
}

/** For a document of --json. */
export const leftDocument = (left: readonly LeftThing[] | string) =>
  typeof left === 'string' ? { leftUnknown: left } : { left };
