// Operator actions and requests for approval that a function puts get a line with their digest at once, as outcomes do
// (logged-timeline.ts): an entry that is edited, put over or deleted later is found by it (vipshift audit verify).
//
// Limit: the command line has no log, so what it records itself has no line.
import type { InvocationPorts } from '../invocation.ts';
import { logProof, type Telemetry } from './telemetry.ts';

type Stores = Pick<InvocationPorts, 'orders' | 'approvals'>;

export function withProofs({ orders: actions, approvals: requests }: Stores, telemetry: Telemetry): Stores {
  return {
    orders: {
      async put(action) {
        await actions.put(action);
        logProof(telemetry, { vip: action.vip, id: action.id, atMs: action.atMs }, action);
      },
    },
    approvals: {
      ...requests,
      async ask(request) {
        await requests.ask(request);
        const { vip, execution, atMs } = request;
        logProof(telemetry, { vip: `approval/${vip}`, id: `${execution}/request`, atMs }, request);
      },
    },
  };
}
