/**
 * What an operator reads whose deployment shut the nodes out: where to look, and the commands that undo it, ready to paste.
 *
 * Invariant: every command names stage and Region, and the profile if one was named.
 */
import { parseArgs } from 'node:util';
import { shellWord as word } from '../shared/place.ts';

/** A deployment as CloudFormation has it. */
export interface Deployed {
  /** When osls made its package, in ms: the name by which it rolls back to it. */
  readonly package?: string;
  /** Undefined while the stack is being made. */
  readonly vipsTable?: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Target {
  readonly stage: string;
  readonly region: string;
  /** What osls was given besides the stage. */
  readonly args: readonly string[];
}

/** `before`: undefined when there was no such stack. */
export function wayBack(target: Target, before: Deployed | undefined, now: Deployed | undefined): string {
  const { stage, region } = target;
  const { profile } = given(target.args);
  const aws = `--region ${region}${profile === undefined ? '' : ` --profile ${word(profile)}`}`;
  return [
    'Where to look, in this order; docs/operations.md#no-claims says more:',
    `  npx vipshift timeline --kind rejected --since 10m --stage ${stage} ${aws}`,
    `  aws events describe-event-bus --name vipshift-${stage} --query Policy --output text ${aws}`,
    `  npx vipshift doctor --stage ${stage} ${aws}`,
    ...undo(target, before, now),
  ].join('\n');
}

function undo(target: Target, before: Deployed | undefined, now: Deployed | undefined): readonly string[] {
  const list = `  npx serverless deploy list ${osls(target)}`;
  if (before === undefined)
    return ['This was the first deployment of the stage. To take it away again:', remove(target)];
  if (before.package !== undefined && before.package === now?.package)
    return ['This deployment changed nothing. What was deployed before it, to be rolled back to:', list];
  // A template of a release has two that say where the code is, which a deployment does not.
  const differing = Object.entries(before.parameters).filter(
    ([name, value]) => now !== undefined && name in now.parameters && now.parameters[name] !== value,
  );
  const parameters = differing.map(([name]) => name).join(', ');
  return [
    ...(differing.length === 0
      ? []
      : [
          `To go back to the parameters that the stack had before (${parameters}):`,
          redeploy(target, differing),
        ]),
    'To go back to all that was deployed before, code and parameters:',
    before.package === undefined ? list : rollback(target, before.package),
  ];
}

const rollback = (target: Target, timestamp: string): string =>
  `  npx serverless rollback --timestamp ${timestamp} ${osls(target)}`;

const remove = ({ stage, region, args }: Target): string => {
  const { profile } = given(args);
  return `  npm run remove -- --stage ${stage} --region ${region}${profileOption(profile)}`;
};

function redeploy(target: Target, old: readonly (readonly [string, string])[]): string {
  const { params, others } = given(target.args);
  const values = new Map([...params, ...old.map(([name, value]) => [asParam(name), value] as const)]);
  // osls takes no empty value; where one is allowed it is the default.
  const all = [...values].flatMap(([name, value]) =>
    value === '' ? [] : [`--param ${word(`${name}=${value}`)}`],
  );
  return [`  npm run deploy -- ${osls(target)}`, ...others.map(word), ...all].join(' ');
}

const osls = ({ stage, region, args }: Target): string =>
  `--stage ${stage} --region ${region}${profileOption(given(args).profile)}`;
const profileOption = (profile: string | undefined): string =>
  profile === undefined ? '' : ` --aws-profile ${word(profile)}`;

/** The stack's parameters are named after those of serverless.yml (resources/parameters.yml); a table's name is not the table. */
const asParam = (name: string): string =>
  name.charAt(0).toLowerCase() + name.slice(1).replace(/TableName$/, 'Table');

interface Given {
  readonly profile: string | undefined;
  readonly params: readonly (readonly [string, string])[];
  readonly others: readonly string[];
}

/** osls's arguments taken apart. */
export function given(args: readonly string[]): Given {
  const { values, tokens } = parseArgs({ args: [...args], strict: false, tokens: true, options });
  const named = tokens.filter((t) => t.kind === 'option' && t.name in options);
  const own = new Set(
    named.flatMap((t) =>
      t.kind === 'option' && t.inlineValue === false ? [t.index, t.index + 1] : [t.index],
    ),
  );
  const params = (values.param ?? []) as readonly string[];
  return {
    profile: values['aws-profile'] as string | undefined,
    params: params.map((text) => {
      const [name = '', ...rest] = text.split('=');
      return [name, rest.join('=')] as const;
    }),
    others: args.filter((_, i) => !own.has(i)),
  };
}

const options = {
  region: { type: 'string', short: 'r' },
  param: { type: 'string', multiple: true },
  'aws-profile': { type: 'string' },
} as const;
