// Waiting for what a server of the lab sees.

/** Resolves as soon as `done` holds, which is checked whenever a watcher is called; rejects after `limitMs` with what was found. */
export function untilDone(
  watchers: Set<() => void>,
  done: () => boolean,
  { limitMs, found }: { readonly limitMs: number; readonly found: () => string },
): Promise<void> {
  if (done()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const check = (): void => {
      if (!done()) return;
      clearTimeout(timer);
      watchers.delete(check);
      resolve();
    };
    const timer = setTimeout(() => {
      watchers.delete(check);
      reject(new Error(`no one saw what the test waits for within ${limitMs} ms: ${found()}`));
    }, limitMs);
    watchers.add(check);
  });
}
