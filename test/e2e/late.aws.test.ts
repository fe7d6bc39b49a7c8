// A request that EC2 carries out long after its sender gave it up. No lease keeps it from landing (guarantee 3); the next reconcile finds it.
import { ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { expect, it } from 'vitest';
import type { Failover } from '../../shared/timeline/timeline.ts';
import {
  allOn,
  failOver,
  failOverNow,
  faults,
  forgetDoubt,
  reconcile,
  stack,
  stageFaults,
  turn,
} from './stage/fault-stage.ts';

stageFaults();

const unanswered = ({ steps }: Failover): number => steps.reduce((sum, step) => sum + step.unanswered, 0);

it('a request that lands after the next owner was read back takes one table along: the record has an attempt without an answer, and reconcile repairs it', async () => {
  faults.ec2.add({ on: 'ReplaceRoute', times: 1, fault: { does: 'stall' } });
  const first = await failOver();
  expect([first.outcome, first.verified]).toEqual(['switched', true]);
  expect(unanswered(first)).toBeGreaterThan(0);
  const { parameters } = faults.ec2.calls.find((call) => call.fault === 'stall')!;
  const second = await failOverNow();
  expect([second.outcome, second.verified]).toEqual(['switched', true]);
  expect(await allOn(turn)).toBe(true);

  await stack.ec2.send(new ReplaceRouteCommand(parameters as never));
  expect(await allOn(turn)).toBe(false);
  expect(await reconcile(), 'while it may still land, a difference is no drift').toMatchObject({
    switched: 0,
  });
  await forgetDoubt();
  expect(await reconcile()).toMatchObject({ switched: 1 });
  expect(await allOn(turn)).toBe(true);
});
