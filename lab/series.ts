/** What the lab's commands have in common that play each of some kinds many times over: their options. */
import { oneOf, wholeNumber } from './options.ts';

const RUNS_MAX = 1_000;

export interface Series<Kind extends string> {
  readonly runs: number;
  readonly kinds: readonly Kind[];
  readonly json: boolean;
  readonly logFolder: string;
}

interface Defaults<Kind extends string> {
  readonly runs: number;
  readonly kinds: readonly Kind[];
  readonly logFolder: string;
}

/** For `parseArgs`, beside a command's own. */
export const seriesOptions = <Kind extends string>({ runs, kinds, logFolder }: Defaults<Kind>) =>
  ({
    runs: { type: 'string', default: String(runs) },
    kind: { type: 'string', multiple: true, default: [...kinds] as string[] },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    logs: { type: 'string', default: logFolder },
  }) as const;

interface Given {
  readonly runs: string;
  readonly kind: readonly string[];
  readonly json: boolean;
  readonly logs: string;
}

/** Throws with a sentence where one is wrong. */
export const seriesFrom = <Kind extends string>(given: Given, kinds: readonly Kind[]): Series<Kind> => ({
  runs: wholeNumber('--runs', given.runs, { from: 1, to: RUNS_MAX }),
  kinds: given.kind.map((kind) => oneOf('--kind', kind, kinds)),
  json: given.json,
  logFolder: given.logs,
});
