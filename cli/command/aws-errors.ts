// What went wrong with AWS, as a complaint with the next thing to do.
import { faultFromSdkError } from '../../shared/aws/error-codes.ts';
import { type FaultKind, isFault, toFault } from '../../shared/fault.ts';
import { CliError, status } from './exit.ts';

interface Hint {
  /** Codes of the service, names of the SDK's own errors, codes of the network. */
  readonly codes?: readonly string[];
  readonly kind?: FaultKind;
  /** Where what went wrong has no code of its own. */
  readonly words?: RegExp;
  readonly next: string;
}

const hints: readonly Hint[] = [
  {
    words: /^Region is missing|Region not accepted/,
    next: 'name the Region: --region eu-central-1, AWS_REGION, or the profile’s region',
  },
  {
    codes: [
      ...['CredentialsProviderError', 'TokenProviderError', 'ProviderError'],
      ...['ExpiredToken', 'ExpiredTokenException', 'UnrecognizedClientException'],
    ],
    next: 'log in: aws sso login, or --profile NAME, or AWS_ACCESS_KEY_ID and its companions',
  },
  {
    codes: ['StateMachineDoesNotExist'],
    next: 'there is no such workflow: check --stage and --region. VIPSHIFT_FAILOVER_MACHINE names another one; without a workflow: --break-glass',
  },
  {
    words: /does not have the specified index/,
    next: 'the deployed table is older than this command: deploy this version, which adds the index; without --node it is not needed',
  },
  {
    codes: ['ResourceNotFoundException'],
    next: 'there is no such table: check --stage and --region. Deployed with: npm run deploy -- --stage STAGE',
  },
  {
    kind: 'denied',
    codes: ['AuthorizationErrorException', 'NotAuthorized', 'AccessDeniedFault'],
    next: 'your identity lacks this permission; docs/reference/permissions.md lists what an operator’s role needs',
  },
  {
    codes: ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'TimeoutError', 'ETIMEDOUT', 'ECONNRESET', 'EPIPE'],
    next: 'AWS could not be reached: check the network, AWS_ENDPOINT_URL and https://health.aws.amazon.com',
  },
  { kind: 'throttled', next: 'AWS limits the rate: wait a minute and try again' },
  { codes: ['Races'], next: 'the item changes faster than it can be written: try again' },
];

/** An error, and what caused it: the SDK wraps, and so do our faults. */
const CAUSES_MAX = 5;

function chainOf(error: Error): readonly Error[] {
  const chain: Error[] = [];
  for (let of: unknown = error; of instanceof Error && chain.length < CAUSES_MAX; of = of.cause)
    chain.push(of);
  return chain;
}

function hintFor(error: Error): Hint | undefined {
  const chain = chainOf(error);
  const codes = new Set(chain.flatMap((one) => [one.name, (one as { readonly code?: unknown }).code]));
  const { kind } = faultFromSdkError(error, '');
  return hints.find(
    (hint) =>
      hint.codes?.some((code) => codes.has(code)) === true ||
      (hint.kind !== undefined && hint.kind === kind) ||
      chain.some(({ message }) => hint.words?.test(message) === true),
  );
}

/** Undefined when it is none of AWS's: then it is our mistake. */
export function complaintOf(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error) || toFault(error).kind === 'bug') return undefined;
  const code = isFault(error) ? error.code : error.name;
  const hint = hintFor(error);
  if (hint === undefined && !isFault(error) && !('$metadata' in error)) return undefined;
  return new CliError(
    error.message === '' ? code : error.message,
    hint?.next ?? `look up ${code} in the API reference of the service`,
    status.aws,
    error,
  );
}
