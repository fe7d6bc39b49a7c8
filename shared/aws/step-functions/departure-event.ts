// What the workflows `warning` and `departure` hand to the function `reconcile`: an event of AWS as it is; then a departure, and what
// is known of it so far.
import * as z from 'zod/mini';
import { leaveNode, type Round, reportDeparture } from '../../departure/leave.ts';
import { type DepartureInput, type DeparturePorts, onWarnings, type Warned } from '../../departure/warned.ts';
import { ignoredText } from '../../warning/warning.ts';
import { warningsFrom } from '../events/warning-event.ts';

/** The workflow `departure` may be started by hand, with anything. */
const input = z.object({
  node: z.string().check(z.regex(/^i-[0-9a-f]{8,17}$/)),
  by: z.enum(['aws.ec2', 'aws.health']),
  why: z.string().check(z.minLength(1), z.maxLength(500)),
  dueAt: z.iso.datetime(),
  untilMs: z.int().check(z.minimum(0), z.maximum(8.64e15)),
  startsAtMs: z.optional(z.int()),
});

interface DepartureEvent {
  readonly execution: string;
  readonly stage: string;
  readonly story: { readonly input: unknown; readonly left?: Round };
}

const stepOf = ({ story, ...rest }: DepartureEvent) => ({
  ...rest,
  story: { ...story, input: input.parse(story.input) as DepartureInput },
});

async function readWarning(ports: DeparturePorts, { story }: DepartureEvent): Promise<Warned> {
  const found = warningsFrom(story.input);
  if (found.is === 'ignored') return { departures: [], said: [ignoredText(found.reason)] };
  return onWarnings(ports, found.by, found.warnings);
}

/** By the name of their state. */
const departureSteps = {
  readWarning,
  leaveNode: (ports: DeparturePorts, event: DepartureEvent) => leaveNode(ports, stepOf(event)),
  reportDeparture: async (ports: DeparturePorts, event: DepartureEvent) =>
    reportDeparture(stepOf(event), ports.region),
} as const;

export interface DepartureStep {
  readonly name: keyof typeof departureSteps;
  run(ports: DeparturePorts): Promise<object>;
}

const named = z.looseObject({ state: z.string() });

/** Undefined for an event that is none of these workflows'. */
export function departureStepFrom(event: unknown): DepartureStep | undefined {
  const name = named.safeParse(event).data?.state;
  if (name === undefined || !isStep(name)) return undefined;
  return { name, run: (ports) => departureSteps[name](ports, event as DepartureEvent) };
}

const isStep = (name: string): name is DepartureStep['name'] => Object.hasOwn(departureSteps, name);
