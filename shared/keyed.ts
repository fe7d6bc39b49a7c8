// Reasons as data: a key with typed parameters. Programs decide by the key; the text is made from it where a person reads
// (docs/decisions/0028).

export interface Keyed {
  readonly key: string;
}

/** The text of each reason. */
export type Texts<Reason extends Keyed> = {
  readonly [Key in Reason['key']]: (reason: Extract<Reason, { readonly key: Key }>) => string;
};

/** Undefined for a key that is unknown here: a newer version stored it. */
export const textOf = <Reason extends Keyed>(texts: Texts<Reason>, reason: Reason): string | undefined =>
  Object.hasOwn(texts, reason.key) ? texts[reason.key as Reason['key']](reason as never) : undefined;
