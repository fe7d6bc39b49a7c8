// What `drain` says beforehand: where a VIP goes, which nodes are about to go, and whether it moves back when the drain ends.
import { describe, expect, it } from 'vitest';
import { endText, leavingTexts, outlooks, outlookText, withDrains } from '../../../cli/drain/outlook.ts';
import { hours, plus, seconds } from '../../../shared/time.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../../support/world.ts';

const untilMs = plus(START, hours(4));
const drain = { untilMs, by: 'ann', reason: 'kernel', now: START };
const said = (node: string, words: Words = {}) => nodeStateFrom(claimOf(node, words), START);

/** Node a is keepalived's master, b stands by; a is drained. */
function drained(over: Partial<Vip> = {}) {
  const vip: Vip = {
    ...newVip(entry),
    ...{ owner: 'i-a', hold: 'both', members: { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') } },
    claims: { 'i-a': said('i-a'), 'i-b': said('i-b', { state: 'BACKUP' }) },
    ...over,
  };
  return outlooks([withDrains(vip, ['i-a'], drain)], START)[0]!;
}
const end = (over: Partial<Vip> = {}) => endText(drained(over), ['i-a'], untilMs);
const BACK =
  'when the drain ends at 2026-11-22T18:00:00.000Z, web goes back to i-a unless keepalived’s master is i-b by then';
const freeze = { untilMs: plus(untilMs, seconds(1)), by: 'ann', reason: 'change' };

describe('when the drain ends', () => {
  it('with hold both it moves back where keepalived’s master is still the node', () => {
    expect(end()).toBe(BACK);
    expect(end({ owner: 'i-b' }), 'it rests at the standby already').toBe(BACK);
  });

  it('with hold master it stays where keepalived was made to move', () => {
    expect(drained({ hold: 'master' }).outlook).toEqual({ key: 'demotes', to: 'i-b' });
    expect(end({ hold: 'master' })).toBeUndefined();
  });

  it('with hold master it moves back where it rests elsewhere though keepalived’s master is the node', () => {
    expect(end({ hold: 'master', owner: 'i-b' })).toBe(BACK);
  });

  it.each(['both', 'master'] as const)('with hold %s: it stays if it is frozen, or the last', (hold) => {
    expect(end({ hold, freeze })).toBeUndefined();
    expect(end({ hold, members: { 'i-a': memberOf('i-a') } })).toBeUndefined();
  });
});

describe('a node that is about to go', () => {
  const leaves = { 'i-b': { ...said('i-b', { state: 'BACKUP' }), leaving: 'spot-terminate' } };

  it.each(['both', 'master'] as const)('with hold %s: is no place for the VIP, and is named', (hold) => {
    const one = drained({ hold, claims: { 'i-a': said('i-a'), ...leaves } });
    expect(one.outlook).toEqual({ key: 'last' });
    expect(outlookText(one)).toContain('no other node is eligible');
    expect(leavingTexts(one)).toEqual(['web: i-b is about to go (spot-terminate)']);
  });

  it('that owns a frozen VIP is named next to the command that ends the freeze', () => {
    const one = drained({ freeze, claims: { 'i-a': { ...said('i-a'), leaving: 'spot-stop' } } });
    expect(outlookText(one)).toMatch(/it is frozen until .*; to let it move: .*unfreeze web/);
    expect(leavingTexts(one)).toEqual(['web: i-a is about to go (spot-stop)']);
  });
});
