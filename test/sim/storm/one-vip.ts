// One VIP of nine cells whose standby says MASTER and BACKUP 200 times, each as soon as the last was answered: over the ports in
// memory, so that nothing but the protocol decides what it costs.
import { seconds } from '../../../shared/time.ts';
import { item, owned, says } from '../../support/world.ts';
import type { StormFigures } from './figures.ts';

const CLAIMS = 200;

export async function oneVip(): Promise<Pick<StormFigures, 'notices' | 'epochs' | 'mutations'>> {
  const w = await owned();
  let mutations = 0;
  const apply = w.ec2.apply.bind(w.ec2);
  w.ec2.apply = (step, mayStart) => {
    mutations += 1;
    return apply(step, mayStart);
  };
  const [epochs, published] = [item(w).epoch, w.published.length];
  for (let n = 0; n < CLAIMS; n++) {
    await says(w, 'i-b', { state: n % 2 === 0 ? 'MASTER' : 'BACKUP' });
    await w.clock.advance(seconds(1));
    // The steady master reports every now and then.
    if (n % 8 === 7) await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
  }
  const told = w.published.slice(published).filter(({ flapping }) => flapping === undefined);
  return { notices: told.length + w.storms.length, epochs: item(w).epoch - epochs, mutations };
}
