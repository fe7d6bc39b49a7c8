import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import { DynamoDBClient, DynamoDBServiceException, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleCli } from '../../build/cli.ts';
import { budgetBytes, bundleFunctions } from '../../build/functions.ts';
import { unreached } from '../../build/sdk-unreached.ts';
import { zip } from '../../build/zip.ts';
import { retrySoon } from '../../shared/aws/retry.ts';

const root = join(import.meta.dirname, '..', '..');
const require = createRequire(import.meta.url);
let folder: string;
beforeEach(() => {
  // Beside node_modules, so that the sources in it find the packages.
  mkdirSync(join(root, '.lab'), { recursive: true });
  folder = mkdtempSync(join(root, '.lab', 'test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function source(path: string, text: string): void {
  const file = join(folder, 'functions', path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
}

type Thrown = new (options: { message: string; $metadata: object }) => DynamoDBServiceException;

const write = { TableName: 't', Key: { vip: { S: 'web' } } };

/** A client whose DynamoDB refuses everything with this error. */
function refusing(name: string, statusCode: number) {
  const refusal = {
    __type: `com.amazonaws.dynamodb.v20120810#${name}`,
    message: 'refused',
    Item: { rev: { N: '7' }, bytes: { B: 'AAEC' } },
    CancellationReasons: [{ Code: 'ConditionalCheckFailed', Item: { bytes: { B: 'AAEC' } } }],
  };
  const handle = async () => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r-1' };
    return { response: { statusCode, headers, body: Readable.from([Buffer.from(JSON.stringify(refusal))]) } };
  };
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
  return { region: 'eu-central-1', credentials, requestHandler: { handle } };
}

/** What the controller and the SDK's retries read of an error: all but its class, its stack and the reply. */
const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing',
    (error: Error & { readonly $retryable?: object }) => {
      const { $response: _reply, ...own } = Object.fromEntries(Object.entries(error));
      return { ...own, name: error.name, message: error.message, $retryable: error.$retryable };
    },
  );

describe('the bundles of the functions', () => {
  it('are within their budget, have no part of the X-Ray SDK and no credential provider but the environment', async () => {
    const bundles = await bundleFunctions(join(root, 'functions'), join(folder, 'out'));
    expect(bundles.map(({ name }) => name)).toEqual(expect.arrayContaining(['failover', 'reconcile']));
    for (const { name, bytes } of bundles) {
      expect(bytes, name).toBeLessThanOrEqual(budgetBytes);
      const code = readFileSync(join(folder, 'out', name, 'index.cjs'), 'utf8');
      for (const foreign of [
        'aws-xray',
        'xray-core',
        'GetRoleCredentials',
        'AssumeRoleWithWebIdentity',
        '169.254.170.2',
        // What build/sdk-unreached.ts leaves out.
        '/latest/meta-data',
        'CrtSignerV4',
        'BackupInUseException',
        'No retry token available',
        'httpAuthSchemes.findIndex',
        '1116352408',
      ]) {
        expect(code.includes(foreign), `${name} has ${foreign}`).toBe(false);
      }
    }
  });

  it('have the files of the SDK in them that are left out by name: none has moved since', () => {
    for (const { file } of unreached) expect(existsSync(join(root, 'node_modules', file)), file).toBe(true);
  });

  it('throw the same errors of DynamoDB as the whole SDK, with all that is read of them', async () => {
    source(
      'write.ts',
      [
        "import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';",
        'export const handler = (config: object) =>',
        "  new DynamoDBClient(config).send(new UpdateItemCommand({ TableName: 't', Key: { vip: { S: 'web' } } }));",
      ].join('\n'),
    );
    await bundleFunctions(join(folder, 'functions'), join(folder, 'out'));
    const { handler } = require(join(folder, 'out', 'write', 'index.cjs')) as {
      handler: (config: object) => Promise<unknown>;
    };
    const refusals = Object.values(dynamodb)
      .filter((value) => typeof value === 'function' && value.prototype instanceof DynamoDBServiceException)
      .map((value) => {
        const { name, $fault } = new (value as Thrown)({ message: '', $metadata: {} });
        return { name, statusCode: $fault === 'server' ? 500 : 400 };
      });
    expect(refusals).toContainEqual({ name: 'ConditionalCheckFailedException', statusCode: 400 });
    expect(refusals.length).toBeGreaterThan(30);
    for (const { name, statusCode } of [...refusals, { name: 'AnErrorOfNextYear', statusCode: 400 }]) {
      const config = () => ({ ...refusing(name, statusCode), retryStrategy: retrySoon(1, Math.random) });
      const whole = new DynamoDBClient(config()).send(new UpdateItemCommand(write));
      expect(await thrownBy(handler(config())), name).toEqual(await thrownBy(whole));
    }
  });

  it('are refused over the budget, naming what is in them', async () => {
    source(
      'big.ts',
      "import { EC2Client } from '@aws-sdk/client-ec2';\nexport const handler = () => new EC2Client({});\n",
    );
    const made = bundleFunctions(join(folder, 'functions'), join(folder, 'out'), 10_240);
    await expect(made).rejects.toThrow(
      /function big is \d+ KB minified, expected at most 10 KB\. Its largest parts:\n +\d+ KB {2}\S/,
    );
  });

  it('are one per file directly under the folder: what is in sub-folders is shared', async () => {
    source('one.ts', "import { two } from './shared/two.ts';\nexport const handler = () => two;\n");
    source('shared/two.ts', 'export const two = 2;\n');
    const bundles = await bundleFunctions(join(folder, 'functions'), join(folder, 'out'));
    expect(bundles.map(({ name }) => name)).toEqual(['one']);
  });

  it('are loaded out of their zip as Lambda loads them: index.js, where no package.json says that it is a module', async () => {
    source(
      'one.ts',
      "import { createHash } from 'node:crypto';\nexport const handler = () => createHash('md5').update('').digest('hex');\n",
    );
    const [bundle] = await bundleFunctions(join(folder, 'functions'), join(folder, 'out'));
    const task = mkdtempSync(join(tmpdir(), 'vipshift-bundle-'));
    try {
      execFileSync('python3', ['-m', 'zipfile', '-e', bundle!.zipFile, task]);
      expect(readdirSync(task)).toEqual(['index.js']);
      const { handler } = require(join(task, 'index')) as { handler: () => string };
      expect(handler()).toBe('d41d8cd98f00b204e9800998ecf8427e');
    } finally {
      rmSync(task, { recursive: true, force: true });
    }
  });

  it('are the same bytes for the same sources: deploying unchanged code changes nothing', async () => {
    source('same.ts', 'export const handler = () => 1;\n');
    const build = async (out: string) => {
      const [bundle] = await bundleFunctions(join(folder, 'functions'), join(folder, out));
      return readFileSync(bundle!.zipFile);
    };
    expect((await build('a')).equals(await build('b'))).toBe(true);
  });
});

describe('zip', () => {
  it('is read back by another implementation, files readable by all', () => {
    const file = join(folder, 'a.zip');
    const data = Buffer.from('hello '.repeat(1000));
    writeFileSync(
      file,
      zip([
        { name: 'index.mjs', data },
        { name: 'ü.txt', data: Buffer.alloc(0) },
      ]),
    );
    const script = [
      'import json, sys, zipfile',
      'z = zipfile.ZipFile(sys.argv[1])',
      'assert z.testzip() is None',
      'print(json.dumps([[i.filename, i.file_size, oct(i.external_attr >> 16), i.date_time[0]] for i in z.infolist()]))',
    ];
    const read = execFileSync('python3', ['-c', script.join('\n'), file], { encoding: 'utf8' });
    expect(JSON.parse(read)).toEqual([
      ['index.mjs', data.length, '0o100644', 1980],
      ['ü.txt', 0, '0o100644', 1980],
    ]);
  });
});

describe('the command line', () => {
  it('is one executable JavaScript file with its hash-bang first', async () => {
    source('cli.ts', "#!/usr/bin/env node\nconst word: string = 'built';\nconsole.log(word);\n");
    const outfile = join(folder, 'out', 'cli.js');
    await bundleCli(join(folder, 'functions', 'cli.ts'), outfile);
    expect(readFileSync(outfile, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
    expect(statSync(outfile).mode & 0o111).toBe(0o111);
    expect(execFileSync(process.execPath, [outfile], { encoding: 'utf8' })).toBe('built\n');
  });
});
