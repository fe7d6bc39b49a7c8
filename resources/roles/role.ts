/**
 * How a role is written: one action in each statement, a reason beside each, no resource named by a pattern where there is a name.
 */
import { hasStageKey, type Json, policyText } from './policy-text.ts';

export type Statement = { readonly [key: string]: Json };

/** The resources of the stack that the statements name. */
export const arn = {
  vips: { 'Fn::GetAtt': ['VipsTable', 'Arn'] },
  timeline: { 'Fn::GetAtt': ['TimelineTable', 'Arn'] },
  functionFailures: { 'Fn::GetAtt': ['FunctionFailures', 'Arn'] },
  ruleDeadLetters: { 'Fn::GetAtt': ['RuleDeadLetters', 'Arn'] },
  notices: { Ref: 'Notices' },
  noticeMachine: { Ref: 'NoticeMachine' },
  warningMachine: { Ref: 'WarningMachine' },
  departureMachine: { Ref: 'DepartureMachine' },
  failoverMachine: { Ref: 'FailoverMachine' },
  function: (name: string) => ({ 'Fn::GetAtt': [`${name}LambdaFunction`, 'Arn'] }),
} as const;

export function roleOf(whose: string, name: string, service: string, statements: readonly Statement[]): Json {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Description: `vipshift: ${whose}`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            ...{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' },
            // Against another account's use of the service; not documented for each service, so off until seen.
            Condition: {
              'Fn::If': [
                'HasTrustSourceAccount',
                { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
                { Ref: 'AWS::NoValue' },
              ],
            },
          },
        ],
      },
      Policies: [{ PolicyName: name, PolicyDocument: documentOf(statements) }],
    },
  };
}

function documentOf(statements: readonly Statement[]): Json {
  const document = { Version: '2012-10-17', Statement: statements };
  return hasStageKey(document) ? policyText(document) : document;
}

export function allow(action: string, resource: Json, condition?: Json): Statement {
  const statement = { Effect: 'Allow', Action: action, Resource: resource };
  return condition === undefined ? statement : { ...statement, Condition: condition };
}

export const ec2Arn = (type: string): Json => ({
  'Fn::Sub': `arn:\${AWS::Partition}:ec2:\${AWS::Region}:\${AWS::AccountId}:${type}/*`,
});

/** The key of the tag that says what may be moved, as a condition asks for it. */
export const tagKey = (prefix: 'aws:ResourceTag' | 'ssm:resourceTag'): string =>
  `${prefix}/vipshift:\${Stage}`;
