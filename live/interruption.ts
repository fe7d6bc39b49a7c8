// Ctrl-C while something is made in an account: what is being made ends, and what was made is removed all the same.

/** The first signal ends building and asking; later ones only print that the removal goes on. */
export function interruptible(say: (text: string) => void): { readonly signal: AbortSignal; end(): void } {
  const aborting = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (name: string) => {
    if (aborting.signal.aborted)
      say(`${name} again: the removal goes on. Only SIGKILL ends it, and would leave things behind`);
    else {
      say(`${name}: stopping, then everything is removed`);
      aborting.abort(new Error(name));
    }
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: aborting.signal,
    end: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
