// A claim as the body of a call of the function URL: who speaks, when, and what the caller is told.
import { describe, expect, it, test } from 'vitest';
import { parseClaimEvent } from '../../../../shared/aws/events/claim-event.ts';
import {
  BODY_MAX,
  httpAnswer,
  isDirectCall,
  parseDirectCall,
} from '../../../../shared/aws/events/direct-call.ts';
import { rejectReasons } from '../../../../shared/vip/admission.ts';
import { type Claim, saidAt } from '../../../../shared/vip/claim.ts';
import { nodeStateFrom, transitionAt } from '../../../../shared/vip/node-state.ts';
import { type Json, master } from '../../../support/event.ts';

const ROLE = 'AROAEXAMPLEID0000001';
const ACCOUNT = '111122223333';
const NODE = String(master.detail.node);
const AT_MS = Date.parse('2026-11-22T14:04:07.412Z');

const iamOf = (name: string, over: Json = {}): Json => ({
  accountId: ACCOUNT,
  userArn: `arn:aws:sts::${ACCOUNT}:assumed-role/vipshift-node/${name}`,
  userId: `${ROLE}:${name}`,
  callerId: `${ROLE}:${name}`,
  principalOrgId: 'o-1',
  ...over,
});
const callOf = (over: Json = {}, context: Json = {}): Json => ({
  version: '2.0',
  rawPath: '/',
  headers: { 'content-type': 'application/json' },
  requestContext: {
    ...{ accountId: ACCOUNT, apiId: 'url', requestId: 'request-1', timeEpoch: AT_MS },
    ...{ http: { method: 'POST', path: '/', sourceIp: '192.0.2.1' }, authorizer: { iam: iamOf(NODE) } },
    ...context,
  },
  body: JSON.stringify(master.detail),
  isBase64Encoded: false,
  ...over,
});
/** A claim in so many characters. */
function padded(length: number, last = ''): string {
  const body = JSON.stringify({ ...master.detail, note: last });
  return `${body.slice(0, -1)}${' '.repeat(length - body.length)}}`;
}
const claimIn = (event: unknown): Claim => {
  const parsed = parseDirectCall(event);
  if (!parsed.ok) throw new Error(parsed.rejection.message);
  return parsed.claim;
};

describe('a direct call', () => {
  it('is the claim that the bus would have brought, from the same source, with a stamp in milliseconds', () => {
    const onBus = parseClaimEvent(master);
    const parsed = parseDirectCall(callOf());
    expect(parsed).toMatchObject({ ok: true, source: `vipshift.notify/${ROLE}:${NODE}`, version: 1 });
    const taken = { timeMs: AT_MS, eventId: 'request-1', way: 'direct' };
    expect(claimIn(callOf())).toEqual({ ...(onBus as { claim: Claim }).claim, ...taken });
    const body = Buffer.from(JSON.stringify(master.detail)).toString('base64');
    expect(parseDirectCall(callOf({ body, isBase64Encoded: true }))).toEqual(parsed);
  });

  it('may have as many bytes as there are, and not one more', () => {
    expect(parseDirectCall(callOf({ body: padded(BODY_MAX) }))).toMatchObject({ ok: true });
    const most = Buffer.from(padded(BODY_MAX)).toString('base64');
    expect(parseDirectCall(callOf({ body: most, isBase64Encoded: true }))).toMatchObject({ ok: true });
  });

  it('dates its transition by the stamp itself, and no more than 999 ms before it by the node’s clock', () => {
    const behind = { ...claimIn(callOf()), ageMs: 12, atMs: 0 };
    const ahead = { ...behind, atMs: AT_MS * 2 };
    const of = (claim: Claim) => transitionAt(nodeStateFrom(claim, claim.timeMs));
    expect([saidAt(behind), saidAt(ahead)]).toEqual([AT_MS - 12 - 999, AT_MS - 12]);
    expect(of(ahead) - of(behind)).toBe(999);
    expect(nodeStateFrom(ahead, ahead.timeMs)).toMatchObject({ ways: 'direct', stampMs: AT_MS });
  });

  it('is told from an event of the bus by a field that no sender can put there', () => {
    expect([isDirectCall(callOf()), isDirectCall(master), isDirectCall(null)]).toEqual([true, false, false]);
    expect(parseClaimEvent(callOf()).ok).toBe(false);
  });

  const role = `arn:aws:sts::${ACCOUNT}:assumed-role/vipshift-node/${NODE}`;
  test.each<readonly [string, Json, string]>([
    ['no one has signed', {}, 'no one signed the call, expected a function URL with AWS_IAM'],
    [
      'a user signed',
      { authorizer: { iam: iamOf(NODE, { userArn: `arn:aws:iam::${ACCOUNT}:user/night`, userId: 'AIDA' }) } },
      `caller is arn:aws:iam::${ACCOUNT}:user/night (AIDA) of account ${ACCOUNT}, expected the session of an instance's role`,
    ],
    [
      'account and ARN disagree',
      { authorizer: { iam: iamOf(NODE, { accountId: '999900001111' }) } },
      `caller is ${role} (${ROLE}:${NODE}) of account 999900001111, expected the session of an instance's role`,
    ],
    [
      'ARN and user id disagree',
      { authorizer: { iam: iamOf(NODE, { userId: `${ROLE}:i-0ffeeddccbbaa9988` }) } },
      `caller is ${role} (${ROLE}:i-0ffeeddccbbaa9988) of account ${ACCOUNT}, expected the session of an instance's role`,
    ],
    [
      'the user id only ends like the ARN',
      { authorizer: { iam: iamOf(NODE, { userId: `${ROLE}:x${NODE}` }) } },
      `caller is ${role} (${ROLE}:x${NODE}) of account ${ACCOUNT}, expected the session of an instance's role`,
    ],
  ])('is refused where %s', (_what, context, message) => {
    const call = callOf({}, context.authorizer === undefined ? { authorizer: undefined } : context);
    const names = { vip: 'web', node: NODE, eventId: 'request-1' };
    expect(parseDirectCall(call)).toEqual({
      ok: false,
      ...names,
      rejection: { reason: 'foreign-source', message },
    });
  });

  test.each<readonly [string, Json, Json]>([
    ['GET', {}, { http: { method: 'GET' } }],
    ['no body', { body: undefined }, {}],
    ['a list', { body: '[]' }, {}],
    ['half a claim', { body: '{"vip"' }, {}],
    ['a body that is too large', { body: padded(BODY_MAX + 1) }, {}],
    ['a body that is too large in bytes', { body: padded(BODY_MAX, 'é') }, {}],
    [
      'a body that is too large when it is decoded',
      { body: Buffer.from(padded(BODY_MAX + 1)).toString('base64'), isBase64Encoded: true },
      {},
    ],
    ['a claim that contradicts itself', { body: JSON.stringify({ ...master.detail, since: 1 }) }, {}],
    ['no stamp', {}, { timeEpoch: undefined }],
  ])('with %s is malformed', (_what, over, context) => {
    expect(parseDirectCall(callOf(over, context))).toMatchObject({
      ok: false,
      rejection: { reason: 'malformed' },
    });
  });
});

describe('the answer', () => {
  it('is a status by which curl knows whether to send again: what is turned away stays so', () => {
    const statuses = rejectReasons.map((reason) => httpAnswer({ answer: 'rejected', reason }).statusCode);
    expect(Object.fromEntries(rejectReasons.map((reason, n) => [reason, statuses[n]]))).toEqual({
      malformed: 400,
      'unknown-vip': 404,
      'foreign-source': 403,
      'foreign-role': 403,
      'foreign-node': 403,
      'not-a-member': 404,
      'from-the-future': 400,
      superseded: 200,
    });
    expect(httpAnswer({ answer: 'switched' })).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"answer":"switched"}',
    });
    expect(httpAnswer({ answer: 'rejected', reason: 'foreign-node' }).headers, 'for the shim').toEqual({
      'content-type': 'application/json',
      'vipshift-reason': 'foreign-node',
    });
  });
});
