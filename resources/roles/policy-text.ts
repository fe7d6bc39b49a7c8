/**
 * A policy document as one text with variables (Fn::Sub). The stage is part of a condition's key (`aws:ResourceTag/vipshift:<stage>`), and
 * CloudFormation puts no parameter into a key; IAM's resource types take a document as text as well.
 *
 * Limits: of the functions only Ref, Fn::GetAtt, Fn::Sub without variables of its own, and Fn::If.
 */
export type Json = string | boolean | readonly Json[] | { readonly [key: string]: Json };

type Dictionary = { readonly [key: string]: Json };

const isDictionary = (value: Json): value is Dictionary => typeof value === 'object' && !Array.isArray(value);

export function hasStageKey(value: Json): boolean {
  if (!isDictionary(value)) return Array.isArray(value) && value.some(hasStageKey);
  return Object.entries(value).some(([key, inner]) => key.includes('${Stage}') || hasStageKey(inner));
}

/** Keys and texts stay as they are: a variable in them is substituted, `${!aws:userid}` is left to IAM. */
export function policyText(value: Json): Json {
  const variables: Record<string, Json> = {};
  const text = textOf(value, variables);
  return { 'Fn::Sub': Object.keys(variables).length === 0 ? text : [text, variables] };
}

function textOf(value: Json, variables: Record<string, Json>): string {
  if (Array.isArray(value)) return `[${value.map((one: Json) => textOf(one, variables)).join(',')}]`;
  if (!isDictionary(value)) return JSON.stringify(value);
  const reference = referenceIn(value);
  if (reference !== undefined) return JSON.stringify(reference);
  const optional = Object.entries(value).find(([, inner]) => isDictionary(inner) && 'Fn::If' in inner);
  if (optional !== undefined) return variableFor(value, optional, variables);
  const entries = Object.entries(value).map(
    ([key, inner]) => `${JSON.stringify(key)}:${textOf(inner, variables)}`,
  );
  return `{${entries.join(',')}}`;
}

/** As Fn::Sub writes it. */
function referenceIn(value: Dictionary): string | undefined {
  const { Ref: id, 'Fn::GetAtt': attribute, 'Fn::Sub': text } = value;
  if (typeof id === 'string') return `\${${id}}`;
  if (Array.isArray(attribute)) return `\${${attribute.join('.')}}`;
  return typeof text === 'string' ? text : undefined;
}

/** A value that depends on a condition: what has it becomes a variable with two texts. */
function variableFor(
  value: Dictionary,
  [key, inner]: readonly [string, Json],
  variables: Record<string, Json>,
): string {
  const [condition, yes, no] = (inner as { readonly 'Fn::If': readonly [Json, Json, Json] })['Fn::If'];
  const { [key]: _inner, ...others } = value;
  const withValue = (chosen: Json): Json => {
    const isNothing = isDictionary(chosen) && chosen.Ref === 'AWS::NoValue';
    return policyText(isNothing ? others : { ...others, [key]: chosen });
  };
  const name = `Either${Object.keys(variables).length + 1}`;
  variables[name] = { 'Fn::If': [condition, withValue(yes), withValue(no)] };
  return `\${${name}}`;
}
