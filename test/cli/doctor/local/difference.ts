// How two worlds differ, and what no call of AWS's APIs brings about.
import type { World } from '../world/world.ts';
import type { Local } from './local-world.ts';

/** No API sets it, or the emulator does not keep it. */
export class OutOfReach extends Error {}

const key = (value: unknown): string => JSON.stringify(value);
export const differ = (a: unknown, b: unknown): boolean => key(a) !== key(b);

/** Those of `from` that `to` has not, and the other way round. */
export const apart = <T>(from: readonly T[] = [], to: readonly T[] = []) => ({
  gone: from.filter((one) => !to.some((other) => !differ(one, other))),
  came: to.filter((one) => !from.some((other) => !differ(one, other))),
});

/** Brings one part of the local AWS from what is to what the world says. */
export type Part = (local: Local, from: World, to: World) => Promise<void>;
