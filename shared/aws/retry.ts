// How the SDK's clients repeat what may be repeated: soon. The SDK's own strategy waits up to a second before the first
// repetition of a throttled call and has a quota that a storm of throttles uses up; a failover has neither to spare.
//
// Limit: only for calls that are harmless to repeat blindly. Mutations of EC2 are not among them (ec2.ts).
import type { EC2ClientConfig } from '@aws-sdk/client-ec2';

type Strategy = Extract<NonNullable<EC2ClientConfig['retryStrategy']>, { acquireInitialRetryToken: unknown }>;
type Token = Awaited<ReturnType<Strategy['acquireInitialRetryToken']>>;

const FIRST_MS = 25;
const FIRST_THROTTLED_MS = 100;
const MAX_MS = 400;

/** The first attempt counts. Every wait is half to once its ceiling, which doubles. */
export function retrySoon(attemptsMax: number, random: () => number): Strategy {
  const token = (count: number, delayMs: number): Token => ({
    getRetryCount: () => count,
    getRetryDelay: () => delayMs,
  });
  return {
    acquireInitialRetryToken: async () => token(0, 0),
    async refreshRetryTokenForRetry(was, { error, errorType }) {
      const count = was.getRetryCount() + 1;
      if (errorType === 'CLIENT_ERROR' || count >= attemptsMax) throw error;
      const first = errorType === 'THROTTLING' ? FIRST_THROTTLED_MS : FIRST_MS;
      const ceiling = Math.min(first * 2 ** (count - 1), MAX_MS);
      return token(count, ceiling * (0.5 + random() / 2));
    },
    recordSuccess: () => undefined,
  };
}
