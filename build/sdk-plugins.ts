/**
 * What makes a function's bundle small and its cold start short: esbuild plugins for the AWS SDK for JavaScript v3.
 *
 * Measured (bundle with EC2, DynamoDB, middy, logger, metrics, zod): 1017 KB and 141 ms of import without them, 350 KB and 52 ms
 * with the first and the last.
 * Limit: they know the shape of the SDK's generated files; if that changes, the bundle's budget shows it.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/**
 * The generated schemas write `{ [_k]: v }` with `const _k = "key"`. A computed key may have side effects for all esbuild knows, so every schema of
 * all EC2 stays in the bundle (aws-sdk-js-v3 issue 7607). With the key inlined the unused ones fall away.
 */
export const inlineSchemaKeys: Plugin = {
  name: 'inline-schema-keys',
  setup(build) {
    build.onLoad({ filter: /@aws-sdk[/\\].*dist-es[/\\]schemas[/\\][^/\\]+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const keys = new Map<string, string>();
      for (const [, name, literal] of source.matchAll(/^const (_\w+) = ("(?:[^"\\]|\\.)*");$/gm))
        keys.set(name!, literal!);
      const contents = source.replace(/\[(_\w+)\](?=:)/g, (whole, name: string) => keys.get(name) ?? whole);
      return { contents: bareErrors.test(path) ? withoutErrors(contents) : contents, loader: 'js' };
    });
  },
};

/**
 * EventBridge's errors have nothing but a name and a message. One that is not registered is the service's base class with the same name and
 * message, which is all that is read of it; the others of this client's errors and their classes fall away.
 */
const bareErrors = /[/\\]client-eventbridge[/\\]/;
const withoutErrors = (source: string): string => source.replace(/^n0_registry\.registerError\(.*\);$/gm, '');

/** Parts of the SDK that none of our calls reach, and what replaces them. */
const unreached: Readonly<Record<string, string>> = {
  // Only for operations that stream events.
  '@smithy/core/event-streams': `
    const left = () => { throw new Error('event streams are left out of the bundle: build/sdk-plugins.ts'); };
    export { left as eventStreamSerdeProvider, left as EventStreamSerde };`,
  // DynamoDB's client makes one, and asks it only where AWS_ENABLE_ENDPOINT_DISCOVERY is set.
  '@aws-sdk/endpoint-cache': 'export class EndpointCache {}',
};

export const leaveOutUnreached: Plugin = {
  name: 'leave-out-unreached',
  setup(build) {
    build.onResolve({ filter: /^@(smithy|aws-sdk)\// }, ({ path }) =>
      path in unreached ? { path, namespace: 'unreached', sideEffects: false } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'unreached' }, ({ path }) => ({
      contents: unreached[path]!,
      loader: 'js',
    }));
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
export const environmentCredentialsOnly: Plugin = {
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
  inlineSchemaKeys,
  leaveOutUnreached,
  trimClientManifests,
  environmentCredentialsOnly,
];
