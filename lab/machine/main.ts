// `npm run machine -- test`: prepares this machine for a command; npm test and others ask for it themselves.
//
// Exit status: 0 everything is there, 2 wrong usage, 3 something is missing.
import { commands, type Purpose } from './needs.ts';
import { prepareOrExplain, UNPREPARED } from './prepare.ts';

const [purpose = '', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(commands, purpose) || rest.length > 0) {
  process.stderr.write(`usage: npm run machine -- ${Object.keys(commands).join('|')}\n`);
  process.exit(2);
}
process.exitCode = (await prepareOrExplain(purpose as Purpose)) === undefined ? UNPREPARED : 0;
