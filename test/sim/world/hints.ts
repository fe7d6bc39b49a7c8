// What AWS itself says on the default bus: that an instance stopped or started, and who else changed what (CloudTrail). A
// host that dies by itself is mentioned by no one.
import type { Change, Hint, NodeHint } from '../../../shared/controller/hint.ts';
import { epochMs } from '../../../shared/time.ts';
import type { Act } from '../history/history.ts';
import { type Chance, chance } from '../history/random.ts';
import { trueAt } from '../node/boot-clock.ts';
import { serviceEni } from '../truth/truth.ts';
import { struck, type World } from './world.ts';

const ACTOR = 'arn:aws:iam::111122223333:user/someone';

/** Reports an act, if AWS would. */
export function hintAt(world: World, act: Act): void {
  const luck = chance(world.story.seed, `hint ${act.does} ${act.atMs}`);
  for (const { hint, inMs } of hintsOf(world, act, luck)) deliver(world, hint, inMs, luck);
}

interface PendingHint {
  readonly hint: Hint;
  readonly inMs: number;
}

function hintsOf(world: World, act: Act, luck: Chance): readonly PendingHint[] {
  if (act.does === 'dies' || act.does === 'boots' || act.does === 'is replaced') {
    const node = world.machines[act.node]!.id;
    if (world.machines[act.node]!.alive === (act.does === 'boots')) return [];
    if (act.does === 'boots') return [power(world, node, 'running', luck.between(100, 20_000))];
    if (act.does === 'is replaced')
      return [
        power(world, node, 'shutting-down', 0),
        power(world, node, 'terminated', luck.between(2000, 40_000)),
      ];
    const silently = luck.odds(0.5);
    if (act.does === 'dies' && act.stopped !== undefined ? !act.stopped : silently) return [];
    return [power(world, node, 'stopping', 0), power(world, node, 'stopped', luck.between(2000, 20_000))];
  }
  if (act.does === 'stands still') {
    const { id, alive } = world.machines[act.node]!;
    if (!alive || !act.hibernates) return [];
    return [
      power(world, id, 'stopping', 0),
      power(world, id, 'stopped', Math.min(act.forMs / 2, luck.between(2000, 20_000))),
      power(world, id, 'running', act.forMs),
    ];
  }
  const change = changeOf(world, act);
  // CloudTrail takes seconds to minutes.
  return change === undefined ? [] : [{ hint: change, inMs: luck.log(2000, 300_000) }];
}

/** EC2 stamps whole seconds, rounded down. */
const stamp = (world: World, atMs: number) => epochMs(Math.floor((world.epochAt + atMs) / 1000) * 1000);

function power(world: World, node: string, state: string, inMs: number): PendingHint {
  const hint: NodeHint = { kind: 'node', node, state, atMs: stamp(world, world.sched.now() + inMs) };
  return { hint, inMs };
}

const calls: Partial<Record<Act['does'], string>> = {
  'route is changed': 'ReplaceRoute',
  'foreign route': 'ReplaceRoute',
  'route is deleted': 'DeleteRoute',
  'eip is loosed': 'DisassociateAddress',
  'foreign eip': 'AssociateAddress',
  'is untagged': 'DeleteTags',
  'is tagged': 'CreateTags',
  'table appears': 'CreateTags',
};

function changeOf(world: World, act: Act): Change | undefined {
  const call = calls[act.does];
  if (call === undefined) return undefined;
  const vip = 'vip' in act ? world.story.vips[act.vip]! : world.story.vips[0]!;
  const tags = call.endsWith('Tags');
  const route = call.endsWith('Route');
  return {
    kind: 'change',
    id: `change ${world.sched.now()}`,
    by: ACTOR,
    call,
    destinations: route ? vip.addresses : [],
    things:
      call === 'AssociateAddress'
        ? vip.eips.slice(0, 1)
        : tags && 'node' in act
          ? [eni(world, act.node)]
          : [],
    labels: tags ? ['vip' in act ? vip.tableLabel : vip.nodeLabel] : [],
    atMs: stamp(world, world.sched.now()),
  };
}

const eni = (world: World, node: number): string => serviceEni(world.machines[node]!.id);

/** An instance that was started before it had stopped for good never says that it has. */
const wasCutShort = ({ machines, epochAt }: World, hint: Hint): boolean =>
  hint.kind === 'node' &&
  hint.state === 'stopped' &&
  machines.some((m) => m.id === hint.node && m.alive && epochAt + trueAt(m.clock, 0) < hint.atMs);

/** At least once, unless it is lost. */
function deliver(world: World, hint: Hint, inMs: number, luck: Chance): void {
  const { cloud, sched } = world;
  if (cloud.odds('hint lost', luck)) {
    struck(world, 'hint lost', sched.now());
    return;
  }
  const copies = cloud.odds('hint doubled', luck) ? 2 : 1;
  if (copies > 1) struck(world, 'hint doubled', sched.now());
  const what = hint.kind === 'node' ? `${hint.node} ${hint.state}` : hint.call;
  for (let copy = 0; copy < copies; copy++) {
    const delayed = cloud.odds('hint delayed', luck);
    // The rule gives up after a minute; Lambda may take another one.
    if (delayed) struck(world, 'hint delayed', sched.now());
    const delayMs = inMs + luck.log(100, 2000) + (delayed ? luck.log(1000, 120_000) : 0);
    sched.after(delayMs, () => {
      if (sched.now() < world.endAtMs && !wasCutShort(world, hint))
        world.functions.sweep(`hint ${what} ${sched.now()}`, hint);
    });
  }
}
