// Carries out what the doctor says: reads a remedy as a shell and the AWS CLI would, and sends it. So a remedy that names an
// option or command that does not exist, or that does not fix anything, fails a test. Knows the shapes that remedies use.
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as ec2 from '@aws-sdk/client-ec2';
import * as events from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import * as lambda from '@aws-sdk/client-lambda';
import { run } from '../front-door/command-line.ts';
import type { Setup } from './setup.ts';
import { bare, type Input, inputFrom, optionsFrom, pascal, wordsOf } from './words.ts';

/** What a remedy needs of its surroundings. */
type RemedyPorts = Pick<Setup, 'send' | 'env'> & Partial<Pick<Setup, 'clients'>>;
const modules = { dynamodb, ec2, events, iam, lambda } as const;

export async function carryOut(setup: RemedyPorts, remedy: string): Promise<void> {
  for (const command of bare(remedy).split(' && ')) {
    const words = wordsOf(command);
    if (words[0] === 'vipshift') await own(setup, words.slice(1));
    else await aws(setup, words.slice(1));
  }
}

async function own(setup: RemedyPorts, words: readonly string[]): Promise<void> {
  const sure = words.includes('adopt') ? ['--yes'] : [];
  const ran = await run([...words, ...sure], setup.env);
  if (ran.status !== 0) throw new Error(`vipshift ${words.join(' ')}: ${ran.stderr}`);
}

async function aws(setup: RemedyPorts, [service, name, ...rest]: readonly string[]): Promise<void> {
  const module = modules[service as keyof typeof modules] as unknown as
    | Record<string, new (input: Input) => object>
    | undefined;
  const Command = module?.[`${pascal(name!)}Command`];
  if (Command === undefined) throw new Error(`the AWS CLI has no ${service} ${name}`);
  const command = new Command(inputFrom(name!, optionsFrom(rest)));
  if (service === 'ec2') await setup.send(command);
  else await (setup.clients![service as keyof Setup['clients']] as iam.IAMClient).send(command as never);
}
