// The command line in a process that stays: it loads the modules once and then runs one command line after the other, each with its own
// environment, and with what it writes handed back. What it runs is what cli/vipshift.ts runs.
//
// Limit: no terminal, nothing on stdin, no signal: command-line.ts starts cli/vipshift.ts itself for those.
import module from 'node:module';
import { join } from 'node:path';
import type { Ran, Request } from './command-line.ts';

module.enableCompileCache(join(import.meta.dirname, '..', '..', '..', '.lab', 'cache', 'vipshift'));
const [{ program }, { endOf }] = await Promise.all([
  import('../../../cli/program.ts'),
  import('../../../cli/command/end.ts'),
]);

// The parent's end, however it comes, closes the channel.
process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  void runOne(request).then((ran) => process.send!(ran));
});

async function runOne({ args, env }: Request): Promise<Ran> {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exitCode = undefined;
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  try {
    await program().parseAsync([process.execPath, 'vipshift', ...args]);
  } catch (error) {
    process.exitCode = endOf(error);
  }
  const status = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return { status, stdout: stdout(), stderr: stderr() };
}

/** Keeps what is written from now on; the returned function gives it and ends that. */
function capture(stream: NodeJS.WriteStream): () => string {
  const write = stream.write.bind(stream);
  const chunks: Buffer[] = [];
  stream.write = ((chunk: string | Uint8Array, ...rest: readonly unknown[]) => {
    chunks.push(Buffer.from(chunk as string));
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  }) as typeof stream.write;
  return () => {
    stream.write = write;
    return Buffer.concat(chunks).toString('utf8');
  };
}
