import { afterAll, beforeAll, it } from 'vitest';
import { type Stack, startStack } from '../../../lab/aws/stack/stack.ts';
import { isUp, UP_MAX_MS } from './up.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, UP_MAX_MS);
afterAll(() => stack?.stop());

it('has the service on the local AWS', () => isUp('aws'), UP_MAX_MS);
