// Every broken variant of the code that the simulation has to catch.
import { type Control, controls } from './controls.ts';
import { forced } from './controls-forced.ts';
import { found } from './controls-found.ts';
import { planted } from './controls-planted.ts';

export const every: readonly Control[] = [...controls, ...found, ...planted, ...forced];
