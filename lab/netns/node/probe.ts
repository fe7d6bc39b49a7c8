/**
 * Probe: the client's program. Asks an address every few milliseconds, each time over a new connection, and prints
 * one line per answer or failure: `<asked> <ended> <what>` in milliseconds of the machine's monotonic clock, where `what` is
 * the answering node's name, or `refused`, `reset` (a node had taken it: Linux says refused until then), `lost` (no node took it
 * within the patience) or `skipped` (too many open). A node that took it and then fell silent counts as `reset`: its route had moved.
 *
 * Run inside the client's namespace: node probe.ts ADDRESS PORT EVERY_MS TIMEOUT_MS
 * The patience is below TCP's first retransmission (1 s), so that a lost packet is a lost connection here.
 */
import { connect } from 'node:net';

const OPEN_LIMIT = 512;

const [address = '', port = '80', everyMs = '5', patienceMs = '900'] = process.argv.slice(2);
let open = 0;

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

function failure(code: string | undefined): string {
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return (code ?? 'reset').toLowerCase();
}

function ask(): void {
  const askedMs = nowMs();
  const say = (what: string) => process.stdout.write(`${askedMs.toFixed(3)} ${nowMs().toFixed(3)} ${what}\n`);
  if (open >= OPEN_LIMIT) {
    say('skipped');
    return;
  }
  open += 1;
  let answer = '';
  let ended = false;
  const socket = connect({ host: address, port: Number(port), noDelay: true });
  const end = (what: string) => {
    if (ended) return;
    ended = true;
    open -= 1;
    clearTimeout(timer);
    socket.destroy();
    say(what);
  };
  let isTaken = false;
  // What has arrived meanwhile is read first: on a busy machine this process may not have run for as long.
  const timer = setTimeout(() => setImmediate(() => end(isTaken ? 'reset' : 'lost')), Number(patienceMs));
  socket.on('connect', () => {
    isTaken = true;
    socket.write('GET / HTTP/1.0\r\n\r\n');
  });
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.on('end', () => end(/\r\n\r\n(\w+)\s*$/.exec(answer)?.[1] ?? 'reset'));
  socket.on('error', (error: NodeJS.ErrnoException) => end(failure(error.code)));
}

// Paced by the clock and not by the timer's own drift: the n-th question is due at start + n × every.
const startMs = nowMs();
let asked = 0;
setInterval(() => {
  const due = Math.floor((nowMs() - startMs) / Number(everyMs));
  for (let burst = 0; asked < due && burst < 4; burst += 1) {
    asked += 1;
    ask();
  }
  asked = Math.max(asked, due);
}, Number(everyMs));
process.stdin.resume().on('end', () => process.exit(0));
