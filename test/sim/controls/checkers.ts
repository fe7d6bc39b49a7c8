// Where a checker asked for more than anybody can know or than is promised, and failed a history in which the code was right: each put
// back, with a smallest such history in regressions/. docs/simulation.md has the reasons.
import type { Control } from './protocol.ts';
import type { Patch } from './variant.ts';

const patch = (file: string, replace: string, by: string): Patch => ({
  file: `test/sim/${file}.ts`,
  replace,
  by,
});

export const checkers: readonly Control[] = [
  {
    name: 'the checker wants a master found whose words were all refused',
    breaks: ['never worse'],
    patches: [
      patch(
        'checks/never-worse',
        'Math.max(SETTLED_MS, heardAt(world, vip, at?.[0]) + HEEDED_MS)',
        'SETTLED_MS',
      ),
    ],
  },
  {
    name: 'the checker takes the delivery of a claim for its record',
    breaks: ['convergence'],
    patches: [patch('truth/belonging', '[world.known.newest, world.known.accepted]', '[world.known.newest]')],
  },
  {
    name: 'the checker remembers what a removal has forgotten',
    breaks: ['silence told'],
    patches: [patch('checks/silence-told', 'deliveredAtMs >= fromMs &&', 'deliveredAtMs >= 0 &&')],
  },
  {
    name: 'the checker asks for the label of today',
    breaks: ['orders'],
    patches: [patch('truth/truth', 'region.eniAt(target, atMs)', 'region.ec2.enis.get(target)')],
  },
  {
    name: 'the checker takes a clock that stood still for one that ran',
    breaks: ['silence told'],
    patches: [
      patch(
        'checks/silence-told',
        'saidAtMs + world.known.stoodSince(nodeState.bootId, saidAtMs)',
        'saidAtMs',
      ),
    ],
  },
  {
    name: 'the checker shows a paused sweep what was recorded since it began',
    breaks: ['silence told'],
    patches: [patch('checks/silence-told', 'const isSilent = wasHeard && words', 'const isSilent = words')],
  },
  {
    name: 'the checker wants word of members that the sweep itself has just found',
    breaks: ['silence told'],
    patches: [
      patch('checks/silence-told', 'wasHeard && words.length > 0 &&', 'wasHeard &&'),
      patch('checks/silence-told', ' && !heardLately(world, swept)', ''),
    ],
  },
  {
    name: 'the checker forgets that a long switch takes its time',
    breaks: ['convergence'],
    patches: [patch('world/world', '((2 * beyondBurst) / REFILL_PER_S) * 1000', '0 * beyondBurst')],
  },
  {
    name: 'the checker does not know that a host that stands still turns a long switch back',
    breaks: ['convergence'],
    patches: [patch('world/world', "new Set(['forges', 'stands still'])", "new Set(['forges'])")],
  },
  {
    name: 'the checker wants a made-up MASTER of a dead node seen through at once',
    breaks: ['convergence'],
    patches: [patch('truth/belonging', 'madeUp.some(({ word }) => !heardOf(word.node)) ||', '')],
  },
  {
    name: 'the checker takes the date of a transition for known though the clock stood still',
    breaks: ['order'],
    patches: [
      patch('checks/order', 'late === undefined || isMisdated(world, vip, end)', 'late === undefined'),
    ],
  },
  {
    name: 'the checker holds a step against the item that its lease was taken on',
    breaks: ['drained'],
    patches: [patch('checks/drained', 'seen.every((of) => of.length > 0)', '(seen[0]!.length > 0)')],
  },
  {
    name: 'the checker forgets where a VIP rests once the storm is over',
    breaks: ['never worse'],
    patches: [patch('checks/never-worse', 'isOf(sent, sent.item.owner) &&', 'false &&')],
  },
  {
    name: 'the checker takes masters for ordered whose dates leave a doubt',
    breaks: ['convergence'],
    patches: [patch('truth/belonging', 'isDated ? 0', 'isDated || true ? 0')],
  },
  {
    name: 'the checker dates what lay in the spool by a clock that stood still',
    breaks: ['no node silenced'],
    patches: [patch('checks/no-node-silenced', 'word.seq < lie.word.seq', 'word.seq < lie.word.since')],
  },
  {
    name: 'the checker takes a transition for dated whose node was made to say something else',
    breaks: ['convergence'],
    patches: [patch('truth/belonging', 'word.bootId === bootId(m) && came.length > 0', 'false')],
  },
  {
    name: 'the checker forgets that an EIP without a place may get one',
    breaks: ['order'],
    patches: [patch('checks/order', 'due.right && havePlaces(world, vip, due.belongs.nodes)', 'due.right')],
  },
  {
    name: 'the checker looks for a server before an election that has begun is over',
    breaks: ['leaving'],
    patches: [patch('node/leaving', 'if (leftMs < 0) lookFor', 'if (leftMs < 3600) lookFor')],
  },
  {
    name: 'the checker takes the pulse of a node for that of its leaving before',
    breaks: ['leaving'],
    patches: [patch('node/leaving', ' && world.sched.now() < one.untilMs', '')],
  },
  {
    name: 'the checker does not know that the first carrier of a transition may die',
    breaks: ['bugs contained'],
    patches: [patch('checks/bugs-contained', "  'first carrier dies',\n", '')],
  },
  {
    name: 'the checker takes the word that is recorded last for the one that was said last',
    breaks: ['silence told'],
    patches: [patch('checks/silence-told', ' && !heardLately(world, swept)', '')],
  },
  {
    name: 'the checker wants a second copy to wait for a word that no longer stands',
    breaks: ['second carrier'],
    patches: [patch('checks/second-carrier', 'if (!stood || overMs', 'if (overMs')],
  },
  {
    name: 'the checker wants the item to show that a node gave the VIP away',
    breaks: ['leaving'],
    patches: [
      patch(
        'checks/leaving',
        'isKeptBy(after, node) && becameMasterWhileLeaving(world, after, node)',
        'false',
      ),
    ],
  },
  {
    name: 'the checker takes EC2’s hint for a claim',
    breaks: ['leaving'],
    patches: [patch('checks/leaving', ' && w.by.hint === undefined', '')],
  },
  {
    name: 'the checker wants a node drained in a VIP that was registered again',
    breaks: ['departures'],
    patches: [
      patch('checks/departures', ' || of.some((w) => w.atMs > drainedAtMs && !isMember(w.after))', ''),
    ],
  },
  {
    name: 'the checker asks who is a member when the first round has ended',
    breaks: ['departures'],
    patches: [patch('checks/departures', 'run.dueAtMs;', 'run.rounds[0]?.atMs ?? run.beganAtMs;')],
  },
  {
    name: 'the checker takes a drain that is over for one that stands',
    breaks: ['leaving'],
    patches: [
      patch('checks/leaving', '(vip.drains?.[id]?.untilMs ?? now) <= now', 'vip.drains?.[id] === undefined'),
    ],
  },
  {
    name: 'the checker wants a leaving told where the failover has just failed',
    breaks: ['leaving'],
    patches: [patch('checks/leaving', '!hasFailed &&', '')],
  },
  {
    name: 'the checker forgets that the failover failed before',
    breaks: ['leaving'],
    patches: [patch('checks/leaving', 'tried === node &&', '')],
  },
  {
    name: 'the checker wants no one to go from one dead node to another',
    breaks: ['order'],
    patches: [patch('checks/order', '(end.belongs === undefined && isAgain)', 'false')],
  },
  {
    name: 'the checker dates a master by what a removal has forgotten',
    breaks: ['convergence'],
    patches: [patch('truth/belonging', 'deliveredAtMs >= registeredMs &&', '')],
  },
  {
    name: 'the checker asks a sweep about a member that had joined since',
    breaks: ['silence told'],
    patches: [patch('checks/silence-told', 'atFirst?.members[word.node] !== undefined &&', '')],
  },
  {
    name: 'the checker knows that a node stays before its bus is back',
    breaks: ['never worse'],
    patches: [patch('checks/never-worse', ' || item?.claims[node]?.leaving !== undefined', '')],
  },
  {
    name: 'the checker takes any word of MASTER for the one that was carried',
    breaks: ['second carrier'],
    patches: [patch('checks/second-carrier', ' && is.since === first.word.since', '')],
  },
];
