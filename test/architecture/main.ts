// `npm run architecture`: the four figures of the house, and what is behind each that is not 0.
import { figures } from './figures.ts';

let broken = 0;
for (const { rule, complaints } of figures()) {
  console.log(`${String(complaints.length).padStart(4)}  ${rule}`);
  for (const complaint of complaints) console.log(`      ${complaint}`);
  broken += complaints.length;
}
process.exitCode = broken === 0 ? 0 : 1;
