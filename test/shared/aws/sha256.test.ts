// SHA-256 for the SDK's signatures: what it says is what RFC 4231 and FIPS 180 say, and a request is signed as by the SDK's own class.
import { EC2Client, ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { expect, it } from 'vitest';
import { Sha256 } from '../../../shared/aws/sha256.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
async function hex(
  data: readonly (string | Uint8Array | ArrayBuffer)[],
  secret?: string | Uint8Array | ArrayBuffer,
) {
  const hash = secret === undefined ? new Sha256() : new Sha256(secret);
  for (const part of data) hash.update(part);
  return Buffer.from(await hash.digest()).toString('hex');
}

it('is the digest of FIPS 180-4, of a text as of its bytes, in one part or in several', async () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(await hex(['abc'])).toBe(abc);
  expect(await hex([bytes('abc')])).toBe(abc);
  expect(await hex(['a', bytes('b').buffer, 'c'])).toBe(abc);
});

it('is the HMAC of RFC 4231, test case 2, and the same for the same key again', async () => {
  const key = bytes('Jefe');
  const data = 'what do ya want for nothing?';
  const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
  for (const secret of ['Jefe', key, key, key.buffer]) expect(await hex([data], secret)).toBe(expected);
});

it('knows a key by the array itself: other bytes in another array are another key', async () => {
  expect(await hex(['x'], bytes('a'))).not.toBe(await hex(['x'], bytes('b')));
});

it('signs a request as the SDK’s own class does, with each of two credentials', async () => {
  const authorization = async (secretAccessKey: string, config: object) => {
    const sent: { readonly headers: Record<string, string> }[] = [];
    const handle = async (request: { readonly headers: Record<string, string> }) => {
      sent.push(request);
      throw new Error('not sent');
    };
    const client = new EC2Client({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey, sessionToken: 'token' },
      maxAttempts: 1,
      requestHandler: { handle } as never,
      ...config,
    });
    const command = new ReplaceRouteCommand({ RouteTableId: 'rtb-1' });
    const signer = await client.config.signer({
      name: 'sigv4',
      signingRegion: 'eu-central-1',
      signingName: 'ec2',
      properties: {},
    });
    await client.send(command).catch(() => undefined);
    const { authorization: _old, 'amz-sdk-invocation-id': _id, ...headers } = sent[0]!.headers;
    const again = await signer.sign({ ...(sent[0] as object), headers } as never, {
      signingDate: new Date(0),
    });
    return (again as { readonly headers: Record<string, string> }).headers.authorization;
  };
  for (const secret of ['one', 'two', 'one'])
    expect(await authorization(secret, { sha256: Sha256 })).toBe(await authorization(secret, {}));
});
