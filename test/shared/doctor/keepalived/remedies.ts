// Carries out what a remedy says, as an operator would: `in FILE, line N, write …`.
import type { Finding } from '../../../../shared/doctor/finding.ts';

type Files = Readonly<Record<string, string>>;

/** What the words in capitals come to. */
const FILLED: Readonly<Record<string, string>> = {
  ADDRESS: '10.0.2.10',
  NUMBER: '51',
  NAME: 'eth0',
  VALUE: '3',
};

/** The files after all steps of the remedy; throws where a step is none that can be carried out by itself. */
export const repaired = (files: Files, { remedy }: Finding): Files =>
  remedy
    .split('; ')
    .filter((step) => !step.startsWith('or '))
    .reduce(stepDone, files);

function stepDone(files: Files, step: string): Files {
  const [, file, line, does] =
    /^in (\S+), (?:(?:line|after line|before line) (\d+), )?(.+)$/.exec(step) ?? [];
  if (file === undefined || line === undefined || does === undefined)
    throw new Error(`not to be carried out: ${step}`);
  const lines = files[file]!.split('\n');
  const at = Number(line) - 1;
  const [, put = '', now = ''] = /^(?:write|add|delete) `(.+?)`(?: instead of `(.+)`)?$/.exec(does) ?? [];
  const text = put.replace(/\b[A-Z]{4,}\b/g, (word) => FILLED[word] ?? word);
  if (does.startsWith('write')) lines[at] = replaced(lines[at]!, now, text);
  else if (does.startsWith('delete')) lines[at] = replaced(lines[at]!, put, '');
  else lines.splice(step.includes(', before line ') ? 0 : at + 1, 0, text);
  return { ...files, [file]: lines.join('\n') };
}

function replaced(line: string, now: string, put: string): string {
  if (!line.includes(now)) throw new Error(`there is no "${now}" in "${line}"`);
  return line.replace(now, () => put);
}
