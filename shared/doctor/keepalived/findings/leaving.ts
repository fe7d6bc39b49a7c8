// Whether a node can give its VIPs away by itself when AWS warns it: keepalived tracks the file of vipshift-notify for that.
import { type Finding, warning } from '../../finding.ts';
import { isUnresolved } from '../grammar/definitions.ts';
import type { Configuration } from '../model/configuration.ts';
import type { Instance } from '../model/instance.ts';
import { adding, asRemedy, beginningWith, replacing } from './edits.ts';

/** Once, it leaves every node above 0; twice, it is beyond the -253 at which keepalived goes into FAULT. */
const WEIGHT_MIN = -253;
const WEIGHT_MAX = -127;
const WEIGHT = -200;

interface About {
  readonly vips: readonly string[];
  readonly subject: string;
  /** As the shim has it. */
  readonly leavingFile: string;
}

export function leavingFindings(
  one: Configuration,
  instance: Instance,
  { leavingFile, ...about }: About,
): readonly Finding[] {
  const groups = one.groups.filter(({ members }) => members.includes(instance.name));
  const files = [instance, ...groups].flatMap(({ trackedFiles }) => trackedFiles);
  const tracked = files.find(({ path }) => path === leavingFile);
  const expected = `track_file of ${leavingFile} with a weight from ${WEIGHT_MAX} to ${WEIGHT_MIN}`;
  if (tracked === undefined) {
    if (instance.isPartial || one.isPartial || files.some(({ path }) => isUnresolved(path))) return [];
    return [
      warning('keepalived-leaving', {
        ...about,
        found: `it does not track ${leavingFile}, by which the shim gives the VIP away when AWS warns the node`,
        expected,
        // In this order, so that the lines are still those of the file.
        remedy: asRemedy(
          adding(instance.span, `track_file { leaving weight ${WEIGHT} }`),
          beginningWith(one.start.file, `track_file leaving { file "${leavingFile}" }`),
        ),
      }),
    ];
  }
  const { weight, line } = tracked;
  if (weight === undefined || (weight >= WEIGHT_MIN && weight <= WEIGHT_MAX)) return [];
  return [
    warning('keepalived-leaving', {
      ...about,
      found: `it tracks ${leavingFile} with weight ${weight}`,
      expected,
      remedy: asRemedy(replacing(line, withWeight(line.text))),
    }),
  ];
}

const withWeight = (text: string): string =>
  /\bweight\b/.test(text) ? text.replace(/\bweight\s+\S+/, `weight ${WEIGHT}`) : `${text} weight ${WEIGHT}`;
