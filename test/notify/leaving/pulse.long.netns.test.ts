// Leaving is a pulse (docs/decisions/0045, 0047), on real keepalived: a node that is to go fails for as long as a takeover needs, and
// then only has a low priority. So another node takes over, with preemption or without; and where none can, the node is master again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { keepalivedConfig } from '../../../cli/keepalived-config/config.ts';
import { keepalivedDefaults } from '../../../cli/keepalived-config/input.ts';
import { ownNamespaces } from '../../../lab/machine/namespaces.ts';
import { debian13 } from '../../support/debian.ts';
import type { Name, Result, Scenario, Step } from './inside.ts';

const ADVERT_MS = 100;
/** Three adverts, skew, a second. */
const TAKEOVER_MS = 3 * ADVERT_MS + ADVERT_MS + 1000;
const ADDRESS = '192.168.255.10/32';
const INSTANCE = 'VI_WEB';

interface Variant {
  readonly preempt: boolean;
  readonly hold: 'both' | 'master';
}

/** As `vipshift keepalived-config` writes it. */
function filesOf({ preempt, hold }: Variant): Scenario['files'] {
  const made = keepalivedConfig({
    ...keepalivedDefaults,
    ...{ instance: INSTANCE, addresses: [ADDRESS], advertS: ADVERT_MS / 1000, startupDelayS: 0 },
    ...{ demoteFile: '/run/DEMOTE', leavingFile: '/run/LEAVING', hold, preempt },
    nodes: [
      { name: 'a', address: '10.0.1.10', interface: 've0' },
      { name: 'b', address: '10.0.1.11', interface: 've0' },
    ],
  });
  const tracked = (text: string) =>
    text.replaceAll('/run/DEMOTE', '{folder}/demote').replaceAll('/run/LEAVING', '{folder}/leaving');
  return { a: tracked(made.a!), b: tracked(made.b!) };
}

const pulse = (...nodes: readonly Name[]): Step => ({ does: 'pulse', nodes });
const until = (node: Name, state: string): Step => ({ does: 'until', node, state });
const rest: Step = { does: 'rest' };
const set = (node: Name, file: 'demote' | 'leaving', to: 0 | 1 | 2): Step => ({
  does: 'set',
  node,
  file,
  to,
});

interface Case {
  readonly steps: readonly Step[];
  /** Who is master in the end; where it may be either, with preemption the one of the higher priority. */
  readonly master: Name | 'either';
  /** As regular expressions, of what happened in order. */
  readonly way?: RegExp;
}

/** Node a is the master of the two, and leaves first. */
const cases: Readonly<Record<string, Case>> = {
  'the other one is well': {
    steps: [pulse('a'), rest],
    master: 'b',
    way: /^pulse a; (a FAULT; b MASTER|b MASTER; a FAULT); pulse a ends; a BACKUP$/,
  },
  'the other one is dead': {
    steps: [{ does: 'kill', node: 'b' }, pulse('a'), until('a', 'MASTER'), rest],
    master: 'a',
    way: /^pulse a; a FAULT; pulse a ends; a BACKUP; a MASTER$/,
  },
  'the other one has failed': {
    steps: [set('b', 'demote', 1), until('b', 'FAULT'), pulse('a'), until('a', 'MASTER'), rest],
    master: 'a',
  },
  'both leave at once': { steps: [pulse('a', 'b'), rest, rest], master: 'either' },
  'the other one leaves after it': {
    steps: [pulse('a'), pulse('b'), until('a', 'MASTER'), rest],
    master: 'a',
    way: /pulse b; (b FAULT; a MASTER|a MASTER; b FAULT); pulse b ends; b BACKUP$/,
  },
  'the other one left before it, and it had not to move': {
    steps: [pulse('b'), pulse('a'), rest],
    master: 'either',
    way: /^pulse b; b FAULT; pulse b ends; b BACKUP; pulse a; /,
  },
  'the other one dies after it has taken over': {
    steps: [pulse('a'), { does: 'kill', node: 'b' }, until('a', 'MASTER'), rest],
    master: 'a',
  },
};

/** What either step alone does, which is why there are two. */
const alone: Readonly<
  Record<string, { readonly steps: readonly Step[]; readonly states: Result['states'] }>
> = {
  'a low priority alone moves nothing where nodes do not preempt': {
    steps: [set('a', 'leaving', 1), rest],
    states: { a: 'MASTER', b: 'BACKUP' },
  },
  'nodes that fail for good leave no server at all': {
    steps: [set('a', 'demote', 1), until('a', 'FAULT'), set('b', 'demote', 1), until('b', 'FAULT'), rest],
    states: { a: 'FAULT', b: 'FAULT' },
  },
};

const variants: readonly Variant[] = [
  { preempt: false, hold: 'both' },
  { preempt: true, hold: 'both' },
  { preempt: false, hold: 'master' },
  { preempt: true, hold: 'master' },
];
const titleOf = ({ preempt, hold }: Variant): string => `${preempt ? 'preempt' : 'nopreempt'}, hold ${hold}`;

interface Asked {
  readonly id: string;
  readonly variant: Variant;
  readonly steps: readonly Step[];
  readonly by?: Scenario['by'];
}

const scenarioOf = ({ id, variant, steps, by = 'hand' }: Asked): Scenario => ({
  ...{ id, by, files: filesOf(variant), instance: INSTANCE, address: ADDRESS },
  ...{ takeoverMs: TAKEOVER_MS, steps },
});
const scenarios = [
  ...variants.flatMap((variant, v) =>
    Object.values(cases).map(({ steps }, n) => scenarioOf({ id: `s${v}${n}`, variant, steps })),
  ),
  ...Object.values(alone).map(({ steps }, n) => scenarioOf({ id: `x${n}`, variant: variants[0]!, steps })),
];
/** The same, made by the shim from IMDS's word. */
const byShim = variants.map((variant, v) =>
  Object.values(cases).map(({ steps }, n) => scenarioOf({ id: `h${v}${n}`, variant, steps, by: 'shim' })),
);

/** In a sandbox of namespaces that ends with this process, whatever ends it. */
async function resultsOf(system: string, asked: readonly Scenario[]): Promise<ReadonlyMap<string, Result>> {
  const root = mkdtempSync(join(tmpdir(), 'vipshift-pulse-'));
  cpSync(new URL('../../../notify', import.meta.url).pathname, join(root, 'notify'), { recursive: true });
  const inside = new URL('./inside.ts', import.meta.url).pathname;
  const prepare = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && exec "$@"';
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', ...ownNamespaces(), '--mount-proc', '--kill-child'],
      ...['bash', '-c', prepare, 'sandbox', process.execPath, inside, root, system],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const end = () => child.kill('SIGKILL');
  process.on('exit', end);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdin.end(JSON.stringify(asked));
  const [status] = (await once(child, 'close')) as [number | null];
  process.off('exit', end);
  rmSync(root, { recursive: true, force: true });
  if (status !== 0) throw new Error(`the pulses ended with status ${status}:\n${err}`);
  const results = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  return new Map(results.map((result) => [result.id, result]));
}

/** Whose keepalived it is: 2.2.7 on Debian 12, 2.3.3 on Debian 13. */
const systems = [
  { title: 'on this machine’s own system', system: () => '', version: /^2\.[23]\.\d+$/ },
  { title: 'on Debian 13', system: debian13, version: /^2\.3\.3$/ },
];

describe.each(systems)('$title', ({ title, system, version }) => {
  let root: string;
  let results: ReadonlyMap<string, Result>;
  beforeAll(async () => {
    root = system();
    results = await resultsOf(root, scenarios);
    const versions = [...new Set([...results.values()].map(({ version: one }) => one))];
    console.log(`${title}: keepalived ${versions.join(', ')}`);
    expect(versions).toEqual([expect.stringMatching(version)]);
  }, 600_000);

  describe.each(variants.map((variant, v) => [titleOf(variant), variant, v] as const))(
    '%s',
    (_title, variant, v) => {
      test.each(Object.entries(cases).map(([name, one], n) => [name, one, n] as const))(
        '%s',
        (_name, one, n) => {
          const { happened, states, holders } = results.get(`s${v}${n}`)!;
          const said = happened.join('; ');
          const masters = (['a', 'b'] as const).filter((name) => states[name] === 'MASTER');
          // Never both, and never none: where only one is left it is a server as before.
          expect(masters, said).toHaveLength(1);
          const wanted = one.master === 'either' && variant.preempt ? 'a' : one.master;
          if (wanted !== 'either') expect(masters, said).toEqual([wanted]);
          if (one.way !== undefined) expect(said).toMatch(one.way);
          if (variant.hold === 'master') expect(holders, said).toEqual(masters);
        },
      );
    },
  );

  describe.each(variants.map((variant, v) => [titleOf(variant), variant, v] as const))(
    'the shim, from IMDS’s word: %s',
    (_title, variant, v) => {
      let ended: ReadonlyMap<string, Result>;
      beforeAll(async () => {
        ended = await resultsOf(root, byShim[v]!);
      }, 120_000);

      test.each(Object.keys(cases).map((name, n) => [name, n] as const))('%s', (name, n) => {
        const { happened, states, holders } = ended.get(`h${v}${n}`)!;
        const said = happened.join('; ');
        const masters = (['a', 'b'] as const).filter((one) => states[one] === 'MASTER');
        expect(masters, said).toHaveLength(1);
        // A standby that leaves makes no pulse: of two that leave at once it is the other one that serves, and stays.
        if (cases[name]!.master !== 'either') expect(masters, said).toEqual([cases[name]!.master]);
        if (variant.hold === 'master') expect(holders, said).toEqual(masters);
      });
    },
  );

  describe('each step by itself', () => {
    test.each(Object.entries(alone).map(([name, one], n) => [name, one, n] as const))(
      '%s',
      (_name, one, n) => {
        const { happened, states } = results.get(`x${n}`)!;
        expect(states, happened.join('; ')).toEqual(one.states);
      },
    );
  });
});
