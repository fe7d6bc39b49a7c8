// A node's CLOCK_BOOTTIME: it runs at a rate of its own, and may stand still while the host does.
export interface BootClock {
  readonly rate: number;
  /** From `atMs` on it showed `upMs` and ran. */
  readonly parts: { readonly atMs: number; readonly upMs: number; readonly stoodSinceMs?: number }[];
}

export const bootClock = (atMs: number, upMs = 0, driftPpm = 0): BootClock => ({
  rate: 1 + driftPpm / 1e6,
  parts: [{ atMs, upMs }],
});

export function upAt({ rate, parts }: BootClock, atMs: number): number {
  const part = parts.findLast((p) => p.atMs <= atMs) ?? parts[0]!;
  return part.upMs + (atMs - part.atMs) * rate;
}

/** When it showed `upMs`. */
export function trueAt({ rate, parts }: BootClock, upMs: number): number {
  const part = parts.findLast((p) => p.upMs <= upMs) ?? parts[0]!;
  return part.atMs + (upMs - part.upMs) / rate;
}

export function stoodStill(clock: BootClock, fromMs: number, toMs: number): void {
  clock.parts.push({ atMs: toMs, upMs: upAt(clock, fromMs), stoodSinceMs: fromMs });
}

/** For how long the clock has stood still since `atMs`. */
export const stoodSince = ({ parts }: BootClock, atMs: number): number =>
  parts.reduce((sum, { stoodSinceMs, atMs: untilMs }) => {
    return stoodSinceMs === undefined || stoodSinceMs < atMs ? sum : sum + untilMs - stoodSinceMs;
  }, 0);
