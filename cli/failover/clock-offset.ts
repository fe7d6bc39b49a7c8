// How far this machine's clock is off, from the Date that AWS puts on its answers. A holder of a lease must agree with
// the Lambdas within SKEW; a laptop after sleep may not.
//
// Each answer bounds the offset by a second, a few spread over a second bound it by about their spacing. Limit: an
// offset below that and the round trip is not seen.
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { SKEW } from '../../shared/vip/lease.ts';

/** The offset (AWS minus here) lies between these, in ms. */
export interface Offset {
  readonly lowMs: number;
  readonly highMs: number;
}

const SAMPLES = 11;
const SPACING_MS = 100;

export async function clockOffset(
  client: DynamoDBClient,
  table: string,
  signal: AbortSignal,
): Promise<Offset | undefined> {
  let date: string | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      date = (result.response as { headers?: Record<string, string> }).headers?.date;
      return result;
    },
    { step: 'deserialize', name: 'clockOffset', override: true },
  );
  const command = new GetItemCommand({ TableName: table, Key: { vip: { S: 'view/clock' } } });
  let bounds: Offset = { lowMs: Number.NEGATIVE_INFINITY, highMs: Number.POSITIVE_INFINITY };
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const sentMs = Date.now();
    await client.send(command, { abortSignal: signal });
    const stamp = Date.parse(date ?? '');
    if (Number.isNaN(stamp)) return undefined;
    bounds = narrowed(bounds, stamp, sentMs, Date.now());
    if (sample < SAMPLES) await new Promise((resolve) => setTimeout(resolve, SPACING_MS));
  }
  return bounds;
}

/** The server's time lay in [stamp, stamp + 1 s) at some moment between sending and receiving. */
export const narrowed = (bounds: Offset, stampMs: number, sentMs: number, receivedMs: number): Offset => ({
  lowMs: Math.max(bounds.lowMs, stampMs - receivedMs),
  highMs: Math.min(bounds.highMs, stampMs + 1000 - sentMs),
});

/** Certainly further off than the lease allows for. */
export const offTooFar = ({ lowMs, highMs }: Offset): boolean => lowMs > SKEW || highMs + SKEW < 0;

export const describeOffset = ({ lowMs, highMs }: Offset): string =>
  lowMs > 0
    ? `${Math.round(lowMs)} to ${Math.round(highMs)} ms behind AWS`
    : `${Math.round(-highMs)} to ${Math.round(-lowMs)} ms ahead of AWS`;
