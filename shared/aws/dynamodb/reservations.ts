// Reservations: one item per address or EIP of the registry, so that no two VIPs ever hold the same one, however many are
// added at once. DynamoDB has no unique attributes; a key is the only thing that only one writer can create.
//
// They are in the table of the VIPs, under names that no VIP can have and without `rev`, so that listing VIPs leaves them
// out. A reservation whose VIP is not registered with that address was left by a writer that died between the two writes;
// after ABANDONED_AFTER another VIP may take it over.
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { isRegistered } from '../../registry/registry.ts';
import { type DurationMs, type EpochMs, minutes } from '../../time.ts';
import type { Vip } from '../../vip/vip.ts';
import { faultFromSdkError, isConditionFailed } from '../error-codes.ts';
import { Update, value } from './update-expression.ts';
import type { Dynamo } from './vip-store.ts';

const PREFIX = 'reserved/';
const ABANDONED_AFTER: DurationMs = minutes(2);

export interface Reservations {
  /**
   * The VIP that holds `thing` now: `vip` itself when the reservation succeeded. `fresh` when this call made it; only
   * then may the caller give it back when the rest of its work fails.
   */
  reserve(thing: string, vip: string): Promise<Reserved>;
  /** Gives it back if `vip` holds it. */
  release(thing: string, vip: string): Promise<void>;
}

export interface Reserved {
  readonly holder: string;
  readonly fresh: boolean;
}

export interface ReservationAccess {
  readonly dynamo: Dynamo;
  now(): EpochMs;
  /** Strongly consistent. */
  vip(name: string): Promise<Vip | undefined>;
}

export const awsReservations = (access: ReservationAccess): Reservations => ({
  reserve: (thing, vip) => reserve(access, thing, vip),
  async release(thing, vip) {
    const update = new Update();
    const mine = `${update.path('ofVip')} = ${update.value(vip)}`;
    update.remove(update.path('reservedAtMs'));
    // Removed in one update, so that a reservation is either whole or gone.
    update.remove(update.path('ofVip'));
    await send(access, thing, update, mine);
  },
});

async function reserve(access: ReservationAccess, thing: string, vip: string): Promise<Reserved> {
  const update = claimed(access, vip);
  const found = await send(access, thing, update, `attribute_not_exists(${update.path('ofVip')})`);
  if (found === undefined) return { holder: vip, fresh: true };
  const { ofVip, reservedAtMs } = found;
  const held = { holder: ofVip, fresh: false };
  if (ofVip === vip || access.now() - reservedAtMs < ABANDONED_AFTER) return held;
  const holder = await access.vip(ofVip);
  if (isRegistered(holder) && [...holder.addresses, ...holder.eips].includes(thing)) return held;
  const over = claimed(access, vip);
  const same = `${over.path('ofVip')} = ${over.value(ofVip)} AND ${over.path('reservedAtMs')} = ${over.value(reservedAtMs)}`;
  const quicker = await send(access, thing, over, same);
  return quicker === undefined ? { holder: vip, fresh: true } : { holder: quicker.ofVip, fresh: false };
}

function claimed(access: ReservationAccess, vip: string): Update {
  const update = new Update();
  update.set(update.path('ofVip'), update.value(vip));
  update.set(update.path('reservedAtMs'), update.value(access.now()));
  return update;
}

interface Found {
  readonly ofVip: string;
  readonly reservedAtMs: number;
}

/** Undefined when it was written; else what is there instead. */
async function send(
  { dynamo }: ReservationAccess,
  thing: string,
  update: Update,
  condition: string,
): Promise<Found | undefined> {
  const values = Object.keys(update.values).length === 0 ? {} : { ExpressionAttributeValues: update.values };
  const request = {
    TableName: dynamo.table,
    Key: { vip: value(PREFIX + thing) },
    UpdateExpression: update.expression,
    ConditionExpression: condition,
    ExpressionAttributeNames: update.names,
    ...values,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
  try {
    await dynamo.client.send(new UpdateItemCommand(request), { abortSignal: dynamo.signal });
    return undefined;
  } catch (error) {
    if (!isConditionFailed(error)) throw faultFromSdkError(error, `reserving ${thing}`);
    const item = unmarshall((error.Item ?? {}) as never);
    return { ofVip: item.ofVip ?? '', reservedAtMs: item.reservedAtMs ?? 0 };
  }
}
