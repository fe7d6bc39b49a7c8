// The doctor on who else can hand the function failover an envelope: by its function URL, by its own policy, by the policies of
// the account's roles and users. The function knows who spoke only from the envelope, so who invokes it past EventBridge and
// past the URL can forge a claim of any node.
//
// Limits: those of approvers.ts; the workflow redrive is told by the name that CloudFormation gives its role.
import { listText } from '../../bounded.ts';
import { awsCommand, deployCommand } from '../../place.ts';
import type { Vip } from '../../vip/vip.ts';
import { type Finding, type Remedy, warning } from '../finding.ts';
import { type ApproverFacts, isAdministrator, named } from './approvers.ts';
import { like, may, principalText, type Statement, sourceArns, statements, trusted } from './iam-policy.ts';
import { type ServiceFacts, serviceFault, serviceWarning } from './stack.ts';

const FORGES = 'any envelope, and so forge a claim of any node';

export const invokerFindings = (facts: ServiceFacts): readonly Finding[] => [
  ...urlFindings(facts),
  ...policyFindings(facts),
];

const subjectOf = ({ place }: ServiceFacts): string => `vipshift-${place.stage}-failover`;

function urlFindings(facts: ServiceFacts): readonly Finding[] {
  const { stack, url, place } = facts;
  if (stack?.stack === undefined || url === undefined) return [];
  const subject = subjectOf(facts);
  const isWanted = stack.stack.parameters.DirectPath === 'on';
  const found = url.url;
  if (found === undefined) return isWanted ? [missing(facts)] : [];
  const isOpen = found.authType !== 'AWS_IAM';
  if (isWanted && !isOpen) return [];
  const asked = (verb: string) => ({
    command: awsCommand(`lambda ${verb} --function-name ${subject}`, place),
  });
  return [
    (isOpen ? serviceFault : serviceWarning)('direct-url', {
      subject,
      found: isOpen
        ? `its function URL has AuthType ${found.authType}: anyone on the Internet may call it, and as no one signs, it refuses the nodes, too`
        : 'it has a function URL that the stack did not make',
      expected: isWanted ? 'AuthType AWS_IAM, as the stack made it' : 'none: the stack has DirectPath off',
      remedy: isWanted
        ? asked('update-function-url-config --auth-type AWS_IAM')
        : asked('delete-function-url-config'),
    }),
  ];
}

const missing = (facts: ServiceFacts): Finding =>
  serviceWarning('direct-url', {
    subject: subjectOf(facts),
    found: 'the stack has DirectPath on, and the function no URL: the nodes have the bus alone',
    expected: 'as the stack made it',
    remedy: {
      command: `${deployCommand(facts.place, { directPath: 'off' })} && ${deployCommand(facts.place, { directPath: 'on' })}`,
      remark: 'CloudFormation makes again only what it has taken away itself; the URL is another one then',
    },
  });

function policyFindings(facts: ServiceFacts): readonly Finding[] {
  const policy = facts.functions?.find(({ name }) => name === 'failover')?.found?.policy;
  return statements(policy)
    .filter((statement) => statement.Effect === 'Allow' && opens(facts, statement))
    .map((statement) =>
      serviceFault('failover-invokers', {
        subject: subjectOf(facts),
        found: `its own policy lets ${listText(trusted({ Statement: statement }).map(principalText))} ${
          invokes(statement) ? `invoke it with ${FORGES}` : 'call its function URL'
        }`,
        expected: 'EventBridge alone, for the rule that takes claims',
        remedy: withdrawn(facts, statement),
      }),
    );
}

const speaksOf = ({ Action, NotAction }: Statement, action: string): boolean => {
  const names = (patterns: Statement['Action']) =>
    [patterns ?? []].flat().some((one) => like(one, action, true));
  return NotAction === undefined ? names(Action) : !names(NotAction);
};
const invokes = (statement: Statement): boolean => speaksOf(statement, 'lambda:InvokeFunction');

/** Beyond what the stack makes: by Invoke for anyone but the rule, by the URL for everybody, whom IAM does not know. */
function opens({ rules }: ServiceFacts, statement: Statement): boolean {
  const principals = trusted({ Statement: statement });
  const isUrl = !invokes(statement);
  if (isUrl)
    return speaksOf(statement, 'lambda:InvokeFunctionUrl') && principals.some(({ name }) => name === '*');
  const claims = rules?.find(({ kind }) => kind === 'claims')?.arn;
  const sources = sourceArns(statement);
  const isRule = sources.length > 0 && (rules === undefined || sources.every((one) => one === claims));
  return !(isRule && principals.every(({ name }) => name === 'events.amazonaws.com'));
}

const withdrawn = (facts: ServiceFacts, { Sid }: Statement): Remedy =>
  Sid === undefined
    ? { sentence: 'take the statement out of the function’s policy' }
    : {
        command: awsCommand(
          `lambda remove-permission --function-name ${subjectOf(facts)} --statement-id ${Sid}`,
          facts.place,
        ),
      };

/** Not by its URL: there Lambda says who signed. */
const plain = { 'lambda:invokedviafunctionurl': 'false', 'aws:multifactorauthpresent': 'true' };

export function forgerFindings(vip: Vip, { failover, stage, principals }: ApproverFacts): readonly Finding[] {
  const redrive = `*:role/vipshift-${stage}-RedriveMachineRole-*`;
  const answers = principals
    .filter((one) => !isAdministrator(one) && !like(redrive, one.arn))
    .map((one) => ({
      arn: one.arn,
      is: may(one, { action: 'lambda:InvokeFunction', resource: failover, context: plain }),
    }));
  const finding = (what: string, arns: readonly string[]): readonly Finding[] =>
    arns.length === 0
      ? []
      : [
          warning('failover-invokers', {
            vips: [vip.name],
            subject: failover.split(':').at(-1)!,
            found: `${what}: ${listText(arns)}`,
            expected: 'no one but administrators, EventBridge for its rule, and the workflow redrive',
            remedy: {
              sentence:
                'take lambda:InvokeFunction on it away from each, or deny it as resources/policies/sample-scp.json does',
            },
          }),
        ];
  return [
    ...finding(`may invoke it with ${FORGES}`, named(answers, true)),
    ...finding(
      `may invoke it with ${FORGES}, or not, by conditions that are not judged here`,
      named(answers, undefined),
    ),
  ];
}
