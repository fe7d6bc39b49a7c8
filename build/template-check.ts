/**
 * The packaged template, with this deployment's parameters, against @aws/cloudformation-validate: an error that is not accepted here
 * stops a deployment; a warning, and a check that fails itself, are only said (docs/decisions/0030).
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
  readonly isError: boolean;
}

export function findings(templateFile: string): readonly Finding[] {
  const engine = new RegoEngine();
  try {
    const report = engine.validateStandard(new TemplateFile(templateFile), { severityLevel: 'WARN' });
    return report.diagnostics.map(({ ruleId, severity, message }) => ({
      id: `${ruleId} ${/'(\w+)'/.exec(message)?.[1] ?? message}`,
      message,
      isError: severity === 'ERROR' || severity === 'FATAL',
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

/** One line each. */
export interface Verdict {
  /** What stops a deployment. */
  readonly stops: readonly string[];
  /** What is only said. */
  readonly says: readonly string[];
}

/** `look`: the check itself, a beta. Where it fails, CloudFormation's own check of the change set is the one that is left. */
export function verdictOn(templateFile: string, look: typeof findings = findings): Verdict {
  const { Parameters = {} } = JSON.parse(readFileSync(templateFile, 'utf8')) as { Parameters?: Defaults };
  const stops = contradictions(Parameters);
  try {
    const found = look(templateFile).filter(({ id }) => !(id in accepted));
    const lines = (of: readonly Finding[]) => of.map(({ id, message }) => `${id}: ${message}`);
    return {
      stops: [...stops, ...lines(found.filter((f) => f.isError))],
      says: lines(found.filter((f) => !f.isError)),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { stops, says: [`the template was not checked, CloudFormation will check it: ${why}`] };
  }
}
