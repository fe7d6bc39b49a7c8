/** What the stories of nodes that leave have in common: how AWS warns a node, and how an operator's command line is run. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cloud } from '../../netns/cloud/cloud.ts';
import { LEAVING_FILE } from '../../netns/node/keepalived.ts';
import type { NodeLabel } from '../../netns/sandbox/topology.ts';
import type { ScenarioContext } from '../../netns/scenario/scenario-context.ts';

/** The poll of the shim, and what a busy machine adds. */
const HEARD_MS = 60_000;
const COMMAND_MS = 60_000;
const cli = join(import.meta.dirname, '..', '..', '..', 'cli', 'vipshift.ts');

/** A spot instance ends in two minutes: by its metadata service, and by an event on the default bus. */
export async function warn(context: ScenarioContext, node: NodeLabel): Promise<void> {
  const { warnings } = context.cloud;
  context.fault();
  warnings.spotNotice(node);
  await warnings.spotEvent(node);
}

/** The node's own keepalived is at the low priority with which it stands by until it ends. */
export function hasLeft(context: ScenarioContext, node: NodeLabel): Promise<void> {
  const isStandby = () => context.nodes[node].tracked(LEAVING_FILE) === '1';
  return context.until(`node ${node} to have left`, isStandby, HEARD_MS);
}

/** The command line, as an operator runs it. */
export async function vipshift({ operatorEnv }: Cloud, ...args: readonly string[]): Promise<string> {
  const options = { env: operatorEnv, timeout: COMMAND_MS };
  return (await promisify(execFile)(process.execPath, [cli, ...args], options)).stdout;
}
