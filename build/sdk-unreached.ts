/**
 * What no call of a function reaches in the SDK, file by file, and what is in the bundle in its place. With the errors below it is
 * 32 KB of each function.
 *
 * Invariant: what stands in the place of a file exports all that is imported of it, or the build fails. Where it could be called at
 * all it throws, or answers as the SDK does in Lambda, where there are no files, no profile and no instance metadata.
 */
export interface Unreached {
  /** Under node_modules. */
  readonly file: string;
  readonly why: string;
  readonly instead: string;
}

const throwing = (what: string): string =>
  `throw new Error(${JSON.stringify(`${what} left out of the bundle: build/sdk-unreached.ts`)});`;

const smithy = '@smithy/core/dist-es/submodules';

/** Each client's way for extensions to change credentials and signers. */
const withoutExtensions = (client: string): Unreached => ({
  file: `@aws-sdk/${client}/dist-es/auth/httpAuthExtensionConfiguration.js`,
  why: 'no client has extensions, so what they could change stays as it is',
  instead: `
    export const getHttpAuthExtensionConfiguration = () => ({});
    export const resolveHttpAuthRuntimeConfig = () => ({});`,
});

export const unreached: readonly Unreached[] = [
  {
    file: `${smithy}/event-streams/index.js`,
    why: 'no operation of ours streams events',
    instead: `
      const left = () => { ${throwing('event streams are')} };
      export { left as eventStreamSerdeProvider, left as EventStreamSerde };`,
  },
  {
    file: '@smithy/signature-v4/dist-es/HeaderFormatter.js',
    why: 'only events of a stream have headers that are signed by themselves',
    instead: `export class HeaderFormatter { format() { ${throwing('event streams are')} } }`,
  },
  {
    file: '@aws-sdk/endpoint-cache/dist-es/index.js',
    why: 'DynamoDB’s client makes one, and asks it only where AWS_ENABLE_ENDPOINT_DISCOVERY is set',
    instead: 'export class EndpointCache {}',
  },
  {
    file: `${smithy}/checksum/sha256/Sha256Js.js`,
    why: 'for engines without hashes of their own; Node has them',
    instead: `export class Sha256Js { constructor() { ${throwing('SHA-256 in JavaScript is')} } }`,
  },
  {
    file: '@aws-sdk/signature-v4-multi-region/dist-es/index.js',
    why: 'EventBridge’s global endpoints alone are signed for several Regions; the bus has no such endpoint',
    instead: "export { SignatureV4 as SignatureV4MultiRegion } from '@smithy/signature-v4';",
  },
  {
    file: `${smithy}/retry/util-retry/StandardRetryStrategy.js`,
    why: 'every client has its own strategy (shared/aws/retry.ts)',
    instead: `export class StandardRetryStrategy { constructor() { ${throwing('the SDK’s retries are')} } }`,
  },
  {
    file: `${smithy}/retry/util-retry/AdaptiveRetryStrategy.js`,
    why: 'every client has its own strategy (shared/aws/retry.ts)',
    instead: `export class AdaptiveRetryStrategy { constructor() { ${throwing('the SDK’s retries are')} } }`,
  },
  {
    file: `${smithy}/config/shared-ini-file-loader/loadSharedConfigFiles.js`,
    why: 'a function has no ~/.aws; each client would look for its two files',
    instead: `
      export { CONFIG_PREFIX_SEPARATOR } from './constants';
      export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });`,
  },
  {
    file: `${smithy}/config/config-resolver/regionConfig/getInstanceMetadataRegion.js`,
    why: 'Lambda sets AWS_REGION, and has no instance metadata to ask',
    instead: 'export const getInstanceMetadataRegion = async () => undefined;',
  },
  {
    file: `${smithy}/client/smithy-client/extensions/checksum.js`,
    why: 'only extensions of a client bring checksums, and no client of ours has extensions',
    instead: `
      export { AlgorithmId } from '@smithy/types';
      export const getChecksumConfiguration = () => ({});
      export const resolveChecksumRuntimeConfig = () => ({});`,
  },
  ...['client-dynamodb', 'client-ec2', 'client-eventbridge'].map(withoutExtensions),
];

/**
 * Errors of DynamoDB that have more than a name and a message, or that the SDK repeats by their class. One that is not registered is
 * thrown as the service's base class with the same name, message and status, which is all that is read of it.
 */
export const errorsWithMore: readonly string[] = [
  // The item as it is, for who lost a conditional write.
  'ConditionalCheckFailedException',
  'TransactionCanceledException',
  // Marked as one to be repeated.
  'ReplicatedWriteConflictException',
];
