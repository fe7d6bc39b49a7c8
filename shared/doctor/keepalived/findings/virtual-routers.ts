// Which instances of two nodes are one virtual router, or are meant to be: by router id and peers, never by name alone.
import type { Configuration } from '../model/configuration.ts';
import { type Instance, isLeftOut, isUnicast } from '../model/instance.ts';
import { type Shim, vipsOf } from './one-configuration.ts';

/** An instance, and the configuration that it is in. */
export interface Side {
  readonly configuration: Configuration;
  readonly instance: Instance;
  readonly vips: readonly string[];
  /** What all nodes send from whose files were given. */
  readonly sources: ReadonlySet<string>;
}

/** What is known beyond the two files. */
export interface Surroundings {
  readonly shim: Shim;
  readonly sources: ReadonlySet<string>;
}

export interface Matching {
  readonly pairs: readonly (readonly [Side, Side])[];
  /** Instances that name the other node as a peer, which has nothing to do with them. */
  readonly alone: readonly (readonly [Side, Configuration])[];
}

export function matchingOf(
  one: Configuration,
  other: Configuration,
  { shim, sources }: Surroundings,
): Matching {
  const sides = (configuration: Configuration) =>
    configuration.instances
      .filter((instance) => !isLeftOut(instance))
      .map(
        (instance): Side => ({
          configuration,
          instance,
          vips: vipsOf(configuration, instance, shim),
          sources,
        }),
      );
  const left = sides(one);
  const right = sides(other);
  const pairs: (readonly [Side, Side])[] = [];
  for (const fits of [isOneRouter, isMeantAsOne])
    for (const mine of left.filter((side) => pairs.every(([taken]) => taken !== side))) {
      const free = right.filter((side) => pairs.every(([, taken]) => taken !== side));
      const theirs = free.find((side) => fits(mine.instance, side.instance));
      if (theirs !== undefined) pairs.push([mine, theirs]);
    }
  const paired = new Set(pairs.flat());
  const alone = [
    ...left
      .filter((side) => !paired.has(side) && namesNode(side, other))
      .map((side) => [side, other] as const),
    ...right.filter((side) => !paired.has(side) && namesNode(side, one)).map((side) => [side, one] as const),
  ];
  return { pairs, alone };
}

/** Both send from one address: one node, or one file that was copied and not changed. */
export const isOneNode = (one: Instance, other: Instance): boolean =>
  one.source.value !== undefined && one.source.value === other.source.value;

const hasOneId = (one: Instance, other: Instance): boolean =>
  one.routerId.value !== undefined && one.routerId.value === other.routerId.value;

const isOneRouter = (one: Instance, other: Instance): boolean =>
  hasOneId(one, other) &&
  (nameEachOther(one, other) ||
    shareAddress(one, other) ||
    one.name === other.name ||
    (!isUnicast(one) && !isUnicast(other)));

const isMeantAsOne = (one: Instance, other: Instance): boolean =>
  !isOneNode(one, other) && (nameEachOther(one, other) || shareAddress(one, other));

const names = ({ peers }: Instance, { source }: Instance): boolean =>
  peers.listed.some(({ address }) => address === source.value);

const nameEachOther = (one: Instance, other: Instance): boolean => names(one, other) || names(other, one);

const shareAddress = (one: Instance, other: Instance): boolean =>
  one.addresses.listed.some(({ address }) => other.addresses.listed.some((held) => held.address === address));

const namesNode = ({ instance }: Side, { instances, isPartial }: Configuration): boolean =>
  !isPartial && instances.some((other) => names(instance, other));
