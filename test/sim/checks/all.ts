// Every checker there is.
import type { World } from '../world.ts';
import { convergence } from './convergence.ts';
import { oneWriter } from './one-writer.ts';
import type { Violation } from './violation.ts';

export const checks: readonly ((world: World) => readonly Violation[])[] = [convergence, oneWriter];

export const violationsOf = (world: World): readonly Violation[] => checks.flatMap((check) => check(world));
