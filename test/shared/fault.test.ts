import { AssertionError } from 'node:assert';
import { describe, expect, it } from 'vitest';
import {
  Fault,
  faultKinds,
  isProgrammingError,
  isWorthRetrying,
  mayHaveHappened,
  stackOf,
  toFault,
  toleratedFault,
} from '../../shared/fault.ts';

describe('a bug', () => {
  it.each([
    new TypeError('x'),
    new RangeError('x'),
    new ReferenceError('x'),
    new SyntaxError('x'),
    new URIError('x'),
    new EvalError('x'),
    new AssertionError({ message: 'x' }),
  ])('is what wrong code throws: %s', (error) => {
    expect(isProgrammingError(error)).toBe(true);
    expect(toFault(error)).toMatchObject({ kind: 'bug', code: error.name, message: 'x', cause: error });
  });

  it.each([new Error('x'), 'a string', undefined, null, { name: 'TypeError' }])(
    'is not what no one foresaw: %s',
    (thrown) => {
      expect(isProgrammingError(thrown)).toBe(false);
      expect(toFault(thrown).kind).toBe('unknown');
    },
  );

  it('is never repeated, and may have had its effect, as a request without an answer may', () => {
    expect(faultKinds.filter(mayHaveHappened)).toEqual(['unknown', 'bug']);
    expect(faultKinds.filter(isWorthRetrying)).toEqual(['unknown', 'throttled', 'not-ready']);
  });

  it('is thrown by callers that tolerate other faults', () => {
    const bug = new TypeError('x');
    expect(() => toleratedFault(bug)).toThrow(expect.objectContaining({ kind: 'bug', cause: bug }));
    const lost = new Fault('unknown', 'TimeoutError', 'no reply');
    expect(toleratedFault(lost)).toBe(lost);
  });

  it('has the stack of the place that threw it, not of the place that classified it', () => {
    const bug = new TypeError('x');
    expect(stackOf(toFault(bug))).toBe(bug.stack);
    expect(stackOf(bug)).toBe(bug.stack);
    const bare = new Fault('bug', 'Odd', 'no cause');
    expect(stackOf(bare)).toBe(bare.stack);
    expect(stackOf('a string')).toBe('a string');
  });
});
