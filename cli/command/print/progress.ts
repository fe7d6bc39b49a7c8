// How far a command is, on stderr, once it has taken two seconds: a bar on a terminal; elsewhere, for many things, a line now and then. stdout stays
// the answer's alone.
//
// Invariant: it never decides when the command ends: its timers keep no process alive. What interrupts the command finds how far
// it was on stderr.

export interface Progress {
  /** One more is done. */
  readonly step: () => void;
  /** A line of its own, above the bar. */
  readonly note: (text: string) => void;
  /** Takes the bar away. */
  readonly end: () => void;
}

export interface Screen {
  /** Columns of the terminal; undefined where stderr is none. */
  readonly columns: number | undefined;
  write(text: string): void;
}

/** A command that is quicker says nothing. */
const SHOWN_AFTER_MS = 2000;
const REDRAWN_EVERY_MS = 100;
/** Where there is no terminal: a log, or a job's output. Fewer things than MANY are over before a line would help. */
const LINE_EVERY_MS = 5000;
const MANY = 20;
const BAR = 24;

const stderr = (): Screen => ({
  columns: process.stderr.isTTY ? process.stderr.columns : undefined,
  write: (text) => void process.stderr.write(text),
});

/** `what`: such as `registering`. `total`: how many there are. */
export function progress(what: string, total: number, screen: Screen = stderr()): Progress {
  const began = performance.now();
  let done = 0;
  let isShown = false;
  let drawn = 0;
  let every: NodeJS.Timeout | undefined;
  const isBar = screen.columns !== undefined;
  const text = () => progressText({ what, done, total, tookMs: performance.now() - began });
  const wipe = () => {
    if (isBar && isShown) screen.write('\r\u001b[K');
  };
  const draw = () => {
    isShown = true;
    drawn = performance.now();
    screen.write(
      isBar ? `${`\r${barText(done, total)} ${text()}`.slice(0, screen.columns)}\u001b[K` : `${text()}\n`,
    );
  };
  const first = setTimeout(() => {
    if (!isBar && total < MANY) return;
    draw();
    every = setInterval(draw, isBar ? REDRAWN_EVERY_MS : LINE_EVERY_MS);
    every.unref();
  }, SHOWN_AFTER_MS);
  first.unref();
  // Ctrl-C ends the process at once: the bar stays as it was then.
  const interrupted = () => {
    if (isShown) screen.write(`${isBar ? '\n' : ''}interrupted: ${text()}\n`);
  };
  process.once('exit', interrupted);
  return {
    step: () => {
      done += 1;
      // What computes leaves the timers no turn.
      const now = performance.now();
      if (isBar && now - began > SHOWN_AFTER_MS && now - drawn > REDRAWN_EVERY_MS) draw();
    },
    note(line) {
      wipe();
      screen.write(`${line}\n`);
      if (isBar && isShown) draw();
    },
    end() {
      clearTimeout(first);
      clearInterval(every);
      process.off('exit', interrupted);
      wipe();
      isShown = false;
    },
  };
}

const barText = (done: number, total: number): string => {
  const full = Math.min(BAR, Math.floor((done / Math.max(1, total)) * BAR));
  return `[${'█'.repeat(full)}${'·'.repeat(BAR - full)}]`;
};

/** Such as `registering 840 of 2000, 12 s left`. */
function progressText(at: { what: string; done: number; total: number; tookMs: number }): string {
  const { what, done, total, tookMs } = at;
  // From a few alone nothing can be told.
  const isKnown = done >= Math.min(total, 10) && done > 0 && done < total;
  const leftS = Math.ceil(((tookMs / Math.max(1, done)) * (total - done)) / 1000);
  return `${what}: ${done} of ${total}${isKnown ? `, ${leftS} s left` : ''}`;
}
