// Carries out what the doctor says: reads a remedy as a shell and the AWS CLI would, and sends it. So a remedy that names an
// option or command that does not exist, or that does not fix anything, fails a test. Knows the shapes that remedies use.
import * as ec2 from '@aws-sdk/client-ec2';
import * as iam from '@aws-sdk/client-iam';
import { run } from '../front-door/command-line.ts';
import type { Setup } from './setup.ts';

/** Whether it can be pasted as it stands: no word left to fill in, nothing that is done on a node or by a deployment. */
export const pastes = (remedy: string): boolean => {
  const said = remedy.replace(/ {4}#.*$/, '');
  return (
    /^(aws (ec2|iam)|vipshift) /.test(said) &&
    !/\b[A-Z_]{3,}\b/.test(said.replace(/'[^']*'/g, '')) &&
    !said.includes('$(')
  );
};

/** What a remedy needs of its surroundings. */
type RemedyPorts = Pick<Setup, 'send' | 'env'> & Partial<Pick<Setup, 'iam'>>;

export async function carryOut(setup: RemedyPorts, remedy: string): Promise<void> {
  for (const command of remedy.replace(/ {4}#.*$/, '').split(' && ')) {
    const words = wordsOf(command);
    if (words[0] === 'vipshift') await own(setup, words.slice(1));
    else await aws(setup, words.slice(1));
  }
}

const wordsOf = (command: string): readonly string[] =>
  [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"]+)+/g)].map(([word]) => word.replace(/['"]/g, ''));

async function own(setup: RemedyPorts, words: readonly string[]): Promise<void> {
  const sure = words.includes('adopt') ? ['--yes'] : [];
  const ran = await run([...words, ...sure], setup.env);
  if (ran.status !== 0) throw new Error(`vipshift ${words.join(' ')}: ${ran.stderr}`);
}

const pascal = (text: string): string =>
  text.replace(/(?:^|-)(\w)/g, (_whole, letter: string) => letter.toUpperCase());

type Input = Record<string, unknown>;

async function aws(setup: RemedyPorts, [service, name, ...rest]: readonly string[]): Promise<void> {
  const module = (service === 'ec2' ? ec2 : iam) as unknown as Record<string, new (input: Input) => object>;
  const Command = module[`${pascal(name!)}Command`];
  if (Command === undefined) throw new Error(`the AWS CLI has no ${service} ${name}`);
  const command = new Command(inputFrom(name!, optionsFrom(rest)));
  if (service === 'ec2') await setup.send(command);
  else await setup.iam!.send(command as never);
}

function optionsFrom(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>();
  let last = '';
  for (const word of words) {
    if (word.startsWith('--')) last = word.slice(2);
    options.set(last, [...(options.get(last) ?? []), ...(word.startsWith('--') ? [] : [word])]);
  }
  return options;
}

const LISTS = new Set(['resources', 'instance-ids']);
const NUMBERS = new Set(['rule-number', 'secondary-private-ip-address-count']);

function inputFrom(name: string, options: ReadonlyMap<string, readonly string[]>): Input {
  if (name === 'authorize-security-group-ingress' && !options.has('ip-permissions')) return ruleFrom(options);
  const input: Input = {};
  for (const [option, values] of options) {
    const [value] = values;
    if (option === 'tags') input.Tags = values.map(tagFrom);
    else if (option === 'ip-permissions') input.IpPermissions = [permissionFrom(value!)];
    else if (option === 'egress' || option === 'ingress') input.Egress = option === 'egress';
    else if (option === 'no-source-dest-check') input.SourceDestCheck = { Value: false };
    else if (value === undefined) input[pascal(option)] = true;
    else if (LISTS.has(option)) input[pascal(option)] = values;
    else input[pascal(option)] = NUMBERS.has(option) ? Number(value) : value;
  }
  return input;
}

const tagFrom = (text: string): Input =>
  Object.fromEntries(text.split(',').map((part) => part.split(/=(.*)/s).slice(0, 2)));

/** The AWS CLI's short form: `IpProtocol=tcp,FromPort=1,ToPort=1,IpRanges=[{CidrIp=0.0.0.0/0}]`. */
function permissionFrom(text: string): Input {
  const [, flat = '', list, key, value] = /^([^[]*),(\w+)=\[\{(\w+)=([^}]*)\}\]$/.exec(text) ?? [];
  const { IpProtocol, FromPort, ToPort } = tagFrom(flat);
  const ports = { FromPort: Number(FromPort), ToPort: Number(ToPort) };
  return { IpProtocol, ...ports, [list!]: [{ [key!]: value }] };
}

function ruleFrom(options: ReadonlyMap<string, readonly string[]>): Input {
  const of = (option: string) => options.get(option)?.[0];
  const port = Number(of('port'));
  const permission = {
    IpProtocol: of('protocol'),
    FromPort: port,
    ToPort: port,
    ...(of('cidr') === undefined ? {} : { IpRanges: [{ CidrIp: of('cidr') }] }),
    ...(of('source-group') === undefined ? {} : { UserIdGroupPairs: [{ GroupId: of('source-group') }] }),
  };
  return { GroupId: of('group-id'), IpPermissions: [permission] };
}
