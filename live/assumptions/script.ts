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

/** The node's own way of signing: credentials of the metadata service, curl. Each answer's first word goes to the console. */
export function keysScript({
  buses,
  endpoint,
  stsEndpoint,
  region,
}: {
  readonly buses: readonly string[];
  /** EventBridge's. */
  readonly endpoint: string;
  readonly stsEndpoint: string;
  readonly region: string;
}): string {
  const metadata = 'http://169.254.169.254/latest';
  return [
    '#!/bin/bash',
    'shutdown -h +60',
    `token=$(curl -s -X PUT ${metadata}/api/token -H 'x-aws-ec2-metadata-token-ttl-seconds: 600')`,
    `get() { curl -s -H "x-aws-ec2-metadata-token: $token" "${metadata}/$1"; }`,
    'role=$(get meta-data/iam/security-credentials/)',
    'json=$(get "meta-data/iam/security-credentials/$role")',
    'field() { sed -n \'s/.*"\'"$1"\'" *: *"\\([^"]*\\)".*/\\1/p\' <<<"$json"; }',
    'key=$(field AccessKeyId) secret=$(field SecretAccessKey) session=$(field Token)',
    'signed() { # target host-prefix body',
    `  curl -s --max-time 10 --aws-sigv4 "aws:amz:${region}:$1" --user "$key:$secret" -H "x-amz-security-token: $session" "\${@:2}"`,
    '}',
    // aws:userid is what STS says; a claim's source has it.
    `user=$(signed sts "${stsEndpoint}/?Action=GetCallerIdentity&Version=2011-06-15" | sed -n 's/.*<UserId>\\(.*\\)<\\/UserId>.*/\\1/p')`,
    'send() {',
    '  local body reply',
    `  body='{"Entries":[{"EventBusName":"'"$1"'","Source":"vipshift.notify/'"$user"'","DetailType":"VRRP State Change","Detail":"{}"}]}'`,
    `  reply=$(signed events "${endpoint}/" -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSEvents.PutEvents' -d "$body")`,
    `  if [[ $reply == *'"FailedEntryCount":0'* ]]; then echo accepted; else echo refused; fi`,
    '}',
    // The bus's policy and the role's are known everywhere some seconds after they were made.
    'sleep 20',
    `echo "VIPSHIFT keys ${buses.map((bus) => `$(send ${bus})`).join(' ')}" >/dev/console`,
    '',
  ].join('\n');
}

/** From the console: for each of the two buses `accepted` or `refused`; undefined when the instance has not said it. */
export function readKeys(text: string): readonly string[] | undefined {
  const [, arn, vpc] = /VIPSHIFT keys (accepted|refused) (accepted|refused)\b/.exec(text) ?? [];
  return arn === undefined || vpc === undefined ? undefined : [arn, vpc];
}
