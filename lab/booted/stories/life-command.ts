/**
 * `npm run lab -- life`: runs the story of lab/booted/stories/life.ts, and prints how long each chapter took and how many connections failed in it.
 *
 * Exit status: as the lab's; 1 when a chapter did not come about, or connections failed in one that may have none.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { LabCommand, Say } from '../../command.ts';
import { Client, outageOf } from '../../netns/node/client.ts';
import { VIP } from '../../netns/sandbox/topology.ts';
import { monotonicMs } from '../../netns/scenario/moment.ts';
import { openBootedLab } from '../lab.ts';
import type { Stage } from '../planned-stops.ts';
import { type Chapter, life } from './life.ts';
import { PACKAGES, packageLife } from './package-life.ts';

export interface Told {
  readonly chapter: string;
  readonly says: string;
  readonly seconds: number;
  /** Connections that no node took. */
  readonly failed: number;
  readonly trouble: string | undefined;
}

const usage = `usage: npm run lab -- life [--packages FOLDER] [--json] [--logs FOLDER]

  --packages FOLDER  with before.deb and now.deb of this folder instead of \`vipshift-notify install\`
  --json           an array of objects, one for each chapter, on stdout
  --logs FOLDER    where the emulators' logs go (default: .lab/netns)
`;

export const lifeCommand: LabCommand = {
  usage,
  prepare(argv, logFolder) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        json: { type: 'boolean', default: false },
        packages: { type: 'string' },
        help: { type: 'boolean', default: false },
        logs: { type: 'string', default: logFolder },
      },
    });
    const { json, help, logs, packages } = values;
    const story: Story =
      packages === undefined
        ? { chapters: life, folders: {} }
        : { chapters: packageLife, folders: { [PACKAGES]: resolve(packages) } };
    return { help, logFolder: logs, run: (say) => tellLife(story, { logFolder: logs, json }, say) };
  },
};

interface Story {
  readonly chapters: readonly Chapter[];
  /** Path in the machines → folder of the host. */
  readonly folders: Readonly<Record<string, string>>;
}

interface Output {
  readonly logFolder: string;
  readonly json: boolean;
}

async function tellLife(
  { chapters, folders }: Story,
  { logFolder, json }: Output,
  say: Say,
): Promise<number> {
  const lab = await openBootedLab(logFolder, say);
  const nodes = await lab.bootNodes({ '/root/lab': import.meta.dirname, ...folders });
  say('both nodes are up');
  const client = new Client('client', VIP, 80);
  const told: Told[] = [];
  if (!json) process.stdout.write('SECONDS  FAILED  CHAPTER\n');
  for (const chapter of chapters) {
    const one = await tell(chapter, { nodes, cloud: lab.cloud }, client);
    told.push(one);
    if (!json) process.stdout.write(row(one));
    // What comes after it would be about something else.
    if (one.trouble !== undefined) break;
  }
  await client.close();
  await lab.close();
  if (json) process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
  return told.every(({ trouble }) => trouble === undefined) ? 0 : 1;
}

async function tell(chapter: Chapter, stage: Stage, client: Client): Promise<Told> {
  await stage.cloud.calm();
  const beganMs = monotonicMs();
  const thrown = await chapter.run(stage).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const endedMs = monotonicMs();
  const { refused, lost } = outageOf(client.answers, beganMs, endedMs);
  const failed = refused + lost;
  const cut =
    failed > 0 && chapter.mayFail !== true ? `${failed} connections were refused or lost` : undefined;
  return {
    chapter: chapter.name,
    says: chapter.says,
    seconds: Number(((endedMs - beganMs) / 1_000).toFixed(1)),
    failed,
    trouble: thrown ?? cut,
  };
}

const row = ({ chapter, says, seconds, failed, trouble }: Told): string =>
  `${seconds.toFixed(1).padStart(7)}  ${String(failed).padStart(6)}  ${chapter}: ${says}\n${trouble === undefined ? '' : `${' '.repeat(17)}BROKEN: ${trouble}\n`}`;
