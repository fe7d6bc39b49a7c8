// `vipshift doctor`: its command line. run.ts does the work.
import { InvalidArgumentError } from 'commander';
import { checks } from '../../shared/doctor/finding.ts';
import type { ServicePort } from '../../shared/doctor/packets/rules.ts';
import { defineCommand } from '../command/command.ts';
import { list, option } from '../command/options.ts';
import type { DoctorOptions } from './clients.ts';

export const doctorCommand = () =>
  defineCommand<DoctorOptions>({
    name: 'doctor',
    json: { is: 'lines', schema: 'doctor' },
    about: 'check every precondition; each fault comes with found, expected and a remedy',
    args: [{ name: '[vip]', about: 'one VIP; without it all of them', is: 'vip' }],
    options: [
      option(
        '--keepalived <file>',
        'also check the keepalived.conf of each node; may be repeated. HOST=FILE: of a file for several hosts (@HOST), as HOST reads it',
        { parse: list, is: 'file' },
      ),
      option(
        '--notify-conf <file>',
        'the nodes’ notify.conf: its FIFO and names are compared with keepalived’s',
        {
          onlyWith: 'keepalived',
          is: 'file',
        },
      ),
      option('--port <port>', 'a port that clients use: 443, 53/udp; may be repeated', { parse: ports }),
      option('--node-role <name>', 'the nodes’ role (default: from their instance profiles)'),
      option('--no-probe', 'skip the end-to-end event, which counts as one rejected claim'),
      option('--strict', 'also end with status 1 on warnings'),
    ],
    notes: 'A route table that must not carry any VIP has the tag with the value -.',
    examples: [
      'vipshift doctor',
      'vipshift doctor web --port 443 --keepalived a.conf --keepalived b.conf',
      `vipshift doctor --json | jq -r 'select(.severity == "fault") | .remedy'`,
    ],
    more: `Checks:
${Object.entries(checks)
  .map(([name, says]) => `  ${name.padEnd(26)} ${says}`)
  .join('\n')}`,
    load: async () => (await import('./run.ts')).look,
  });

function ports(text: string, before: readonly ServicePort[] = []): readonly ServicePort[] {
  const [, port, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new InvalidArgumentError('expected 443, 443/tcp or 53/udp.');
  return [...before, { port: Number(port), protocol: protocol as ServicePort['protocol'] }];
}
