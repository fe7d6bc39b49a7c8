// Makes the Python environments of the tests once, before any suite's clock runs. Where one cannot be made, the suites that need it fail and
// say what is missing; the others run.
import { ensurePython } from '../../lab/aws/python.ts';
import { requirementsOf } from '../../lab/machine/needs.ts';

export async function setup(): Promise<void> {
  for (const requirements of requirementsOf('test'))
    await ensurePython({ requirements }).catch((error: unknown) => console.error(String(error)));
}
