// `node build/release/notes.ts 1.0.0`: what a release says of itself, from the changelog's section of that version. The release workflow reads it.
//
// Exit status: 0, or 1 where there is no such section, or it is still called unreleased.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** The section's heading is `## 1.0.0, 2026-12-31`. Undefined where there is none with a date. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const [, ...sections] = changelog.split(/^## /m);
  for (const section of sections) {
    const [heading = '', ...lines] = section.split('\n');
    const [name, date = ''] = heading.split(', ');
    if (name === version && /^\d{4}-\d\d-\d\d$/.test(date)) return lines.join('\n').trim();
  }
  return undefined;
}

/** Of that version: those of main may be about the next one. */
const pages = (version: string): string => `https://github.com/vipshift/vipshift/blob/v${version}/docs`;

const verify = (version: string): string => `

---

\`sha256sum --check SHA256SUMS\` compares what you downloaded. Where it was built:

\`\`\`
gh attestation verify vipshift-${version}.template.json --repo vipshift/vipshift
\`\`\`

[How to install](${pages(version)}/reference/ways-to-install.md), [how to upgrade](${pages(version)}/upgrade.md).`;

if (import.meta.main) {
  const [version = ''] = process.argv.slice(2);
  const section = sectionOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version);
  if (section === undefined) {
    console.error(`CHANGELOG.md has no section "## ${version}, YYYY-MM-DD": give it the date of the release`);
    process.exitCode = 1;
  } else console.log(section + verify(version));
}
