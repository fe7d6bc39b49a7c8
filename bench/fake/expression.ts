// DynamoDB's conditions, filters and update expressions, as far as shared/aws writes them, over items in DynamoDB's own JSON. So a
// table of the benchmark or of a test answers in microseconds and still decides every race as DynamoDB would (DynamoDB developer
// guide, "Expressions").
//
// Limit: no lists, no DELETE, no size(); an expression that it does not know is an error, never a guess.
import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;

export interface Words {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Item;
}

interface Reader {
  peek(): string | undefined;
  next(): string;
  eat(token: string): boolean;
  want(token: string): void;
}

const token = /\s*(<>|<=|>=|[()=<>,+-]|[#:\w.]+)/gy;

function readerOf(text: string): Reader {
  const tokens = [...text.matchAll(token)].map((match) => match[1]!);
  if (tokens.join('') !== text.replace(/\s/g, '')) throw new SyntaxError(`cannot read expression ${text}`);
  let at = 0;
  const next = () => {
    const found = tokens[at++];
    if (found === undefined) throw new SyntaxError(`expression ends early: ${text}`);
    return found;
  };
  return {
    peek: () => tokens[at],
    next,
    eat(wanted) {
      if (tokens[at]?.toUpperCase() !== wanted) return false;
      at += 1;
      return true;
    },
    want(wanted) {
      const found = next();
      if (found.toUpperCase() !== wanted)
        throw new SyntaxError(`${text}: found ${found}, expected ${wanted}`);
    },
  };
}

const stepsOf = (path: string, { names }: Words): readonly string[] =>
  path.split('.').map((step) => (step.startsWith('#') ? names[step]! : step));

function valueAt(item: Item, path: string, words: Words): AttributeValue | undefined {
  if (path.startsWith(':')) return words.values[path];
  const [first, ...rest] = stepsOf(path, words);
  return rest.reduce<AttributeValue | undefined>((at, step) => at?.M?.[step], item[first!]);
}

/** Whether the condition holds for the item; an absent item is an empty one. */
export function holds(condition: string | undefined, item: Item, words: Words): boolean {
  if (condition === undefined) return true;
  return either(readerOf(condition), item, words);
}

function either(reader: Reader, item: Item, words: Words): boolean {
  let result = all(reader, item, words);
  while (reader.eat('OR')) result = all(reader, item, words) || result;
  return result;
}

function all(reader: Reader, item: Item, words: Words): boolean {
  let result = one(reader, item, words);
  while (reader.eat('AND')) result = one(reader, item, words) && result;
  return result;
}

function one(reader: Reader, item: Item, words: Words): boolean {
  if (reader.eat('NOT')) return !one(reader, item, words);
  if (reader.eat('(')) {
    const result = either(reader, item, words);
    reader.want(')');
    return result;
  }
  const first = reader.next();
  if (first === 'size')
    return compare(sizeOf(reader, item, words), reader.next(), valueAt(item, reader.next(), words));
  if (reader.eat('(')) return test(first, reader, item, words);
  const value = valueAt(item, first, words);
  if (reader.eat('BETWEEN')) return between(value, reader, item, words);
  if (reader.eat('IN')) return isIn(value, reader, item, words);
  const operator = reader.next();
  return compare(value, operator, valueAt(item, reader.next(), words));
}

/** Of a set. */
function sizeOf(reader: Reader, item: Item, words: Words): AttributeValue {
  reader.want('(');
  const value = valueAt(item, reader.next(), words);
  reader.want(')');
  return { N: String((value?.NS ?? value?.SS ?? []).length) };
}

function between(value: AttributeValue | undefined, reader: Reader, item: Item, words: Words): boolean {
  const from = valueAt(item, reader.next(), words);
  reader.want('AND');
  const to = valueAt(item, reader.next(), words);
  return compare(value, '>=', from) && compare(value, '<=', to);
}

function isIn(value: AttributeValue | undefined, reader: Reader, item: Item, words: Words): boolean {
  let result = false;
  reader.want('(');
  do result = compare(value, '=', valueAt(item, reader.next(), words)) || result;
  while (reader.eat(','));
  reader.want(')');
  return result;
}

function test(name: string, reader: Reader, item: Item, words: Words): boolean {
  const value = valueAt(item, reader.next(), words);
  const other = reader.eat(',') ? valueAt(item, reader.next(), words) : undefined;
  reader.want(')');
  if (name === 'attribute_exists') return value !== undefined;
  if (name === 'attribute_not_exists') return value === undefined;
  if (name === 'begins_with') return value?.S?.startsWith(other?.S ?? '\0') ?? false;
  throw new SyntaxError(`no condition ${name}()`);
}

function compare(a: AttributeValue | undefined, operator: string, b: AttributeValue | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (operator === '=') return isDeepStrictEqual(a, b);
  if (operator === '<>') return !isDeepStrictEqual(a, b);
  const [x, y] = a.N === undefined ? [a.S!, b.S!] : [Number(a.N), Number(b.N)];
  if (operator === '<') return x < y;
  if (operator === '<=') return x <= y;
  if (operator === '>') return x > y;
  if (operator === '>=') return x >= y;
  throw new SyntaxError(`no comparison ${operator}`);
}

/** The item after the update; the one before stays as it is. */
export function updated(expression: string, before: Item, words: Words): Item {
  const reader = readerOf(expression);
  const after = structuredClone(before);
  for (let clause = ''; reader.peek() !== undefined; ) {
    if (reader.eat('SET')) clause = 'SET';
    else if (reader.eat('REMOVE')) clause = 'REMOVE';
    else if (reader.eat('ADD')) clause = 'ADD';
    else reader.want(',');
    const path = reader.next();
    if (clause === 'SET') {
      reader.want('=');
      put(after, path, words, sum(reader, before, words));
    } else if (clause === 'REMOVE') put(after, path, words, undefined);
    else put(after, path, words, added(valueAt(before, path, words), valueAt(before, reader.next(), words)!));
  }
  return after;
}

function sum(reader: Reader, item: Item, words: Words): AttributeValue {
  const first = operand(reader, item, words);
  const sign = reader.eat('+') ? 1 : reader.eat('-') ? -1 : 0;
  if (sign === 0) return first;
  return { N: String(Number(first.N) + sign * Number(operand(reader, item, words).N)) };
}

function operand(reader: Reader, item: Item, words: Words): AttributeValue {
  const path = reader.next();
  let value = valueAt(item, path, words);
  if (path === 'if_not_exists') {
    reader.want('(');
    value = valueAt(item, reader.next(), words);
    reader.want(',');
    const otherwise = valueAt(item, reader.next(), words);
    value ??= otherwise;
    reader.want(')');
  }
  if (value === undefined) throw new SyntaxError(`${path} has no value`);
  return value;
}

function added(was: AttributeValue | undefined, more: AttributeValue): AttributeValue {
  if (more.N !== undefined) return { N: String(Number(was?.N ?? 0) + Number(more.N)) };
  if (more.SS !== undefined) return { SS: [...new Set([...(was?.SS ?? []), ...more.SS])] };
  return { NS: [...new Set([...(was?.NS ?? []), ...more.NS!])] };
}

function put(item: Item, path: string, words: Words, value: AttributeValue | undefined): void {
  const steps = stepsOf(path, words);
  const last = steps.at(-1)!;
  let map = item;
  for (const step of steps.slice(0, -1)) {
    const inner = map[step]?.M;
    if (inner === undefined) throw new SyntaxError(`${path}: there is no map ${step}`);
    map = inner;
  }
  if (value === undefined) delete map[last];
  else map[last] = value;
}
