// Whether one instance runs, and what EC2 has scheduled for instances: one list for the account, filtered by the events' codes, without
// ids. By DescribeInstanceStatus: the shapes of DescribeInstances are 18 KB in every function's bundle.
//
// Limit: an instance that is stopped leaves the list of events, and has nothing left to warn of.
import { DescribeInstanceStatusCommand, paginateDescribeInstanceStatus } from '@aws-sdk/client-ec2';
import { defined, ifDefined } from '../../optional.ts';
import { type EpochMs, epochMs } from '../../time.ts';
import { type ScheduledEvent, scheduledCodes } from '../../warning/scheduled.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import type { Ec2Access } from './access.ts';

/** EC2's name of the state: `running`, `stopped`, …; undefined where EC2 shows no such instance. Throws a Fault. */
export async function hostState(access: Ec2Access, node: string): Promise<string | undefined> {
  try {
    const { InstanceStatuses = [] } = await access.reader.send(
      new DescribeInstanceStatusCommand({ InstanceIds: [node], IncludeAllInstances: true }),
      { abortSignal: access.signal },
    );
    return InstanceStatuses.find(({ InstanceId }) => InstanceId === node)?.InstanceState?.Name;
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up ${node}`);
    if (fault.kind === 'gone') return undefined;
    throw fault;
  }
}

const PAGE = 1000;
const PAGES_MAX = 10;
const filters = [{ Name: 'event.code', Values: [...scheduledCodes] }];

export async function scheduledEvents({
  reader,
  signal,
}: Pick<Ec2Access, 'reader' | 'signal'>): Promise<readonly ScheduledEvent[]> {
  const request = { Filters: filters };
  const pages = paginateDescribeInstanceStatus({ client: reader, pageSize: PAGE }, request, {
    abortSignal: signal,
  });
  try {
    const found = await collect(pages, (page) => page.InstanceStatuses, PAGES_MAX);
    return found.flatMap(({ InstanceId: node, Events = [] }) =>
      Events.flatMap(
        ({ Code: code, Description: description = '', NotBefore, NotAfter }): ScheduledEvent[] =>
          node === undefined || code === undefined || NotBefore === undefined
            ? []
            : [
                {
                  ...{ node, code, description, notBeforeMs: instantOf(NotBefore) },
                  ...defined({ notAfterMs: ifDefined(NotAfter, instantOf) }),
                },
              ],
      ),
    );
  } catch (error) {
    throw faultFromSdkError(error, 'looking up what is scheduled for instances');
  }
}

const instantOf = (date: Date): EpochMs => epochMs(date.getTime());
