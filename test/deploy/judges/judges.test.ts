// The table of questions, judged by our evaluator over the packaged and resolved template; `npm run judges` asks the others.
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packaged } from '../support/packaged.ts';
import type { Template } from '../support/template.ts';
import { unheld } from './held.ts';
import { eventRuler, iamSimulate, NotFetchedError } from './pinned.ts';
import { PARAMS } from './principals.ts';
import { caseOf, isHonest, ourVerdict, textOf } from './question.ts';
import { table } from './table.ts';

let prod: Template;
beforeAll(async () => {
  prod = JSON.parse(await packaged('prod', PARAMS)) as Template;
});

describe('who may do what', () => {
  it.each(table.map((row) => [textOf(row), row] as const))('%s', (_text, row) => {
    expect(ourVerdict(caseOf(prod, row))).toBe(row.expected);
  });
});

describe('a judge that cannot be fetched', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const place = () => join(folder, 'judges');
  const doing = (body: string) => {
    const program = join(folder, 'program');
    writeFileSync(program, `#!/bin/sh\n${body}\n`);
    chmodSync(program, 0o755);
    return { program, place: place() };
  };
  const refusal = async (asked: Promise<string>): Promise<string> => {
    const error = await asked.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (!(error instanceof NotFetchedError)) throw error;
    return error.message;
  };

  it('is told in one line, and leaves nothing behind', async () => {
    const broken = doing('echo "npm error network unreachable" >&2; echo more >&2; exit 1');
    expect(await refusal(iamSimulate(broken))).toBe(
      `the judge of policies could not be fetched (${broken.program}): npm error network unreachable`,
    );
    expect(await refusal(eventRuler(broken))).toMatch(
      /^the judge of rules could not be fetched .*unreachable$/,
    );
    expect(readdirSync(place())).toEqual([]);
  });

  it('is not taken for one when its jars are not those that were pinned', async () => {
    const other = doing('echo other > event-ruler-2.1.0.jar');
    expect(await refusal(eventRuler(other))).toMatch(
      /^the judge of rules is not what was pinned: .*event-ruler-2\.1\.0\.jar/,
    );
    expect(readdirSync(place())).toEqual([]);
  });

  it('is fetched once', async () => {
    const first = await iamSimulate(doing('test -f package-lock.json && touch fetched'));
    expect(await iamSimulate(doing('exit 1'))).toBe(first);
  });
});

describe('the table', () => {
  it('has no question twice, at least 150 of them, and about half of them are honest parties’', () => {
    const texts = table.map(textOf);
    expect(texts.filter((text, at) => texts.indexOf(text) !== at)).toEqual([]);
    expect(texts.length).toBeGreaterThanOrEqual(150);
    const honest = table.filter(isHonest).length / table.length;
    expect(honest).toBeGreaterThan(0.45);
    expect(honest).toBeLessThan(0.55);
  });
});

describe('what the table holds', () => {
  /** By what another policy says the same. */
  const said = {
    'vipshift-on-call 0, Probe: ForAllValues:StringEquals events:source': 'the bus’s',
    'vipshift-registry-owner 0, Probe: ForAllValues:StringEquals events:source': 'the bus’s',
    'vipshift-prod-rule-dead-letters, sqs:SendMessage: ArnEquals aws:SourceArn':
      'the Deny in the same policy',
  };

  it('is every statement, action, resource and condition of the policies: without it some answer would be another', () => {
    expect(unheld(table.map((row) => caseOf(prod, row)))).toEqual(Object.keys(said).sort());
  });
});
