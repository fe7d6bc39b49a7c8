// Commands that are printed for pasting, each with the deployment that it is about: what is pasted at night must not go to
// another stage, Region or account.

export interface Place {
  readonly stage: string;
  /** Undefined where the caller's own default holds. */
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
}

/** Of our own; `words`: such as `status web`. */
export const ownCommand = (words: string, { stage, region, profile }: Partial<Place>): string =>
  `vipshift ${words}${optionsOf({ stage, region, profile })}`;

/** Of the AWS CLI; `words`: such as `ec2 start-instances --instance-ids i-0a`. */
export const awsCommand = (words: string, { region, profile }: Partial<Place>): string =>
  `aws ${words}${optionsOf({ region, profile })}`;

/** Makes again what the stack made, whatever was done to it. `params`: those that change, by name. */
export const deployCommand = (
  { stage, region, profile }: Place,
  params: Readonly<Record<string, string>> = {},
): string =>
  `npm run deploy --${optionsOf({ stage, region, 'aws-profile': profile })}${Object.entries(params)
    .map(([name, value]) => ` --param ${name}=${value}`)
    .join('')}`;

const optionsOf = (options: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(options)
    .map(([name, value]) => (value === undefined ? '' : ` --${name} ${shellWord(value)}`))
    .join('');

/** As a shell takes it for one word. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
