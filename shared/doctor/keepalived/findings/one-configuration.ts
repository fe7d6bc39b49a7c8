// What is wrong with the configuration of one node, whatever the others have.
import { type Finding, fault, warning } from '../../finding.ts';
import { isUnresolved, type Place } from '../grammar/definitions.ts';
import type { Configuration } from '../model/configuration.ts';
import type { Instance } from '../model/instance.ts';
import { type Complaint, spanOf, type Unread } from '../model/statements.ts';
import { adding, asRemedy, beginningWith, removing, replacing } from './edits.ts';
import { leavingFindings } from './leaving.ts';
import { instanceFindings } from './one-instance.ts';

/** What the shim on the nodes is told in notify.conf. */
export interface Shim {
  /** The FIFO that it reads. */
  readonly fifo: string;
  /** By which it gives the VIPs away when the node leaves. */
  readonly leavingFile: string;
  /** The VIPs of each instance and sync group that it reports for; undefined where its file was not given. */
  readonly vipsOf?: ReadonlyMap<string, readonly string[]> | undefined;
}

/** The VIPs that go with an instance, by its own name or its sync group's. */
export function vipsOf(one: Configuration, { name }: Instance, shim: Shim): readonly string[] {
  const names = [
    name,
    ...one.groups.filter(({ members }) => members.includes(name)).map((group) => group.name),
  ];
  return names.flatMap((each) => shim.vipsOf?.get(each) ?? []);
}

/** Of all that the shim reports for on this node. */
const allVips = (one: Configuration, shim: Shim): readonly string[] => [
  ...new Set(one.instances.flatMap((instance) => vipsOf(one, instance, shim))),
];

export function configurationFindings(one: Configuration, shim: Shim): readonly Finding[] {
  return [
    ...one.complaints.map((complaint) => complaintFinding(one, complaint)),
    ...unreadFindings(one),
    ...missingInstance(one),
    ...(one.instances.length === 0 ? [] : [...fifoFindings(one, shim), ...unnamedFindings(one, shim)]),
    ...reloadFindings(one, shim),
    ...strictFindings(one, shim),
    ...one.instances.flatMap((instance) => {
      const vips = vipsOf(one, instance, shim);
      const subject = `${one.name} ${instance.name}`;
      const about = { vips, subject, leavingFile: shim.leavingFile };
      return [...instanceFindings(one, instance, vips), ...leavingFindings(one, instance, about)];
    }),
  ];
}

/** `a.conf`, or `a.conf (edge-a) line 3`. */
const placeText = ({ name, start }: Configuration, { file, line }: Place): string =>
  `${file === start.file ? name : file} line ${line}`;

function complaintFinding(one: Configuration, complaint: Complaint): Finding {
  const { at, says, line, put, into, isHarmless } = complaint;
  const edit =
    into !== undefined && put !== undefined
      ? adding(into, put)
      : line === undefined
        ? `correct line ${at.line} of ${at.file}; keepalived -t -f ${one.start.file} on the node says more`
        : put === undefined
          ? removing(line)
          : replacing(line, put);
  return (isHarmless ? warning : fault)('keepalived-refused', {
    vips: [],
    subject: placeText(one, at),
    found: says,
    expected: 'nothing that keepalived complains about',
    remedy: asRemedy(edit),
  });
}

/** Of one file, so that a wrong one does not fill the screen. */
const UNREAD_MAX = 10;

function unreadFindings(one: Configuration): readonly Finding[] {
  const found = one.unread.slice(0, UNREAD_MAX).map((unread) => uncheckedFinding(one, unread));
  const more = one.unread.length - found.length;
  const next = one.unread[UNREAD_MAX];
  if (next === undefined) return found;
  return [...found, unchecked(placeText(one, next.at), `${more} more lines that are not understood`)];
}

const uncheckedFinding = (one: Configuration, { at, text, why }: Unread): Finding =>
  unchecked(
    placeText(one, at),
    why === 'include'
      ? `${text}: no such file here, so what is in it is not known`
      : `not understood: ${text}`,
  );

const unchecked = (subject: string, found: string): Finding =>
  warning('unchecked', {
    vips: [],
    subject,
    found,
    expected: 'to be read',
    remedy: {
      sentence: 'give the doctor the files as they lie on the node, or look yourself: keepalived -t -f FILE',
    },
  });

function missingInstance(one: Configuration): readonly Finding[] {
  if (one.instances.length > 0 || one.isTorn) return [];
  if (one.isPartial) return [unchecked(one.name, 'no vrrp_instance in what can be read')];
  return [
    fault('keepalived-instance', {
      vips: [],
      subject: one.name,
      found: 'no vrrp_instance',
      expected: 'the file that keepalived is given on a node',
      remedy: { sentence: 'name that file: --keepalived FILE; vipshift keepalived-config writes one' },
    }),
  ];
}

function fifoFindings(one: Configuration, shim: Shim): readonly Finding[] {
  const { fifo } = shim;
  const { fifos, blocks, isPartial } = one.globals;
  if (fifos.some(({ path }) => path === fifo || isUnresolved(path))) return [];
  const [other] = fifos;
  if (other === undefined && isPartial) return [];
  const scripts = [...one.instances, ...one.groups].flatMap((each) =>
    each.scripts.map(({ words }) => words[0]!),
  );
  const put = `vrrp_notify_fifo ${fifo}`;
  const [block] = blocks;
  return [
    fault('keepalived-notify', {
      vips: allVips(one, shim),
      subject: one.name,
      found:
        other !== undefined
          ? `${other.line.text}, which the shim does not read`
          : scripts.length > 0
            ? `${[...new Set(scripts)].join(', ')} instead of a FIFO: scripts run at once and out of order (keepalived issue 1884)`
            : 'no notify FIFO: the shim hears nothing',
      expected: `${put} in global_defs`,
      remedy: asRemedy(
        other !== undefined
          ? replacing(other.line, `${other.line.text.split(/\s/)[0]} ${fifo}`)
          : block !== undefined
            ? adding(spanOf(block), put)
            : beginningWith(one.start.file, `global_defs { ${put} }`),
      ),
    }),
  ];
}

/** Against the shim's own file, where it was given. */
function unnamedFindings(one: Configuration, { vipsOf: known }: Shim): readonly Finding[] {
  if (known === undefined) return [];
  const named = [...known.keys()];
  const there = [...one.instances, ...one.groups].map(({ name }) => name);
  const missing = one.isPartial ? [] : named.filter((name) => !there.includes(name));
  const grouped = one.groups.filter(({ name }) => named.includes(name)).flatMap(({ members }) => members);
  const extra = one.instances.filter(({ name }) => !named.includes(name) && !grouped.includes(name));
  return [
    ...missing.map((name) =>
      fault('keepalived-instance', {
        vips: known.get(name)!,
        subject: `${one.name} ${name}`,
        found: `the shim’s notify.conf names ${name}, and keepalived has ${there.join(', ')}`,
        expected: 'one name in both',
        remedy: { sentence: `in notify.conf, name one of ${there.join(', ')} instead of ${name}` },
      }),
    ),
    ...extra.map(({ name }) =>
      warning('keepalived-instance', {
        vips: [],
        subject: `${one.name} ${name}`,
        found: 'the shim’s notify.conf does not name it, so vipshift never hears of it',
        expected: `instance ${name} = VIP in notify.conf`,
        remedy: { sentence: `in notify.conf, add \`instance ${name} = VIP\`, if a VIP is to follow it` },
      }),
    ),
  ];
}

function reloadFindings(one: Configuration, shim: Shim): readonly Finding[] {
  const { repeats } = one.globals;
  if (repeats === undefined) return [];
  return [
    fault('keepalived-reload', {
      vips: allVips(one, shim),
      subject: one.name,
      found: `${repeats.text}: each reload repeats states that did not change, which read like transitions`,
      expected: 'the option off',
      remedy: asRemedy(removing(repeats)),
    }),
  ];
}

/** One for each line that switches it on. */
function strictFindings(one: Configuration, shim: Shim): readonly Finding[] {
  const lines = new Map(
    one.instances.flatMap(({ strict, drops }) => {
      const line = strict.value === true ? strict.line : drops.value === true ? drops.line : undefined;
      return line === undefined ? [] : [[line, strict.value === true] as const];
    }),
  );
  return [...lines].map(([line, isStrict]) =>
    fault('keepalived-strict', {
      vips: allVips(one, shim),
      subject: placeText(one, line.at),
      found: isStrict
        ? `${line.text}: the master drops packets to its addresses, and newer keepalived refuses unicast peers`
        : `${line.text}: the master drops packets to its addresses`,
      expected: 'neither vrrp_strict, strict_mode nor no_accept',
      remedy: asRemedy(removing(line)),
    }),
  );
}
