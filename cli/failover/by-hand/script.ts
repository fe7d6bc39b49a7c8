// The commands that move a VIP by hand, as a POSIX shell reads them: one AWS CLI call a line, remarks as comments. Pure.
//
// Invariant: what is not sure to be the VIP's own is a comment, and so is what would be run later: who pastes everything at once
// harms no other VIP.
import { type Conflict, conflictText } from '../../../shared/network/conflict.ts';
import { aimText, type Step } from '../../../shared/network/step.ts';
import { awsCommand, type Place, shellWord } from '../../../shared/place.ts';
import { destinationOption } from '../../../shared/registry/ip-range.ts';

/** Where the calls go. */
export type Where = Pick<Place, 'region' | 'profile'>;

export interface Script {
  /** What it is, and from where it is known. */
  readonly head: readonly string[];
  /** To be checked by a person before anything is run. */
  readonly checks: readonly string[];
  /** Commands of vipshift, whole lines. */
  readonly before: readonly string[];
  readonly steps: readonly Step[];
  /** Steps that are the VIP's only if a person confirms it. */
  readonly unsure: readonly Step[];
  readonly conflicts: readonly Conflict[];
  /** Sentences and commands for when it is done. */
  readonly afterwards: readonly string[];
}

/** One call, in the AWS CLI's words. */
export const awsLine = (step: Step, where: Where): string =>
  awsCommand(['ec2', ...wordsOf(step)].map(shellWord).join(' '), where);

function wordsOf(step: Step): readonly string[] {
  switch (step.call) {
    case 'ReplaceRoute':
    case 'CreateRoute': {
      const { call, table, destination, eni } = step;
      const name = call === 'ReplaceRoute' ? 'replace-route' : 'create-route';
      const to = [destinationOption(destination), destination, '--network-interface-id', eni];
      return [name, '--route-table-id', table, ...to];
    }
    case 'AssociateAddress': {
      const at = ['--network-interface-id', step.eni, '--private-ip-address', step.privateAddress];
      return ['associate-address', '--allocation-id', step.eip, ...at, '--allow-reassociation'];
    }
    case 'ModifyNetworkInterfaceAttribute':
      return [
        'modify-network-interface-attribute',
        ...['--network-interface-id', step.eni, '--no-source-dest-check'],
      ];
    default:
      return step satisfies never;
  }
}

export function scriptLines(script: Script, where: Where): readonly string[] {
  const { head, checks, before, steps, unsure, conflicts, afterwards } = script;
  const isFirst = before.length === 0;
  return [
    ...head.map(remark),
    ...(checks.length === 0 ? [] : ['#', ...checks.map((text) => remark(`CHECK FIRST: ${text}`))]),
    ...(isFirst ? [] : ['', remark('1. Keep the controller from moving it back'), ...before]),
    '',
    remark(`${isFirst ? 1 : 2}. Move it: ${steps.length} ${steps.length === 1 ? 'call' : 'calls'}`),
    ...steps.map((step) => awsLine(step, where)),
    ...unsure.flatMap((step) => [
      remark(`only if ${step.cell} is this VIP’s own (it is at ${step.from}, to ${aimText(step)}):`),
      remark(awsLine(step, where)),
    ]),
    ...conflicts.map((c) => remark(`left alone: ${c.cell} found ${c.found}: ${conflictText(c)}`)),
    '',
    remark(`${isFirst ? 2 : 3}. Afterwards`),
    ...afterwards.map(remark),
  ];
}

/** A comment, on one line whatever is in it. */
const remark = (text: string): string => `# ${text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]+/gu, ' ')}`.trimEnd();
