// A node that is about to go never leaves a VIP without the server that it had: where no other node took over it serves again. Where
// the VIP goes is drained.ts's to check, and that it does convergence.ts's.
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export const leaving = ({ unserved }: World): readonly Violation[] =>
  unserved.map(({ vip, node, atMs }) => ({
    guarantee: 'leaving',
    vip,
    atMs,
    what: `${node} was its server, left, and no one serves it, though ${node} could`,
  }));
