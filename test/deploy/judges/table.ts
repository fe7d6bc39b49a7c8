// The table of questions: who, what, on what, with which session, and the answer that is expected. Two judges answer it: the evaluator of
// ours in `npm test`, and one that we did not write in `npm run judges`.
import { nodeRows, queueRows, strangerRows } from './bus-rows.ts';
import { approverRows, auditorRows, onCallRows, ownerRows } from './operator-rows.ts';
import type { Row } from './question.ts';
import { agentRows, functionRows, scpRows, workflowRows } from './service-rows.ts';

export const table: readonly Row[] = [
  ...nodeRows,
  ...strangerRows,
  ...queueRows,
  ...functionRows,
  ...agentRows,
  ...workflowRows,
  ...ownerRows,
  ...onCallRows,
  ...approverRows,
  ...auditorRows,
  ...scpRows,
];
