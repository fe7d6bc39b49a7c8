// Which test file begins when: what takes longest begins first, whatever its kind. So no core is idle at the end while one file goes on, and
// files that wait (for keepalived, a lease, a period of the shim) run beside files that compute.
//
// vitest's own order is that of the kinds' names, and within a kind what the last run took, which a fresh clone does not know.
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/** About as many seconds on two cores, of files that take ten or more. A wrong one costs time at the end of a run, nothing else. */
export const seconds: Readonly<Record<string, number>> = {
  'test/cli/doctor/doctor.aws.test.ts': 96,
  'test/e2e/faults.aws.test.ts': 67,
  'test/live/signals.aws.test.ts': 55,
  'test/cli/failover.aws.test.ts': 55,
  'test/lab/netns/scenarios.netns.test.ts': 52,
  'test/sim/controls/controls.test.ts': 51,
  'test/live/removal.aws.test.ts': 50,
  'test/sim/regressions/regressions.test.ts': 49,
  'test/live/local.netns.test.ts': 44,
  'test/e2e/forced-failover/runbook.aws.test.ts': 37,
  'test/cli/timeline/failover-text.aws.test.ts': 33,
  'test/e2e/forced-failover/via-keepalived.aws.test.ts': 31,
  'test/e2e/forced-failover/faults.aws.test.ts': 31,
  'test/cli/pins.aws.test.ts': 31,
  'test/notify/routing.netns.test.ts': 34,
  'test/notify/assertion.netns.test.ts': 29,
  'test/contracts/ports.aws.test.ts': 29,
  'test/notify/spool.netns.test.ts': 28,
  'test/lab/netns/control.netns.test.ts': 27,
  'test/deploy/hearing.aws.test.ts': 26,
  'test/sim/histories.test.ts': 25,
  'test/sim/crash.test.ts': 25,
  'test/e2e/forced-failover/approval.aws.test.ts': 24,
  'test/e2e/forced-failover/runbook-service.aws.test.ts': 22,
  'test/deploy/service.aws.test.ts': 21,
  'test/e2e/versions.aws.test.ts': 20,
  'test/e2e/deployed.aws.test.ts': 20,
  'test/contracts/ec2.aws.test.ts': 20,
  'test/lab/local-aws.aws.test.ts': 19,
  'test/notify/daemon.netns.test.ts': 17,
  'test/notify/ordering.netns.test.ts': 17,
  'test/fuzz/fuzz.test.ts': 16,
  'test/contracts/lost-replies.aws.test.ts': 14,
  'test/deploy/template.test.ts': 13,
  'test/shared/timeline/fit.test.ts': 11,
  'test/lab/netns/sandbox.netns.test.ts': 11,
  'test/deploy/cfn-lint.aws.test.ts': 11,
  'test/lab/deploy.aws.test.ts': 10,
  'test/bench/figures.test.ts': 10,
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const of = ({ moduleId }: TestSpecification) => seconds[relative(root, moduleId)] ?? 0;
    // A stable sort: what is not in the list stays in vitest's order.
    return (await super.sort(files)).toSorted((a, b) => of(b) - of(a));
  }
}
