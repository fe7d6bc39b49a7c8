// The doctor on keepalived's files: what makes keepalived and vipshift disagree later. Reads blocks and words, no more:
// `include` is not followed, and what another tool generates at run time is not seen.
import { type Finding, fault } from './finding.ts';

export interface KeepalivedFile {
  readonly file: string;
  readonly text: string;
}

interface Block {
  readonly words: readonly string[];
  readonly blocks: readonly Block[];
}

interface Instance {
  readonly file: string;
  readonly name: string;
  readonly priority: number | undefined;
  readonly advertS: number;
  readonly unicast: boolean;
  readonly version: number;
  readonly fifo: boolean;
  readonly scripts: readonly string[];
}

const SCRIPTS = new Set(['notify', 'notify_master', 'notify_backup', 'notify_fault', 'notify_stop']);
const FIFOS = new Set(['vrrp_notify_fifo', 'notify_fifo']);
const VERSION_DEFAULT = 2;

export function keepalivedFindings(files: readonly KeepalivedFile[]): readonly Finding[] {
  const instances = files.flatMap(instancesOf);
  return [...instances.flatMap(instanceFindings), ...equalPriorities(instances)];
}

function instanceFindings(i: Instance): readonly Finding[] {
  // A file names instances; which VIP one of them is for is said on the node, in notify.conf.
  const about = { vips: [], subject: `${i.file} ${i.name}` };
  const found: Finding[] = [];
  if (!i.unicast)
    found.push(
      fault('keepalived-multicast', {
        ...about,
        found: 'no unicast_peer, so it speaks multicast, which a VPC does not carry',
        expected: 'unicast_src_ip and unicast_peer',
        remedy: { sentence: 'vipshift keepalived-config writes such a block' },
      }),
    );
  if (!i.fifo)
    found.push(
      fault('keepalived-notify', {
        ...about,
        found:
          i.scripts.length > 0
            ? `${i.scripts.join(', ')} instead of a FIFO: scripts run at once and out of order (keepalived issue 1884)`
            : 'no notify FIFO: the shim hears nothing',
        expected: 'vrrp_notify_fifo in global_defs',
        remedy: { sentence: 'global_defs { vrrp_notify_fifo /run/vipshift/notify.fifo }' },
      }),
    );
  if (i.version < 3 && i.advertS < 1)
    found.push(
      fault('keepalived-version', {
        ...about,
        found: `advert_int ${i.advertS} with VRRP version 2, which sends whole seconds: detection takes 3 s`,
        expected: 'vrrp_version 3',
        remedy: { sentence: 'global_defs { vrrp_version 3 }' },
      }),
    );
  return found;
}

/** Of instances with one name in several files, no two may have the same priority. */
function equalPriorities(instances: readonly Instance[]): readonly Finding[] {
  const found: Finding[] = [];
  for (const [n, one] of instances.entries()) {
    const same = instances
      .slice(n + 1)
      .find((two) => two.name === one.name && two.file !== one.file && two.priority === one.priority);
    if (same === undefined) continue;
    found.push(
      fault('keepalived-priorities', {
        vips: [],
        subject: `${one.file} and ${same.file} ${one.name}`,
        found: `both have priority ${one.priority ?? 'left to the default, 100'}`,
        expected:
          'distinct priorities: equal ones are decided by address, and both may stay master for a while',
        remedy: { sentence: 'priority 254 here and 253 there' },
      }),
    );
  }
  return found;
}

function instancesOf({ file, text }: KeepalivedFile): readonly Instance[] {
  const blocks = blocksFrom(text);
  const globals = blocks.filter((b) => b.words[0] === 'global_defs').flatMap((b) => b.blocks);
  const word = (list: readonly Block[], name: string) => list.find((b) => b.words[0] === name)?.words[1];
  const groups = blocks.filter((b) => b.words[0] === 'vrrp_sync_group').flatMap((b) => b.blocks);
  return blocks
    .filter((b) => b.words[0] === 'vrrp_instance')
    .map((b) => {
      const advert = word(b.blocks, 'advert_int');
      const priority = word(b.blocks, 'priority');
      const own = word(b.blocks, 'version') ?? word(globals, 'vrrp_version');
      return {
        file,
        name: b.words[1] ?? '',
        priority: priority === undefined ? undefined : Number(priority),
        advertS: advert === undefined ? 1 : Number(advert),
        unicast: b.blocks.some((x) => x.words[0] === 'unicast_peer'),
        version: own === undefined ? VERSION_DEFAULT : Number(own),
        fifo: globals.some((x) => FIFOS.has(x.words[0] ?? '')),
        scripts: [...b.blocks, ...groups].map((x) => x.words[0] ?? '').filter((w) => SCRIPTS.has(w)),
      };
    });
}

/** Lines of words; a brace opens or closes a block. Comments begin with `#` or `!`. */
export function blocksFrom(text: string): readonly Block[] {
  const root: { words: string[]; blocks: Block[] }[] = [{ words: [], blocks: [] }];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/[#!].*$/, '').trim();
    for (const part of line.split(/([{}])/)) {
      const words = part
        .trim()
        .split(/\s+/)
        .filter((w) => w !== '');
      const top = root.at(-1)!;
      if (part === '{') {
        const last = top.blocks.at(-1) as { words: string[]; blocks: Block[] } | undefined;
        if (last !== undefined) root.push(last);
      } else if (part === '}') {
        if (root.length > 1) root.pop();
      } else if (words.length > 0) top.blocks.push({ words, blocks: [] } as Block);
    }
  }
  return root[0]!.blocks;
}
