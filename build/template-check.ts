/**
 * The packaged template against @aws/cloudformation-validate: a finding that is not accepted here stops a deployment.
 *
 * Limit: it knows the schemas and rules of its release; what only the account knows (quotas, names taken) shows when it is deployed.
 */
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';

/** Findings that we live with, and why: rule and resource. */
export const accepted: Readonly<Record<string, string>> = {
  'W3005 FailoverRole': 'osls writes DependsOn beside the reference to the role',
  'W3005 ReconcileRole': 'osls writes DependsOn beside the reference to the role',
  'W3005 RunbookRole': 'osls writes DependsOn beside the reference to the role',
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

/** What stops a deployment, one line each. */
export const notAccepted = (templateFile: string): readonly string[] =>
  findings(templateFile)
    .filter(({ id }) => !(id in accepted))
    .map(({ id, message }) => `${id}: ${message}`);
