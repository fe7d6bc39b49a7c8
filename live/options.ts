// What the user of the live harness asks for.
import { parseArgs } from 'node:util';
import { isRunId } from './run-id.ts';

export const drillKinds = ['demote', 'crash'] as const;
/** `demote`: the demote file that keepalived tracks is set. `crash`: keepalived and the service are killed. */
export type DrillKind = (typeof drillKinds)[number];

export const usage = `npm run live -- [--drills N] [--region REGION] [--yes] [--json] [--tables N] [--kinds demote,crash]
                [--advert S] [--stage STAGE --instance-profile NAME] [--keep] [--local]
npm run live -- --clean RUN [--region REGION]
npm run live -- --assumptions [--region REGION | --local]

  --drills N            how many failovers, back and forth (20)
  --region REGION       default: the shell's
  --tables N            route tables that follow the VIP, 1 to 190 (3); the probe sits behind the first
  --kinds LIST          demote (clean hand-over), crash (keepalived and service killed), alternating (both)
  --advert S            keepalived's advert interval on the nodes, in seconds (1)
  --stage STAGE         use a deployed stage; without it one is deployed for the run and removed
  --instance-profile N  with --stage: what the nodes run as; its role must be the one that the stage knows
  --yes                 do not ask
  --json                the figures as one JSON document on stdout
  --keep                leave everything running, and print how to remove it
  --local               on a local AWS with emulated machines: shows that it works; its figures say nothing about AWS
  --clean RUN           remove what an interrupted run left behind
`;

export interface Options {
  readonly drills: number;
  readonly region: string | undefined;
  readonly tables: number;
  readonly kinds: readonly DrillKind[];
  readonly advertS: number;
  readonly stage: string | undefined;
  readonly instanceProfile: string | undefined;
  readonly yes: boolean;
  readonly json: boolean;
  readonly keep: boolean;
  readonly local: boolean;
  readonly clean: string | undefined;
}

export const DRILLS_MAX = 1_000;
/** A VPC has 200 route tables unless support has raised it; main and the nodes' are among them. */
export const TABLES_MAX = 190;

/** Throws an Error that says what was found and what is wanted. */
export function optionsFrom(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      drills: { type: 'string', default: '20' },
      tables: { type: 'string', default: '3' },
      kinds: { type: 'string', default: drillKinds.join(',') },
      advert: { type: 'string', default: '1' },
      region: { type: 'string' },
      stage: { type: 'string' },
      'instance-profile': { type: 'string' },
      clean: { type: 'string' },
      yes: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      local: { type: 'boolean', default: false },
    },
  });
  const { stage, clean, yes, json, keep, local, region } = values;
  const instanceProfile = values['instance-profile'];
  if ((stage === undefined) !== (instanceProfile === undefined))
    throw new Error(
      '--stage and --instance-profile go together: the bus of a stage takes claims of its own node role only',
    );
  if (local && (stage !== undefined || keep || clean !== undefined))
    throw new Error(
      '--local creates and removes everything itself: it cannot be combined with --stage, --keep or --clean',
    );
  if (clean !== undefined && !isRunId(clean))
    throw new Error(
      `--clean is "${clean}", expected the eight hex digits of a run, as in its tag vipshift:drill`,
    );
  return {
    drills: whole('drills', values.drills, DRILLS_MAX),
    tables: whole('tables', values.tables, TABLES_MAX),
    kinds: kindsFrom(values.kinds),
    advertS: advertFrom(values.advert),
    ...{ region, stage, instanceProfile, yes, json, keep, local, clean },
  };
}

function whole(name: string, text: string, max: number): number {
  const found = Number(text);
  if (!Number.isInteger(found) || found < 1 || found > max)
    throw new Error(`--${name} is "${text}", expected a whole number from 1 to ${max}`);
  return found;
}

function kindsFrom(text: string): readonly DrillKind[] {
  const kinds = text.split(',');
  const unknown = kinds.find((kind) => !(drillKinds as readonly string[]).includes(kind));
  if (unknown !== undefined)
    throw new Error(`--kinds has "${unknown}", expected one or both of ${drillKinds.join(', ')}`);
  return kinds as DrillKind[];
}

function advertFrom(text: string): number {
  const found = Number(text);
  if (!(found >= 0.05 && found <= 10))
    throw new Error(`--advert is "${text}", expected seconds from 0.05 to 10`);
  return found;
}
