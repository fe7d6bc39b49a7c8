// A draft as files, in all the ways that keepalived's grammar has for the same thing: comments, quotes, braces, definitions,
// lines of several hosts, sequences, includes.

import type { NodeDraft } from './draft.ts';
import type { Draw } from './draw.ts';

export interface Dressed {
  readonly files: Readonly<Record<string, string>>;
  readonly main: string;
  readonly host: string;
}

export const FIFO = '/run/vipshift/notify.fifo';

/** A block is its head and its lines; a line is a statement. */
type Part = string | { readonly head: string; readonly parts: readonly Part[] };

const block = (head: string, parts: readonly Part[]): Part => ({ head, parts });
const given = (word: string, value: string | number | undefined): readonly string[] =>
  value === undefined || value === '' ? [] : [`${word} ${value}`];

function partsOf(node: NodeDraft): readonly Part[] {
  const taken = new Set(node.globals.filter((one) => one.startsWith('-')).map((one) => one.slice(1)));
  const globals = [
    `router_id ${node.name}`,
    ...given('vrrp_version', node.globalVersion),
    ...(taken.has('vrrp_notify_fifo') ? [] : [`vrrp_notify_fifo ${FIFO}`]),
    ...(node.checksSource === 'global' ? ['vrrp_check_unicast_src'] : []),
    ...given(`vrrp_mcast_group${node.group?.includes(':') ? 6 : 4}`, node.group),
    ...node.globals.filter((one) => !one.startsWith('-')),
  ];
  const { auth } = node;
  const instance: readonly Part[] = [
    ...given('state', node.state),
    'interface ve0',
    ...given('virtual_router_id', node.routerId),
    ...given('priority', node.priority),
    ...given('advert_int', node.advert),
    ...(node.nopreempt ? ['nopreempt'] : []),
    ...given('unicast_src_ip', node.source),
    ...(node.peers === undefined ? [] : [block('unicast_peer', node.peers)]),
    ...(auth === undefined
      ? []
      : [block('authentication', [`auth_type ${auth.type}`, ...given('auth_pass', auth.pass)])]),
    ...(node.checksSource === 'instance' ? ['check_unicast_src'] : []),
    ...(node.vips.length === 0 ? [] : [block('virtual_ipaddress', node.vips)]),
    ...(node.excluded.length === 0 ? [] : [block('virtual_ipaddress_excluded', node.excluded)]),
    // After the addresses, of which the first one gives the family.
    ...given('version', node.version),
    ...node.more,
  ];
  return [
    ...node.head,
    block('global_defs', globals),
    block(`vrrp_instance ${node.instance}`, instance),
    ...node.tail,
  ];
}

interface Cloth {
  readonly draw: Draw;
  readonly node: NodeDraft;
  readonly files: Record<string, string>;
  readonly head: string[];
  count: number;
}

export function dressed(node: NodeDraft, draw: Draw): Dressed {
  const cloth: Cloth = { draw, node, files: {}, head: [], count: 0 };
  const parts = partsOf(node);
  const isPlain = draw.oneIn(4);
  const lines = isPlain ? parts.flatMap(plain) : parts.flatMap((part) => dressedPart(part, cloth, '.'));
  const main = 'keepalived.conf';
  cloth.files[main] = `${[...cloth.head, ...lines].join('\n')}\n`;
  return { files: cloth.files, main, host: node.name };
}

/** One file for both, whose lines say which host they are for. */
export function dressedAsOne(nodes: readonly [NodeDraft, NodeDraft]): readonly [Dressed, Dressed] {
  const lines = nodes.flatMap((node) =>
    partsOf(node)
      .flatMap(plain)
      .map((line) => `@${node.name} ${line.trim()}`),
  );
  const files = { 'both.conf': `${lines.join('\n')}\n` };
  const [a, b] = nodes.map(({ name }) => ({ files, main: 'both.conf', host: name }));
  return [a!, b!];
}

const plain = (part: Part): readonly string[] =>
  typeof part === 'string'
    ? [part]
    : [`${part.head} {`, ...part.parts.flatMap(plain).map((line) => `    ${line}`), '}'];

const isBroken = (text: string): boolean => /[{}"$]|^include/.test(text);

function dressedPart(part: Part, cloth: Cloth, folder: string): readonly string[] {
  const { draw } = cloth;
  if (typeof part === 'string') return dressedStatement(part, cloth);
  const isNamed = part.head.startsWith('vrrp_instance');
  const broken = part.parts.some((one) => typeof one === 'string' && isBroken(one));
  if (isNamed && !broken && draw.oneIn(8)) return asDefinition(part, cloth);
  const inner = repeated(part, cloth, folder);
  const [only] = part.parts;
  if (part.parts.length === 1 && typeof only === 'string' && !isBroken(only) && draw.oneIn(5))
    return [`${part.head} { ${only} }`];
  const body = !broken && draw.oneIn(8) ? included(inner, cloth, folder) : inner;
  return [
    ...draw.of([
      [`${part.head} {`],
      [`${part.head}`, '{'],
      [`${part.head}{`],
      [`${part.head} { # {`],
      [part.head, '', '  ! }', '{'],
    ]),
    ...body.map((line) => `${draw.of(['    ', '\t', ''])}${line}`),
    '}',
  ];
}

/** The block's lines, where a value may come twice (the last one counts) or from a sequence. */
function repeated(part: Exclude<Part, string>, cloth: Cloth, folder: string): readonly string[] {
  const { draw } = cloth;
  const names = part.parts.filter((one): one is string => typeof one === 'string');
  const isList = /^(?:unicast_peer|virtual_ipaddress)$/.test(part.head);
  if (isList && names.length > 1 && draw.oneIn(2)) return asSequence(names, cloth);
  return part.parts.flatMap((one) => {
    const isTwice =
      typeof one === 'string' &&
      /^(?:virtual_router_id|priority|advert_int) [\d.]+$/.test(one) &&
      draw.oneIn(10);
    const before = isTwice ? [`${one.split(' ')[0]} ${one.startsWith('advert') ? 3 : 17}`] : [];
    return [...before, ...dressedPart(one, cloth, folder)];
  });
}

function asSequence(lines: readonly string[], { draw }: Cloth): readonly string[] {
  const found = lines.map((line) => /^(192\.0\.2\.|2001:db8::)(\d+)(\/\d+ dev lo)$/.exec(line));
  const first = found[0];
  const isOne = found.every((one) => one !== null && one[1] === first?.[1] && one[3] === first?.[3]);
  if (!isOne || first === null || first === undefined) return lines;
  const numbers = found.map((one) => Number(one![2]));
  const isRow = numbers.every((n, at) => n === numbers[0]! + at);
  const line = `${first[1]}\${N}${first[3]}`;
  return isRow && draw.oneIn(2)
    ? [`~SEQ(N, ${numbers[0]}, ${numbers.at(-1)}) ${line}`]
    : [`~LST(N,${numbers.join(', ')}) ${line}`];
}

function dressedStatement(text: string, cloth: Cloth): readonly string[] {
  const { draw } = cloth;
  if (isBroken(text)) return [text];
  const line = draw.oneIn(4) ? withDefinition(text, cloth) : draw.oneIn(10) ? quoted(text) : text;
  const commented = draw.oneIn(6) ? `${line} ${draw.of(['# } {', '! priority 3', '#', '# "'])}` : line;
  const conditional = draw.oneIn(8) ? forHost(commented, cloth) : [commented];
  return draw.oneIn(12) ? ['# virtual_router_id 3 {', ...conditional, '', '   '] : conditional;
}

const quoted = (text: string): string => text.replace(/ (\S+)$/, ' "$1"');

/** The line of this node, among those of others. */
function forHost(line: string, { draw, node }: Cloth): readonly string[] {
  const decoy = 'priority 9';
  return draw.of([
    [`@${node.name} ${line}`, `@other ${decoy}`],
    [`@^other\t${line}`],
    [`@^${node.name} ${decoy}`, line],
  ]);
}

/** The last word, or the end of it, from a definition. */
function withDefinition(text: string, cloth: Cloth): string {
  const { draw, head } = cloth;
  const [, before, value] = /^(.* |)([^ ]+)$/.exec(text) ?? [];
  if (before === undefined || value === undefined) return text;
  const name = `V_${cloth.count++}`;
  const half = Math.floor(value.length / 2);
  switch (draw.of(['whole', 'braces', 'half', 'nested', 'later', 'hosts'] as const)) {
    case 'whole':
      head.push(`$${name}=${value}`);
      return `${before}$${name}`;
    case 'braces':
      head.push(`$${name}= ${value}`);
      return `${before}\${${name}}`;
    case 'half':
      head.push(`$${name}=${value.slice(half)} # }`);
      return `${before}${value.slice(0, half)}\${${name}}`;
    case 'nested':
      head.push(
        `$${name}=\${${name}_1}\${${name}_2}`,
        `$${name}_1=${value.slice(0, half)}`,
        `$${name}_2=${value.slice(half)}`,
      );
      return `${before}$${name}`;
    case 'later':
      head.push(`$${name}=none`, `$${name}=${value}`);
      return `${before}$${name}`;
    case 'hosts':
      head.push(`@other $${name}=none`, `@${cloth.node.name} $${name}=${value}`, `@another $${name}=none`);
      return `${before}$${name}`;
  }
}

/** The block as a definition of several lines. */
function asDefinition(part: Exclude<Part, string>, cloth: Cloth): readonly string[] {
  const name = `BLOCK_${cloth.count++}`;
  const lines = plain(part).map((line) => line.trim());
  const isBehind = cloth.draw.oneIn(2);
  const [first, ...rest] = lines;
  const all = isBehind ? [`$${name}=${first}`, ...rest] : [`$${name}=`, ...lines];
  cloth.head.push(...all.map((line, n) => (n < all.length - 1 ? `${line} \\` : line)));
  return [cloth.draw.of([`$${name}`, `\${${name}}`])];
}

/** The lines in files of their own, and what includes them. */
function included(lines: readonly string[], cloth: Cloth, folder: string): readonly string[] {
  const { draw, files } = cloth;
  const name = `part-${cloth.count++}`;
  const path = folder === '.' ? name : `${folder}/${name}`;
  const word = draw.of(['include', 'include', 'includer', 'includem', 'includea']);
  // What includes itself goes by its folder, so it stays where it is.
  const isDeep = lines.some((line) => line.includes('include'));
  switch (isDeep ? 'file' : draw.of(['file', 'nested', 'wild', 'braces'] as const)) {
    case 'file':
      files[`${path}.inc`] = lines.join('\n');
      return [`${word} ${name}.inc`];
    case 'nested':
      files[`${path}/inner/x.inc`] = `${lines.join('\r\n')}\r\n`;
      files[`${path}/outer.inc`] = 'include inner/*.inc\n';
      return [`${word} ${name}/outer.inc  # nested`];
    case 'wild': {
      const half = Math.ceil(lines.length / 2);
      const isWhole = !balanced(lines.slice(0, half));
      files[`${path}/10-a.inc`] = `${(isWhole ? lines : lines.slice(0, half)).join('\n')}\n`;
      files[`${path}/20-b.inc`] = isWhole ? '# nothing\n' : `${lines.slice(half).join('\n')}\n`;
      files[`${path}/.30-hidden.inc`] = 'virtual_router_id 200\n';
      return [`${word} ${name}/*.inc`];
    }
    case 'braces':
      files[`${path}-1.inc`] = '\n';
      files[`${path}-2.inc`] = lines.join('\n');
      return [`${word} ${name}-{1,2}.inc`];
  }
}

const balanced = (lines: readonly string[]): boolean => !lines.some((line) => /[{}]/.test(line));
