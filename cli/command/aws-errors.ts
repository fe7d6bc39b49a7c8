// What went wrong with AWS, as a complaint with the next thing to do.
import { isFault, toFault } from '../../shared/fault.ts';
import { CliError, status } from './exit.ts';

interface Hint {
  readonly when: RegExp;
  readonly next: string;
}

const hints: readonly Hint[] = [
  {
    when: /Region is missing|Region not accepted/i,
    next: 'name the Region: --region eu-central-1, AWS_REGION, or the profile’s region',
  },
  {
    when: /CredentialsProviderError|Could not load credentials|Token is expired|ExpiredToken|session .* has expired|SSO/i,
    next: 'log in: aws sso login, or --profile NAME, or AWS_ACCESS_KEY_ID and its companions',
  },
  {
    when: /StateMachineDoesNotExist/,
    next: 'there is no such workflow: check --stage and --region. VIPSHIFT_FAILOVER_MACHINE names another workflow; without one: --break-glass',
  },
  {
    when: /does not have the specified index/,
    next: 'the deployed table is older than this command: deploy this version, which adds the index; without --node it is not needed',
  },
  {
    when: /ResourceNotFoundException/,
    next: 'there is no such table: check --stage and --region. Deployed with: npm run deploy -- --stage STAGE',
  },
  {
    when: /AccessDenied|UnauthorizedOperation|AuthFailure|not authorized/i,
    next: 'your identity lacks this permission; docs/install.md lists what an operator’s role needs',
  },
  {
    when: /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|TimeoutError|ETIMEDOUT|ECONNRESET|socket hang up|timed out/i,
    next: 'AWS could not be reached: check the network, AWS_ENDPOINT_URL and https://health.aws.amazon.com',
  },
  { when: /Throttl|RequestLimitExceeded/, next: 'AWS limits the rate: wait a minute and try again' },
  { when: /Races/, next: 'the item changes faster than it can be written: try again' },
];

/** Undefined when it is none of AWS's: then it is our mistake. */
export function complaintOf(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error) || toFault(error).kind === 'bug') return undefined;
  const code = isFault(error) ? error.code : error.name;
  const cause = error.cause instanceof Error ? `${error.cause.name} ${error.cause.message}` : '';
  const text = `${code} ${error.message} ${cause}`;
  const hint = hints.find((h) => h.when.test(text));
  if (hint === undefined && !isFault(error) && !('$metadata' in error)) return undefined;
  return new CliError(
    error.message === '' ? code : error.message,
    hint?.next ?? `look up ${code} in the API reference of the service`,
    status.aws,
    error,
  );
}
