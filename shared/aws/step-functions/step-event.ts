// What a workflow hands to the function `runbook`: the state's name and what is known so far. The first state of a forced
// failover has the execution's input, which is parsed here; the redrive has one state, which has a dead letter read.

import type { ExecutionState, StepInput } from '../../forced-failover/execution.ts';
import type { Preflight } from '../../forced-failover/preflight.ts';
import { type ForcedFailoverPorts, type StepName, steps } from '../../forced-failover/steps.ts';
import { deadLetterFrom } from '../events/dead-letter.ts';
import { orderFrom } from './order-input.ts';

interface StateEvent {
  readonly state: string;
  readonly execution: string;
  readonly stage: string;
  readonly token?: string;
  /** The workflow's data: its input, and each state's answer under a name. */
  readonly story: ExecutionState & { readonly input: unknown };
}

interface LetterEvent {
  readonly state: typeof READ_LETTER;
  readonly messageId: string;
  readonly body: string;
}

/** The state of the redrive. */
const READ_LETTER = 'readLetter';

export interface Step {
  readonly name: StepName | typeof READ_LETTER;
  run(ports: ForcedFailoverPorts): Promise<unknown>;
}

const isLetter = (event: StateEvent | LetterEvent): event is LetterEvent => event.state === READ_LETTER;
const isStep = (name: string): name is StepName => Object.hasOwn(steps, name);

export function stepFrom(event: unknown): Step {
  const told = event as StateEvent | LetterEvent;
  if (isLetter(told)) {
    const { state: name, messageId, body } = told;
    return { name, run: async () => ({ messageId, ...deadLetterFrom(body) }) };
  }
  const { state, story: data, ...rest } = told;
  if (!isStep(state))
    throw new TypeError(
      `no step is called ${JSON.stringify(state)}, expected ${Object.keys(steps).join(', ')}`,
    );
  if (state !== 'preflight')
    return { name: state, run: (ports) => steps[state](ports, { ...rest, story: data }) };
  return { name: state, run: (ports) => firstStep(ports, { ...rest, story: data }, data.input) };
}

/** The order goes along with the answer: every later step needs it. */
async function firstStep(ports: ForcedFailoverPorts, asked: StepInput, input: unknown): Promise<object> {
  const parsed = orderFrom(input);
  if (!parsed.ok) return malformed(parsed.reasons);
  const { order } = parsed;
  const seeded = { ...asked, story: { preflight: { order } as Preflight & { order: typeof order } } };
  return { ...(await steps.preflight(ports, seeded)), order };
}

const malformed = (reasons: readonly string[]): Preflight => ({
  outcome: 'refused',
  reasons,
  plan: [],
  conflicts: [],
  atLeastMs: 0,
  before: {},
});
