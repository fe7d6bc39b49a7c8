// Where the environment and the clock are read: in shared/aws/wire.ts, and nowhere else in shared/ and functions/.
import type { Source } from './sources.ts';

const withoutComments = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^(?:(?!['"`]).)*?\/\/.*$/gm, (line) => line.slice(0, line.indexOf('//')));

const clockWords: readonly (readonly [RegExp, string])[] = [
  [/\bprocess\s*\.\s*env\b/, 'process.env'],
  [/\bDate\s*\.\s*now\b/, 'Date.now'],
  [/\bnew\s+Date\s*(?:\(\s*\)|(?![\s(\w]))/, 'new Date()'],
  [/\bperformance\s*\.\s*now\b/, 'performance.now'],
  [/\bprocess\s*\.\s*(?:hrtime|uptime)\b/, 'process.hrtime'],
  [/\bset(?:Timeout|Interval|Immediate)\b/, 'a timer'],
  [/['"](?:node:)?(?:timers|perf_hooks)/, 'a timer module'],
];

export const clockComplaints = (source: Source): readonly string[] =>
  source.path === 'shared/aws/wire.ts'
    ? []
    : clockWords
        .filter(([words]) => words.test(withoutComments(source.text)))
        .map(([, name]) => `${source.path} uses ${name}, expected that in shared/aws/wire.ts alone`);
