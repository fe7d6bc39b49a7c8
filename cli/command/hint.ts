// Commands that are suggested, each with the deployment that this run is about: what is pasted at night must not go to
// another stage, Region or account.
import { AsyncLocalStorage } from 'node:async_hooks';
import { ownCommand, type Place as PlaceNamed } from '../../shared/place.ts';
import type { CommonOptions } from './options.ts';

/** Used where no stage is named: said on stderr in each run, and in every suggested command. */
export const DEFAULT_STAGE = 'dev';

/** Where the suggested command has to go. */
export type Place = Partial<PlaceNamed>;

const here = new AsyncLocalStorage<Place>();

/** Listeners of signals run outside: bind them (`AsyncResource.bind`) where they suggest a command. */
export const at = <T>(place: Place, work: () => T): T => here.run(place, work);

/** By the options, and else by the environment, as the session finds them. */
export function placeOf({ stage, region, profile }: CommonOptions, env = process.env): Place {
  const found = {
    stage: stage ?? DEFAULT_STAGE,
    region: region || env.AWS_REGION || env.AWS_DEFAULT_REGION,
    profile: profile ?? env.AWS_PROFILE,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value !== ''));
}

/** `words`: such as `status web`. */
export const hint = (words: string): string => ownCommand(words, placeHere());

/** Of this run. */
export const placeHere = (): Place => here.getStore() ?? {};
