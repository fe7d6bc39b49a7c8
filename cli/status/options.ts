// What `vipshift status` may be asked.
export interface StatusOptions {
  readonly watch?: boolean;
  readonly every: number;
  readonly count?: number;
  readonly check?: boolean;
}

/** A forgotten watch ends by itself. */
export const LOOKS_MAX = 50_000;
