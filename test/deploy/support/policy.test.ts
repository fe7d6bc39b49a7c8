// The evaluator of our own, by the words of IAM's user guide: what holds where a request has a key, has several values of it, or has it not.
import { describe, expect, test } from 'vitest';
import { evaluate, type Policy, type PolicyStatement } from './policy.ts';

const allow: PolicyStatement = { Effect: 'Allow', Action: '*', Resource: '*' };
const asks = (
  Condition: NonNullable<PolicyStatement['Condition']>,
  context: Readonly<Record<string, string | readonly string[]>> = {},
) => evaluate([{ Statement: [{ ...allow, Condition }] }], { action: 'a:b', resources: ['r'], context });
const denies = (Condition: NonNullable<PolicyStatement['Condition']>, context = {}) =>
  evaluate([{ Statement: [allow, { ...allow, Effect: 'Deny', Condition }] }], {
    action: 'a:b',
    resources: ['r'],
    context,
  });

describe('a key that the request does not have', () => {
  test.each([
    ['StringEquals', 'denied'],
    ['StringNotEquals', 'allowed'],
    ['StringLike', 'denied'],
    ['StringNotLike', 'allowed'],
    ['ArnEquals', 'denied'],
    ['ArnNotEquals', 'allowed'],
    ['Bool', 'denied'],
    ['StringEqualsIfExists', 'allowed'],
    ['ForAnyValue:StringEquals', 'denied'],
    ['ForAnyValue:StringNotEquals', 'denied'],
    ['ForAllValues:StringEquals', 'allowed'],
    ['ForAllValues:StringNotEquals', 'allowed'],
  ] as const)('%s: %s', (operator, verdict) => {
    expect(asks({ [operator]: { 'aws:key': 'x' } })).toBe(verdict);
  });

  test('is what Null asks for', () => {
    expect(asks({ Null: { 'aws:key': 'true' } })).toBe('allowed');
    expect(asks({ Null: { 'aws:key': 'true' } }, { 'aws:key': 'x' })).toBe('denied');
    expect(asks({ Null: { 'aws:key': 'false' } })).toBe('denied');
  });

  test('matches a negated operator of a Deny as well: who has no such key is denied', () => {
    expect(denies({ ArnNotEquals: { 'aws:SourceArn': 'arn:aws:events:r:1:rule/x' } })).toBe(
      'denied explicitly',
    );
  });
});

describe('a key with several values', () => {
  const values = { 'events:source': ['own', 'other'] };

  test('ForAnyValue holds when one fits, ForAllValues when each does', () => {
    expect(asks({ 'ForAnyValue:StringEquals': { 'events:source': 'own' } }, values)).toBe('allowed');
    expect(asks({ 'ForAllValues:StringEquals': { 'events:source': 'own' } }, values)).toBe('denied');
    expect(asks({ 'ForAllValues:StringEquals': { 'events:source': ['own', 'other'] } }, values)).toBe(
      'allowed',
    );
  });

  test('ForAnyValue with a negated operator holds when one value is none of those that are named', () => {
    expect(asks({ 'ForAnyValue:StringNotEquals': { 'events:source': 'own' } }, values)).toBe('allowed');
    expect(asks({ 'ForAnyValue:StringNotEquals': { 'events:source': ['own', 'other'] } }, values)).toBe(
      'denied',
    );
  });

  test('several operators of one statement have to hold together, each for some value', () => {
    const both = {
      'ForAnyValue:StringLike': { 'events:source': 'o*' },
      'ForAnyValue:StringNotEquals': { 'events:source': 'own' },
    };
    expect(denies(both, values)).toBe('denied explicitly');
    expect(denies(both, { 'events:source': ['own', 'own'] })).toBe('allowed');
    expect(denies(both, { 'events:source': ['app'] })).toBe('allowed');
  });
});

describe('values', () => {
  test('a variable stands for the request’s key; without it its whole statement is out, a Deny too', () => {
    const own = { StringNotEquals: { 'events:source': 'node/${aws:userid}' } };
    expect(denies(own, { 'events:source': 'node/me', 'aws:userid': 'me' })).toBe('allowed');
    expect(denies(own, { 'events:source': 'node/you', 'aws:userid': 'me' })).toBe('denied explicitly');
    expect(denies(own, { 'events:source': 'node/you' })).toBe('allowed');
  });

  test('keys know no case, values do', () => {
    expect(asks({ StringEquals: { 'AWS:Key': 'x' } }, { 'aws:key': 'x' })).toBe('allowed');
    expect(asks({ StringEquals: { 'aws:key': 'X' } }, { 'aws:key': 'x' })).toBe('denied');
    expect(asks({ Bool: { 'aws:key': 'True' } }, { 'aws:key': 'true' })).toBe('allowed');
  });

  test('a wildcard of an ARN does not reach across its parts', () => {
    const like = (pattern: string) =>
      asks({ ArnLike: { 'ec2:Vpc': pattern } }, { 'ec2:Vpc': 'arn:aws:ec2:eu-central-1:1:vpc/vpc-1' });
    expect(like('arn:aws:ec2:*:*:vpc/vpc-1')).toBe('allowed');
    expect(like('arn:aws:ec2:*:vpc/vpc-1')).toBe('denied');
    expect(like('arn:aws:ec2:*:*:vpc/*')).toBe('allowed');
  });
});

describe('a resource’s own policy', () => {
  const of = (Principal: unknown): Policy => ({ Statement: [{ ...allow, Principal }] });
  const by = (policy: Policy, service?: string) =>
    evaluate([policy], { action: 'a:b', resources: ['r'], ...(service === undefined ? {} : { service }) });

  test('means everybody, or the service that it names', () => {
    expect([by(of('*')), by(of('*'), 'x.amazonaws.com')]).toEqual(['allowed', 'allowed']);
    expect(by(of({ Service: 'x.amazonaws.com' }), 'x.amazonaws.com')).toBe('allowed');
    expect(by(of({ Service: 'x.amazonaws.com' }), 'y.amazonaws.com')).toBe('denied');
    expect(by(of({ Service: 'x.amazonaws.com' }))).toBe('denied');
  });

  test('has to allow a principal of another account as well, beside that one’s own policy', () => {
    const foreign = (...policies: readonly Policy[]) =>
      evaluate(policies, { action: 'a:b', resources: ['r'], isForeign: true });
    const own: Policy = { Statement: [allow] };
    expect([foreign(own), foreign(of('*')), foreign(own, of('*'))]).toEqual(['denied', 'denied', 'allowed']);
  });

  test('an identity’s policy means its principal, and no service', () => {
    expect(by({ Statement: [allow] }, 'x.amazonaws.com')).toBe('denied');
  });

  test('what the evaluator does not know fails the test instead of being skipped', () => {
    expect(() => by(of({ AWS: 'arn:aws:iam::1:root' }))).toThrow('does not know the principal');
    expect(() => asks({ DateGreaterThan: { 'aws:CurrentTime': 'x' } })).toThrow(
      'does not know the condition operator',
    );
    const strange = { Statement: [{ ...allow, NotAction: 'x' } as PolicyStatement] };
    expect(() => by(strange)).toThrow('does not know NotAction');
  });
});
