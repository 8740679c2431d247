import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { arraysOf, spellCondition } from '../../../src/memory-model/litmus/spelling.ts';
import { UserError } from '../../../src/report/user-error.ts';
import { sharedTests, textOf } from '../../litmus/shared-tests.ts';

const sample = `AArch64 MP+dmb.sy+addr
"DMB.SYdWW Rfe DpAddrdR Fre"
Com=Rf Fr
Orig=DMB.SYdWW Rfe DpAddrdR Fre
(* message (* passing *) *)
{
 0:X1=x; 0:X3=y; uint64_t 1:X5=-1; int z[2]={1,2}; int *p=&z[1];
 1:X1=y; 1:X4=x; [PTE(x)]=(oa:PA(y), valid:0); 1:X7=P0:L0; 1:X8=instr:"B .+8";
}
 P0          | P1                  | P1.F ;
 MOV W0,#1   | LDR W0,[X1]         | ERET ;
L0:          | LC00: LC01:         |      ;
 STR W0,[X1] | EOR W2,W0,W0        |      ;
 DMB SY      | LDR W3,[X4,W2,SXTW] |      ;
 STR W0,[X3] |                     |      ;
locations [z; 1:X5; fault(P1,x);]
filter not (z[0]=7)
exists (1:X0=1 /\\ (1:X3=0 \\/ x=0x10) /\\ ~fault(P1:LC00,x,MMU:Translation))
`;

const parse = (text: string) => parseLitmus(text, 'a.litmus');
const refusalOf = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof UserError)
      return [error.message, ...(error.hint === undefined ? [] : [error.hint])].join('; ');
    throw error;
  }
  return 'accepted';
};
const withLine = (from: string | RegExp, to: string): string => refusalOf(sample.replace(from, to));

describe('a litmus test', () => {
  test('has a name, information, an initial state, columns, and a condition', () => {
    const read = parse(sample);
    expect([read.architecture, read.name, read.documentation]).toEqual([
      'AArch64',
      'MP+dmb.sy+addr',
      'DMB.SYdWW Rfe DpAddrdR Fre',
    ]);
    expect(Object.fromEntries(read.info)).toEqual({ com: 'Rf Fr', orig: 'DMB.SYdWW Rfe DpAddrdR Fre' });
    expect(read.initial.map(({ at: _, ...item }) => item)).toMatchObject([
      { location: { thread: 0, name: 'X1' }, value: { kind: 'address', name: 'x' } },
      { location: { thread: 0, name: 'X3' }, value: { kind: 'address', name: 'y' } },
      { type: { name: 'uint64_t', isPointer: false }, value: { kind: 'number', value: -1n } },
      { kind: 'array', name: 'z', length: 2, value: { kind: 'list' } },
      { type: { name: 'int', isPointer: true }, value: { kind: 'address', name: 'z', index: 1 } },
      { location: { thread: 1, name: 'X1' } },
      { location: { thread: 1, name: 'X4' } },
      { location: { kind: 'descriptor', name: 'x' }, value: { kind: 'descriptor' } },
      { value: { kind: 'label', thread: 0, label: 'L0' } },
      { value: { kind: 'instruction', text: 'B .+8' } },
    ]);
    expect(
      read.columns.map(({ thread, isHandler, lines }) => [
        thread,
        isHandler,
        lines.map((line) => (line.kind === 'label' ? `${line.name}:` : line.text)),
      ]),
    ).toEqual([
      [0, false, ['MOV W0,#1', 'L0:', 'STR W0,[X1]', 'DMB SY', 'STR W0,[X3]']],
      [1, false, ['LDR W0,[X1]', 'LC00:', 'LC01:', 'EOR W2,W0,W0', 'LDR W3,[X4,W2,SXTW]']],
      [1, true, ['ERET']],
    ]);
    expect(read.columns[0]?.lines[2]?.at).toEqual({ file: 'a.litmus', line: 13, column: 2 });
    expect(spellCondition(read.condition, arraysOf(read))).toBe(
      'exists (1:X0=1 /\\ (1:X3=0 \\/ [x]=16) /\\ not (fault(P1:LC00,x,MMU:Translation)))',
    );
  });

  test('that asks for nothing asks for what is always so', () => {
    const read = parse('AArch64 empty\n{}\nP0;\nNOP;\n');
    expect(spellCondition(read.condition, arraysOf(read))).toBe('forall (true)');
  });

  const conditionOf = (text: string) => spellCondition(parse(`AArch64 a\n{} P0; NOP; ${text}`).condition, () => false);

  test('binds not before an implication, that before and, and that before or, as herd7 does', () => {
    expect(conditionOf('forall ~x=1 => y=2 => z=3 /\\ x=4 \\/ (y=5 \\/ z=6) /\\ (x=7 /\\ y<>8 => z=9)')).toBe(
      'forall (not ([x]=1) => [y]=2 => [z]=3 /\\ [x]=4 \\/ ([y]=5 \\/ [z]=6) /\\ [x]=7 /\\ not ([y]=8) => [z]=9)',
    );
    expect(conditionOf('exists (x=1 /\\ y=2) => (z=3 \\/ x=4)')).toBe(
      'exists (([x]=1 /\\ [y]=2) => ([z]=3 \\/ [x]=4))',
    );
  });

  test.each([
    ['final (x=1)', 'exists ([x]=1)'],
    ['(x=1)', 'exists ([x]=1)'],
    ['not exists x=1', '~exists ([x]=1)'],
    ['observed 0:X1=1; x=2; and x=3;', 'exists (0:X1=1 /\\ [x]=2 \\/ [x]=3)'],
    ['exists (x=1) with tso: exists; sc: ~exists;', 'exists ([x]=1)'],
    ['exists x==1 /\\ x!=2', 'exists ([x]=1 /\\ not ([x]=2))'],
    ['exists x=0:W1 /\\ [x]=[y] /\\ 0:X1=*y', 'exists ([x]=0:X1 /\\ [x]=[y] /\\ 0:X1=[y])'],
    ['exists 0:LR=P0:L0', 'exists (0:X30=label:"P0:L0")'],
  ])('may ask for %s', (ending, condition) => {
    expect(conditionOf(ending)).toBe(condition);
  });

  test('declares variables as C does', () => {
    const read = parse('AArch64 a\n{ _Atomic int x=ATOMIC_INIT(1); unsigned int y; int [z]=2; *0:X1=x; }\nP0;\nNOP;\n');
    expect(read.initial.map(({ at: _, ...item }) => item)).toMatchObject([
      { location: { name: 'x' }, type: { name: 'int' }, value: { value: 1n } },
      { location: { name: 'y' }, type: { name: 'unsigned' } },
      { location: { name: 'z' }, type: { name: 'int' }, value: { value: 2n } },
      { location: { name: 'X1' }, type: { isPointer: true }, value: { name: 'x' } },
    ]);
  });
});

describe('a refusal names file, line and column', () => {
  test.each([
    ['another architecture', () => withLine('AArch64', 'PPC'), 'a.litmus:1:1: a test for "PPC"; known are AArch64, X86_64, X86'],
    ['an unclosed comment', () => withLine('*) *)', '*)'), 'a.litmus:5:1: the comment is not closed'],
    ['no initial state', () => refusalOf('AArch64 a\nP0;\nNOP;\n'), 'a.litmus:1:10: the test has no initial state: "{" is missing'],
    ['a row that is too short', () => withLine('| LDR W0,[X1]         ', ''), 'a.litmus:11:2: a row of 2, but the test has 3 columns'],
    ['a row that is not closed', () => refusalOf('AArch64 a\n{}\nP0;\n NOP\n'), 'a.litmus:4:2: the row is not closed by ";"'],
    ['what is no thread', () => withLine('| P1  ', '| Q1  '), 'a.litmus:10:16: expected the name of a thread, such as P0 or P0.F, not "Q1"'],
    ['a thread that is missing', () => refusalOf('AArch64 a\n{}\nP1;\nNOP;\n'), 'a.litmus:3:1: P0 is missing: threads are numbered from 0'],
    ['two columns of a thread', () => withLine('| P1.F', '| P1  '), 'a.litmus:10:38: there are two columns of P1'],
    ['a value that is missing', () => withLine('0:X1=x;', '0:X1=;'), 'a.litmus:7:7: expected a value, not ";"'],
    ['a malformed number', () => withLine('0x10', '0y10'), 'a.litmus:18:32: malformed number "0y10"'],
    ['a condition that goes on', () => withLine(/\)\n$/, ') x\n'), 'a.litmus:18:76: expected the end of the test, not "x"'],
    ['a memory tag', () => withLine('0:X1=x;', '[tag(x)]=:red;'), 'a.litmus:7:3: memory tags are not supported'],
    ['a pointer authentication code', () => withLine('0:X1=x;', '0:X1=pac(x,pacda,0);'), 'a.litmus:7:7: values with a pointer authentication code are not supported'],
    ['no quantifier', () => withLine('exists', 'exist'), 'a.litmus:18:1: expected "exists", "~exists" or "forall", not "exist"'],
    ['a condition that is nested without end', () => withLine(/exists.*/, `exists ${'('.repeat(5000)}`), 'a.litmus:18:208: nested deeper than 200 times'],
  ])('%s', (_, refused, sentence) => {
    expect(refused()).toBe(sentence);
  }); // prettier-ignore

  test('whatever is done to the text', () => {
    const places = fc.nat(sample.length);
    const snippet = fc.oneof(
      fc.constantFrom(
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        '|',
        ';',
        '"',
        '(*',
        '*)',
        ':',
        '=',
        '-',
        '/\\',
        'exists',
        '0x',
        'P0',
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(places, fc.nat(30), snippet, places, fc.nat(3), snippet, (at, cut, put, at2, cut2, put2) => {
        const once = sample.slice(0, at) + put + sample.slice(at + cut);
        const twice = once.slice(0, at2) + put2 + once.slice(at2 + cut2);
        const said = refusalOf(twice);
        expect(said).toMatch(/^accepted$|^a\.litmus:\d+:\d+: [^\n]+$/);
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});

const shared = sharedTests.length > 0;
test.runIf(shared)('every published test parses, and its condition is spelled as herd7 does', () => {
  const differing = sharedTests.filter((published) => {
    const read = parseLitmus(textOf(published), published.path);
    const condition = spellCondition(read.condition, arraysOf(read));
    // Some were printed in hexadecimal.
    const decimal = published.condition.replace(/(?<==|\{|,)0x[0-9a-f]+/g, (digits) => String(BigInt(digits)));
    return read.name !== published.name || condition !== decimal;
  });
  expect(differing.map(({ path }) => path)).toEqual([]);
});
