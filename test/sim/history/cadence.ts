// When reconcile comes by itself.
export const RECONCILE_EVERY_MS = 60_000;
export const RECONCILE_FIRST_MS = 10_000;
