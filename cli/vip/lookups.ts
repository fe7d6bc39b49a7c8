// What registering asks EC2: for one VIP as it comes, for a whole file once. A thousand VIPs would otherwise take thousands of
// describes from the bucket that the controller needs.
import { observeAll } from '../../shared/aws/ec2/observe-all.ts';
import { type EipFound, eipsFound, prefixListEntries, vpcSeen } from '../../shared/aws/ec2/vpc.ts';
import type { Observation } from '../../shared/network/observation.ts';
import type { VpcSeen } from '../../shared/registry/validate.ts';
import type { Scope } from '../../shared/vip/vip.ts';
import type { Session } from '../command/session.ts';

export interface Lookups {
  readonly observe: (scope: Scope) => Promise<Observation>;
  /** Undefined when there is no such VPC. */
  readonly vpc: (id: string) => Promise<VpcSeen | undefined>;
  /** By allocation id or public address, in the order asked; undefined where there is none. */
  readonly eips: (ids: readonly string[]) => Promise<readonly (EipFound | undefined)[]>;
  /** Undefined when there is no such list. */
  readonly prefixList: (id: string) => Promise<readonly string[] | undefined>;
}

export const lookups = ({ ports, ec2, tag }: Session): Lookups => ({
  observe: (scope) => ports.ec2.observe(scope),
  vpc: (id) => vpcSeen(ec2, id),
  eips: (ids) => eipsFound(ec2, ids, tag),
  prefixList: (id) => prefixListEntries(ec2, id),
});

/** Everything once. `eips`: all that will be asked for. */
export function lookupsForAll(session: Session, scopes: readonly Scope[], eips: readonly string[]): Lookups {
  const { ports, ec2, tag } = session;
  const direct = lookups(session);
  const seen = once(() => observeAll({ ...ec2, tag, clock: ports.clock }, scopes));
  const found = once(async () => {
    const all = await direct.eips(eips);
    return new Map(eips.map((id, i) => [id, all[i]]));
  });
  return {
    observe: async (scope) => (await seen()).get(scope.name) ?? direct.observe(scope),
    vpc: onceEach(direct.vpc),
    eips: async (ids) => {
      if (ids.length === 0) return [];
      const known = await found();
      return ids.map((id) => known.get(id));
    },
    prefixList: onceEach(direct.prefixList),
  };
}

function once<T>(look: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= look());
}

function onceEach<T>(look: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (id) => {
    const answer = answers.get(id) ?? look(id);
    answers.set(id, answer);
    return answer;
  };
}
