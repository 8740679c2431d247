// What the vectors of qemu-aarch64 cannot tell: the ordering that each access brings, the choices for CONSTRAINED
// UNPREDICTABLE encodings, and the state after a fault. Under the trace reading.

import { describe, expect, test } from 'vitest';
import { executeTrace, type TraceOutcome } from '../../src/engine/trace.ts';
import { traceState, type TraceState } from '../../src/engine/trace-state.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { knownCombinations } from '../../src/isa/encoding.ts';
import { loadsStores } from '../../src/isa/loads-stores.ts';
import { type Accessed, recordingHooks, windowMemory, type WindowMemory } from '../engine/trace-machine.ts';

const decode = makeDecoder(loadsStores);
const BASE = 0x1000n;
const PATTERN = Uint8Array.from({ length: 256 }, (_, n) => n | 0x80);
/** The pattern from the base on, as `count` bytes little endian. */
const loadedBytes = (at: number, count: number): bigint =>
  PATTERN.subarray(at, at + count).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

interface Ran {
  readonly outcome: TraceOutcome;
  readonly state: TraceState;
  readonly memory: WindowMemory;
}

/** Runs words from X1 = BASE, X2 = BASE + 0x80, every other register its own number, SP = BASE unless given. */
function run(words: readonly number[], initial: Parameters<typeof traceState>[0] = {}): Ran {
  const x = Array.from({ length: 31 }, (_, n) => (n === 1 ? BASE : n === 2 ? BASE + 0x80n : BigInt(n)));
  const state = traceState({ x, sp: BASE, checksSPAlignment: true, ...initial });
  const memory = windowMemory(BASE, PATTERN.slice());
  let outcome: TraceOutcome = {};
  for (const word of words) {
    const decoded = decode(word);
    if (!decoded) throw new Error(`${word.toString(16)} has no row`);
    outcome = executeTrace(decoded, state, memory, recordingHooks());
  }
  return { outcome, state, memory };
}

const X = ({ state }: Ran, n: number): bigint => state.readX(n).bits;

function sentence({ kind, bytes, address, access }: Accessed): string {
  const attributes = Object.entries(access).flatMap(([name, value]) => (value === true ? [name] : []));
  return [kind, bytes, 'at', `base+${address.bits - BASE}`, ...attributes].join(' ');
}
const accesses = (ran: Ran): string[] => ran.memory.accesses.map(sentence);

describe('ordering and alignment', () => {
  test.each([
    ['LDR W0, [X1]', 0xb9400020, ['load 4 at base+0']],
    ['LDAR W0, [X1]', 0x88dffc20, ['load 4 at base+0 acquire aligned']],
    ['LDLARH W0, [X1]', 0x48df7c20, ['load 2 at base+0 acquire aligned']],
    ['STLR X0, [X1]', 0xc89ffc20, ['store 8 at base+0 release aligned']],
    ['STLLRB W0, [X1]', 0x089f7c20, ['store 1 at base+0 release aligned']],
    ['LDAPR X0, [X1]', 0xf8bfc020, ['load 8 at base+0 acquirePC aligned']],
    ['LDAPURSW X0, [X1, #4]', 0x99804020, ['load 4 at base+4 acquirePC aligned']],
    ['STLURH W0, [X1, #2]', 0x59002020, ['store 2 at base+2 release aligned']],
    ['LDXR X0, [X1]', 0xc85f7c20, ['load exclusive 8 at base+0 aligned']],
    ['LDAXRB W0, [X1]', 0x085ffc20, ['load exclusive 1 at base+0 acquire aligned']],
    ['LDAXP X0, X3, [X1]', 0xc87f8c20, ['load exclusive 8 at base+0 acquire aligned']],
    ['STXR W0, W3, [X1]', 0x88007c23, ['store exclusive 4 at base+0 aligned']],
    ['STLXP W0, W3, W4, [X1]', 0x88209023, ['store exclusive 4 at base+0 release aligned']],
    ['LDADD W3, W0, [X1]', 0xb8230020, ['atomic 4 at base+0 aligned']],
    ['LDADDAL X3, X0, [X1]', 0xf8e30020, ['atomic 8 at base+0 acquire release aligned']],
    ['SWPLB W3, W0, [X1]', 0x38638020, ['atomic 1 at base+0 release aligned']],
    ['CASA W3, W0, [X1]', 0x88e37c20, ['compare and swap 4 at base+0 acquire aligned']],
    ['CASPL X4, X5, X6, X7, [X1]', 0x4824fc26, ['compare and swap 8 at base+0 release aligned']],
    ['LDTR X0, [X1, #8]', 0xf8408820, ['load 8 at base+8 unprivileged']],
    ['STTRB W0, [X1, #1]', 0x38001820, ['store 1 at base+1 unprivileged']],
  ])('%s', (_, word, expected) => {
    expect(accesses(run([word]))).toEqual(expected);
  });

  test('an atomic whose result goes to the zero register has no acquire', () => {
    // LDADDAL X3, XZR, [X1] and SWPA W3, WZR, [X1].
    expect(accesses(run([0xf8e3003f]))).toEqual(['atomic 8 at base+0 release aligned']);
    expect(accesses(run([0xb8a3803f]))).toEqual(['atomic 4 at base+0 aligned']);
  });

  test('CASA with the zero register keeps its acquire', () => {
    expect(accesses(run([0x88ff7c20]))).toEqual(['compare and swap 4 at base+0 acquire aligned']);
  });

  test('an exclusive pair is aligned to both registers', () => {
    const x = [0n, BASE + 8n];
    expect(run([0xc87f0c20], { x }).outcome).toEqual({
      exception: 'Data Abort',
      fault: 'alignment',
      address: BASE + 8n,
    });
    expect(run([0xc87f0c20], { x: [0n, BASE + 16n] }).outcome).toEqual({});
  });
});

describe('pairs', () => {
  test('the registers of a pair are two accesses in ascending order', () => {
    // LDP X0, X3, [X1, #16]; STP Q0, Q3, [X1]; LDPSW X0, X3, [X1]; LDNP W0, W3, [X1, #4].
    expect(accesses(run([0xa9410c20]))).toEqual(['load 8 at base+16', 'load 8 at base+24']);
    expect(accesses(run([0xad000c20]))).toEqual(['store 16 at base+0', 'store 16 at base+16']);
    expect(accesses(run([0x69400c20]))).toEqual(['load 4 at base+0', 'load 4 at base+4']);
    expect(accesses(run([0x28408c20]))).toEqual(['load 4 at base+4', 'load 4 at base+8']);
  });

  test('a load of a pair into one register leaves the second value', () => {
    // LDP X3, X3, [X1].
    expect(X(run([0xa9400c23]), 3)).toBe(loadedBytes(8, 8));
  });

  test('a store of a pair whose second access faults leaves the base as it was', () => {
    // STP X0, X3, [X1, #16]!, whose second register lies past the end of the window.
    const ran = run([0xa9810c20], { x: [5n, BASE + 232n] });
    expect(ran.outcome).toEqual({ exception: 'Data Abort', fault: 'translation', address: BASE + 256n });
    expect(X(ran, 1)).toBe(BASE + 232n);
  });
});

describe('write-back', () => {
  test('a load whose destination is the base suppresses the write-back', () => {
    // LDR X1, [X1, #8]!; LDR X1, [X1], #8; LDP X1, X3, [X1], #16; LDP X3, X1, [X1, #16]!.
    expect(X(run([0xf8408c21]), 1)).toBe(loadedBytes(8, 8));
    expect(X(run([0xf8408421]), 1)).toBe(loadedBytes(0, 8));
    expect(X(run([0xa8c10c21]), 1)).toBe(loadedBytes(0, 8));
    expect(X(run([0xa9c10423]), 1)).toBe(loadedBytes(24, 8));
  });

  test('a store of its own base stores the value from before the write-back', () => {
    // STR X1, [X1, #8]!; STP X3, X1, [X1], #16.
    const [store, pair] = [run([0xf8008c21]), run([0xa8810423])];
    expect(store.memory.accesses[0]?.values[0]?.bits).toBe(BASE);
    expect(X(store, 1)).toBe(BASE + 8n);
    expect(pair.memory.accesses[1]?.values[0]?.bits).toBe(BASE);
    expect(X(pair, 1)).toBe(BASE + 16n);
  });

  test('register 31 is the stack pointer as a base and the zero register as data', () => {
    // LDR XZR, [SP], #16; STR XZR, [SP, #16]!.
    expect(run([0xf84107ff]).state.readSP().bits).toBe(BASE + 16n);
    const store = run([0xf8010fff]);
    expect(store.state.readSP().bits).toBe(BASE + 16n);
    expect(store.memory.accesses[0]?.values[0]?.bits).toBe(0n);
  });

  test('an access that faults writes neither its register nor its base', () => {
    // LDR X0, [X3], #8 and LDR X0, [X3, #8]!, where X3 is 3.
    for (const word of [0xf8408460, 0xf8408c60]) {
      const ran = run([word]);
      expect(ran.outcome).toMatchObject({ exception: 'Data Abort', fault: 'translation' });
      expect([X(ran, 0), X(ran, 3), ran.state.pc]).toEqual([0n, 3n, 0n]);
    }
  });
});

describe('overlapping registers of a store-exclusive', () => {
  test('the original values are used, and the status takes their place', () => {
    // LDXR X3, [X1], then STXR W0, X0, [X1]: status and data; STXR W1, X3, [X1]: status and base.
    const data = run([0xc85f7c23, 0xc8007c20], { x: [0xabcdn, BASE] });
    expect(data.memory.accesses[1]?.values[0]?.bits).toBe(0xabcdn);
    expect(X(data, 0)).toBe(0n);
    const base = run([0xc85f7c23, 0xc8017c23]);
    expect(accesses(base)).toEqual(['load exclusive 8 at base+0 aligned', 'store exclusive 8 at base+0 aligned']);
    expect(X(base, 1)).toBe(0n);
  });
});

describe('checks before the access', () => {
  test('a misaligned stack pointer is refused as a base, but not by a prefetch', () => {
    const sp = BASE + 8n;
    // LDR X0, [SP]; LDXR X0, [SP]; PRFM PLDL1KEEP, [SP].
    expect(run([0xf94003e0], { sp }).outcome).toEqual({ exception: 'SP alignment' });
    expect(run([0xc85f7fe0], { sp }).outcome).toEqual({ exception: 'SP alignment' });
    expect(run([0xf98003e0], { sp }).outcome).toEqual({});
  });

  test('the trap of SIMD&FP registers comes before the stack pointer and the access', () => {
    // LDR Q0, [SP]; STP D0, D1, [SP]; LDR S0, literal; LDR X0, [X1].
    const trapped = { sp: BASE + 8n, trapsFP: true };
    for (const word of [0x3dc003e0, 0x6d0007e0, 0x1c000000]) {
      const ran = run([word], trapped);
      expect(ran.outcome).toEqual({ exception: 'FP trap' });
      expect(ran.memory.accesses).toEqual([]);
    }
    expect(run([0xf9400020], trapped).outcome).toEqual({});
  });

  test('a prefetch touches nothing, wherever it points', () => {
    // PRFM PLDL1KEEP, [X3]; PRFUM; PRFM (register); PRFM (literal).
    for (const word of [0xf9800060, 0xf8801060, 0xf8a36860, 0xd8000000]) {
      const ran = run([word]);
      expect(ran.outcome).toEqual({});
      expect(ran.memory.accesses).toEqual([]);
    }
  });
});

describe('unallocated encodings', () => {
  test.each([
    ['LD2 {V0.1D, V1.1D}, [X1]', 0x0c408c20],
    ['LD1 (multiple structures) with opcode 0001', 0x4c401020],
    ['LD1 {V0.H} with an odd size', 0x0d404420],
    ['ST1R', 0x0d00c020],
    ['LDRAA of a word', 0xb8200420],
    ['STG X0, [X1]', 0xd9200820],
    ['STGP X0, X3, [X1]', 0x69000c20],
    ['CASP with an odd Rs', 0x48257c26],
    ['CASP with an odd Rt', 0x48247c27],
    ['LDR (register) with UXTB', 0xf8630820],
    ['LDXR whose Rs is not all ones', 0xc8407c20],
    ['SIMD&FP pair with opc 11', 0xed000c20],
    ['size 11, opc 11', 0xf8c00020],
    ['size 10, opc 11', 0xb8c00020],
  ])('%s has no row', (_, word) => {
    expect(decode(word)).toBeUndefined();
  });
});

test('every row has a combination of known fields that is allocated for some operands', () => {
  for (const row of loadsStores) {
    const allocated = knownCombinations(row).filter((known) => row.allocated(known));
    expect(allocated.length, `${row.name}: ${row.pattern}`).toBeGreaterThan(0);
  }
});
