// Nodes by the names that people have for them: shown next to the id, and taken where they are unambiguous.
import { describe, expect, it } from 'vitest';
import {
  chosenNode,
  factsOfMembers,
  hostStates,
  type NodeFacts,
  nodeInFull,
  nodeText,
  withNames,
} from '../../../shared/network/node-facts.ts';
import { memberOf } from '../../support/world.ts';

const fact = (node: string, name: string, zone: string, n: number): NodeFacts => ({
  node,
  name,
  zone,
  privateAddress: `10.0.0.${n}`,
  privateDnsName: `ip-10-0-0-${n}.eu-central-1.compute.internal`,
  state: 'running',
});
const all = [fact('i-a', 'left', 'z1', 1), fact('i-b', 'right', 'z2', 2), fact('i-c', 'right', 'z2', 3)];
const nodes = new Map(all.map((one) => [one.node, one]));

describe('a node', () => {
  it('is shown with its name and its id, in full with zone and address, without a name by its id', () => {
    expect(nodeText('i-a', nodes)).toBe('left (i-a)');
    expect(nodeInFull('i-a', nodes)).toBe('left (i-a, z1, 10.0.0.1)');
    expect([nodeText('i-x', nodes), nodeInFull('i-x', nodes)]).toEqual(['i-x', 'i-x']);
    const zoneOnly = factsOfMembers([memberOf('i-m')], new Map());
    expect([nodeText('i-m', zoneOnly), nodeInFull('i-m', zoneOnly)]).toEqual(['i-m', 'i-m (zone-i-m)']);
  });

  it('is named in a sentence wherever its id stands, and no other id is touched', () => {
    expect(withNames('newest MASTER is i-b, eni-i-a-x of i-a; i-ab and i-x stay', nodes)).toBe(
      'newest MASTER is right (i-b), eni-i-a-x of left (i-a); i-ab and i-x stay',
    );
  });

  it('is named once: a sentence that has its name already stays as it is', () => {
    for (const text of [`at ${nodeText('i-a', nodes)}`, `at ${nodeInFull('i-b', nodes)}`, 'at i-x (i-x)'])
      expect(withNames(text, nodes)).toBe(text);
  });

  it('has the zone of the registry until EC2 says otherwise', () => {
    const { zone } = factsOfMembers([memberOf('i-a')], nodes).get('i-a')!;
    expect(zone).toBe('z1');
  });

  it('has no state where EC2 was not asked, and is absent where it shows none', () => {
    expect(hostStates(undefined)).toBeUndefined();
    expect(hostStates(nodes)!.get('i-a')).toBe('running');
    expect(hostStates(nodes)!.has('i-x')).toBe(false);
  });
});

describe('the node that is meant', () => {
  it.each([
    ['its id', 'i-b', 'i-b'],
    ['its name', 'left', 'i-a'],
    ['its private address', '10.0.0.3', 'i-c'],
    ['its private DNS name', 'ip-10-0-0-2.eu-central-1.compute.internal', 'i-b'],
    ['the first part of that, in any case', 'IP-10-0-0-2', 'i-b'],
    ['its zone, where it is alone there', 'z1', 'i-a'],
  ])('is found by %s', (_what, text, node) => {
    expect(chosenNode(text, all)).toEqual({ is: 'one', node });
  });

  it.each([
    ['a name that two have', 'right'],
    ['a zone with two', 'z2'],
  ])('is not found by %s: both are named', (_what, text) => {
    expect(chosenNode(text, all)).toEqual({ is: 'several', nodes: ['i-b', 'i-c'] });
  });

  it('is not found by the name of one that is another’s zone', () => {
    expect(chosenNode('z2', [fact('i-a', 'z2', 'z1', 1), fact('i-b', 'x', 'z2', 2)])).toEqual({
      is: 'several',
      nodes: ['i-a', 'i-b'],
    });
  });

  it.each(['', 'Left', 'lef', '10.0.0.', 'i-x'])('is none for %j', (text) => {
    expect(chosenNode(text, all)).toEqual({ is: 'none' });
    expect(chosenNode(text, [{ node: 'i-q' }])).toEqual({ is: 'none' });
  });
});
