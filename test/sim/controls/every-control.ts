// Every broken variant of the code that the simulation has to catch.

import { checkers } from './checkers.ts';
import { damping } from './damping.ts';
import { drains } from './drains.ts';
import { forced } from './forced.ts';
import { found } from './found.ts';
import { planted } from './planted.ts';
import { type Control, controls } from './protocol.ts';

export const every: readonly Control[] = [
  ...controls,
  ...found,
  ...planted,
  ...forced,
  ...damping,
  ...drains,
  ...checkers,
];
