// What every Reservations must do: one holder of a thing, however many ask and when.
import { expect, it } from 'vitest';
import type { Reservations } from '../../../shared/aws/dynamodb/reservations.ts';
import { durationMs, type EpochMs, minutes, plus } from '../../../shared/time.ts';
import type { VipStore } from '../../../shared/vip/store.ts';
import { newVip, type RegistryEntry } from '../../../shared/vip/vip.ts';
import { entry, START } from '../../support/world.ts';

export interface ReservationsUnderTest {
  readonly vips: VipStore;
  /** As a caller at that time has them. `meanwhile`: done while it checks that the holder's VIP is there. */
  readonly at: (now: EpochMs, meanwhile?: () => Promise<void>) => Reservations;
}

/** As long as a reservation whose VIP is not there stands. */
const ABANDONED_AFTER = minutes(2);
const over = plus(START, ABANDONED_AFTER);

let names = 0;
const fresh = (what: string) => `${what}-${++names}`;

export function reservationsContract(open: () => ReservationsUnderTest): void {
  const registered = (name: string, having: Partial<RegistryEntry>) =>
    open().vips.write(undefined, newVip({ ...entry, name, addresses: [], eips: [], ...having }));

  it('gives a thing to one of many that ask at once, and names it to the others', async () => {
    const thing = fresh('192.0.2.1/32');
    const asked = ['a', 'b', 'c', 'd', 'e'].map((vip) => open().at(START).reserve(thing, vip));
    const answers = await Promise.all(asked);
    const [won] = answers.filter((answer) => answer.fresh);
    expect(answers.filter((answer) => answer.fresh)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.holder))).toEqual(new Set([won!.holder]));
  });

  it('answers its holder that it holds, and that it was not this call that made it', async () => {
    const thing = fresh('thing');
    expect(await open().at(START).reserve(thing, 'web')).toEqual({ holder: 'web', fresh: true });
    for (const now of [START, over, plus(over, minutes(1))])
      expect(await open().at(now).reserve(thing, 'web')).toEqual({ holder: 'web', fresh: false });
  });

  it('is given back by its holder only, and then free at once', async () => {
    const thing = fresh('thing');
    const reservations = open().at(START);
    await reservations.reserve(thing, 'web');
    await reservations.release(thing, 'db');
    expect(await reservations.reserve(thing, 'db')).toEqual({ holder: 'web', fresh: false });
    await reservations.release(thing, 'web');
    expect(await reservations.reserve(thing, 'db')).toEqual({ holder: 'db', fresh: true });
    await reservations.release(fresh('never-reserved'), 'web');
  });

  it.each([
    ['an address', (thing: string) => ({ addresses: ['192.0.2.9/32', thing] })],
    ['an EIP', (thing: string) => ({ addresses: ['192.0.2.9/32'], eips: [thing] })],
  ])('stands for as long as its VIP has %s of that name, however old it is', async (_what, having) => {
    const [thing, vip] = [fresh('thing'), fresh('holder')];
    await registered(vip, having(thing));
    await open().at(START).reserve(thing, vip);
    expect(
      await open()
        .at(plus(over, minutes(1000)))
        .reserve(thing, 'db'),
    ).toEqual({
      holder: vip,
      fresh: false,
    });
  });

  it.each(['a VIP that was never registered', 'one that has other things now', 'one that was removed'])(
    'runs out where it is of %s: after two minutes, not a millisecond before',
    async (what) => {
      const [thing, vip] = [fresh('thing'), fresh('holder')];
      if (what === 'one that has other things now') await registered(vip, { addresses: ['192.0.2.8/32'] });
      if (what === 'one that was removed') {
        const item = (await registered(vip, { addresses: [thing] }))!;
        await open().vips.write(item, { ...item, removedAtMs: START });
      }
      await open().at(START).reserve(thing, vip);
      const early = open().at(plus(over, durationMs(-1)));
      expect(await early.reserve(thing, 'db')).toEqual({ holder: vip, fresh: false });
      const answers = await Promise.all(['db', 'ftp'].map((name) => open().at(over).reserve(thing, name)));
      const [won] = answers.filter((answer) => answer.fresh);
      expect(
        answers.filter((answer) => answer.fresh),
        'one of those who take over',
      ).toHaveLength(1);
      expect(answers.map((answer) => answer.holder)).toEqual([won!.holder, won!.holder]);
      expect((await open().at(over).reserve(thing, vip)).holder, 'who comes late').toBe(won!.holder);
    },
  );

  it('is not taken over from a holder that gave it back and reserved it again meanwhile', async () => {
    const [thing, vip] = [fresh('thing'), fresh('holder')];
    await open().at(START).reserve(thing, vip);
    const again = async () => {
      await open().at(over).release(thing, vip);
      await open().at(over).reserve(thing, vip);
    };
    expect(await open().at(over, again).reserve(thing, 'db')).toEqual({ holder: vip, fresh: false });
  });
}
