// What a POSIX shell makes of printed lines: bash splits them into words, and the AWS CLI's calls are sent by the SDK. So quoting that is
// wrong, or an option that there is not, fails a test.
import { execFileSync } from 'node:child_process';
import * as ec2 from '@aws-sdk/client-ec2';
import { inputFrom, optionsFrom, pascal } from '../doctor/words.ts';

const WORD = '\0';
const END = '\u001e';

/** The words of each command, as bash reads the whole text. */
export function commandsOf(text: string): readonly (readonly string[])[] {
  const say = (name: string) => `${name}() { printf '%s\\0' ${name} "$@"; printf '\\036'; }`;
  const script = `set -u\n${say('aws')}\n${say('vipshift')}\n${text}\n`;
  const said = execFileSync('bash', ['--noprofile', '--norc', '-c', script], { encoding: 'utf8' });
  return said
    .split(END)
    .filter((command) => command !== '')
    .map((command) => command.split(WORD).slice(0, -1));
}

/** Where each call has to go is checked by the caller: the SDK's client is of one Region. */
export async function send(client: ec2.EC2Client, words: readonly string[]): Promise<void> {
  const [aws, service, name, ...rest] = words;
  const Command = (ec2 as unknown as Record<string, new (input: object) => never>)[`${pascal(name!)}Command`];
  if (aws !== 'aws' || service !== 'ec2' || Command === undefined)
    throw new Error(`no call of EC2: ${words.join(' ')}`);
  const { Region: _region, Profile: _profile, ...input } = inputFrom(name!, optionsFrom(rest));
  await client.send(new Command(input));
}
