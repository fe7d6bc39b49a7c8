// Which test file begins when: what takes longest begins first, whatever its kind. So no core is idle at the end while one file goes on, and
// files that wait (for keepalived, a lease, a period of the shim) run beside files that compute.
//
// vitest's own order is that of the kinds' names, and within a kind what the last run took, which a fresh clone does not know.
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import type { Kind } from './kinds.ts';

const root = join(import.meta.dirname, '..');

/** About as many seconds beside four others on two cores, of files that take twelve or more. A wrong one costs time at the end of a run, nothing else. */
export const seconds: Readonly<Record<string, number>> = {
  'test/sim/controls/controls.test.ts': 113,
  'test/e2e/faults.aws.test.ts': 91,
  'test/cli/doctor/doctor.aws.test.ts': 87,
  'test/lab/netns/scenarios.netns.test.ts': 86,
  'test/cli/timeline/audit-reads.long.aws.test.ts': 77,
  'test/run/killed.long.test.ts': 65,
  'test/live/removal.long.aws.test.ts': 64,
  'test/e2e/forced-failover/large.long.aws.test.ts': 62,
  'test/notify/ordering.netns.test.ts': 61,
  'test/sim/storm/storm.test.ts': 60,
  'test/live/signals.long.aws.test.ts': 59,
  'test/deploy/service.long.aws.test.ts': 57,
  'test/live/local.long.netns.test.ts': 57,
  'test/notify/assertion.netns.test.ts': 57,
  'test/notify/routing.netns.test.ts': 56,
  'test/deploy/people/rights-at-work.long.aws.test.ts': 53,
  'test/notify/spool.netns.test.ts': 51,
  'test/cli/failover.aws.test.ts': 50,
  'test/sim/crash.long.test.ts': 46,
  'test/contracts/ports.aws.test.ts': 45,
  'test/deploy/cfn-lint.long.aws.test.ts': 45,
  'test/deploy/hearing.long.aws.test.ts': 44,
  'test/sim/regressions/regressions.test.ts': 43,
  'test/sim/histories.test.ts': 41,
  'test/notify/faults/stays.netns.test.ts': 36,
  'test/cli/pins.aws.test.ts': 35,
  'test/e2e/forced-failover/runbook.aws.test.ts': 35,
  'test/cli/timeline/failover-text.aws.test.ts': 33,
  'test/contracts/ec2.aws.test.ts': 31,
  'test/e2e/forced-failover/faults.aws.test.ts': 30,
  'test/e2e/forced-failover/via-keepalived.aws.test.ts': 29,
  'test/bench/sweep.test.ts': 27,
  'test/lab/netns/control.long.netns.test.ts': 27,
  'test/e2e/versions.aws.test.ts': 26,
  'test/notify/config.netns.test.ts': 25,
  'test/notify/faults/wiring.netns.test.ts': 24,
  'test/e2e/forced-failover/runbook-service.aws.test.ts': 21,
  'test/deploy/judges/template-check.long.test.ts': 20,
  'test/e2e/forced-failover/approval.aws.test.ts': 20,
  'test/fuzz/fuzz.test.ts': 20,
  'test/cli/habits.test.ts': 19,
  'test/lab/netns/sandbox.netns.test.ts': 19,
  'test/lab/deploy.aws.test.ts': 17,
  'test/bench/figures.test.ts': 16,
  'test/cli/doctor/shared-labels.aws.test.ts': 16,
  'test/notify/install.netns.test.ts': 16,
  'test/contracts/answers/dynamo.test.ts': 15,
  'test/lab/local-aws.aws.test.ts': 15,
  'test/notify/wire.netns.test.ts': 15,
  'test/cli/dry-run.aws.test.ts': 14,
  'test/e2e/deployed.aws.test.ts': 14,
  'test/notify/daemon.netns.test.ts': 14,
  'test/contracts/lost-replies.aws.test.ts': 13,
  'test/deploy/assumptions.long.aws.test.ts': 13,
  'test/notify/faults/files.netns.test.ts': 13,
  'test/lab/bundle.test.ts': 12,
  'test/notify/faults/disks.netns.test.ts': 12,
  'test/shared/doctor/keepalived/elections.netns.test.ts': 12,
};

/** Of a file that is not in that list. One that starts an emulator or a node waits for it: beside unit tests it costs nothing, after them a core. */
const unlisted: Readonly<Record<string, number>> = {
  nodes: 8,
  aws: 6,
  long: 6,
  bench: 5,
  sim: 4,
} satisfies Partial<Record<Kind, number>>;

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const of = ({ moduleId, project }: TestSpecification) =>
      seconds[relative(root, moduleId)] ?? unlisted[project.name] ?? 0;
    // A stable sort: what takes as long stays in vitest's order.
    return (await super.sort(files)).toSorted((a, b) => of(b) - of(a));
  }
}
