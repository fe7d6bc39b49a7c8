/**
 * The version of vipshift. package.json is its source; command line, shim, functions and the stack's output `Version` have the same one.
 *
 * `npm version` writes it here and into the shim (build/release/stamp.ts); test/release/version.test.ts holds all of them to it.
 */
export const VERSION = '1.0.0';
