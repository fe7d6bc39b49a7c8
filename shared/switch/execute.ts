// Carrying out a plan: all steps at once, each with its own bounded retries. One failing table never hides the rest:
// every step is tried and told, and nothing is thrown.
//
// Invariant: every attempt, retries included, asks the held lease first (guarantee 3). Every attempt has its turn in EC2's
// request budget first (rate-limit/call-queue.ts, rate-limit/local-bucket.ts).
import { Fault, isWorthRetrying, mayHaveHappened, toFault } from '../fault.ts';
import type { Ec2 } from '../network/ec2.ts';
import { aimText, type Step, type StepDone, type StepTried } from '../network/step.ts';
import { defined, ifDefined } from '../optional.ts';
import { type CallQueue, callQueue } from '../rate-limit/call-queue.ts';
import type { LocalBucket } from '../rate-limit/local-bucket.ts';
import type { SharedBucket } from '../rate-limit/shared-bucket.ts';
import { type Clock, type DurationMs, durationMs, type EpochMs } from '../time.ts';
import { type HeldLease, LOOK_EVERY } from './held-lease.ts';

/** Per step. Enough for a dead keep-alive socket, a throttle and a 5xx in a row; lease and deadline bound the rest. */
export const ATTEMPTS_MAX = 8;
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 1000;
/** Who waits for a place looks after the lease and the election this often. */
const KEEP_EVERY: DurationMs = LOOK_EVERY;

export interface ExecutePorts {
  readonly clock: Clock;
  readonly ec2: Ec2;
  readonly localBucket: LocalBucket;
  /** The account's budget; without it this sandbox's own pace serves. */
  readonly sharedBucket?: SharedBucket;
  /** The turns of this failover in the budget, some perhaps booked before the plan was known. */
  readonly callQueue?: CallQueue;
  /** 0 ≤ x < 1, to spread retries. */
  random(): number;
}

export interface Executed {
  readonly steps: readonly StepTried[];
  /** Mistakes in our own code that ended steps; for the log. The steps have what the record keeps of them. */
  readonly bugs: readonly Fault[];
}

export async function executeSteps(
  ports: ExecutePorts,
  heldLease: HeldLease,
  steps: readonly Step[],
): Promise<Executed> {
  const bugs: Fault[] = [];
  const ready: Ready = { ...ports, callQueue: ports.callQueue ?? callQueue(ports, 'back'), bugs };
  return { steps: await Promise.all(steps.map((step) => executeStep(ready, heldLease, step))), bugs };
}

type Ready = ExecutePorts & { readonly callQueue: CallQueue; readonly bugs: Fault[] };

/** How a step is told before anything of it happened. */
export const untold = (step: Step): Pick<StepDone, 'cell' | 'call' | 'from' | 'to'> => ({
  cell: step.cell,
  call: step.call,
  from: step.from,
  to: aimText(step),
});

async function executeStep(ports: Ready, heldLease: HeldLease, first: Step): Promise<StepTried> {
  let step = first;
  let told: StepDone = { ...untold(step), result: 'unsent', attempts: 0, unanswered: 0 };
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const { fault, sentAtMs } = await tryOnce(ports, heldLease, step, attempt);
    if (fault?.kind === 'bug') ports.bugs.push(fault);
    if (sentAtMs === undefined) return { ...told, ...ifDefined(fault, lastWord), step };
    told = { ...told, call: step.call, attempts: attempt, sentAtMs: told.sentAtMs ?? sentAtMs };
    if (fault === undefined) return { ...done(told, ports), step };
    const mayLand = mayHaveHappened(fault.kind);
    // After an unknown answer a later refusal does not prove that nothing happened.
    const result = mayLand || told.result === 'unknown' ? 'unknown' : 'failed';
    const unanswered = told.unanswered + (mayLand ? 1 : 0);
    told = { ...told, result, unanswered, ...lastWord(fault) };
    if (fault.kind === 'throttled') ports.callQueue.drain(step.call);
    const other = otherCall(step, fault);
    if (other !== undefined) step = other;
    else if (!isWorthRetrying(fault.kind)) return { ...told, step };
  }
  return { ...told, step };
}

const lastWord = ({ kind, code, message }: Fault): Pick<StepDone, 'code' | 'message' | 'fault'> => ({
  code,
  message,
  ...(kind === 'bug' ? { fault: kind } : {}),
});

function done(told: StepDone, ports: ExecutePorts): StepDone {
  const { code: _code, message: _message, ...clean } = told;
  return { ...clean, result: 'done', doneAtMs: ports.clock.now() };
}

/** ReplaceRoute and CreateRoute each refuse what the other one is for; the route may have changed since it was seen. */
function otherCall(step: Step, fault: Fault): Step | undefined {
  if (step.call === 'ReplaceRoute' && fault.kind === 'no-route') return { ...step, call: 'CreateRoute' };
  if (step.call === 'CreateRoute' && fault.kind === 'route-exists') return { ...step, call: 'ReplaceRoute' };
  return undefined;
}

interface Attempt {
  /** When the request went out; undefined when none did. */
  readonly sentAtMs?: EpochMs;
  /** Undefined when the step was carried out. */
  readonly fault?: Fault;
}

async function tryOnce(ports: Ready, heldLease: HeldLease, step: Step, attempt: number): Promise<Attempt> {
  let sentAtMs: EpochMs | undefined;
  let isWanted = true;
  const askAndNote = (): boolean => {
    const may = heldLease.mayStart();
    if (may) {
      sentAtMs = ports.clock.now();
      ports.callQueue.sent(step.call);
    }
    return may;
  };
  try {
    const stillWanted = () => isWanted;
    const turn =
      attempt > 1
        ? ports.callQueue.waitForRetrySlot(step.call, stillWanted)
        : ports.callQueue.waitForSlot(step.call, stillWanted);
    const rest = pause(ports, attempt);
    if (turn !== undefined || rest !== undefined) await keeping(ports, heldLease, Promise.all([turn, rest]));
    await heldLease.renewIfDue();
    await ports.ec2.apply(step, askAndNote);
    return { sentAtMs: sentAtMs! };
  } catch (error) {
    isWanted = false;
    if (sentAtMs === undefined) ports.localBucket.refund(step.call);
    return { fault: toFault(error), ...defined({ sentAtMs }) };
  }
}

/** A turn may come later than a lease lasts, so the lease is looked after on the way. */
async function keeping(ports: ExecutePorts, heldLease: HeldLease, due: Promise<unknown>): Promise<void> {
  let waiting = true;
  const done = () => {
    waiting = false;
  };
  due.then(done, done);
  while (waiting) {
    // Close to the invocation's end only the turn itself is waited for.
    await Promise.race([due, ports.clock.wait(KEEP_EVERY).catch(() => due)]);
    await heldLease.renewIfDue();
    await heldLease.lookIfDue();
    if (waiting && !heldLease.isStillNeeded())
      throw new Fault('lease-short', 'NotWanted', 'not sent: the election has changed, or the lease is lost');
  }
  await due;
}

const pause = (ports: ExecutePorts, attempt: number): Promise<void> | undefined => {
  const wait = backoff(attempt, ports.random());
  return wait > 0 ? ports.clock.wait(wait) : undefined;
};

function backoff(attempt: number, chance: number): DurationMs {
  if (attempt === 1) return durationMs(0);
  const ceiling = Math.min(BACKOFF_FIRST_MS * 2 ** (attempt - 2), BACKOFF_MAX_MS);
  return durationMs(ceiling * (0.5 + chance / 2));
}
