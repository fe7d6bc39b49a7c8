// A mutant is dead with the first test that fails: the files after it are not even loaded. (vitest's `bail` skips their tests, and
// still loads every file of its worker.)
import { afterEach } from 'vitest';

const worker = globalThis as { hasFailed?: boolean };
if (worker.hasFailed === true) throw new Error('not loaded: a test of an earlier file has failed');

afterEach(({ task }) => {
  worker.hasFailed = task.result?.state === 'fail';
});
