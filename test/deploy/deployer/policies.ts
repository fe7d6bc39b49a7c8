// resources/policies/deployer/: what an identity needs that deploys, and what the packaged template asks of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { handlerActions } from '../support/handlers.ts';
import { packaged } from '../support/packaged.ts';
import type { Policy } from '../support/policy.ts';
import { ACCOUNT, REGION } from '../support/resolve.ts';
import type { Template } from '../support/template.ts';
import { needs } from './needs.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'resources', 'policies', 'deployer');

/** Both are attached: together they do not fit into one. */
export const deployerPolicies = (): Readonly<Record<'services' | 'stack', Policy>> => ({
  services: JSON.parse(readFileSync(join(folder, 'services.json'), 'utf8')) as Policy,
  stack: JSON.parse(readFileSync(join(folder, 'stack.json'), 'utf8')) as Policy,
});

/** With every parameter that adds a resource. */
const PARAMS = {
  nodeRoleId: 'AROAEXAMPLE000000001',
  nodeRoleArn: `arn:aws:iam::${ACCOUNT}:role/keepalived-node`,
  noticesMail: 'oncall@example.com',
  directPath: 'on',
};

export async function whatADeploymentAsks() {
  const template = JSON.parse(await packaged('prod', PARAMS)) as Template;
  const types = [...new Set(Object.values(template.Resources).map(({ Type }) => Type))];
  const handlers = await handlerActions(types, REGION);
  return { handlers, questions: needs(template, handlers) };
}
