// What keepalived-config says of the file that demotes a node.
import { expect, test } from 'vitest';
import { run } from '../front-door/command-line.ts';

const config = (...more: readonly string[]) =>
  run([
    ...['keepalived-config', '--node', 'a=10.0.1.10', '--node', 'b=10.0.2.10', '--address', '192.168.255.10'],
    ...more,
  ]);

test('with hold master it names the file by which the stack’s failovers demote, unless that is the one', async () => {
  const says = /by \/run\/vipshift\/hand-over\/<name of the VIP>/;
  const plain = (text: string) => text.replace(/\n# {3}/g, ' ');
  expect(plain((await config('--hold', 'master')).stdout)).toMatch(says);
  expect(plain((await config('--hold', 'both')).stdout)).not.toMatch(says);
  const same = await config('--hold', 'master', '--demote-file', '/run/vipshift/hand-over/web');
  expect(plain(same.stdout)).not.toMatch(says);
});
