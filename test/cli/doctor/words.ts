// A remedy's command as a shell and the AWS CLI read it: its words, its options, and the request that it becomes. Knows the shapes
// that remedies use.

/** Without the remark. */
export const bare = (remedy: string): string => remedy.replace(/ {4}#.*$/, '');

/** Whether it can be pasted as it stands: no word left to fill in, nothing that is done on a node or by a deployment. */
export const pastes = (remedy: string): boolean => {
  const said = bare(remedy);
  return (
    /^(aws [a-z0-9]+|vipshift) /.test(said) &&
    !/\b[A-Z_]{3,}\b/.test(said.replace(/'[^']*'/g, '')) &&
    !said.includes('$(')
  );
};

export const wordsOf = (command: string): readonly string[] =>
  [...command.matchAll(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\]+)+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, '$1$2$3'),
  );

export const pascal = (text: string): string =>
  text.replace(/(?:^|-)(\w)/g, (_whole, letter: string) => letter.toUpperCase());

export type Input = Record<string, unknown>;

export function optionsFrom(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>();
  let last = '';
  for (const word of words) {
    if (word.startsWith('--')) last = word.slice(2);
    options.set(last, [...(options.get(last) ?? []), ...(word.startsWith('--') ? [] : [word])]);
  }
  return options;
}

/** Where it goes, and no part of the request. */
const PLACE = new Set(['region', 'profile']);
const LISTS = new Set(['resources', 'instance-ids']);
const NUMBERS = new Set(['rule-number', 'secondary-private-ip-address-count']);

export function inputFrom(name: string, options: ReadonlyMap<string, readonly string[]>): Input {
  if (name === 'authorize-security-group-ingress' && !options.has('ip-permissions')) return ruleFrom(options);
  const input: Input = {};
  for (const [option, values] of options) {
    if (PLACE.has(option)) continue;
    const [value] = values;
    if (option === 'tags') input.Tags = values.map(tagFrom);
    else if (option === 'ip-permissions') input.IpPermissions = [permissionFrom(value!)];
    else if (option === 'egress' || option === 'ingress') input.Egress = option === 'egress';
    else if (option.endsWith('specification')) input[pascal(option)] = switchesFrom(value!);
    else if (option === 'port-range') input.PortRange = numbersFrom(value!);
    else if (option === 'no-source-dest-check') input.SourceDestCheck = { Value: false };
    else if (value === undefined) input[pascal(option)] = true;
    else if (LISTS.has(option)) input[pascal(option)] = values;
    else input[pascal(option)] = NUMBERS.has(option) ? Number(value) : value;
  }
  return input;
}

const tagFrom = (text: string): Input =>
  Object.fromEntries(text.split(',').map((part) => part.split(/=(.*)/s).slice(0, 2)));

const switchesFrom = (text: string): Input =>
  Object.fromEntries(
    Object.entries(tagFrom(text)).map(([key, value]) => [
      key,
      value === 'true' || (value === 'false' ? false : value),
    ]),
  );

const numbersFrom = (text: string): Input =>
  Object.fromEntries(Object.entries(tagFrom(text)).map(([key, value]) => [key, Number(value)]));

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
