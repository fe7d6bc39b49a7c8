// The packaged template before the check of build/template-check.ts, as a deployment puts it there. Reading its rules takes the check fifteen
// seconds of computing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accepted, findings } from '../../../build/template-check.ts';
import { parametric } from '../support/packaged.ts';

const role = {
  nodeRoleId: 'AROAEXAMPLE000000001',
  nodeRoleArn: 'arn:aws:iam::111122223333:role/vipshift-node',
};

test('the packaged template is valid, with no warning but the accepted ones', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  const file = join(folder, 'template.json');
  writeFileSync(file, await parametric('prod', role));
  const found = findings(file);
  rmSync(folder, { recursive: true });
  expect(new Set(found.map(({ id }) => id))).toEqual(new Set(Object.keys(accepted)));
});
