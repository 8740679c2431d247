import { describe, expect, test } from 'vitest';
import type { TraceAccess, TraceMemory } from '../../../src/engine/trace-state.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { type LitmusProgram, litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { UserError } from '../../../src/report/user-error.ts';
import { silentHooks } from '../silent-hooks.ts';

const programOf = (initial: string, columns: string, ending: string): LitmusProgram =>
  litmusProgram(parseLitmus(`AArch64 a\n{${initial}}\n${columns}\n${ending}`, 'a.litmus'));

const refusalOf = (initial: string, columns: string, ending: string): string => {
  try {
    programOf(initial, columns, ending);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'accepted';
};

/** Runs the threads one after the other on plain memory; the observed values. */
function run({ program, finalStates }: LitmusProgram): string {
  const bytes = new Map<bigint, number>();
  for (const area of program.memory) area.bytes.forEach((byte, n) => bytes.set(area.address + BigInt(n), byte));
  const read = (address: bigint, count: number): bigint => {
    let value = 0n;
    for (let n = count - 1; n >= 0; n -= 1) value = (value << 8n) | BigInt(bytes.get(address + BigInt(n)) ?? 0);
    return value;
  };
  const memory: Pick<TraceMemory, 'load' | 'store'> = {
    load: ({ address, bytes: count }: TraceAccess) => ({ bits: [read(address.bits, count)], read: 0 }),
    store: ({ address, bytes: count }, value) => {
      for (let n = 0; n < count; n += 1) {
        bytes.set(address.bits + BigInt(n), Number((value.bits >> BigInt(8 * n)) & 0xffn));
      }
      return undefined;
    },
  };
  const states = program.threads.map((thread) => {
    const state = thread.start();
    while (state.step(memory as TraceMemory, silentHooks).kind === 'next');
    return state;
  });
  const final = program.observed.map((observable) => {
    if (observable.kind === 'exceptions') return observable.numberOf(states.map(() => []));
    return observable.kind === 'register'
      ? states[observable.thread]!.register(observable.name).bits
      : read(observable.address, observable.bytes);
  });
  return `${finalStates.spell(final)} ${finalStates.fulfils(final) ? 'holds' : 'does not hold'}`;
}

describe('the program of a litmus test', () => {
  test('has its registers, variables, pointers and arrays', () => {
    const initial = '0:X1=x; uint64_t x=-1; int y[3]={7,8}; 0:X3=&y[1]; int *p=&x; 0:X4=p; int64_t 0:X6; 0:X7=-2;';
    const columns = 'P0;\nLDR X2,[X1];\nLDR W5,[X3];\nLDR X6,[X4];\nADD X8,X1,#4;\nSTR W5,[X3,#4];';
    const ending =
      'locations [0:X6; 0:X8; y;]\nforall (0:X5=8 /\\ x=0xffffffffffffffff /\\ 0:X7=-2 /\\ y={7,8,8} /\\ p=x)';
    expect(run(programOf(initial, columns, ending))).toBe(
      '0:X5=8; 0:X6=x; 0:X7=-2; 0:X8=x+4; [p]=x; [x]=18446744073709551615; y={7,8,8}; holds',
    );
  });

  test('prints what has no type as an int, and what has one with its size and sign', () => {
    const initial = 'uint32_t 0:X1; int8_t 0:X2; int64_t 0:X3; uint8_t z=-1; int16_t w=40000;';
    const columns = 'P0;\nMOV W0,#-1;\nMOV W1,#-1;\nMOV W2,#255;\nMOV X3,#-1;\n';
    expect(run(programOf(initial, columns, 'locations [0:X0;0:X1;0:X2;0:X3;z;w;]'))).toBe(
      '0:X0=-1; 0:X1=4294967295; 0:X2=-1; 0:X3=-1; [w]=-25536; [z]=255; holds',
    );
  });

  test('compares numbers of the size of the type', () => {
    const ending =
      'forall (0:X0=-1 /\\ 0:X0=4294967295 /\\ not (0:X0=0) /\\ 0:X0<>1 /\\ (x=255 => x=-1) /\\ 0:X0==0:X0)';
    expect(run(programOf('uint8_t x=-1;', 'P0;\nMOV W0,#-1;', ending))).toBe('0:X0=-1; [x]=255; holds');
  });

  test('takes the writings of herd7', () => {
    const initial = 'uint64_t %base=x; 0:X2=4; int x[2]={1,2}; 0:x9=instr:"B.EQ .+8";';
    const columns =
      'P0;\nldr w0,[X%base,X2,UXTW];\nB .+8;\nMOV W0,#9;\n.text: NOP;\nORR W3,W0,W0,LSL 4;\nADR X4,.text;';
    expect(run(programOf(initial, columns, 'locations [0:X0;0:X3;0:X4;0:X9;]'))).toBe(
      '0:X0=2; 0:X3=34; 0:X4=label:"P0:.text"; 0:X9=instr:"B.EQ .+8"; holds',
    );
  });

  test('reads its instructions as data', () => {
    const columns = 'P0;\nL0: B .+4;\nADR X1,L0;\nLDR W2,[X1];\nLDR W3,[X1,#4];';
    expect(run(programOf('ins_t 0:X3;', columns, 'locations [0:X2;] exists 0:X2=instr:"B .+4"'))).toBe(
      '0:X2=instr:"B .+4"; holds',
    );
  });

  test('computes with floating-point numbers, and keeps what TPIDR_EL0 is given', () => {
    const columns =
      'P0;\nLDR S1,[X1];\nFADD S2,S1,S1;\nSTR S2,[X1];\nMSR S3_3_C13_C0_2,X1;\nMRS X3,S3_3_C13_C0_2;\nMRS X4,S3_3_C4_C4_1;';
    const initial = 'uint32_t x=0x3fc00000; 0:X1=x;';
    expect(run(programOf(initial, columns, 'locations [x; 0:X3; 0:X4;]'))).toBe(
      '0:X3=x; 0:X4=0; [x]=1077936128; holds',
    );
  });

  test('loads from a label', () => {
    expect(run(programOf('', 'P0;\nLDR W1,L0;\nL0: NOP;', 'exists 0:X1=NOP'))).toBe('0:X1=NOP; holds');
  });

  test('orders states as unsigned numbers, and addresses after numbers', () => {
    const { program, finalStates } = programOf('0:X1=x;', 'P0;\nNOP;', 'locations [0:X0;]');
    const address = program.memory[0]!.address;
    const sorted = [[address], [(1n << 64n) - 1n], [1n]].sort((a, b) => finalStates.compare(a, b));
    expect(sorted.map((state) => finalStates.spell(state))).toEqual(['0:X0=1;', '0:X0=-1;', '0:X0=x;']);
  });
});

describe('what is refused', () => {
  test.each([
    ['an instruction that there is not', ['', 'P0;\n MOW W0,#1;', ''], 'a.litmus:4:2: no instruction "MOW"'],
    ['an operand that does not fit', ['', 'P0 | P1;\n NOP | MOV W0,X1;', ''], 'a.litmus:4:15: expected a W register, an expression or a vector register, not "X1"'],
    ['a label that there is not', ['', 'P0;\n B L1;', ''], 'a.litmus:4:4: undefined symbol "L1"'],
    ['two labels of one name', ['', 'P0;\n L1: NOP;\n L1: NOP;', ''], 'a.litmus:5:2: label L1 is defined already'],
    ['a directive', ['', 'P0;\n .word 1;', ''], 'a.litmus:4:2: .word: directives have no meaning here'],
    ['an unknown type', ['float x;', 'P0;\nNOP;', ''], 'a.litmus:2:2: no type "float"'],
    ['an unknown register', ['0:X31=1;', 'P0;\nNOP;', ''], 'a.litmus:2:2: X31 is no register of a thread'],
    ['an unknown thread', ['', 'P0;\nNOP;', 'exists 3:X0=1'], 'a.litmus:5:8: 3:X0: there is no P3'],
    ['an index out of range', ['int x[2];', 'P0;\nNOP;', 'exists x[2]=1'], 'a.litmus:5:8: x has no element 2'],
    ['a list for a number', ['x={1};', 'P0;\nNOP;', ''], 'a.litmus:2:2: {1}: a list is the value of an array'],
    ['a variable of two types', ['int x; int64_t x;', 'P0;\nNOP;', ''], 'a.litmus:2:9: x is declared twice'],
  ])('%s', (_, [initial, columns, ending], sentence) => {
    expect(refusalOf(initial!, columns!, ending!)).toBe(sentence);
  }); // prettier-ignore
});
