// What the documents name exists: links and their headings, files, npm scripts, and every command with its options, read from the
// command line itself. A page that is followed at three in the morning must not send anybody to what was renamed.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { program } from '../cli/program.ts';
import { code, inFolder, pages, text } from './docs/pages.ts';

const root = join(import.meta.dirname, '..');
/** As GitHub makes a heading an anchor. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
const anchorsOf = (page: string): readonly string[] =>
  [...text(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!));

/** A remark, the next command of a line, or the end of a quotation is no part of it. */
function commandIn(line: string, name: RegExp): readonly string[] {
  const [, rest = ''] = name.exec(line) ?? [];
  const [command = ''] = rest.split(/\s#|[|;]|&&|\$\(|\)"/);
  return command.split(/\s+/).filter((word) => word !== '');
}

function problemWith(words: readonly string[]): string | undefined {
  let at: Command = program();
  let depth = 0;
  for (const word of words) {
    const next = at.commands.find((c) => c.name() === word || c.aliases().includes(word));
    if (next === undefined) break;
    at = next;
    depth += 1;
  }
  const known = new Set([...at.options, ...program().options].flatMap((o) => [o.long, o.short]));
  if (words[0] === 'help') return undefined;
  if (depth === 0 && words[0] !== undefined && /^[a-z]/.test(words[0])) return `no command ${words[0]}`;
  if (at.commands.length > 0 && /^[a-z]+$/.test(words[depth] ?? ''))
    return `${at.name()} has no ${words[depth]}`;
  const unknown = words
    .filter((word) => /^--?[a-z]/.test(word))
    .map((word) => word.split('=')[0]!)
    .filter((option) => !known.has(option) && !['--help', '-h'].includes(option));
  return unknown.length === 0 ? undefined : `${at.name()} has no ${unknown.join(', ')}`;
}

describe.each(pages)('%s', (page) => {
  test('links to what is there, headings included', () => {
    const bad = [...text(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, target]) => {
      const [file = '', heading] = target!.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      if (!existsSync(join(root, path))) return [target];
      return heading === undefined || anchorsOf(path).includes(heading) ? [] : [target];
    });
    expect(bad).toEqual([]);
  });

  test('names files that exist', () => {
    const named = text(page).matchAll(
      /(?<![\w./-])((?:bench|build|cli|docs|events|functions|lab|live|notify|resources|runbook|shared|test)\/[\w./-]*\w\.(?:md|ts|cjs|json|yml|bash|txt))\b/g,
    );
    // `NAME.ts` stands for any.
    const paths = [...named].map(([, path]) => path!).filter((path) => !path.includes('NAME'));
    const places = (path: string) => [path, join(dirname(page), path)];
    expect(paths.filter((path) => !places(path).some((p) => existsSync(join(root, p))))).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const named = [...text(page).matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name]) => name!);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('names commands and options that vipshift has', () => {
    const problems = code(page).flatMap((line) => {
      const words = commandIn(line, /^(?:\$ )?(?:npx )?vipshift (.+)$/);
      const problem = words.length === 0 ? undefined : problemWith(words);
      return problem === undefined ? [] : [`${line}: ${problem}`];
    });
    expect(problems).toEqual([]);
  });

  test('names commands and options that the shim has', () => {
    const usage = readFileSync(join(root, 'notify', 'vipshift-notify'), 'utf8');
    const problems = code(page).flatMap((line) => {
      const words = commandIn(line, /^(?:sudo )?(?:[\w./-]+\/)?vipshift-notify ([a-z-].*)$/);
      const unknown = words.filter((word, i) =>
        i === 0 || word.startsWith('--') ? !new RegExp(`(^|[\\s|(])${word}\\b`, 'm').test(usage) : false,
      );
      return unknown.map((word) => `${line}: no ${word}`);
    });
    expect(problems).toEqual([]);
  });
});

describe('the two readmes', () => {
  const [english, chinese] = ['README.md', 'README.zh-CN.md'].map(text) as [string, string];
  test('have the same sections, figures and commands: who reads one must not be told less', () => {
    const figures = (page: string) => [...new Set(page.match(/\d[\d.,]*\d|\d/g))].sort();
    const commands = (page: string) =>
      [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)]
        .flatMap(([, block]) => block!.split('\n'))
        .filter((line) => /^(aws|npm|npx|sudo| {2}--)/.test(line))
        .map((line) => line.replace(/ +#.*$/, ''));
    const sections = (page: string) => page.match(/^#+ /gm);
    expect(figures(chinese)).toEqual(figures(english));
    expect(commands(chinese)).toEqual(commands(english));
    expect(sections(chinese)).toEqual(sections(english));
  });
  test('are at most 120 lines', () => {
    expect(english.split('\n').length).toBeLessThanOrEqual(120);
    expect(chinese.split('\n').length).toBeLessThanOrEqual(120);
  });
});

describe.each(inFolder('docs/zh-CN'))('%s', (chinese) => {
  const english = chinese.replace('zh-CN/', '');
  const lines = (page: string) => text(page).split('\n');
  const levels = (page: string) => text(page).match(/^#+ /gm);
  /** Without remarks, which are translated. */
  const blocks = (page: string) =>
    [...text(page).matchAll(/^```\w*\n[\s\S]*?^```$/gm)].map(([block]) => block.replace(/ +# .*$/gm, ''));
  /** Of each row of a table what is code. */
  const rows = (page: string) =>
    lines(page)
      .filter((line) => line.startsWith('|'))
      .map((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, span]) => span!).sort());
  const commands = (page: string) =>
    code(page).filter((line) => /^(?:sudo |npx |aws |vipshift|npm )/.test(line));
  const sorted = (page: string) =>
    [...new Set(commands(page).map((line) => line.replace(/ +# .*$/, '')))].sort();

  test('has the headings, blocks, rows and commands of the English page: who reads one must not be told less', () => {
    expect(levels(chinese)).toEqual(levels(english));
    expect(blocks(chinese)).toEqual(blocks(english));
    expect(rows(chinese)).toEqual(rows(english));
    expect(sorted(chinese)).toEqual(sorted(english));
  });
});

describe('the check of a command', () => {
  test.each([
    ['vip add web --addres 1.2.3.4', 'add has no --addres'],
    ['vip ad web', 'vip has no ad'],
    ['stauts', 'no command stauts'],
    ['status web --watch', undefined],
  ])('%s: %s', (line, problem) => expect(problemWith(line.split(' '))).toBe(problem));
});
