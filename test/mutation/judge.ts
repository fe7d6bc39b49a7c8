// A thread that judges one mutant: runs the tests in the bundle, then histories, and stops at the first that fails.
import { parentPort, workerData } from 'node:worker_threads';

interface Bundle {
  readonly allCases: () => readonly { name: string; body: () => unknown }[];
  readonly judgeByHistories: () => Promise<string | undefined>;
}

const { bundle } = workerData as { bundle: string };
Error.stackTraceLimit = 0;

async function verdict(): Promise<string | undefined> {
  const url = `data:text/javascript;base64,${Buffer.from(bundle).toString('base64')}`;
  let loaded: Bundle;
  try {
    loaded = await import(url);
  } catch (error) {
    return `does not load: ${String(error)}`;
  }
  for (const { name, body } of loaded.allCases()) {
    try {
      await body();
    } catch (error) {
      return `${name}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return loaded.judgeByHistories();
}

parentPort!.postMessage((await verdict()) ?? 'survived');
