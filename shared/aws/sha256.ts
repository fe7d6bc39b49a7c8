// SHA-256 for the SDK's signatures, by Node, in place of the SDK's own class. That one hands Node the day's signing key as bytes
// with each request, and Node makes a key of them each time, which costs three times the signature. Here a key is made once.
//
// Limit: one digest each, as Signature Version 4 takes it.
import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** By the bytes themselves: the SDK keeps a signing key for a day, and gives the same ones again. */
const keys = new WeakMap<ArrayBufferView, KeyObject>();

function keyOf(bytes: NodeJS.ArrayBufferView): KeyObject {
  const known = keys.get(bytes);
  if (known !== undefined) return known;
  const made = createSecretKey(bytes);
  keys.set(bytes, made);
  return made;
}

const sourceOf = (data: Source): string | NodeJS.ArrayBufferView =>
  data instanceof ArrayBuffer ? new Uint8Array(data) : (data as string | NodeJS.ArrayBufferView);

type Source = string | ArrayBuffer | ArrayBufferView;

/** The SDK's HashConstructor: with a secret an HMAC. */
export class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: Source) {
    if (secret === undefined) this.#hash = createHash('sha256');
    else {
      const source = sourceOf(secret);
      this.#hash = createHmac('sha256', typeof source === 'string' ? source : keyOf(source));
    }
  }

  update(data: Source): void {
    this.#hash.update(sourceOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}
