// Which test file begins when: what takes longest begins first, whatever its kind. So no core is idle at the end while one file goes on, and
// files that wait (for keepalived, a lease, a period of the shim) run beside files that compute.
//
// vitest's own order is that of the kinds' names, and within a kind what the last run took, which a fresh clone does not know.
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/** About as many seconds beside four others on two cores, of files that take twelve or more. A wrong one costs time at the end of a run, nothing else. */
export const seconds: Readonly<Record<string, number>> = {
  'test/cli/doctor/doctor.aws.test.ts': 110,
  'test/e2e/faults.aws.test.ts': 79,
  'test/cli/timeline/audit-reads.long.aws.test.ts': 77,
  'test/lab/netns/scenarios.netns.test.ts': 70,
  'test/run/killed.long.test.ts': 65,
  'test/live/removal.long.aws.test.ts': 64,
  'test/e2e/forced-failover/large.long.aws.test.ts': 62,
  'test/sim/controls/controls.test.ts': 45,
  'test/live/signals.long.aws.test.ts': 59,
  'test/cli/failover.aws.test.ts': 59,
  'test/deploy/service.long.aws.test.ts': 57,
  'test/deploy/people/rights-at-work.long.aws.test.ts': 53,
  'test/live/local.long.netns.test.ts': 57,
  'test/notify/spool.netns.test.ts': 54,
  'test/shared/timeline/fit.test.ts': 47,
  'test/sim/crash.long.test.ts': 46,
  'test/deploy/cfn-lint.long.aws.test.ts': 45,
  'test/deploy/hearing.long.aws.test.ts': 44,
  'test/sim/histories.test.ts': 43,
  'test/e2e/forced-failover/runbook.aws.test.ts': 34,
  'test/lab/deploy.aws.test.ts': 19,
  'test/e2e/versions.aws.test.ts': 45,
  'test/contracts/ports.aws.test.ts': 60,
  'test/notify/assertion.netns.test.ts': 50,
  'test/notify/routing.netns.test.ts': 34,
  'test/cli/pins.aws.test.ts': 36,
  'test/cli/timeline/failover-text.aws.test.ts': 29,
  'test/notify/daemon.netns.test.ts': 29,
  'test/fuzz/fuzz.test.ts': 29,
  'test/e2e/forced-failover/faults.aws.test.ts': 28,
  'test/e2e/forced-failover/via-keepalived.aws.test.ts': 28,
  'test/lab/netns/control.long.netns.test.ts': 27,
  'test/contracts/ec2.aws.test.ts': 36,
  'test/e2e/forced-failover/runbook-service.aws.test.ts': 23,
  'test/lab/netns/sandbox.netns.test.ts': 21,
  'test/e2e/forced-failover/approval.aws.test.ts': 20,
  'test/sim/regressions/regressions.test.ts': 20,
  'test/deploy/judges/template-check.long.test.ts': 20,
  'test/contracts/answers/dynamo.test.ts': 20,
  'test/cli/habits.test.ts': 12,
  'test/e2e/deployed.aws.test.ts': 21,
  'test/e2e/stages.aws.test.ts': 16,
  'test/cli/doctor/shared-labels.aws.test.ts': 16,
  'test/notify/wire.netns.test.ts': 16,
  'test/cli/vip/validate.aws.test.ts': 26,
  'test/contracts/lost-replies.aws.test.ts': 28,
  'test/bench/figures.test.ts': 15,
  'test/deploy/assumptions.long.aws.test.ts': 13,
  'test/deploy/no-claims.test.ts': 15,
  'test/deploy/judges/judges.test.ts': 14,
  'test/notify/config.netns.test.ts': 26,
  'test/lab/local-aws.aws.test.ts': 30,
  'test/cli/vip/vip.aws.test.ts': 25,
  'test/cli/vip/apply.aws.test.ts': 20,
  'test/cli/doctor/mislabelled.aws.test.ts': 12,
  'test/cli/dry-run.aws.test.ts': 36,
  'test/cli/shape/json.aws.test.ts': 15,
  'test/cli/under-way.aws.test.ts': 12,
  'test/notify/faults/disks.netns.test.ts': 20,
  'test/notify/faults/files.netns.test.ts': 28,
  'test/notify/faults/parts.netns.test.ts': 12,
  'test/sim/storm/storm.test.ts': 24,
  'test/lab/bundle.test.ts': 12,
  'test/lab/ci.test.ts': 12,
  'test/notify/faults/stays.netns.test.ts': 62,
  'test/notify/faults/wiring.netns.test.ts': 28,
  'test/notify/install.netns.test.ts': 22,
  'test/notify/faults/uninstall.netns.test.ts': 13,
  'test/notify/faults/where.netns.test.ts': 13,
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const of = ({ moduleId }: TestSpecification) => seconds[relative(root, moduleId)] ?? 0;
    // A stable sort: what is not in the list stays in vitest's order.
    return (await super.sort(files)).toSorted((a, b) => of(b) - of(a));
  }
}
