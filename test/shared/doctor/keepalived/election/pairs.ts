// Generated pairs of files: what the doctor says of them, and what keepalived does with them. They have to agree.
import type { Finding } from '../../../../../shared/doctor/finding.ts';
import { keepalivedFindings } from '../../../../../shared/doctor/keepalived/findings/findings.ts';
import { memoryFolder } from '../memory-folder.ts';
import { ADDRESS, GROUP, type NodeDraft, type PairDraft, pairDraft } from './draft.ts';
import { type Draw, drawn } from './draw.ts';
import { type Dressed, dressed, dressedAsOne, FIFO } from './dressing.ts';
import type { Answer, NodeInput, Question } from './inside.ts';

export interface Pair {
  readonly id: string;
  readonly draft: PairDraft;
  readonly dressed: readonly [Dressed, Dressed];
  readonly findings: readonly Finding[];
  /** How long each node waits for adverts. */
  readonly downMs: readonly [number, number];
  /** Nodes that are first in an election, one each. */
  readonly first: Question['first'];
}

export function pairsFrom(count: number, seed: number): readonly Pair[] {
  return drawn(drawPair, { count, seed }).map((pair, n) => ({
    ...pair,
    id: `p${n}`,
    findings: findingsOn(pair.dressed),
    first: ordersOf(pair.draft.nodes),
    downMs: downMsOf(pair.draft.nodes),
  }));
}

function drawPair(draw: Draw): Pick<Pair, 'draft' | 'dressed'> {
  const draft = pairDraft(draw);
  const isOne = draft.nodes.every(({ more, tail }) => more.length + tail.length === 0) && draw.oneIn(8);
  return {
    draft,
    dressed: isOne
      ? dressedAsOne(draft.nodes)
      : [dressed(draft.nodes[0], draw), dressed(draft.nodes[1], draw)],
  };
}

/** Each node's files are in a folder of its own. */
function findingsOn(nodes: readonly [Dressed, Dressed]): readonly Finding[] {
  const files = Object.fromEntries(
    nodes.flatMap(({ files: own, host }) =>
      Object.entries(own).map(([path, text]) => [`${host}/${path}`, text]),
    ),
  );
  return keepalivedFindings({
    files: memoryFolder(files),
    given: nodes.map(({ main, host }) => ({ path: `${host}/${main}`, host })),
    shim: { fifo: FIFO, leavingFile: '/run/vipshift/leaving' },
  });
}

export function questionOf({ id, draft, dressed: nodes, downMs, first }: Pair): Question {
  const input = (n: 0 | 1): NodeInput => {
    const { name, instance } = draft.nodes[n];
    return {
      ...nodes[n],
      addresses: [`${ADDRESS[4][name]}/16`, `${ADDRESS[6][name]}/64`],
      instance,
      downMs: downMs[n],
    };
  };
  return { id, nodes: [input(0), input(1)], first };
}

/**
 * The better node first: the other one then gives way if it hears it, and there are two masters if not. Where the priorities
 * do not tell, both orders.
 */
function ordersOf(nodes: readonly [NodeDraft, NodeDraft]): Question['first'] {
  const [a, b] = nodes.map(({ priority = '100' }) =>
    /^[1-9]\d*$/.test(priority) && Number(priority) < 256 ? Number(priority) : 100,
  );
  return a === b ? [0, 1] : [a! > b! ? 0 : 1];
}

/** In a sync group the slower instance counts: the second one has an interval of a second. */
function downMsOf([a, b]: PairDraft['nodes']): readonly [number, number] {
  const grouped = [a, b].some(({ tail }) => tail.includes(GROUP)) ? 4_000 : 0;
  return [Math.max(downMsOfInstance(a), grouped), Math.max(downMsOfInstance(b), grouped)];
}

/** Three intervals and the skew time, with keepalived's own ideas of the interval. */
function downMsOfInstance({ advert, vips, version, globalVersion, more }: NodeDraft): number {
  const stated = Number(advert ?? 1);
  const seconds = Number.isNaN(stated) || stated < 0.01 ? 1 : stated;
  const own = version ?? (more.includes('version 2') ? 2 : globalVersion);
  const isThird = vips[0]?.includes(':') || own === 3;
  return 4_000 * (isThird ? seconds : Math.max(Math.round(seconds), 1));
}

type Word = 'takes it' | 'complains' | 'unchecked';

/** What is said of each file, and of both. */
export interface Verdict {
  readonly files: readonly [Word, Word];
  readonly isSplit: boolean;
}

const complaints: ReadonlySet<string> = new Set(['keepalived-refused', 'keepalived-version']);

export function doctorsVerdict({ draft, findings }: Pair): Verdict {
  const wordOn = (node: NodeDraft): Word => {
    const about = findings.filter(({ subject }) => subject.startsWith(`${node.name}/`));
    if (about.some(({ check }) => check === 'unchecked')) return 'unchecked';
    // keepalived has nothing against multicast, but against a unicast address without a peer.
    const isUnicast = node.source !== undefined || node.peers !== undefined;
    const isRefused = about.some(
      ({ check }) => complaints.has(check) || (check === 'keepalived-multicast' && isUnicast),
    );
    return isRefused ? 'complains' : 'takes it';
  };
  return {
    files: [wordOn(draft.nodes[0]), wordOn(draft.nodes[1])],
    isSplit: findings.some(({ check }) => check === 'keepalived-two-masters'),
  };
}

export function keepalivedsVerdict({ draft }: Pair, { checks, elections }: Answer): Verdict {
  const wordOn = (check: Answer['checks'][0]): Word =>
    check == null ? 'unchecked' : check.status === 0 ? 'takes it' : 'complains';
  const isSplit = elections.some(([a, b]) => a === 'MASTER' && b === 'MASTER');
  return { files: [wordOn(checks[0]), wordOn(checks[1])], isSplit: isSplit && !draft.areStrangers };
}

/** What the doctor leaves open agrees with both; two masters it does not say without reason. */
export const agree = (doctor: Verdict, keepalived: Verdict): boolean =>
  (doctor.isSplit === keepalived.isSplit || (!doctor.isSplit && doctor.files.includes('unchecked'))) &&
  keepalived.files.every((word, n) => word !== 'unchecked' && ['unchecked', word].includes(doctor.files[n]!));
