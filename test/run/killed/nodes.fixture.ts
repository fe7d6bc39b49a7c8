import { afterAll, beforeAll, it } from 'vitest';
import { BootedMachine } from '../../../lab/booted/booted-machine.ts';
import { type Node, startNode } from '../../../lab/shim/node.ts';
import { hasSaid, runLab } from '../../lab/netns/lab-run.ts';
import { type Keepalived, startKeepalived } from '../../notify/keepalived.ts';
import { isUp, UP_MAX_MS } from './up.ts';

let node: Node;
let keepalived: Keepalived;
let machine: BootedMachine;
beforeAll(async () => {
  keepalived = await startKeepalived();
  node = await startNode(keepalived.config);
  machine = await BootedMachine.boot({ name: 'killed' });
});
afterAll(async () => {
  await keepalived?.kill();
  await node?.stop();
  await machine?.stop();
  keepalived?.remove();
});

it(
  'has a node, a booted machine, and the lab with everything in its namespaces',
  async () => {
    await node.start({ PATH: keepalived.path });
    const lab = runLab(['--scenario', 'host-dies']);
    await hasSaid(lab, 'local AWS is up');
    await isUp('nodes');
  },
  UP_MAX_MS,
);
