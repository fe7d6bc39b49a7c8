// `vipshift keepalived-config`: its command line. run.ts does the work.
import { defineOfflineCommand } from '../command/command.ts';
import { list, option } from '../command/options.ts';
import { keepalivedDefaults as defaults } from './input.ts';
import type { KeepalivedConfigOptions } from './run.ts';

const nodes = () => {
  const group = 'The nodes and their VIP:';
  return [
    option('--node <name=address[@interface]>', 'a node, the preferred one first; at least two', {
      parse: list,
      group,
    }),
    option('--address <ip>', 'an address of the VIP; several if it has several', { parse: list, group }),
    option('--interface <name>', 'of the nodes that name none of their own', {
      default: defaults.interface,
      group,
    }),
    option('--instance <name>', 'the VRRP instance, as notify.conf will name it', {
      default: defaults.instance,
      group,
    }),
    option('--router-id <number>', 'virtual_router_id, unlike that of any other VIP of these nodes', {
      default: String(defaults.routerId),
      group,
    }),
    option('--hold <how>', 'both: the VIP stays on lo of every node; master: keepalived moves it', {
      choices: ['both', 'master'],
      default: defaults.hold,
      group,
    }),
  ];
};

const speed = () => {
  const group = 'Timing and fail-back:';
  return [
    option('--advert <seconds>', 'advert interval; a dead node is noticed after three to four of them', {
      default: String(defaults.advertS),
      group,
    }),
    option('--instance-type <type>', 'warns if the adverts are too frequent for it, such as t3.small', {
      group,
    }),
    option('--startup-delay <seconds>', 'how much later each node starts than the one before it', {
      default: String(defaults.startupDelayS),
      group,
    }),
    option(
      '--preempt',
      'a node of higher priority takes the VIP back as soon as it can (default: it stays)',
      { group },
    ),
  ];
};

const fitness = () => {
  const group = 'What makes a node unfit:';
  return [
    option('--process <name>', 'a process that must run, such as nginx; noticed after half a second', {
      group,
    }),
    option(
      '--check-url <url>',
      'a URL that must answer; curl asks once a second, two failures in a row count',
      { group },
    ),
    option('--script-user <name>', 'who runs that curl', {
      default: defaults.scriptUser,
      onlyWith: 'checkUrl',
      group,
    }),
    option(
      '--demote-file <path>',
      'the file that demotes the node: 1 in it puts it into FAULT, 0 ends that',
      {
        default: defaults.demoteFile,
        group,
      },
    ),
    option(
      '--leaving-file <path>',
      'the file by which vipshift-notify gives the VIP away when AWS warns the node (leaving_file there)',
      { default: defaults.leavingFile, group },
    ),
  ];
};

const places = () => {
  const group = 'Where it goes:';
  return [
    option(
      '--port <number>',
      `a TCP port of the service, for the security group (default: ${defaults.ports.join()})`,
      { parse: list, group },
    ),
    option('--fifo <path>', 'the notify FIFO of vipshift-notify', { default: defaults.fifo, group }),
    option('--only <name>', 'the file of this node alone', { group }),
    option('--out <folder>', 'write NODE.conf (and the unit for lo) into this folder', {
      group,
      is: 'folder',
    }),
    option('--overwrite', 'also over files there that differ', { group, onlyWith: 'out' }),
  ];
};

export const keepalivedConfigCommand = () =>
  defineOfflineCommand<KeepalivedConfigOptions>({
    name: 'keepalived-config',
    json: { is: 'document', schema: 'keepalived-config' },
    about:
      'every node’s keepalived.conf for one VIP, and the security-group rules it needs; makes no request',
    options: [...nodes(), ...speed(), ...fitness(), ...places()],
    formerOptions: { '--track-file': '--demote-file', '--lever': '--demote-file' },
    examples: [
      'vipshift keepalived-config --node a=10.0.1.10 --node b=10.0.2.10 --address 192.168.255.10 --instance VI_WEB --process nginx',
      'vipshift keepalived-config … --advert 0.1 --check-url http://127.0.0.1/healthy --out keepalived/',
      'vipshift keepalived-config … --only a > /etc/keepalived/keepalived.conf',
    ],
    common: ['json', 'color'],
    run: async ({ options, out }) => (await import('./run.ts')).run(options, out),
  });
