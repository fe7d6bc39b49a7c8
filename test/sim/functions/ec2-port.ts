// EC2 behind the network: describes that fail, are slow or stale; mutations that are refused, lost before or after their
// effect, or land late.
import { faultFromSdkError } from '../../../shared/aws/error-codes.ts';
import { Fault } from '../../../shared/fault.ts';
import type { Ec2 } from '../../../shared/network/ec2.ts';
import type { Observation } from '../../../shared/network/observation.ts';
import type { Step } from '../../../shared/network/step.ts';
import { ATTEMPT_MAX, UNKNOWN_LANDS_WITHIN } from '../../../shared/vip/lease.ts';
import type { Scope } from '../../../shared/vip/vip.ts';
import type { Chance } from '../history/random.ts';
import { STALE_MAX_MS } from '../world/region.ts';
import type { Invocation } from './invocation.ts';
import { broken, lost, type Network, refuse, request, throttled } from './network.ts';

export function ec2Of(net: Network, by: Invocation): Ec2 {
  const { luck } = by;
  const see = async <T>(
    scopes: readonly Scope[],
    look: (seen: (scope: Scope) => Promise<Observation>) => Promise<T>,
  ) => {
    const trip = { toMs: luck.between(10, 60), backMs: luck.log(30, 250) };
    const began0 = net.sched.now();
    if (net.describesFail() || net.strikes('read failed', by)) {
      const fault = luck.odds(0.5) ? throttled('Describe') : broken('Describe');
      return request<T>({ net, by, what: 'Describe' }, { ...trip, mute: luck.odds(0.3) }, refuse(fault));
    }
    const slow = net.strikes('read slow', by) ? luck.log(500, 4000) : 0;
    const age = net.strikes('read stale', by) ? agesBy(luck) : undefined;
    // A search by tag may find nothing for a moment, without an error.
    const empty = net.strikes('read empty', by);
    let answeredAt = 0;
    const seen = await request({ net, by, what: 'Describe' }, { ...trip, toMs: trip.toMs + slow }, () => {
      answeredAt = net.sched.now();
      return look(async (scope) => {
        const all = await net.region.observe(scope, age);
        return empty ? { ...all, tables: [], enis: [], eips: [] } : all;
      });
    });
    const trueAtMs = age === undefined ? answeredAt : Math.min(answeredAt, began0) - STALE_MAX_MS;
    for (const { name } of scopes) net.log.looked(by, name, trueAtMs);
    return seen;
  };
  return {
    async observe(scope) {
      const beganAtMs = by.clock.now();
      const seen = await see([scope], (one) => one(scope));
      return { ...seen, beganAtMs, endedAtMs: by.clock.now() };
    },
    async observeAll(scopes) {
      const beganAtMs = by.clock.now();
      const seen = await see(scopes, (one) => Promise.all(scopes.map(one)));
      const endedAtMs = by.clock.now();
      return new Map(scopes.map(({ name }, n) => [name, { ...seen[n]!, beganAtMs, endedAtMs }]));
    },
    hostState: (node) => net.region.ec2.hostState(node),
    scheduledEvents: () => scheduled(net, by),
    apply: (step, mayStart) => attempt(net, by, step, mayStart),
  };
}

/** Where AWS warns of nothing in the history the question costs nothing, and no one's luck. */
function scheduled(net: Network, by: Invocation): ReturnType<Ec2['scheduledEvents']> {
  if (!net.departs) return net.region.ec2.scheduledEvents();
  const trip = { toMs: by.luck.between(10, 60), backMs: by.luck.log(30, 250) };
  const call = { net, by, what: 'DescribeInstanceStatus' };
  if (net.describesFail() || net.strikes('read failed', by))
    return request(call, trip, refuse(broken('DescribeInstanceStatus')));
  return request(call, trip, () => net.region.ec2.scheduledEvents());
}

/** How old the answer about each thing is. */
function agesBy(luck: Chance): (id: string) => number {
  const ages = new Map<string, number>();
  return (id) => {
    const age = ages.get(id) ?? luck.between(0, STALE_MAX_MS);
    ages.set(id, age);
    return age;
  };
}

/** 2 KB of it no one can read; the rest names the table. */
const ENCODED = `Encoded authorization failure message: ${'aZ-_09'.repeat(340)}`;

/** As EC2 answers where a policy denies the call. */
function denied({ call, cell }: Step): Fault {
  const [thing] = cell.split(' ');
  const why = 'with an explicit deny in a service control policy';
  const text = `You are not authorized to perform this operation. The role is not authorized to perform: ec2:${call} on resource: ${thing} ${why}. ${ENCODED}`;
  const error = Object.assign(new Error(text), {
    name: 'UnauthorizedOperation',
    $metadata: { httpStatusCode: 403 },
  });
  return faultFromSdkError(error, `${call} ${cell}`);
}

/** As our own code throws it where an answer is not what it took for granted. */
const bug = ({ cell }: Step): TypeError => new TypeError(`Cannot read properties of undefined (${cell})`);

/** Signing takes a moment, in which a pause may strike; then the check and the sending are one tick. */
async function attempt(net: Network, by: Invocation, step: Step, mayStart: () => boolean): Promise<void> {
  const { luck } = by;
  await new Promise<void>((resolve) =>
    by.begin(() => net.sched.after(luck.between(0, 3), () => by.hear(resolve))),
  );
  const breaks = net.strikes('call breaks', by, UNKNOWN_LANDS_WITHIN);
  if (breaks && luck.odds(0.5)) {
    net.log.broke(by, net.vipOf(step), step);
    throw bug(step);
  }
  if (!mayStart()) throw new Fault('lease-short', 'LeaseShort', 'too little lease left to start');
  const id = net.log.sent(by, net.vipOf(step), step);
  const trip = { toMs: luck.between(10, 80), backMs: luck.log(20, 300) };
  const throttle = net.strikes('write refused', by);
  const before = net.strikes('write failed before effect', by);
  const mute = net.strikes('write failed after effect', by, ATTEMPT_MAX);
  const late = net.strikes('write landed late', by, UNKNOWN_LANDS_WITHIN);
  const toMs = late ? luck.between(ATTEMPT_MAX, UNKNOWN_LANDS_WITHIN) : trip.toMs;
  const answer = () => {
    if (throttle || !net.region.admit(step.call)) return Promise.reject(throttled(step.call));
    if (before) return Promise.reject(broken(step.call));
    if (net.callsDenied()) return Promise.reject(denied(step));
    return net.region.carryOut(step, id);
  };
  // The request goes out in this very tick: no begin() between check and sending.
  return new Promise<void>((resolve, reject) => {
    net.sched.after(toMs, () => {
      const said = answer();
      said.then(
        () => net.log.landed(id, true),
        () => net.log.landed(id, false),
      );
      net.sched.stir();
      if (late) return;
      if (breaks)
        return net.sched.after(trip.backMs, () =>
          by.hear(() => {
            net.log.broke(by, net.vipOf(step), step);
            reject(bug(step));
          }),
        );
      if (mute) net.sched.after(trip.backMs, () => by.hear(() => reject(broken(step.call))));
      else net.sched.after(trip.backMs, () => by.hear(() => resolve(said)));
    });
    if (late) net.sched.after(ATTEMPT_MAX, () => by.hear(() => reject(lost(step.call))));
  });
}
