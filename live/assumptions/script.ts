// What the instances of the assumptions do: two answer on the VIP with their names, one asks every 5 ms and says on its console when the
// answers change. Python, since every Amazon Linux has it.
//
// Invariant: each machine ends itself after an hour, even when the program that started it is gone.
export const PORT = 9999;
export type Part = 'a' | 'b' | 'client' | 'idle';

/** Arguments: name, address, port. */
export const answering = `
import socket, sys
name, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((address, port))
while True:
    data, peer = s.recvfrom(64)
    s.sendto(name.encode(), peer)
`;

/** Arguments: address, port, console. */
export const asking = `
import socket, sys, time
address, port, console = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def say(text):
    with open(console, "a") as out:
        out.write("VIPSHIFT " + text + "\\n")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
first, last_ms, end = None, 0, time.time() + 3500
while time.time() < end:
    try:
        s.sendto(b"?", (address, port))
    except OSError:
        pass
    time.sleep(0.005)
    while True:
        try:
            name = s.recv(64).decode()
        except OSError:
            break
        now_ms = time.time() * 1000
        if first is None:
            first = name
            say("ready " + name)
        if name != first:
            say("switched %d %d" % (last_ms, now_ms))
            sys.exit(0)
        last_ms = now_ms
`;

/** User data: the VIP on \`lo\` where it is answered, then the program in the background of the boot. */
export function script(part: Part, cidr: string): string {
  const address = cidr.split('/')[0]!;
  const program = part === 'client' ? asking : answering;
  const args = part === 'client' ? `${address} ${PORT} /dev/console` : `${part} ${address} ${PORT}`;
  const work =
    part === 'idle'
      ? []
      : [
          ...(part === 'client' ? [] : [`ip address replace ${cidr} dev lo`]),
          `cat >/run/vipshift-assumption.py <<'END'${program}END`,
          `python3 /run/vipshift-assumption.py ${args} &`,
        ];
  return ['#!/bin/bash', 'shutdown -h +60', ...work, ''].join('\n');
}

export interface Switch {
  readonly gapMs: number;
  readonly firstNewMs: number;
}

/** From the client's console; undefined when it has not said it. */
export function readSwitch(text: string): Switch | undefined {
  const [, last, first] = /VIPSHIFT switched (\d+) (\d+)/.exec(text) ?? [];
  if (last === undefined || first === undefined) return undefined;
  return { gapMs: Number(first) - Number(last), firstNewMs: Number(first) };
}
