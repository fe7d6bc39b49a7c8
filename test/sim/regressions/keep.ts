// Finds, shrinks and keeps the history that shows one bug: run by hand when a control is added to controls/found.ts.
//
//   node test/sim/regressions/keep.ts [--only TEXT] [--seed S] [--most N]
import { parseArgs } from 'node:util';
import { caught, every } from '../controls/every-control.ts';
import { variant } from '../controls/variant.ts';
import { historyFrom } from '../history/generator.ts';
import { shrink } from '../history/shrink.ts';
import { violationsIn as asItIs } from '../run.ts';
import { keep } from './kept.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    most: { type: 'string', default: '10000' },
  },
});

Error.stackTraceLimit = 0;
for (const control of every.filter((c) => c.name.includes(values.only))) {
  const first = await caught(control, Number(values.seed), Number(values.most));
  if (first === undefined) {
    console.log(`${control.name}: not caught in ${values.most} histories`);
    continue;
  }
  const { violationsIn } = await variant(control.patches);
  const reasons = async (history: Parameters<typeof violationsIn>[0]) => {
    // In a smaller one the code as it is may have something wrong, too: that would show another bug.
    if ((await asItIs(history)).length > 0) return [];
    const all = (await violationsIn(history)).map((v) => v.guarantee);
    return all.filter((guarantee) => control.breaks.includes(guarantee));
  };
  const history = await shrink(historyFrom(first.seed), reasons);
  keep({ control: control.name, history });
  console.log(`${control.name}: seed ${first.seed}, ${first.guarantee}: ${first.what.slice(0, 160)}`);
}
