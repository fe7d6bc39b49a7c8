// What completion can look up.
export const valueKinds = ['vip', 'node', 'stage', 'execution', 'record'] as const;
export type LookedUp = (typeof valueKinds)[number];
