// The doctor on what could not be looked up: told, and never taken for right.
import type { Vip } from '../vip/vip.ts';
import { type Finding, warning } from './finding.ts';

/** What was not looked up, and why. */
export interface Unchecked {
  readonly what: string;
  readonly why: string;
}

export const uncheckedFindings = (vip: Vip, unchecked: readonly Unchecked[]): readonly Finding[] =>
  unchecked.map(({ what, why }) =>
    warning('unchecked', {
      vips: [vip.name],
      subject: what,
      found: why,
      expected: 'to be looked up',
      remedy: {
        sentence: 'allow your role the call (resources/policies/operators/ has them all), or look yourself',
      },
    }),
  );
