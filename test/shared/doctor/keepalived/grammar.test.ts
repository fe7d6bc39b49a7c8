import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { treeOf } from '../../../../shared/doctor/keepalived/grammar/blocks.ts';
import { withoutComment } from '../../../../shared/doctor/keepalived/grammar/comments.ts';
import { filesMatching } from '../../../../shared/doctor/keepalived/grammar/folder.ts';
import { readingOf } from '../../../../shared/doctor/keepalived/grammar/reader.ts';
import { wordsOf } from '../../../../shared/doctor/keepalived/grammar/words.ts';
import { judged } from './judge.ts';
import { memoryFolder } from './memory-folder.ts';

const linesOf = (text: string, others: Readonly<Record<string, string>> = {}, host?: string) =>
  readingOf({ files: memoryFolder({ 'k.conf': text, ...others }), path: 'k.conf', host }).lines.map(
    (line) => line.text,
  );

describe('a comment', () => {
  test.each([
    ['priority 99 # 1', 'priority 99'],
    ['priority 99! 1', 'priority 99'],
    ['  # all of it', ''],
    ['auth_pass "a#b!c" # "', 'auth_pass "a#b!c"'],
    ["auth_pass 'a#b'", "auth_pass 'a"],
    ['auth_pass a\\#b', 'auth_pass a#b'],
    ['auth_pass a\\\\#b', 'auth_pass a\\\\'],
    ['one \\ # two', 'one \\'],
    ['one \\', 'one\\'],
    ['# one \\', '\\'],
  ])('of %j leaves %j', (raw, text) => expect(withoutComment(raw).text).toBe(text));

  test('leaves a quote open: keepalived complains', () => {
    expect(withoutComment('notify "x').isOpen).toBe(true);
    expect(withoutComment('notify "x" # "').isOpen).toBe(false);
  });
});

describe('words', () => {
  test.each([
    ['notify "/x  y"\troot', ['notify', '/x  y', 'root']],
    ['a"b c"d', ['a', 'b c', 'd']],
    ["priority '90'", ['priority', "'90'"]],
    ['x ""', ['x', '']],
  ])('of %j', (text, words) => expect(wordsOf(text)).toEqual({ words, isOpen: false }));
});

describe('lines', () => {
  const rows: readonly [what: string, text: string, lines: readonly string[]][] = [
    ['braces stand alone', 'a { b 1 }\nc{d}', ['a', '{', 'b 1', '}', 'c', '{', 'd', '}']],
    ['braces in quotes do not', 'vrrp_instance "VI {" {\n}', ['vrrp_instance "VI {"', '{', '}']],
    ['carriage returns and blank lines are nothing', 'a 1\r\n\r\n \t\nb 2', ['a 1', 'b 2']],
    [
      'a definition',
      '$P=5 # x\na $P\nb ${P}6\nc "$P"\nd "${P}"\ne $P.',
      ['a 5', 'b 56', 'c "$P"', 'd "5"', 'e $P.'],
    ],
    ['a definition in front of ) and ,', '$P=5\na ($P, $P)', ['a (5, 5)']],
    ['a blank before = is none', '$P = 5\na $P', ['$P = 5', 'a $P']],
    [
      'a definition of a definition, as it is when it is used',
      '$A=1${B}\n$B=2\na $A\n$B=3\na $A',
      ['a 12', 'a 13'],
    ],
    ['one that names itself is given up', '$A=$A\na $A', ['a $A']],
    ['a word from a definition', '$K=priority\n$K 3', ['priority 3']],
    [
      'a definition of several lines, at the end of a line only',
      '$B=one {\\\n two 1 \\  # x\n# y \\\n}\n$B\n$B z\nx ${B}',
      ['one', '{', 'two 1', '}', '$B z', 'x one', '{', 'two 1', '}'],
    ],
    ['the end of the file ends it', '$B=one \\\ntwo \\', []],
    ['an empty line ends it', '$B=\\\none\\\n\ntwo\n$B', ['two', 'one']],
    [
      'definitions of lines in each other',
      '$A=\\\na $N\\\na2\n$B=\\\nb\\\n$A\\\nb2\n$N=1\n$B',
      ['b', 'a 1', 'a2', 'b2'],
    ],
    [
      'a sequence',
      '~SEQ(N, 1, 3) a ${N}\n~SEQ(N,2) b $N\n~SEQ(N,4,-2,1) c $N',
      ['a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'c 4', 'c 2'],
    ],
    [
      'a sequence in hexadecimal and from octal',
      '~SEQx(N,0x9,0xb) a $N\n~SEQ(N,010,011) b $N',
      ['a 9', 'a a', 'a b', 'b 8', 'b 9'],
    ],
    ['sequences in each other', '~SEQ(A,1,2) ~LST(B,x,y) ${A}${B}', ['1x', '1y', '2x', '2y']],
    ['a sequence of lines', '$L=a $N\\\nb $N\n~SEQ(N,1,2) $L', ['a 1', 'b 1', 'a 2', 'b 2']],
    ['a list of tuples', '~LST({A, B}, {1,2}, { 3 , 4 },{5}) ${A}-${B}', ['1-2', '3-4', '5-']],
    ['a sequence that is none stays', '~SEQ(N) a $N\n~SEQ(N,1,-1,3) b', ['~SEQ(N) a $N', '~SEQ(N,1,-1,3) b']],
  ];
  test.each(rows)('%s', (_what, text, lines) => expect(linesOf(text)).toEqual(lines));

  test('of this host and of others: keepalived’s configuration id, or the first part of the host’s name', () => {
    const text =
      '@a one\n@b two\n@^a three\n@^b\tfour\n@a\nx { @b five\n@a }\n@a @b six\n@a $V=1\n@b $V=2\ny $V';
    expect(linesOf(text, {}, 'a')).toEqual(['one', 'four', 'x', '{', '}', '@b six', 'y 1']);
    expect(linesOf(text, {}, 'b')).toEqual(['two', 'three', 'x', '{', 'five', 'y 2']);
    expect(linesOf(text)).toEqual(['three', 'four', 'x', '{', 'y $V']);
    expect(linesOf('$I=@a\n$I one\na ${_INSTANCE}', {}, 'a')).toEqual(['one', 'a a']);
  });

  test('a condition at the start of a definition of several lines stays: keepalived does not take it off', () => {
    expect(linesOf('$L=@a one \\\n@a two \\\n@b three\n$L', {}, 'a')).toEqual(['@a one', 'two']);
  });

  test('of included files, relative to the file that includes them', () => {
    const others = {
      'd/a.inc': 'a 1\ninclude ../e/*.inc\na 2 $V',
      'd/.hidden.inc': 'hidden',
      'e/y.inc': 'y',
      'e/x.inc': '$V=3\nx',
      'e/sub/z.inc': 'z',
    };
    expect(linesOf('include d/*.inc # all\nend', others)).toEqual(['a 1', 'x', 'y', 'a 2 3', 'end']);
    expect(linesOf('includea e/{x,y,sub/z}.inc', others)).toEqual(['x', 'y', 'z']);
    expect(linesOf('$F=e/y.inc\ninclude $F\nq { include e/y.inc', others)).toEqual(['y', 'q', '{', 'y']);
  });

  test('an include of what is not here stays, and so does one without end', () => {
    expect(linesOf('include nowhere/*.conf\ninclude "x"')).toEqual(['include nowhere/*.conf', 'include "x"']);
    expect(linesOf('a\ninclude k.conf').at(-1)).toBe('include k.conf');
  });

  test('inside of a definition an include is followed where it stands, as keepalived does', () => {
    expect(linesOf('$L= \\\ninclude x.inc \\\nrest\n$L', { 'x.inc': 'x 1' })).toEqual(['rest', 'x 1']);
  });

  test('say where they stand', () => {
    const { lines } = readingOf({
      files: memoryFolder({ 'k.conf': '\na 1\ninclude d/x.inc\n$V=2\nb $V', 'd/x.inc': '# x\nx' }),
      path: 'k.conf',
      host: undefined,
    });
    expect(lines).toEqual([
      { text: 'a 1', at: { file: 'k.conf', line: 2 } },
      { text: 'x', at: { file: 'd/x.inc', line: 2 } },
      { text: 'b 2', at: { file: 'k.conf', line: 5 }, isMade: true },
    ]);
  });
});

describe('files that a pattern means', () => {
  const files = memoryFolder({
    'a.conf': '',
    'b.conf': '',
    '.c.conf': '',
    'd/a.conf': '',
    'd/e/a.conf': '',
    'x[1]': '',
  });
  test.each([
    ['*.conf', ['a.conf', 'b.conf']],
    ['.*.conf', ['.c.conf']],
    ['[!a].conf', ['b.conf']],
    ['?.conf', ['a.conf', 'b.conf']],
    ['*/*.conf', ['d/a.conf']],
    ['{b,a,d/{a,e/a},z}.conf', ['b.conf', 'a.conf', 'd/a.conf', 'd/e/a.conf']],
    ['d', []],
    ['/etc/*.conf', []],
  ])('%s', (pattern, found) => expect(filesMatching(files, '.', pattern)).toEqual(found));
});

describe('blocks', () => {
  const tree = (text: string) =>
    treeOf(readingOf({ files: memoryFolder({ k: text }), path: 'k', host: undefined }).lines);

  test('open on the same line or on a later one', () => {
    const { statements, refused } = tree('a x {\n b\n}\nc # {\n\n{ d { e } }');
    expect(refused).toEqual([]);
    expect(statements.map(({ words }) => words)).toEqual([['a', 'x'], ['c']]);
    expect(statements[1]!.block![0]!.block![0]!.words).toEqual(['e']);
  });

  test.each([
    ['a {\n b', 'the block of a is not closed'],
    ['a {\n}\n}', 'a } too many'],
    ['a {\n}\n{\n}', 'a { that opens no block'],
    ['a "b', 'a quote is left open: a "b'],
  ])('%j: keepalived complains', (text, says) => {
    expect(tree(text).refused.map((one) => one.says)).toContain(says);
  });
});

describe('what multiplies itself is given up, with a word about it', () => {
  const doubling = Array.from({ length: 40 }, (_, n) => `$A${n + 1}=\${A${n}}\${A${n}}`);
  test.each([
    ['a file that includes itself many times', 'include k.conf\n'.repeat(20)],
    ['definitions that double', ['$A0=x', ...doubling, 'a ${A40}'].join('\n')],
    [
      'definitions that double, in many lines',
      ['$A0=x', ...doubling, ...Array(2000).fill('a ${A13}')].join('\n'),
    ],
    ['sequences in sequences', '~SEQ(A,1,4000) ~SEQ(B,1,4000) ~SEQ(C,1,4000) a $A $B $C'],
    ['a definition of many lines that names itself', '$A=\\\nb $A\\\nb $A\n\na $A\n'],
  ])('%s', (_what, text) => {
    const found = judged({ 'k.conf': text });
    expect(JSON.stringify(found).length).toBeLessThan(1_000_000);
    expect(found.map((one) => one.subject).join()).toContain('k.conf');
    expect(found.length).toBeGreaterThan(0);
  });
});

test('whatever a file says, there is an end to it, and a word about it', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...[
        '{',
        '}',
        '"',
        "'",
        '\\',
        '#',
        '!',
        '\n',
        '\\\n',
        ' ',
        '\t',
        '@a ',
        '@^a ',
        '$A',
        '${A}',
        '$A=',
        '$B=$A',
        '~SEQ(A,1,9) ',
      ],
      ...[
        '~LST({A,B},{1,2}) ',
        'include k.conf\n',
        'include *\n',
        'vrrp_instance VI_1 {',
        'unicast_peer {',
        'priority 3\n',
        '10.0.0.1\n',
      ],
    ),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      expect(judged({ 'k.conf': pieces.join('') }).length).toBeGreaterThan(0);
    }),
    { numRuns: 300, seed: 3 },
  );
});
