// Everything that must not be touched or believed is kept away twice: by the policies as they are packaged, and by the code, should a policy
// be wrong. One test for each thing, both halves in it.
import { beforeAll, describe, expect, it } from 'vitest';
import { handleClaim } from '../../shared/controller/handle-claim.ts';
import { seconds } from '../../shared/time.ts';
import type { NodeIdentity } from '../../shared/vip/admission.ts';
import {
  addNode,
  finish,
  heard,
  item,
  memberOf,
  outcomesOf,
  owned,
  reconciles,
  START,
  says,
  targets,
  type World,
} from '../support/world.ts';
import { packaged } from './support/packaged.ts';
import { evaluate, type Policy, type Verdict } from './support/policy.ts';
import { ACCOUNT, REGION, resolve } from './support/resolve.ts';
import { statements, type Template } from './support/template.ts';

const NODE_ROLE = `arn:aws:iam::${ACCOUNT}:role/vipshift-node`;
const ROLE_ID = 'AROAEXAMPLE000000001';

let prod: Template;
beforeAll(async () => {
  prod = JSON.parse(await packaged('prod', { nodeRoleId: ROLE_ID, nodeRoleArn: NODE_ROLE })) as Template;
});

const functions = ['FailoverRole', 'ReconcileRole', 'RunbookRole'];
const ec2Arn = (type: string, id: string) => `arn:aws:ec2:${REGION}:${ACCOUNT}:${type}/${id}`;
const tagged = { 'aws:ResourceTag/vipshift:prod': 'web' };

/** What the roles of all three functions are told. */
function verdicts(
  action: string,
  of: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Set<Verdict> {
  const asked = { action, resources: Object.keys(of), of };
  return new Set(
    functions.map((role) =>
      evaluate([resolve(prod, { Statement: statements(prod, role) }) as Policy], asked),
    ),
  );
}

/** What PutEvents of a claim is told with these policies next to the bus's own. */
function speaking(
  own: Policy,
  who: { readonly arn: string; readonly userid: string },
  source: string,
): Verdict {
  const bus = resolve(prod, prod.Resources.Bus!.Properties.Policy) as Policy;
  return evaluate([own, bus], {
    action: 'events:PutEvents',
    resources: [`arn:aws:events:${REGION}:${ACCOUNT}:event-bus/vipshift-prod`],
    context: {
      ...{ 'aws:PrincipalArn': who.arn, 'aws:userid': who.userid },
      ...{ 'events:source': source, 'events:detail-type': 'VRRP State Change' },
    },
  });
}

const identity: NodeIdentity = { mode: 'source', roleId: ROLE_ID };
const anything: Policy = { Statement: [{ Effect: 'Allow', Action: 'events:*', Resource: '*' }] };
const effectsOf = (w: World): string => JSON.stringify(w.ec2.effects);

/** A claim of b from this source, a while after a became the owner; nothing may have moved. */
async function refused(source: string): Promise<string> {
  const w = await owned();
  const before = effectsOf(w);
  const { claim } = heard('i-b', { atMs: w.clock.now() - START });
  const answer = await finish(w, handleClaim(w.ports, { claim, source }, identity));
  expect([effectsOf(w), item(w).owner]).toEqual([before, 'i-a']);
  return answer.answer === 'rejected' ? answer.refusal.reason : answer.answer;
}

describe('the policies deny it, and the code refuses it as well', () => {
  it('a route table without the tag', async () => {
    for (const action of ['ec2:ReplaceRoute', 'ec2:CreateRoute'])
      expect(verdicts(action, { [ec2Arn('route-table', 'rtb-other')]: {} })).toEqual(new Set(['denied']));
    const w = await owned();
    await says(w, 'i-b');
    await reconciles(w);
    expect(targets(w)).toEqual([memberOf('i-b').eni]);
    expect(effectsOf(w)).not.toContain('rtb-other');
  });

  it('an EIP without it: reported, and left where it is', async () => {
    const eip = { [ec2Arn('elastic-ip', 'eipalloc-1')]: {}, [ec2Arn('network-interface', 'eni-1')]: tagged };
    expect(verdicts('ec2:AssociateAddress', eip)).toEqual(new Set(['denied']));
    const w = await owned();
    const { label: _label, ...untagged } = w.ec2.eips.get('eipalloc-1')!;
    w.ec2.eips.set('eipalloc-1', untagged);
    await says(w, 'i-b');
    expect(w.ec2.eips.get('eipalloc-1')).toEqual(untagged);
    expect(targets(w), 'the routes have moved').toEqual([memberOf('i-b').eni]);
    expect(outcomesOf(w).at(-1)).toMatchObject({ outcome: 'partial', conflicts: [{ cell: 'eipalloc-1' }] });
  });

  it('an ENI that is not a member: nothing is pointed at it, whichever node claims for it', async () => {
    const eni = { [ec2Arn('network-interface', 'eni-stranger')]: {} };
    const eip = { [ec2Arn('elastic-ip', 'eipalloc-1')]: tagged, ...eni };
    expect(verdicts('ec2:AssociateAddress', eip)).toEqual(new Set(['denied']));
    expect(verdicts('ec2:ModifyNetworkInterfaceAttribute', eni)).toEqual(new Set(['denied']));
    // IAM cannot say which ENI a route may point to: of this the code is the only guard.
    const w = await owned();
    addNode(w.ec2, 'i-c', 'something-else');
    const told = heard('i-c', { atMs: w.clock.now() - START });
    const answer = await finish(w, handleClaim(w.ports, told, { mode: 'none' }));
    expect(answer).toMatchObject({ answer: 'rejected', refusal: { reason: 'not-a-member' } });
    await w.clock.advance(seconds(60));
    await reconciles(w);
    expect(effectsOf(w)).not.toContain('i-c');
    expect(targets(w)).toEqual([memberOf('i-a').eni]);
  });

  it('a principal with events:* on *', async () => {
    const ci = { arn: `arn:aws:iam::${ACCOUNT}:role/ci`, userid: 'AROACI00000000000001:run-42' };
    expect(speaking(anything, ci, `vipshift.notify/${ROLE_ID}:i-b`)).toBe('denied explicitly');
    expect(speaking(anything, ci, 'ci.pipeline')).toBe('denied explicitly');
    expect(await refused('ci.pipeline')).toBe('foreign-source');
  });

  it('a session that is named like an instance', async () => {
    const impostor = { arn: `arn:aws:iam::${ACCOUNT}:role/ci`, userid: 'AROACI00000000000001:i-b' };
    const nodes = resolve(prod, prod.Resources.NodePolicy!.Properties.PolicyDocument) as Policy;
    for (const own of [anything, nodes])
      expect(speaking(own, impostor, `vipshift.notify/${impostor.userid}`)).toBe('denied explicitly');
    expect(await refused(`vipshift.notify/${impostor.userid}`)).toBe('foreign-role');
  });

  it('one node in the name of another', async () => {
    const a = { arn: NODE_ROLE, userid: `${ROLE_ID}:i-a` };
    const nodes = resolve(prod, prod.Resources.NodePolicy!.Properties.PolicyDocument) as Policy;
    for (const own of [nodes, anything])
      expect(speaking(own, a, `vipshift.notify/${ROLE_ID}:i-b`)).toBe('denied explicitly');
    expect(speaking(nodes, a, `vipshift.notify/${a.userid}`)).toBe('allowed');
    expect(await refused(`vipshift.notify/${a.userid}`)).toBe('foreign-node');
  });

  it('and what is right is let through by both: a denial of everything would pass the tests above', async () => {
    const own = {
      [ec2Arn('elastic-ip', 'eipalloc-1')]: tagged,
      [ec2Arn('network-interface', 'eni-1')]: tagged,
    };
    expect(verdicts('ec2:AssociateAddress', own)).toEqual(new Set(['allowed']));
    expect(verdicts('ec2:ReplaceRoute', { [ec2Arn('route-table', 'rtb-1')]: tagged })).toEqual(
      new Set(['allowed']),
    );
    const w = await owned();
    const { claim } = heard('i-b', { atMs: w.clock.now() - START });
    const source = `vipshift.notify/${ROLE_ID}:i-b`;
    expect(await finish(w, handleClaim(w.ports, { claim, source }, identity))).toMatchObject({
      answer: 'switched',
    });
  });
});
