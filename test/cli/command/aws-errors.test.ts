// What is advised follows from codes, of the service, of the SDK or of the network, and not from what a message says.
import { describe, expect, test } from 'vitest';
import { complaintOf } from '../../../cli/command/aws-errors.ts';
import { status } from '../../../cli/command/exit.ts';
import { faultFromSdkError } from '../../../shared/aws/error-codes.ts';
import { Fault } from '../../../shared/fault.ts';

const named = (name: string, message = 'no', more: object = {}): Error =>
  Object.assign(new Error(message), { name, ...more });
const fromAws = (error: Error) => faultFromSdkError(error, 'reading vips');
const adviceFor = (error: Error) => complaintOf(error)?.next;

describe('what went wrong with AWS', () => {
  test.each([
    ['no Region', fromAws(new Error('Region is missing')), /^name the Region/],
    ['no credentials', fromAws(named('CredentialsProviderError')), /^log in/],
    ['a session that has ended', fromAws(named('TokenProviderError')), /^log in/],
    ['a key that has expired', fromAws(named('ExpiredTokenException')), /^log in/],
    ['no such workflow', fromAws(named('StateMachineDoesNotExist')), /no such workflow/],
    ['no such table', fromAws(named('ResourceNotFoundException')), /no such table/],
    [
      'an index that the deployed table lacks',
      fromAws(named('ValidationException', 'The table does not have the specified index: byFrom')),
      /older than this command/,
    ],
    ['no permission', fromAws(named('UnauthorizedOperation')), /lacks this permission/],
    ['a refused connection', fromAws(named('Error', 'x', { code: 'ECONNREFUSED' })), /not be reached/],
    ['no answer in time', fromAws(named('TimeoutError')), /not be reached/],
    ['a rate', fromAws(named('RequestLimitExceeded')), /limits the rate/],
    ['lost races', new Fault('refused', 'Races', 'changed by others'), /changes faster/],
  ])('%s has its advice', (_what, error, advice) => {
    expect(complaintOf(error)).toMatchObject({ status: status.aws });
    expect(adviceFor(error)).toMatch(advice);
  });

  test('is told by what caused it, where it was wrapped', () => {
    const cause = named('Error', 'x', { code: 'ENOTFOUND' });
    expect(adviceFor(fromAws(Object.assign(named('Error'), { cause })))).toMatch(/not be reached/);
  });

  test('is not guessed from words: a denied call that speaks of a time-out is denied', () => {
    const error = fromAws(
      named('AccessDeniedException', 'User timed out is not authorized: Throttling, SSO'),
    );
    expect(adviceFor(error)).toMatch(/lacks this permission/);
    expect(adviceFor(fromAws(named('InvalidParameterValue', 'ECONNREFUSED, AccessDenied')))).toMatch(
      /^look up InvalidParameterValue/,
    );
  });
});
