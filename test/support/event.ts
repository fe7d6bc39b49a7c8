// The wire contract as files: the schemas, compiled, and the examples.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export type Json = Record<string, unknown>;
export interface Event extends Json {
  detail: Json;
}

const events = join(import.meta.dirname, '..', '..', 'events');
export const json = (path: string): Json => JSON.parse(readFileSync(join(events, path), 'utf8')) as Json;
const ajv = new Ajv2020({ allErrors: true, strict: true });
addFormats.default(ajv);
export const saysClaim = ajv.compile(json('vrrp-state-change.schema.json'));
export const saysFinished = ajv.compile(json('vip-failover-finished.schema.json'));

export const saysFlapping = ajv.compile(json('vip-node-flapping.schema.json'));
export const saysLeaving = ajv.compile(json('vip-node-leaving.schema.json'));
export const saysWarned = ajv.compile(json('vip-node-warned.schema.json'));

export const names = readdirSync(join(events, 'examples'));
const announced = new Set(['finished.json', 'flapping.json', 'leaving.json', 'warned.json']);
export const claimNames = names.filter((name) => !announced.has(name));
export const example = (name: string): Event => json(`examples/${name}`) as Event;
export const master = example('transition-master.json');
export const withDetail = (over: Json, of: Event = master): Event => ({
  ...of,
  detail: { ...of.detail, ...over },
});
