// How long the command line waits for an AWS that does not answer. After three seconds it names the service, once for each: silence
// for as long as the SDK goes on trying looks like a command that hangs.

/** For every client's request handler, milliseconds: a laptop is further away than a Lambda. The SDK's own default is no limit. */
export const patience = { connectionTimeout: 5000, requestTimeout: 15_000, throwOnRequestTimeout: true };

/** Long for a request, short for a person who waits. */
const SAID_AFTER_MS = 3000;

type Say = (text: string) => void;
const onStderr: Say = (text) => void process.stderr.write(`${text}\n`);

/** A middleware of the SDK's, for the step `initialize`. `service`: as people call it. */
export function waitingFor(service: string, say: Say = onStderr) {
  let isSaid = false;
  return <Args, Result>(next: (args: Args) => Promise<Result>) =>
    async (args: Args): Promise<Result> => {
      const timer = setTimeout(() => {
        if (!isSaid) say(`waiting for ${service}…`);
        isSaid = true;
      }, SAID_AFTER_MS);
      // The command ends by its answer, and not by this.
      timer.unref();
      try {
        return await next(args);
      } finally {
        clearTimeout(timer);
      }
    };
}
