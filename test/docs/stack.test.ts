// docs/reference/stack.md against serverless.yml: every parameter is in the table, with its default.
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { text } from './pages.ts';
import { codeIn, tableOf } from './tables.ts';

const page = text('docs/reference/stack.md');
const { params } = parse(text('serverless.yml'), {
  // Intrinsic functions of CloudFormation; the parameters have none.
  logLevel: 'silent',
}) as { readonly params: { readonly default: Readonly<Record<string, string | number>> } };
const rows = tableOf(page, 'parameter', 'default', '');

it('has every parameter once; the one that only tests turn off is named below the table', () => {
  const named = rows.flatMap(([names]) => codeIn(names!));
  expect([...named, 'reconcileSchedule'].sort()).toEqual(Object.keys(params.default).sort());
  expect(page).toContain('`reconcileSchedule`');
});

it('has the defaults', () => {
  const wrong = rows.flatMap(([names, shown]) => {
    const defaults = codeIn(names!).map((name) => String(params.default[name]));
    // Empty ones are told in words.
    if (defaults.every((value) => value === '')) return [];
    const told = shown!.replaceAll('`', '').replace(/ \(.*/, '');
    return told === defaults.join(', ')
      ? []
      : [`${names}: ${told}, ${defaults.join(', ')} in serverless.yml`];
  });
  expect(wrong).toEqual([]);
});
