/** The process that sent a request, found by its connection: a function of the service, as MiniStack runs it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Exchange } from './recording-proxy.ts';

/** Undefined where no one holds the connection any more. It takes some milliseconds. */
export async function callerOf({ from }: Exchange): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)('ss', ['-tnpH', `sport = :${from.port}`], { timeout: 2_000 });
  const pid = /pid=(\d+)/.exec(stdout)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** SIGKILL to it. */
export async function killCaller(exchange: Exchange): Promise<void> {
  const pid = await callerOf(exchange);
  if (pid === undefined)
    throw new Error(`no one holds the connection from port ${exchange.from.port} any more`);
  process.kill(pid, 'SIGKILL');
}
