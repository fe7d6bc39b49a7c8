// Test bed: everything of one run, built, and found again for its removal.
//
// Invariant: whatever `build` was at when it ended, `inventory` finds what it had made, by the run's id alone.
import { DescribeAvailabilityZonesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { FoundStack } from '../aws/stacks.ts';
import type { LiveContext, RunningInstance, TestBed } from '../environment.ts';
import type { Options } from '../options.ts';
import type { MachineName } from '../plan.ts';
import { registryOf } from '../registry.ts';
import { RUN_TAG, type Run, STAGE_TAG, testBedStack } from '../run-id.ts';
import { type Kind, stageKinds, testBedKind, vipKind } from '../teardown/kinds.ts';
import { givenIdentity } from './node-role.ts';
import { instanceId, output, parameter, templateOf } from './template.ts';

export interface Building {
  readonly context: LiveContext;
  readonly run: Run;
  readonly options: Pick<Options, 'tables' | 'advertS' | 'instanceProfile'>;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

export async function buildTestBed({ context, run, options, signal, say }: Building): Promise<TestBed> {
  const { tables, advertS, instanceProfile } = options;
  const given = instanceProfile === undefined ? undefined : await givenIdentity(context.iam, instanceProfile);
  const [zones, image] = [await zonesOf(context.ec2, signal), await context.image()];
  const name = testBedStack(run);
  say(`creating the stack ${name}: the network with ${tables} labelled route tables, and the machines`);
  const template = templateOf({ run, region: context.region, tables, advertS, instanceProfile });
  const parameters = {
    [parameter.zones[0]]: zones[0],
    [parameter.zones[1]]: zones[1],
    [parameter.image]: image,
  };
  const stage = `${run.ownStage ? 'own' : 'used'}:${run.stage}`;
  const tags = { [RUN_TAG]: run.id, [STAGE_TAG]: stage };
  const { outputs } = await context.stacks.create({ name, template, parameters, tags }, signal);
  const testBed = testBedFrom(run, outputs, given);
  const ids = Object.values(testBed.instances).map((one) => one.instanceId);
  say(`${testBed.vpcId}, instances ${ids.join(', ')}`);
  if (run.ownStage) {
    signal.throwIfAborted();
    say(`deploying the stage ${run.stage}`);
    await context.service.deploy(run.stage, testBed.identity);
  }
  signal.throwIfAborted();
  await registryOf(context.dynamo, run).register(testBed.vpcId, context.account);
  say(`the VIP ${run.vip} is registered in stage ${run.stage}`);
  return testBed;
}

function testBedFrom(
  run: Run,
  outputs: FoundStack['outputs'],
  given: TestBed['identity'] | undefined,
): TestBed {
  const at = (key: string): string => {
    const found = outputs[key];
    if (found === undefined) throw new Error(`the stack ${testBedStack(run)} has no output ${key}`);
    return found;
  };
  const instance = (name: MachineName): RunningInstance => ({
    instanceId: at(instanceId[name]),
    zone: at(output.zoneOutput(name)),
  });
  return {
    run,
    identity: given ?? { roleId: at(output.roleId), roleArn: at(output.roleArn) },
    vpcId: at(output.vpc),
    probeTable: at(output.probeTable),
    instances: { a: instance('a'), b: instance('b'), probe: instance('probe') },
  };
}

/** Without Local Zones and Wavelength, which have not everything. */
async function zonesOf(ec2: EC2Client, signal: AbortSignal): Promise<readonly [string, string]> {
  const filter = { Filters: [{ Name: 'state', Values: ['available'] }] };
  const { AvailabilityZones = [] } = await ec2.send(new DescribeAvailabilityZonesCommand(filter), {
    abortSignal: signal,
  });
  const zones = AvailabilityZones.filter(({ ZoneType }) => ZoneType === 'availability-zone')
    .map(({ ZoneName = '' }) => ZoneName)
    .toSorted();
  if (zones.length < 2)
    throw new Error(`the Region has ${zones.length} zones for us, expected two: take another one`);
  return [zones[0]!, zones[1]!];
}

/** In the order of their removal: the test bed's stack is last, since its tag says which stage the run had. */
export function inventoryOf({ dynamo, logs, service, stacks }: LiveContext, run: Run): readonly Kind[] {
  const stage = run.ownStage
    ? stageKinds({ service, dynamo, logs }, run)
    : [vipKind(registryOf(dynamo, run), run)];
  return [...stage, testBedKind(stacks, run)];
}
