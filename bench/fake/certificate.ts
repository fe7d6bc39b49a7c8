// A certificate for the benchmark's server, made by openssl for the run, and this process's trust in it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** For 127.0.0.1; trusted by every TLS client of this process from now on. */
export function trustedCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-bench-'));
  try {
    const [keyFile, certFile] = [join(folder, 'key'), join(folder, 'cert')];
    const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'];
    const subject = ['-subj', '/CN=vipshift bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', ...kind, '-keyout', keyFile, '-out', certFile, ...subject], {
      stdio: 'pipe',
    });
    const made = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
    setDefaultCACertificates([...getCACertificates('default'), made.cert]);
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
