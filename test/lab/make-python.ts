// Makes the local AWS's Python environment once, before any suite's clock runs. Where it cannot be made, the suites that need it fail and
// say what is missing; the others run.
import { ensurePython } from '../../lab/aws/python.ts';

export async function setup(): Promise<void> {
  await ensurePython().catch((error: unknown) => console.error(String(error)));
}
