/** Between two questions, growing from the one to the other: each question costs the emulator time that what is waited for needs as well. */
const [POLL_MS, POLL_MAX_MS] = [10, 100];
const PATIENCE_MS = 90_000;

/** Asks until there is an answer; after PATIENCE_MS an Error says what never came. */
export async function poll<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (let pause = POLL_MS; ; pause = Math.min(pause * 2, POLL_MAX_MS)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
