// The only place where AWS error codes are spelled. Each row says what a code means for us and where that is known from.
import { MESSAGE_MAX, readable } from '../bounded.ts';
import { Fault, type FaultKind, isProgrammingError } from '../fault.ts';

const kinds: Readonly<Record<FaultKind, readonly string[]>> = {
  // EC2 developer guide, "Request throttling"; DynamoDB developer guide, "Error handling"; EventBridge API reference.
  throttled: [
    'RequestLimitExceeded',
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'ProvisionedThroughputExceededException',
    'LimitExceededException',
    'TooManyRequestsException',
  ],
  // EC2 API reference, "Error codes". AuthFailure: an EIP or ENI of another account.
  denied: [
    'UnauthorizedOperation',
    'AuthFailure',
    'OperationNotPermitted',
    'AccessDenied',
    'AccessDeniedException',
    'UnrecognizedClientException',
    'ExpiredToken',
    'ExpiredTokenException',
    'RequestExpired',
    'OptInRequired',
  ],
  gone: [
    'InvalidRouteTableID.NotFound',
    'InvalidRouteTableId.NotFound',
    'InvalidNetworkInterfaceID.NotFound',
    'InvalidNetworkInterfaceId.NotFound',
    'InvalidAllocationID.NotFound',
    'InvalidInstanceID.NotFound',
    'InvalidPrefixListID.NotFound',
    'InvalidPrefixListId.NotFound',
    'ResourceNotFoundException',
    // SQS API reference, GetQueueAttributes.
    'QueueDoesNotExist',
    'AWS.SimpleQueueService.NonExistentQueue',
  ],
  // InvalidParameterValue is told apart by its text, below.
  'no-route': ['InvalidRoute.NotFound'],
  'route-exists': ['RouteAlreadyExists'],
  'not-ready': ['IncorrectInstanceState', 'IncorrectState', 'InvalidNetworkInterface.InUse'],
  unknown: [
    'Unavailable',
    'ServiceUnavailable',
    'ServiceUnavailableException',
    'InternalError',
    'InternalFailure',
    'InternalServerError',
    'InternalException',
    'InternalServiceException',
    'RequestTimeout',
    'RequestTimeoutException',
  ],
  // DryRunOperation: EC2 would have carried it out; nothing was.
  refused: [
    'InvalidParameterValue',
    'InvalidParameterCombination',
    'RouteLimitExceeded',
    'Resource.AlreadyAssociated',
    'DryRunOperation',
    'ValidationException',
    'ConditionalCheckFailedException',
  ],
  'lease-short': ['LeaseShort'],
  deadline: ['Deadline'],
  // No code of a service: isBug, below.
  bug: [],
};

const kindByCode = new Map<string, FaultKind>(
  (Object.keys(kinds) as FaultKind[]).flatMap((kind) => kinds[kind].map((code) => [code, kind] as const)),
);

/** Every code that is known by name, for the test that each is handled. */
export const knownCodes: ReadonlyMap<string, FaultKind> = kindByCode;

/**
 * ReplaceRoute on a missing route answers `InvalidParameterValue` with this text, not the documented
 * InvalidRoute.NotFound (moto pull request 6425, checked there against AWS).
 */
const noRouteText = /no route defined for/i;

interface SdkError extends Error {
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/**
 * EC2 adds 1 to 2 KB that only sts:DecodeAuthorizationMessage can read; CloudTrail keeps them with the refused call (EC2
 * API reference, "Error codes": UnauthorizedOperation).
 */
const encodedPart = /\s*Encoded authorization failure message:\s*\S*/gi;

/** A service's message as it is kept: on one line, without the encoded part, and cut. */
export const serviceText = (text: string): string => readable(text.replace(encodedPart, ''), MESSAGE_MAX);

/** Longer than every code that AWS documents. */
const CODE_MAX = 100;

/**
 * A mistake in our own code. The SDK throws the same errors for a reply that it cannot read, and marks them: that reply may
 * be a proxy's, and the request may have had its effect (@smithy/core, deserializerMiddleware).
 */
const isBug = (error: unknown): boolean =>
  isProgrammingError(error) && !('$response' in error) && !('$metadata' in error);

/** What an SDK call threw, in the domain's words. Without a reply from the service the effect is unknown. */
export function faultFromSdkError(error: unknown, during: string): Fault {
  if (error instanceof Fault) return error;
  const sdk = error as SdkError;
  const code = readable(sdk?.name ?? 'Error', CODE_MAX);
  const text = sdk?.message ?? String(error);
  const status = sdk?.$metadata?.httpStatusCode;
  const kind = isBug(error) ? 'bug' : kindOf(code, text, status);
  return new Fault(kind, code, `${during}: ${code}: ${serviceText(text)}`, error);
}

function kindOf(code: string, text: string, status: number | undefined): FaultKind {
  if (code === 'InvalidParameterValue' && noRouteText.test(text)) return 'no-route';
  const known = kindByCode.get(code);
  if (known !== undefined) return known;
  if (status !== undefined && status >= 400 && status < 500) return status === 429 ? 'throttled' : 'refused';
  // A 5xx, a timeout, an abort, a cut connection, a reply that could not be read.
  return 'unknown';
}

export const isConditionFailed = (error: unknown): error is SdkError & { readonly Item?: unknown } =>
  (error as SdkError)?.name === 'ConditionalCheckFailedException';

// Step Functions API reference: StartExecution, DescribeExecution, SendTaskSuccess.
const isOneOf =
  (...names: readonly string[]) =>
  (error: unknown): boolean =>
    names.includes((error as SdkError)?.name);
/** A name is used once: by an execution that runs with another input, or by one that has ended. */
export const isExecutionThere = isOneOf('ExecutionAlreadyExists');
export const isNoExecution = isOneOf('ExecutionDoesNotExist');
/** The task was answered, or waits no longer. */
export const isTaskOver = isOneOf('TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken');
