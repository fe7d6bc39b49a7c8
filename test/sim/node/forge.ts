// Someone who has got hold of a node's identity: what is said in its name is vouched for, and made up.
import type { ClaimKind, VrrpState } from '../../../shared/vip/claim.ts';
import { SKEW } from '../../../shared/vip/lease.ts';
import { SILENCE_MAX } from '../../../shared/vip/liveness.ts';
import type { Act } from '../history/history.ts';
import { struck, type World } from '../world/world.ts';
import { upAt } from './boot-clock.ts';
import type { Forged, Forgery } from './forged.ts';
import { bootId, type Machine, type Word } from './machine.ts';
import { instanceOf } from './vrrp.ts';

const CENTURY_MS = 3_155_760_000_000;
/** AWS's stamp, as its sender may set it. */
const AHEAD_MS = 59_000;
/** A delayed event, the node's next word, and silence where there is none. */
const FELT_MS = 60_000 + 60_000 + SILENCE_MAX + 15_000;
/** UNDER_WAY_MAX and a little: what is dated again within it stays so until the next transition (decision 0025). */
const DATED_ANEW_FROM_MS = 310_000;

export function forge(world: World, act: Act & { does: 'forges' }): void {
  const machine = world.machines[act.node]!;
  if (!machine.alive || instanceOf(machine, act.vip).state === 'DELETED') return;
  struck(world, 'forges', world.sched.now() + FELT_MS);
  const word = forgedWord(world, act, machine);
  world.bus.accept(word, undefined, act.how === 'dated ahead' ? AHEAD_MS : 0);
}

function forgedWord(world: World, { how, state, vip }: Act & { does: 'forges' }, machine: Machine): Word {
  const of = instanceOf(machine, vip);
  const up = Math.floor(upAt(machine.clock, world.sched.now()));
  const { uptimeMs, sinceUs, kind, boot } = spoken(how, up, of.sinceUs);
  return {
    vip: of.vipName,
    node: machine.id,
    state,
    kind,
    priority: 255,
    instance: 'VI',
    bootId: boot ?? bootId(machine),
    seq: kind === 'assertion' ? uptimeMs * 1000 : sinceUs,
    since: sinceUs,
    uptimeMs,
    ageMs: 0,
    atMs: world.epochAt + world.sched.now(),
    superseded: false,
    dropped: 0,
    forged: sinceUs === of.sinceUs ? 'of the node' : 'of its own',
  };
}

interface Spoken {
  readonly uptimeMs: number;
  readonly sinceUs: number;
  readonly kind: ClaimKind;
  readonly boot?: string;
}

function spoken(how: Forgery, up: number, sinceUs: number): Spoken {
  const transition = (uptimeMs: number) => ({
    uptimeMs,
    sinceUs: uptimeMs * 1000,
    kind: 'transition' as const,
  });
  switch (how) {
    case 'an assertion':
      return { uptimeMs: up, sinceUs, kind: 'assertion' };
    case 'a transition dated again':
      if (up - sinceUs / 1000 < DATED_ANEW_FROM_MS) return transition(up);
      return { uptimeMs: Math.ceil(sinceUs / 1000), sinceUs, kind: 'transition' };
    case 'seconds ahead':
      return transition(up + 5500);
    case 'minutes ahead':
      return transition(up + 61_000);
    case 'a century ahead':
      return transition(CENTURY_MS);
    case 'a boot just begun':
      return { ...transition(1), boot: 'boot-99-invented' };
    case 'a boot of a century':
      return { ...transition(CENTURY_MS), boot: 'boot-98-invented' };
    default:
      return transition(up);
  }
}

/** A delivery of something made up: it may move the VIP, and no one else's word counts for it. */
export function forgedArrives(world: World, word: Word, stampMs: number): void {
  const atMs = world.sched.now();
  const came = { atMs, stampMs: Math.min(stampMs, atMs + 2 * SKEW) };
  const known = forgedAs(world, word.vip, word.node, word);
  if (known === undefined) world.forged.push({ word, came: [came] });
  else known.came.push(came);
  if (word.state === 'MASTER') world.known.order(word.vip, word.node);
}

/** What was made up and stands here, if so. */
export const forgedAs = (
  world: World,
  vip: string,
  node: string,
  nodeState: {
    readonly bootId: string;
    readonly since: number;
    readonly seq: number;
    readonly state: VrrpState;
  },
): Forged | undefined =>
  world.forged.find(
    ({ word }) =>
      word.vip === vip &&
      word.node === node &&
      word.bootId === nodeState.bootId &&
      word.since === nodeState.since &&
      (word.forged === 'of its own' || (word.seq === nodeState.seq && word.state === nodeState.state)),
  );
