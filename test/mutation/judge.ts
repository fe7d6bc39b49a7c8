// A thread that judges one mutant: runs the tests in the bundle, then histories, and stops at the first that fails.
import { parentPort, workerData } from 'node:worker_threads';
import type { Verdict } from './verdict.ts';

interface Bundle {
  readonly allCases: () => readonly { name: string; suite: string; body: () => unknown }[];
  readonly judgeByHistories: () => Promise<string | undefined>;
}

const { bundle } = workerData as { bundle: string };
Error.stackTraceLimit = 0;

async function verdict(): Promise<Verdict> {
  const url = `data:text/javascript;base64,${Buffer.from(bundle).toString('base64')}`;
  let loaded: Bundle;
  try {
    loaded = await import(url);
  } catch (error) {
    return { kind: error instanceof SyntaxError ? 'stillborn' : 'load', by: String(error) };
  }
  for (const { name, suite, body } of loaded.allCases()) {
    try {
      await body();
    } catch (error) {
      const by = `${suite}: ${name}: ${error instanceof Error ? error.message : String(error)}`;
      return { kind: suite.startsWith('properties/') ? 'property' : 'test', by: by.slice(0, 300) };
    }
  }
  const by = await loaded.judgeByHistories();
  return by === undefined ? { kind: 'survived' } : { kind: 'history', by };
}

parentPort!.postMessage(await verdict());
