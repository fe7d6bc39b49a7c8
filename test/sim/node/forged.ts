import type { Word } from './machine.ts';

export const forgeries = [
  'a transition',
  'an assertion',
  'a transition dated again',
  'seconds ahead',
  'minutes ahead',
  'a century ahead',
  'a boot just begun',
  'a boot of a century',
  'dated ahead',
] as const;
export type Forgery = (typeof forgeries)[number];

export interface Forged {
  readonly word: Word;
  /** When it came, and what it was then stamped at the most. */
  readonly came: { readonly atMs: number; readonly stampMs: number }[];
}
