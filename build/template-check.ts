/**
 * The packaged template against @aws/cloudformation-validate: a finding that is not accepted here stops a deployment.
 *
 * Limit: it knows the schemas and rules of its release; what only the account knows (quotas, names taken) shows when it is deployed.
 */
import { readFileSync } from 'node:fs';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';

/** Findings that we live with, and why: rule and resource. */
export const accepted: Readonly<Record<string, string>> = {
  'W3005 FailoverRole': 'osls writes DependsOn in addition to the reference to the role',
  'W3005 ReconcileRole': 'osls writes DependsOn in addition to the reference to the role',
  'W3005 RunbookRole': 'osls writes DependsOn in addition to the reference to the role',
};

export interface Finding {
  /** `W3005 FailoverRole`. */
  readonly id: string;
  readonly message: string;
}

export function findings(templateFile: string): readonly Finding[] {
  const engine = new RegoEngine();
  try {
    const report = engine.validateStandard(new TemplateFile(templateFile), { severityLevel: 'WARN' });
    return report.diagnostics.map(({ ruleId, message }) => ({
      id: `${ruleId} ${/'(\w+)'/.exec(message)?.[1] ?? message}`,
      message,
    }));
  } finally {
    engine.free();
  }
}

type Defaults = Readonly<Record<string, { readonly Default: string }>>;

/** Parameters that do not go together: the functions would refuse to start, and the bus would have no policy. */
export function contradictions({ NodeIdentity, NodeRoleId, NodeRoleArn }: Defaults): readonly string[] {
  const role = { nodeRoleId: NodeRoleId?.Default, nodeRoleArn: NodeRoleArn?.Default };
  const empty = Object.entries(role).flatMap(([name, value]) => (value === '' ? [name] : []));
  if (NodeIdentity?.Default !== 'source' || empty.length === 0) return [];
  const are = empty.length === 1 ? 'is' : 'are';
  const remedy = 'name the nodes’ role (aws iam get-role), or set nodeIdentity=none';
  return [`nodeIdentity is "source", and ${empty.join(', ')} ${are} empty: ${remedy}`];
}

/** What stops a deployment, one line each. */
export function notAccepted(templateFile: string): readonly string[] {
  const { Parameters = {} } = JSON.parse(readFileSync(templateFile, 'utf8')) as { Parameters?: Defaults };
  const found = findings(templateFile)
    .filter(({ id }) => !(id in accepted))
    .map(({ id, message }) => `${id}: ${message}`);
  return [...contradictions(Parameters), ...found];
}
