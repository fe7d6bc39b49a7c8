/**
 * What makes a function's bundle small and its cold start short: esbuild plugins for the AWS SDK for JavaScript v3.
 *
 * Measured (bundle with EC2, DynamoDB, middy, logger, metrics, zod): 1017 KB and 141 ms of import without them, 350 KB and 52 ms
 * with the first and the last.
 * Limit: they know the shape of the SDK's generated files; if that changes, the bundle's budget shows it.
 */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';
import { errorsWithMore, unreached } from './sdk-unreached.ts';

/** The generated schemas of a client, changed. */
const schemas = (name: string, changed: (source: string) => string): Plugin => ({
  name,
  setup(build) {
    build.onLoad({ filter: /@aws-sdk[/\\].*dist-es[/\\]schemas[/\\][^/\\]+\.js$/ }, async ({ path }) => ({
      contents: changed(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
});

/**
 * The generated schemas write `{ [_k]: v }` with `const _k = "key"`. A computed key may have side effects for all esbuild knows, so every schema of
 * all EC2 stays in the bundle (aws-sdk-js-v3 issue 7607). With the key inlined the unused ones fall away.
 */
function withInlineKeys(source: string): string {
  const keys = new Map<string, string>();
  for (const [, name, literal] of source.matchAll(/^const (_\w+) = ("(?:[^"\\]|\\.)*");$/gm))
    keys.set(name!, literal!);
  return source.replace(/\[(_\w+)\](?=:)/g, (whole, name: string) => keys.get(name) ?? whole);
}

/** Neither schema nor class of an error that has nothing of its own: sdk-unreached.ts says which have. */
const withoutBareErrors = (source: string): string =>
  source.replace(/^n0_registry\.registerError\(\w+\$, (\w+)\);$/gm, (whole, name: string) =>
    errorsWithMore.includes(name) ? whole : '',
  );

export const inlineSchemaKeys = schemas('inline-schema-keys', withInlineKeys);

const schemasOfFunctions = schemas('schemas-of-functions', (source) =>
  withoutBareErrors(withInlineKeys(source)),
);

const leaveOutUnreached: Plugin = {
  name: 'leave-out-unreached',
  setup(build) {
    const files = unreached.map(({ file }) => file.replaceAll('.', '\\.').replaceAll('/', '[/\\\\]'));
    build.onLoad({ filter: new RegExp(`node_modules[/\\\\](?:${files.join('|')})$`) }, ({ path }) => {
      const { instead } = unreached.find(({ file }) => path.replaceAll('\\', '/').endsWith(file))!;
      return { contents: instead, resolveDir: dirname(path), loader: 'js' };
    });
  },
};

/** A client reads its version from its own package.json, and nothing else of it. */
export const trimClientManifests: Plugin = {
  name: 'trim-client-manifests',
  setup(build) {
    build.onLoad({ filter: /@aws-sdk[/\\]client-[^/\\]+[/\\]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Lambda hands a function its credentials in the environment; the rest of the provider chain (SSO, STS, files, IMDS) is never reached. */
const environmentCredentialsOnly: Plugin = {
  name: 'environment-credentials-only',
  setup(build) {
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ resolveDir }) => ({
      path: 'environment-credentials',
      namespace: 'vipshift',
      pluginData: { resolveDir },
    }));
    build.onLoad({ filter: /^environment-credentials$/, namespace: 'vipshift' }, ({ pluginData }) => ({
      contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
      resolveDir: (pluginData as { resolveDir: string }).resolveDir,
      loader: 'js',
    }));
  },
};

export const sdkPlugins: readonly Plugin[] = [
  schemasOfFunctions,
  leaveOutUnreached,
  trimClientManifests,
  environmentCredentialsOnly,
];
