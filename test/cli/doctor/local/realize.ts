// Makes the local AWS what a world says: each difference becomes the calls that a person would make. What no API sets (a state of
// AWS's own, an instance's profile, a zone) is said to be out of reach.
import type { World } from '../world/world.ts';
import type { Local } from './local-world.ts';
import { acls, addresses, enis, groups, instances, tables } from './realize-network.ts';
import { functions, identities, rules, storage, watching } from './realize-service.ts';

/** Throws OutOfReach where the local AWS cannot be brought to it; changes nothing. */
export function requireReach(local: Local, from: World, to: World): Promise<void> {
  const none = { send: async () => ({}) };
  const { front, iamFront } = local.setup;
  const setup = {
    ...{ ...local.setup, ...none, check: async () => ({}), events: none, iam: none },
    ...{ clients: { dynamodb: none, lambda: none }, front: { ...front }, iamFront: { ...iamFront } },
  };
  return realize({ ...local, setup, alarms: none, sns: none } as unknown as Local, from, to);
}

/** From what is to what the world says. */
export async function realize(local: Local, from: World, to: World): Promise<void> {
  await tables(local, from, to);
  await enis(local, from, to);
  await addresses(local, from, to);
  await groups(local, from, to);
  await acls(local, from, to);
  await instances(local, from, to);
  await rules(local, from, to);
  await functions(local, from, to);
  await watching(local, from, to);
  await storage(local, from, to);
  await identities(local, from, to);
}
