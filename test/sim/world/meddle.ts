// Those who have no part in it: strangers who speak, and operators who change routes and EIPs by hand.

import { ROLE } from '../functions/lambda.ts';
import type { Act } from '../history/history.ts';
import { drawSeq } from '../node/machine.ts';
import { serviceEni } from '../truth/truth.ts';
import { addTable } from './furnish.ts';
import type { World } from './world.ts';

/** Says MASTER, as a node that is not a member or in a member's name. */
export function stranger(world: World, act: Act & { does: 'stranger speaks' }): void {
  const machine = world.machines[act.node]!;
  const node = act.forged ? machine.id : 'i-elsewhere';
  const seq = act.forged ? drawSeq(machine, world.road) + 1_000_000 : 5_000_000;
  const word = {
    vip: world.story.vips[act.vip]!.name,
    node,
    state: 'MASTER',
    kind: 'transition',
    priority: 255,
    instance: 'VI',
    bootId: act.forged ? `boot-${machine.boot}-of-${machine.id}` : 'boot-of-stranger',
    seq,
    since: seq,
    uptimeMs: Math.ceil(seq / 1000),
    ageMs: 0,
    atMs: world.epochAt + world.sched.now(),
    superseded: false,
    dropped: 0,
  } as const;
  // The bus's own policy would deny a forged source; here it is let through with another instance's identity.
  const source = `vipshift.notify/${ROLE}:i-elsewhere`;
  // Lambda lets it through to the function, which decides.
  if (world.story.frontEnds === undefined) world.bus.accept(word, source);
  else world.direct.accept(word, undefined, source);
}

type Meddling = Act & { readonly vip: number };

export function meddle(world: World, act: Meddling): void {
  const { region, story: history } = world;
  const vip = history.vips[act.vip]!;
  const luck = world.road.luck(world.machines[0]!);
  const table = `rtb-${vip.name}-${luck.int(1, vip.tables)}`;
  const address = luck.pick(vip.addresses);
  switch (act.does) {
    case 'table appears':
      addTable(region, `rtb-${vip.name}-new${Math.round(world.sched.now())}`, vip.tableLabel);
      break;
    case 'foreign route':
      region.routeTo(table, address, luck.odds(0.5) ? 'eni-foreign' : 'pcx-foreign');
      break;
    case 'route is changed':
      region.routeTo(table, address, serviceEni(world.machines[act.node]!.id));
      break;
    case 'route is deleted':
      region.routeTo(table, address, undefined);
      break;
    default: {
      const [eip] = vip.eips;
      if (eip === undefined) return;
      const { eni: _eni, privateAddress: _address, ...loose } = region.ec2.eips.get(eip)!;
      const there = { eni: 'eni-foreign', privateAddress: '10.0.9.9' };
      region.setEip(act.does === 'foreign eip' ? { ...loose, ...there } : loose);
    }
  }
}
