import { describe, expect, test } from 'vitest';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { UserError } from '../../../src/report/user-error.ts';

function statesOf(
  columns: readonly (readonly string[])[],
  ending: string,
  initial = '',
  architecture = 'X86',
): string[] {
  const names = columns.map((_, n) => `P${n}`).join(' | ');
  const rows = Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, row) =>
    columns.map((column) => column[row] ?? '').join(' | '),
  );
  const text = `${architecture} a\n{${initial}}\n${[names, ...rows].join(';\n')};\n${ending}`;
  const program = litmusProgram(parseLitmus(text, 'a.litmus'));
  return [...runLitmus(program, builtInModels.tso).states];
}

const storeThenLoad = (mine: string, other: string, between: readonly string[]) => [
  `MOV [${mine}],$1`,
  ...between,
  `MOV EAX,[${other}]`,
];
const SB = (between: readonly string[]) =>
  statesOf([storeThenLoad('x', 'y', between), storeThenLoad('y', 'x', between)], 'locations [0:EAX;1:EAX;]');
const bothZero = '0:EAX=0; 1:EAX=0;';

describe('x86 under TSO', () => {
  test('a store may be overtaken by a later load, unless a fence or a locked instruction is between them', () => {
    expect(SB([])).toContain(bothZero);
    expect(SB(['SFENCE'])).toContain(bothZero);
    expect(SB(['LFENCE'])).toContain(bothZero);
    for (const full of ['MFENCE', 'LOCK ADD [z],$1', 'XCHG [z],EBX', 'LOCK CMPXCHG [z],EBX', 'LOCK XADD [z],EBX']) {
      expect(SB([full])).toEqual(['0:EAX=0; 1:EAX=1;', '0:EAX=1; 1:EAX=0;', '0:EAX=1; 1:EAX=1;']);
    }
    expect(SB(['ADD [z],$1'])).toContain(bothZero);
  });

  test('loads and stores keep their order otherwise', () => {
    const MP = statesOf(
      [
        ['MOV [x],$1', 'MOV [y],$1'],
        ['MOV EAX,[y]', 'MOV EBX,[x]'],
      ],
      'locations [1:EAX;1:EBX;]',
    );
    expect(MP).toEqual(['1:EAX=0; 1:EBX=0;', '1:EAX=0; 1:EBX=1;', '1:EAX=1; 1:EBX=1;']);
    const LB = statesOf(
      [
        ['MOV EAX,[x]', 'MOV [y],$1'],
        ['MOV EAX,[y]', 'MOV [x],$1'],
      ],
      'locations [0:EAX;1:EAX;]',
    );
    expect(LB).not.toContain('0:EAX=1; 1:EAX=1;');
  });

  test('LOCK makes a read-modify-write atomic', () => {
    const increments = (instruction: string) => statesOf([[instruction], [instruction]], 'locations [x;]');
    expect(increments('INC [x]')).toEqual(['[x]=1;', '[x]=2;']);
    expect(increments('LOCK INC [x]')).toEqual(['[x]=2;']);
    expect(increments('lock add [x],$2')).toEqual(['[x]=4;']);
    expect(increments('LOCK DEC [x]')).toEqual(['[x]=-2;']);
  });

  test('CMPXCHG stores where the accumulator agrees, and loads it where not', () => {
    const compare = (x: number) =>
      statesOf(
        [['MOV EAX,$5', 'MOV ECX,$9', 'LOCK CMPXCHG [x],ECX', 'JNE L', 'MOV EBX,$1', 'L:']],
        'locations [0:EAX;0:EBX;x;]',
        `x=${x};`,
      );
    expect(compare(5)).toEqual(['0:EAX=5; 0:EBX=1; [x]=9;']);
    expect(compare(6)).toEqual(['0:EAX=6; 0:EBX=0; [x]=6;']);
  });

  test.each([
    ['JE', [[1, 1]], [[1, 2]]],
    [
      'JL',
      [
        [-1, 1],
        [-2147483648, 1],
      ],
      [
        [1, 1],
        [2, 1],
      ],
    ],
    [
      'JLE',
      [
        [1, 1],
        [-5, 3],
      ],
      [
        [2, 1],
        [2147483647, -1],
      ],
    ],
    [
      'JB',
      [[1, -1]],
      [
        [-1, 1],
        [1, 1],
      ],
    ],
    [
      'JA',
      [[-1, 1]],
      [
        [1, 1],
        [1, -1],
      ],
    ],
    [
      'JG',
      [[2147483647, -1]],
      [
        [-1, 1],
        [3, 3],
      ],
    ],
  ] as const)('%s jumps where its condition holds', (jump, taken, notTaken) => {
    const run = ([a, b]: readonly [number, number]) =>
      statesOf([[`MOV EAX,$${a}`, `CMP EAX,$${b}`, `${jump} L`, 'MOV EBX,$1', 'L:']], 'locations [0:EBX;]')[0];
    expect(taken.map(run)).toEqual(taken.map(() => '0:EBX=0;'));
    expect(notTaken.map(run)).toEqual(notTaken.map(() => '0:EBX=1;'));
  });

  test('32 bits clear the upper half of a register, fewer leave the rest', () => {
    const initial = 'uint64_t 0:RAX=0x1122334455667788; uint64_t 0:RBX=0x1122334455667788; uint8_t x=0xff;';
    const code = ['movl $1,%eax', 'movb (x),%bl', 'addq $8,%rcx', 'subl $1,%edx'];
    expect(statesOf([code], 'locations [0:RAX;0:rbx;0:rcx;0:rdx;]', initial, 'X86_64')).toEqual([
      '0:rax=1; 0:rbx=1234605616436508671; 0:rcx=8; 0:rdx=-1;',
    ]);
  });

  test('AT&T names the source first', () => {
    const code = (mine: string, other: string) => [`movl $1,(${mine})`, 'mfence', `movl (${other}),%eax`];
    expect(statesOf([code('x', 'y'), code('y', 'x')], 'locations [0:rax;1:rax;]', '', 'X86_64')).toHaveLength(3);
    const registers = ['movq $x,%rbx', 'movl $7,4(%rbx)', 'movl 4(%rbx),%eax'];
    expect(statesOf([registers], 'locations [0:rax;0:rbx;]', 'int x[2];', 'X86_64')).toEqual(['0:rax=7; 0:rbx=x;']);
  });

  test.each([
    ['MOVE EAX,$1', 'no instruction "MOVE"'],
    ['MOV EAX', 'MOV has 2 operands, not 1'],
    ['MOV [x],[y]', 'MOV: at most one operand is in memory'],
    ['MOV $1,EAX', 'MOV does not write to a number'],
    ['MOV EAX,BX', 'MOV: the registers differ in size'],
    ['LOCK MOV [x],$1', 'LOCK is for instructions that modify memory'],
    ['JMP away', 'there is no label "away" in this column'],
    ['MOV EAX,{1}', '"{1}" is no operand'],
  ])('refuses %s', (instruction, why) => {
    const attempt = () => statesOf([[instruction]], 'forall (true)');
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(`a.litmus:4:1: ${why}`);
  });
});
