// What `vipshift doctor` does: looks everything up, judges, and says what to do about it.

import { folded } from '../../shared/doctor/finding.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import type { CommandContext } from '../command/command.ts';
import { type Status, status } from '../command/exit.ts';
import { progress } from '../command/print/progress.ts';
import { requireVip } from '../command/vip/registered-vip.ts';
import { type DoctorOptions, doctorClients, doctorSession } from './clients.ts';
import { findingsFor } from './findings.ts';
import { keepalivedFilesFindings } from './keepalived-files.ts';
import { tell } from './tell.ts';

export async function look({ args, options, out, session }: CommandContext<DoctorOptions>): Promise<Status> {
  const ofKeepalived = keepalivedFilesFindings(options);
  const listed = (await session.ports.vips.list()).filter(isRegistered);
  const vips = args[0] === undefined ? listed : [await requireVip(session, args[0])];
  // The list may lag behind what was read.
  const all = [...listed.filter((vip) => !vips.some((v) => v.name === vip.name)), ...vips];
  const shown = progress('checking', vips.length);
  const query = { vips, all, options, step: shown.step };
  const [{ findings, ...rest }] = await Promise.all([
    findingsFor(doctorSession(session), await doctorClients(), query),
    out.json ? undefined : session.names.lookUp({ vips }),
  ]).finally(shown.end);
  const found = { findings: folded([...findings, ...ofKeepalived]), ...rest };
  tell(out, found, vips.length, session.names);
  const bad = found.findings.some((f) => f.severity === 'fault' || options.strict === true);
  return bad ? status.bad : status.ok;
}
