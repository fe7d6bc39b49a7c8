// The table of questions: who, what, on what, with which session, and the answer that is expected. Two judges answer it: the evaluator of
// ours in `npm test`, and one that we did not write in `npm run judges`.
import type { Row } from './question.ts';
import { boundRows } from './rows/bounds.ts';
import { nodeRows, queueRows, strangerRows } from './rows/bus.ts';
import { directRows } from './rows/direct.ts';
import { honestRows } from './rows/honest.ts';
import { neighbourRows } from './rows/neighbours.ts';
import { approverRows, auditorRows, onCallRows, ownerRows } from './rows/operators.ts';
import { agentRows, functionRows, scpRows, workflowRows } from './rows/services.ts';

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
  ...boundRows,
  ...neighbourRows,
  ...honestRows,
  ...directRows,
];
