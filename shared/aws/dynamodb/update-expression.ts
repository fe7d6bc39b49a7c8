import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';

export type Item = Record<string, AttributeValue>;

const options = { removeUndefinedValues: true };
export const value = (plain: unknown): AttributeValue => marshall({ plain }, options).plain!;

/** An update under construction: names and values are numbered, so that no name has to be escaped. */
export class Update {
  readonly names: Record<string, string> = {};
  readonly values: Item = {};
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  readonly #adds: string[] = [];

  name(attribute: string): string {
    const known = Object.keys(this.names).find((n) => this.names[n] === attribute);
    if (known !== undefined) return known;
    const name = `#n${Object.keys(this.names).length}`;
    this.names[name] = attribute;
    return name;
  }
  path(...attributes: readonly string[]): string {
    return attributes.map((a) => this.name(a)).join('.');
  }
  value(plain: unknown): string {
    const name = `:v${Object.keys(this.values).length}`;
    this.values[name] = value(plain);
    return name;
  }
  set(path: string, expression: string): void {
    this.#sets.push(`${path} = ${expression}`);
  }
  remove(path: string): void {
    this.#removes.push(path);
  }
  /** Adds to a set of numbers or of strings; adding twice changes nothing. */
  add(path: string, members: readonly number[] | readonly string[]): void {
    this.#adds.push(`${path} ${this.value(new Set<number | string>(members))}`);
  }
  get expression(): string {
    const clause = (word: string, parts: readonly string[]) =>
      parts.length === 0 ? [] : [`${word} ${parts.join(', ')}`];
    return [
      ...clause('SET', this.#sets),
      ...clause('REMOVE', this.#removes),
      ...clause('ADD', this.#adds),
    ].join(' ');
  }
}
