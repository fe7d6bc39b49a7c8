// How the doctor tells what it found: for people, and as documents of docs/schemas/doctor.schema.json.
import type { Finding } from '../../shared/doctor/finding.ts';
import { releasesText } from '../../shared/doctor/service/release.ts';
import { defined } from '../../shared/optional.ts';
import type { NodeNames } from '../command/node/names.ts';
import type { Output } from '../command/output.ts';
import type { Found } from './findings.ts';

/** `names`: those that are known. */
export function tell(out: Output, found: Found, vips: number, names: NodeNames): void {
  if (out.json) out.documents([...found.findings.map(documentOf), summaryOf(found, vips)]);
  else tellPeople(out, found, vips, names);
}

/** `vip` is the first one that it touches. */
export const documentOf = (finding: Finding) => ({ ...finding, ...defined({ vip: finding.vips[0] }) });

const touched = ({ vips }: Finding): string =>
  vips.length > 1 ? `${vips.length} VIPs ` : vips.length === 1 ? `${vips[0]} ` : '';

/** `names`: those that are known. */
export function tellFindings(
  out: Output,
  findings: readonly Finding[],
  names: Pick<NodeNames, 'text'>,
): void {
  for (const f of findings) {
    const severity = out.paint(f.severity === 'fault' ? 'bad' : 'warn', f.severity);
    out.line(`${severity} ${out.paint('strong', f.check)} ${touched(f)}${names.text(f.subject)}`);
    out.line(`  found     ${names.text(f.found)}`);
    out.line(`  expected  ${names.text(f.wanted)}`);
    out.line(`  remedy    ${f.remedy}`);
  }
}

function tellPeople(out: Output, found: Found, vips: number, names: NodeNames): void {
  tellFindings(out, found.findings, names);
  out.line(releasesText(found.releases));
  for (const load of found.loads) out.line(load);
  const { faults, warnings, unchecked } = summaryOf(found, vips);
  const verdict =
    faults === 0
      ? out.paint('good', 'no fault')
      : out.paint('bad', `${faults} fault${faults === 1 ? '' : 's'}`);
  const unknown = unchecked === 0 ? '' : `; ${unchecked} could not be checked`;
  out.line(
    `${vips} ${vips === 1 ? 'VIP' : 'VIPs'}: ${verdict}, ${warnings} warning${warnings === 1 ? '' : 's'}${unknown}`,
  );
}

/** The last document, also where nothing was found. What could not be looked up is among the warnings. */
function summaryOf({ findings, releases }: Found, vips: number) {
  const faults = findings.filter((f) => f.severity === 'fault').length;
  const unchecked = findings.filter((f) => f.check === 'unchecked').length;
  return { summary: true, vips, faults, warnings: findings.length - faults, unchecked, releases };
}
