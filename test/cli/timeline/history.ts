// Makes history: claims of the two nodes through the controller's own code, in this process, on the local AWS.
import { parseClaimEvent } from '../../../shared/aws/events/claim-event.ts';
import { clients, executionEnvironment, portsFor } from '../../../shared/aws/wire.ts';
import { type Answer, handleClaim } from '../../../shared/controller/handle-claim.ts';
import { reconcile } from '../../../shared/controller/reconcile.ts';
import { recordRejection } from '../../../shared/controller/reject-claim.ts';
import type { Ports } from '../../../shared/switch/switch-vip.ts';
import { minutes } from '../../../shared/time.ts';
import type { VrrpState } from '../../../shared/vip/claim.ts';
import { type Region, STAGE, tables } from '../region.ts';

export interface History {
  readonly ports: Ports;
  /** Its transition happened just now, by default how long ago. */
  says(node: string, state: VrrpState, agoMs?: number): Promise<Answer>;
  /** An assertion of a transition that happened at that instant. */
  repeats(node: string, state: VrrpState, transitionMs: number): Promise<Answer>;
  /** A claim that is turned away. */
  lies(node: string, over: object): Promise<void>;
  reconcile(): Promise<void>;
}

export function historyOf(region: Pick<Region, 'aws'>, vip = 'web'): History {
  Object.assign(process.env, region.aws.env);
  const settings = {
    stage: STAGE,
    vipsTable: tables.vips,
    timelineTable: tables.timeline,
    bus: `vipshift-${STAGE}`,
    identity: { mode: 'none' },
    retentionDays: 400,
  } as const;
  const made = clients({ region: region.aws.region });
  const ports = portsFor(executionEnvironment(settings, made), minutes(10), new AbortController().signal);
  const boot = Date.now() - 3_600_000;
  const event = (node: string, state: VrrpState, agoMs: number, over: object) => {
    const atMs = Date.now() - agoMs;
    const seq = (atMs - boot) * 1000;
    const uptimeMs = Date.now() - boot;
    const detail = {
      version: 1,
      vip,
      node,
      state,
      kind: 'transition',
      instance: 'VI_WEB',
      priority: 100,
      bootId: `boot-${node}`,
      seq,
      since: seq,
      uptimeMs,
      ageMs: 0,
      superseded: false,
      dropped: 0,
      atMs,
      shim: '1.0.0',
      ...over,
    };
    const time = `${new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().slice(0, 19)}Z`;
    const source = `vipshift.notify/AROATEST:${node}`;
    return { id: crypto.randomUUID(), source, time, 'detail-type': 'VRRP State Change', detail };
  };
  return {
    ports,
    async says(node, state, agoMs = 0) {
      const parsed = parseClaimEvent(event(node, state, agoMs, {}));
      if (!parsed.ok) throw new Error(parsed.rejection.message);
      return handleClaim(ports, parsed, { mode: 'none' });
    },
    async repeats(node, state, transitionMs) {
      const seq = (Date.now() - boot) * 1000;
      const since = (transitionMs - boot) * 1000;
      const parsed = parseClaimEvent(event(node, state, 0, { kind: 'assertion', seq, since }));
      if (!parsed.ok) throw new Error(parsed.rejection.message);
      return handleClaim(ports, parsed, { mode: 'none' });
    },
    async lies(node, over) {
      const told = event(node, 'MASTER', 0, over);
      const parsed = parseClaimEvent(told);
      if (parsed.ok) await handleClaim(ports, parsed, { mode: 'none' });
      else await recordRejection(ports, { ...parsed.rejection, vip: parsed.vip, node: parsed.node }, told);
    },
    async reconcile() {
      const item = await ports.vips.read(vip);
      await reconcile(ports, item!);
    },
  };
}
