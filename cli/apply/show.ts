// How `apply` tells what it would change, and what became of it: for people, and as documents of docs/schemas/apply.schema.json.
import { defined } from '../../shared/optional.ts';
import { differences } from '../../shared/registry/registry.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { Output } from '../command/output.ts';
import type { Change } from './changes.ts';

export function show(out: Output, changes: readonly Change[], pruned: readonly Vip[]): void {
  if (out.json) {
    out.documents(
      changes.map(({ name, was, prepared }) => ({
        vip: name,
        change: was === undefined ? 'add' : 'set',
        differences: differences(was, prepared.entry),
        ...defined({ nextOfPool: prepared.next }),
      })),
    );
    out.documents(pruned.map((vip) => ({ vip: vip.name, change: 'remove' })));
    return;
  }
  for (const { name, was, prepared } of changes) {
    const sign = was === undefined ? '+' : '~';
    out.line(out.paint(was === undefined ? 'good' : 'warn', `${sign} ${name}`));
    for (const d of differences(was, prepared.entry)) {
      const from = was === undefined ? '' : `${d.from || 'none'} → `;
      out.line(`    ${d.field}: ${from}${d.to || 'none'}`);
    }
    if (prepared.next !== undefined)
      out.line(`    addresses: and the next free one of the pool, currently ${prepared.next}`);
  }
  for (const vip of pruned) out.line(out.paint('bad', `- ${vip.name}`));
}

/** The last document. */
export interface Summary {
  readonly dryRun?: true;
  readonly changes: number;
  readonly done: number;
  readonly failed: readonly { readonly vip: string; readonly why: string }[];
  /** Not tried, because AWS did not answer for others. */
  readonly left: readonly string[];
}

export function summarize(out: Output, summary: Summary): void {
  if (out.json) out.document({ summary: true, ...summary });
}
