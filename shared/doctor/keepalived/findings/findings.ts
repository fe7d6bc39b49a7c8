// `vipshift doctor --keepalived`: keepalived's files by keepalived's own grammar, each alone and against each other.
//
// Limits: keepalived.conf(5) of 2.2.7. Whether interfaces, users and scripts exist, only the node knows; what another tool
// generates at run time is not seen; which address family a packet takes is the network's.
import { type Finding, warning } from '../../finding.ts';
import type { ConfigFolder } from '../grammar/folder.ts';
import type { Configuration } from '../model/configuration.ts';
import { configurationsFrom, type NodeFile } from '../model/node-files.ts';
import { asRemedy, removing } from './edits.ts';
import { configurationFindings, type Shim, vipsOf } from './one-configuration.ts';
import { pairFindings } from './pair.ts';
import type { Surroundings } from './virtual-routers.ts';

export interface KeepalivedInput {
  readonly files: ConfigFolder;
  readonly given: readonly NodeFile[];
  readonly shim: Shim;
}

export function keepalivedFindings({ files, given, shim }: KeepalivedInput): readonly Finding[] {
  const configurations = configurationsFrom(files, given);
  const instances = configurations.flatMap((one) => one.instances);
  const sources = new Set(instances.flatMap(({ source }) => source.value ?? []));
  const pairs = configurations.flatMap((one, n) =>
    configurations.slice(n + 1).map((other) => [one, other] as const),
  );
  return [
    ...configurations.flatMap((one) => configurationFindings(one, shim)),
    ...pairs.flatMap(([one, other]) => pairFindings(one, other, { shim, sources })),
    ...(sources.size < 2 ? [] : configurations.flatMap((one) => strangerFindings(one, { shim, sources }))),
  ];
}

/** Peers whose files were not given, or that do not exist. */
function strangerFindings(one: Configuration, { shim, sources }: Surroundings): readonly Finding[] {
  return one.instances.flatMap((instance) =>
    instance.peers.listed
      .filter(({ address }) => !sources.has(address))
      .map(({ address, line }) =>
        warning('keepalived-peers', {
          vips: vipsOf(one, instance, shim),
          subject: `${one.name} ${instance.name}`,
          found: `it sends to ${address}, which is the unicast_src_ip of no file that was given`,
          expected: 'the files of all nodes',
          remedy: asRemedy(removing(line), `or give the file of ${address}, too, if there is such a node`),
        }),
      ),
  );
}
