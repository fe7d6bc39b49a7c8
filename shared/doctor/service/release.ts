// The doctor on releases: of the deployed stack, of the command line that asks, and of the nodes' shims. The stack goes first, then
// the nodes (docs/upgrade.md).
//
// Limit: a shim's release is known by its newest self-test on record.
import { deployCommand } from '../../place.ts';
import type { Finding } from '../finding.ts';
import { type ServiceFacts, serviceWarning } from './stack.ts';

export interface Releases {
  /** Undefined where the stack does not say, or could not be looked up. */
  readonly stack?: string;
  readonly cli: string;
  /** Each once, in order. */
  readonly shims: readonly string[];
}

/** As the stack says in its outputs. */
export const stackRelease = ({ stack }: ServiceFacts): string | undefined => stack?.stack?.outputs.Version;

export const releasesText = ({ stack, cli, shims }: Releases): string =>
  `releases: stack ${stack ?? 'unknown'}, vipshift ${cli}, ${shims.length === 0 ? 'shims unknown' : `shims ${shims.join(', ')}`}`;

/** `cli`: the release of what asks, by whose rules everything else is judged. */
export function releaseFindings(facts: ServiceFacts, cli: string): readonly Finding[] {
  const stack = stackRelease(facts);
  if (facts.stack?.stack === undefined || stack === cli) return [];
  const isBehind = stack === undefined || older(stack, cli);
  return [
    serviceWarning('release', {
      subject: `vipshift-${facts.place.stage}`,
      found: `the stack is ${stack === undefined ? 'of a release that says nothing of itself' : `release ${stack}`}; this command line is ${cli}`,
      expected: 'one release: what the doctor expects of the stack is its own release’s',
      remedy: isBehind
        ? { command: deployCommand(facts.place), remark: `of release ${cli}` }
        : { sentence: `use the command line of release ${stack}` },
    }),
  ];
}

/** Compares the numbers of `1.2.3`; what is no such version counts as new: a build of one's own. */
export function older(a: string, b: string): boolean {
  const parts = (version: string) => version.split('.').map((p) => Number.parseInt(p, 10));
  const [x, y] = [parts(a), parts(b)];
  if ([...x, ...y].some(Number.isNaN)) return false;
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
