import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canMakePython, ensurePython, findPython, withLock } from '../../lab/aws/python.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A stand-in interpreter that answers the probe as a Python of that kind would. */
function interpreter(name: string, script: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
  return bin;
}

/** Makes a folder where `-m venv` is asked to, counts how often, and takes a moment over it. */
const working = (log: string, steps = '') =>
  [
    'case "$2" in',
    `  venv) ${steps} echo made >> ${log}; mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;`,
    `  pip) echo "$*" >> ${log}.pip;;`,
    '  *) echo 3.12; echo ok;;',
    'esac',
  ].join('\n');

describe('findPython', () => {
  it('says that there is none, and what to install', async () => {
    await expect(findPython(folder)).rejects.toThrow(
      /needs python3 >= 3\.10 with venv and ensurepip, found: there is no python3 on the PATH\. Install it \(Debian, Ubuntu: apt-get install python3 python3-venv\)/,
    );
  });

  it('says which one is too old, and which lacks what', async () => {
    const old = interpreter('python3', 'echo 3.9; echo ok');
    interpreter(
      'python3.12',
      'echo 3.12; echo "ModuleNotFoundError: No module named \'ensurepip\'" >&2; exit 1',
    );
    interpreter('python3.11', 'echo broken >&2; exit 3');
    const refused = await findPython(old).catch((error: unknown) => String(error));
    expect(refused).toContain(`${join(old, 'python3')}: is 3.9, expected 3.10 or newer`);
    expect(refused).toContain(
      'python3.12: is 3.12 but has no module ensurepip (Debian, Ubuntu: python3-venv)',
    );
    expect(refused).toContain('python3.11: does not run (broken)');
  });

  it('takes another one on the PATH where the first lacks ensurepip, as on Debian', async () => {
    const bin = interpreter('python3', 'echo 3.11; exit 1');
    interpreter('python3.13', 'echo 3.13; echo ok');
    expect(await findPython(bin)).toBe(join(bin, 'python3.13'));
  });
});

describe('findPython on a Debian whose /bin is /usr/bin', () => {
  it('asks an interpreter once, by whatever names and folders it is found', async () => {
    const bin = interpreter('python3.11', 'echo 3.11; exit 1');
    symlinkSync('python3.11', join(bin, 'python3'));
    symlinkSync(bin, join(folder, 'also'));
    const refused = await findPython(`${bin}:${join(folder, 'also')}`).catch((error: unknown) =>
      String(error),
    );
    expect(refused).toContain(
      `found: ${join(bin, 'python3')}: is 3.11 but has no module venv or ensurepip (Debian, Ubuntu: python3-venv). Install`,
    );
  });
});

describe('canMakePython', () => {
  it('needs no interpreter where the environment is there', async () => {
    const requirements = join(folder, 'requirements.txt');
    writeFileSync(requirements, '# none\n');
    const asked = { path: '', folder: join(folder, 'venv'), requirements };
    expect(await canMakePython(asked)).toBe(false);
    await ensurePython({
      ...asked,
      path: `${interpreter('python3', working(join(folder, 'log')))}:${process.env.PATH}`,
    });
    expect(await canMakePython(asked)).toBe(true);
  });
});

describe('ensurePython', () => {
  const options = (bin: string) => {
    const requirements = join(folder, 'requirements.txt');
    writeFileSync(requirements, '# none\n');
    return { path: `${bin}:${process.env.PATH}`, folder: join(folder, 'venv'), requirements };
  };
  const log = () => join(folder, 'log');
  const made = () => readdirSync(join(folder, 'venv'));

  it('makes one environment for two that ask at once, and none for those who ask later', async () => {
    const asked = options(interpreter('python3', working(log(), 'sleep 0.3;')));
    const [first, second] = await Promise.all([ensurePython(asked), ensurePython(asked)]);
    expect(first).toBe(second);
    expect(await ensurePython({ ...asked, path: '' })).toBe(first);
    expect(readFileSync(log(), 'utf8')).toBe('made\n');
    expect(made(), 'no lock and no draft is left').toHaveLength(1);
  });

  it('installs nothing whose hash is not in the file', async () => {
    await ensurePython(options(interpreter('python3', working(log()))));
    expect(readFileSync(`${log()}.pip`, 'utf8')).toMatch(/ --no-deps .* --require-hashes /);
  });

  it('makes another when the requirements change', async () => {
    const asked = options(interpreter('python3', working(log())));
    const first = await ensurePython(asked);
    writeFileSync(asked.requirements, '# others\n');
    expect(await ensurePython(asked)).not.toBe(first);
  });

  it('leaves nothing that looks complete when it fails, and says why', async () => {
    const asked = options(interpreter('python3', working(log(), 'echo no space left >&2; exit 1;')));
    await expect(ensurePython(asked)).rejects.toThrow(
      /could not make the Python environment .*no space left/s,
    );
    expect(made()).toEqual([]);
  });

  it('takes over the lock of a process that died', async () => {
    const asked = options(interpreter('python3', working(log())));
    const home = (await ensurePython(asked)).replace('/bin/python', '');
    rmSync(home, { recursive: true });
    const beyondAnyPid = 4_999_999;
    writeFileSync(`${home}.lock`, String(beyondAnyPid));
    utimesSync(`${home}.lock`, 0, 0);
    await ensurePython(asked);
    expect(made()).toHaveLength(1);
  });
});

describe.each(['lab/aws', 'bench', 'test/deploy/support'])('the packages of %s', (place) => {
  const lines = (name: string) =>
    readFileSync(join(import.meta.dirname, '..', '..', place, name), 'utf8')
      .replaceAll('\\\n', '')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));

  it('have a hash each, and the versions that were asked for', () => {
    const pinned = lines('requirements.txt').map((line) => line.split(/ +--hash=sha256:/));
    expect(pinned.filter(([, ...hashes]) => hashes.length === 0)).toEqual([]);
    // The names as the index writes them; the markers are those of the tool.
    const plain = (pin: string) => pin.toLowerCase().replace(/;.*/, '').trim().replaceAll('_', '-');
    expect(pinned.map(([pin]) => plain(pin!)).sort()).toEqual(lines('requirements.in').map(plain).sort());
  });
});

describe('a lock', () => {
  it('needs no folder to be there: a fresh clone has none', async () => {
    const made = join(folder, '.lab', 'build', 'made');
    await withLock(`${made}.lock`, made, async () => writeFileSync(made, 'done'));
    expect(readFileSync(made, 'utf8')).toBe('done');
  });

  it('that cannot be made is an error at once, and no wait', async () => {
    writeFileSync(join(folder, 'file'), '');
    const lock = join(folder, 'file', 'lock');
    await expect(withLock(lock, join(folder, 'made'), async () => undefined)).rejects.toThrow(
      /ENOTDIR|EEXIST/,
    );
  });

  it('lets one of many do the work, and the others have what it made', async () => {
    const made = join(folder, 'made');
    let works = 0;
    const one = () =>
      withLock(`${made}.lock`, made, async () => {
        works += 1;
        writeFileSync(made, 'done');
      });
    await Promise.all([one(), one(), one()]);
    expect(works).toBe(1);
  });
});
