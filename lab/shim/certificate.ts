// The certificate of the lab's servers on loopback, made by openssl for the run.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Certificate {
  readonly key: string;
  readonly cert: string;
}
let ours: Certificate | undefined;

/** One for all servers of this process, in a file of this folder. */
export function makeCertificate(folder: string): Certificate & { readonly certFile: string } {
  ours ??= newCertificate(folder);
  const certFile = join(folder, 'cert.pem');
  writeFileSync(certFile, ours.cert);
  return { ...ours, certFile };
}

function newCertificate(folder: string): Certificate {
  const keyFile = join(folder, 'new-key.pem');
  const certFile = join(folder, 'new-cert.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, '-keyout', keyFile, '-out', certFile, ...subject], {
    stdio: 'pipe',
  });
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
}
