/**
 * Everything that is published with a version, in one folder: the template and its zips, the command line for npm, the node's side as packages,
 * the bill of materials, and the checksums of all of them.
 *
 * Invariant: the same bytes for the same sources, wherever and whenever it is made, so that anyone can make it again and compare.
 * Limits: the date is the commit's. npm, gzip and esbuild are those of the machine and of package-lock.json.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packagedService } from '../../lab/aws/stack/packaged.ts';
import { VERSION } from '../../shared/version.ts';
import { billOfMaterials } from '../sbom.ts';
import { packCli, stageCli } from './cli-package.ts';
import { makeNodePackages } from './node-packages.ts';
import { PACKAGED_STAGE, releasedTemplate, TEMPLATE_MAX, zipName } from './template.ts';

const root = join(import.meta.dirname, '..', '..');
export const functionNames = ['failover', 'reconcile', 'runbook'] as const;
export const SUMS = 'SHA256SUMS';

export interface Artefact {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Makes the folder again. Returns what is in it but for the checksums, by name. */
export async function makeRelease(folder: string): Promise<readonly Artefact[]> {
  requireOneVersion();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const made = [
    ...(await makeStack(folder)),
    await makeCli(folder),
    ...makeNodePackages(folder, { homepage: manifest().homepage, date: dateOfSources() }),
    makeBill(folder),
  ];
  const artefacts = made.toSorted().map((name) => artefactOf(folder, name));
  writeFileSync(join(folder, SUMS), artefacts.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''));
  return artefacts;
}

interface Manifest {
  readonly version: string;
  readonly homepage: string;
}

const manifest = (): Manifest => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** package.json's is the one; build/release/stamp.ts writes it into the others. */
function requireOneVersion(): void {
  const { version } = manifest();
  const shim = execFileSync(join(root, 'notify', 'vipshift-notify'), ['--version'], {
    encoding: 'utf8',
  }).trim();
  if (VERSION !== version || shim !== version)
    throw new Error(
      `package.json has version ${version}, shared/version.ts ${VERSION}, the shim ${shim}: run node build/release/stamp.ts`,
    );
}

/** The template, and the zip of each function; returns their names. */
export async function makeStack(folder: string): Promise<readonly string[]> {
  const { template, functions } = await packagedService({ stage: PACKAGED_STAGE, params: {} });
  const text = `${JSON.stringify(releasedTemplate(template), undefined, 1)}\n`;
  if (Buffer.byteLength(text) > TEMPLATE_MAX)
    throw new Error(`the template has ${Buffer.byteLength(text)} bytes, expected at most ${TEMPLATE_MAX}`);
  const name = `vipshift-${VERSION}.template.json`;
  writeFileSync(join(folder, name), text);
  for (const one of functionNames) copyFileSync(join(functions, `${one}.zip`), join(folder, zipName(one)));
  return [name, ...functionNames.map(zipName)];
}

async function makeCli(folder: string): Promise<string> {
  const staged = mkdtempSync(join(folder, '.cli-'));
  try {
    await stageCli(staged);
    return packCli(staged, folder);
  } finally {
    rmSync(staged, { recursive: true });
  }
}

function makeBill(folder: string): string {
  const name = `vipshift-${VERSION}.cdx.json`;
  writeFileSync(join(folder, name), billOfMaterials());
  return name;
}

/** Seconds since 1970: SOURCE_DATE_EPOCH, or the commit's. */
function dateOfSources(): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }));
}

function artefactOf(folder: string, name: string): Artefact {
  const bytes = readFileSync(join(folder, name));
  return {
    name: basename(name),
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
