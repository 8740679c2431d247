// A litmus test on PEs of the step engine, whose instructions are interleaved at random. Exceptions are taken to a vector of the thread's
// own, which branches to its handler, or does what the variants of herd7 say of threads without one.
//
// TLBs are what makes the machine differ from one that is sequentially consistent: they are filled by chance before they are needed, lose
// entries by chance, and hear late of what others invalidate; a DSB waits for it.

import { dvm, type DvmOperation } from '../../src/arch/environment.ts';
import { exit } from '../../src/arch/exits.ts';
import type { Pe, SavedPe } from '../../src/arch/pe.ts';
import { registerNames } from '../../src/arch/register-names.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import { context } from '../../src/arch/translation-attributes.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { disassemble } from '../../src/isa/disassembler.ts';
import { beyondCores } from '../../src/isa/instruction-set.ts';
import type { UnhandledException } from '../../src/memory-model/aarch64-exceptions.ts';
import { makeCode } from '../../src/memory-model/aarch64-thread.ts';
import { assembleColumns, type ThreadCode } from '../../src/memory-model/litmus/code.ts';
import { layOut } from '../../src/memory-model/litmus/layout.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';
import { variantsOf } from '../../src/memory-model/litmus/variants.ts';
import type { FinalState, Observable, Program, TakenException } from '../../src/memory-model/program.ts';
import { assert } from '../../src/report/assert.ts';
import { mair, tcrEl1 } from '../arch/page-tables.ts';
import { flatMachine } from '../engine/flat-machine.ts';
import { makeRandom, type Random } from '../fuzz/random.ts';
import { litmusMemory, vectorBase } from './litmus-memory.ts';

export interface MachineTest {
  readonly program: Program;
  readonly code: readonly ThreadCode[];
  readonly unhandled: UnhandledException;
  /** Descriptors translate: the variant vmsa. */
  readonly isTranslated: boolean;
}

export function machineTest(text: string, path: string, variants: readonly string[]): MachineTest {
  const test = parseLitmus(text, path);
  const layout = layOut(test);
  const addressOf = (name: string): bigint | undefined => layout.variables.get(name)?.address;
  const settings = variantsOf(test, { variants });
  return {
    program: litmusProgram(test, { names: registerNames, variants }).program,
    code: assembleColumns(test, { names: registerNames, addressOf }),
    unhandled: settings.unhandled,
    isTranslated: settings.has('vmsa'),
  };
}

/** The feature of the first instruction that no core has. */
const missingInstruction = (code: readonly ThreadCode[]): string | undefined =>
  code
    .flatMap(({ base, bytes }) => makeCode(base, bytes).instructions)
    .find((decoded) => decoded !== undefined && beyondCores.includes(decoded.row))?.row.feature;

/** What of a test the machine does not have, if anything. */
export function missingFeature({ program, code, isTranslated }: MachineTest): string | undefined {
  if (program.hasControlStacks === true) return 'FEAT_GCS';
  if (isTranslated && program.threads.some(({ translation }) => translation?.ha === true)) return 'FEAT_HAFDBS';
  return missingInstruction(code);
}

/** A run that takes longer waits in a loop, and is not looked at. */
const mostInstructions = 400;

/** Of synchronous exceptions, from VBAR_EL1: taken from EL1 with SP_EL1, and from EL0. */
const vectorOffsets = [0x200n, 0x400n] as const;
const EC = { undefined: 0x00, svc: 0x15, dataAbortLower: 0x24, dataAbortSame: 0x25 } as const;
/** DFSC[5:2] of faults that have a level. */
const faultTypes: Readonly<Record<number, string>> = { 1: 'Translation', 2: 'AccessFlag', 3: 'Permission' };
const lastLevel = 3;

const spsr = { EL0t: 0x3c0n, EL1h: 0x3c5n } as const;
const SCTLR = { M: 1n, SA: 1n << 3n, SA0: 1n << 4n, UCT: 1n << 15n, SPAN: 1n << 23n, UCI: 1n << 26n } as const;
const CPACR_FPEN = 3n << 20n;
const wordBytes = 4n;

/** What becomes of an exception. */
function vectorCode(handler: ThreadCode | undefined, unhandled: UnhandledException): string {
  if (handler) return `b 0x${handler.base.toString(16)}`;
  switch (unhandled) {
    case 'fatal':
      return 'b .';
    case 'handled':
      return 'eret';
    case 'skip':
      return `
        msr     tpidr_el1, x0
        mrs     x0, esr_el1
        lsr     x0, x0, #26
        cmp     x0, #${EC.svc}
        mrs     x0, elr_el1
        b.eq    1f
        add     x0, x0, #4
1:      msr     elr_el1, x0
        mrs     x0, tpidr_el1
        eret`;
  }
}

/** By its text: a store that reads nothing, and one that may write nothing. */
const plainStore = /^st(?!add|clr|eor|set|[su]m)/;
const storeExclusive = /^stl?x/;
const baseRegister = /\[x(\d+)/;

const flagAt = { N: record.n, Z: record.z, C: record.c, V: record.v } as const;
const flagNames = ['N', 'Z', 'C', 'V'] as const;

export interface LitmusMachine {
  /** The final state of one run; undefined where a thread does not end, or where the model has no such execution. */
  run(seed: number): FinalState | undefined;
}

export interface LitmusMachineOptions {
  /** A DSB waits until other PEs have heard of what was invalidated; true unless told. */
  readonly isDsbWaiting?: boolean;
}

export function litmusMachine(test: MachineTest, { isDsbWaiting = true }: LitmusMachineOptions = {}): LitmusMachine {
  const { program, code, unhandled, isTranslated } = test;
  const threads = code.filter(({ isHandler }) => !isHandler);
  /** DVM operations that a PE has not heard of yet. */
  const unheard: { readonly from: number; readonly operation: DvmOperation }[][] = threads.map(() => []);
  const machine = flatMachine('step', 'nop', {
    pes: threads.length,
    dvm: {
      broadcast: (from, operation) => {
        for (const [n, queue] of unheard.entries()) if (n !== from) queue.push({ from, operation });
      },
      isComplete: (from) => !isDsbWaiting || unheard.every((queue) => queue.every((one) => one.from !== from)),
    },
  });
  const { pes } = machine;
  const { view, bytes, words, doublewords } = machine.views;
  const memory = litmusMemory(machine.views, program, code, isTranslated);
  const register64 = (offset: number): bigint => view.getBigUint64(offset, true);
  const pcOf = ({ base }: Pe): number => Number(register64(base + record.pc));

  /** Where threads run; they end where they leave it. */
  const spans = code.map(({ base, bytes: own }) => ({ from: Number(base), to: Number(base) + own.length }));
  for (const { thread } of threads) {
    const handler = code.find((column) => column.isHandler && column.thread === thread);
    for (const offset of vectorOffsets) {
      const base = vectorBase(thread) + offset;
      const { bytes: own } = assemble(vectorCode(handler, unhandled), { base, names: registerNames });
      bytes.set(own, memory.physicalOf(base));
      const isEnd = !handler && unhandled === 'fatal';
      if (!isEnd) spans.push({ from: Number(base), to: Number(base) + own.length });
    }
  }
  const isRunning = (pe: Pe): boolean => {
    const pc = pcOf(pe);
    return spans.some(({ from, to }) => pc >= from && pc < to);
  };

  /** A PE at the beginning of its thread. */
  function started(pe: Pe, n: number): SavedPe {
    const thread = program.threads[n]!;
    const state = thread.start();
    const of = (name: string): bigint => state.register(name).bits;
    const { base } = pe;
    pe.reset({ el: 1, pc: 0n, x0: 0n });
    pe.writeRegister('MAIR_EL1', mair);
    pe.writeRegister('TCR_EL1', tcrEl1(16));
    pe.writeRegister('TTBR0_EL1', memory.root);
    pe.writeRegister('VBAR_EL1', vectorBase(n));
    pe.writeRegister('CPACR_EL1', CPACR_FPEN);
    const set = SCTLR.M | SCTLR.SPAN | SCTLR.UCI | SCTLR.UCT;
    pe.writeRegister('SCTLR_EL1', (pe.readRegister('SCTLR_EL1') | set) & ~(SCTLR.SA | SCTLR.SA0));
    pe.writeRegister('ELR_EL1', threads[n]!.base);
    pe.writeRegister('SPSR_EL1', thread.translation?.isEL0 === true ? spsr.EL0t : spsr.EL1h);
    pe.eret();
    for (let x = 0; x < 31; x += 1) pe.writeX(x, memory.toMachine(of(`X${x}`)));
    doublewords[(base + record.sp) >>> 3] = memory.toMachine(of('SP'));
    for (let v = 0; v < 32; v += 1) {
      doublewords[((base + record.vector) >>> 3) + 2 * v] = of(`V${v}`);
      doublewords[((base + record.vector) >>> 3) + 2 * v + 1] = of(`V${v}`) >> 64n;
    }
    for (const flag of flagNames) words[(base + flagAt[flag]) >>> 2] = Number(of(flag));
    return pe.save();
  }
  const starts = pes.map(started);

  /** The exception that a PE has just taken. */
  function takenBy(pe: Pe): TakenException {
    const esr = Number(pe.readRegister('ESR_EL1'));
    const pc = pe.readRegister('ELR_EL1');
    const [ec, dfsc] = [esr >>> 26, esr & 0x3f];
    if (ec === EC.svc) return { pc: pc - wordBytes, type: 'SupervisorCall' };
    if (ec === EC.undefined) return { pc, type: 'UndefinedInstruction' };
    const type = faultTypes[dfsc >>> 2];
    const isKnown = (ec === EC.dataAbortSame || ec === EC.dataAbortLower) && (dfsc & 3) === lastLevel;
    assert(
      isKnown && type !== undefined,
      `an exception with ESR_EL1 0x${esr.toString(16)} at 0x${pc.toString(16)}, FAR 0x${pe.readRegister('FAR_EL1').toString(16)}`,
    );
    return { pc, type: `D-MMU:${type}`, address: memory.toLitmus(pe.readRegister('FAR_EL1')) };
  }

  function finalRegister({ base }: Pe, name: string): bigint {
    const number = Number(name.slice(1));
    if (/^X\d+$/.test(name)) return memory.toLitmus(register64(base + record.x + 8 * number));
    if (name === 'SP') return memory.toLitmus(register64(base + record.sp));
    const vectorAt = base + record.vector + 16 * number;
    if (/^V\d+$/.test(name)) return register64(vectorAt) | (register64(vectorAt + 8) << 64n);
    const flag = flagNames.find((one) => one === name);
    assert(flag !== undefined, `${name} is no register of a thread`);
    return BigInt(view.getUint32(base + flagAt[flag], true));
  }

  function finalValue(observable: Observable, taken: readonly (readonly TakenException[])[]): bigint {
    if (observable.kind === 'exceptions') return observable.numberOf(program.threads.map((_, n) => taken[n] ?? []));
    if (observable.kind === 'register') return finalRegister(pes[observable.thread]!, observable.name);
    const at = memory.placeOf(observable.address);
    let value = 0n;
    for (let n = observable.bytes - 1; n >= 0; n -= 1) value = (value << 8n) | BigInt(bytes[at + n]!);
    return memory.toLitmus(value);
  }

  /** Descriptors that nothing translates by: their initial contents are no writes, so that no execution reads them. */
  const unwritten = program.memory.filter(({ isUnwritten }) => isUnwritten === true).map(({ address }) => address);
  /** Whether the next instruction of a PE reads one of those that are `left`; a store takes its own out of them. */
  function readsUnwritten(pe: Pe, left: Set<bigint>): boolean {
    const pc = pcOf(pe);
    const text = disassemble(view.getUint32(memory.physicalOf(BigInt(pc)), true), pc, registerNames).toLowerCase();
    const [, base] = baseRegister.exec(text) ?? [];
    const address = base === undefined ? undefined : pe.readX(Number(base));
    if (address === undefined || !left.has(address)) return false;
    if (!plainStore.test(text)) return true;
    if (!storeExclusive.test(text)) left.delete(address);
    return false;
  }

  const everything: DvmOperation = { code: dvm.tlbiAll, vaLow: 0, vaHigh: 0, asid: 0, context: context.el1 };
  /** What may happen to a TLB at any time: it walks for nobody, loses its entries, or hears of an invalidation. */
  function disturbTlb(random: Random): void {
    const n = random.below(pes.length);
    const pe = pes[n]!;
    const chance = random.below(6);
    if (chance < 2) pe.readMemory(random.pick(memory.describedPages), 1);
    else if (chance < 3) pe.receiveDvm(everything);
    else if (chance < 5) {
      const next = unheard[n]!.shift();
      if (next) pe.receiveDvm(next.operation);
    }
  }

  function run(seed: number): FinalState | undefined {
    const random = makeRandom(seed);
    memory.fill();
    for (const queue of unheard) queue.length = 0;
    pes.forEach((pe, n) => {
      pe.restore(starts[n]!);
    });
    const taken: TakenException[][] = threads.map(() => []);
    /** Instructions that have faulted and are done again. */
    const again: (number | undefined)[] = threads.map(() => undefined);
    const left = new Set(unwritten);
    const isTranslating = memory.describedPages.length > 0;
    const calmness = random.pick([1, 2, 8]);
    if (isTranslating) for (let n = random.below(12); n > 0; n -= 1) disturbTlb(random);
    let last = 0;
    /** Some runs change threads at every instruction, others seldom; a thread that has faulted lets others go first. */
    const next = (running: readonly number[]): number => {
      const isStaying = running.includes(last) && again[last] === undefined && random.below(4) < seed % 4;
      const chosen = isStaying ? last : random.pick(running);
      return again[chosen] !== undefined && !random.oneIn(8) ? random.pick(running) : chosen;
    };
    for (let instructions = 0; instructions < mostInstructions; instructions += 1) {
      const running = pes.flatMap((pe, n) => (isRunning(pe) ? [n] : []));
      if (running.length === 0) return program.observed.map((observable) => finalValue(observable, taken));
      if (isTranslating && random.oneIn(calmness)) disturbTlb(random);
      last = next(running);
      const pe = pes[last]!;
      if (left.size > 0 && readsUnwritten(pe, left)) return undefined;
      const pc = pcOf(pe);
      const before = pe.exceptionsTaken[1];
      if (machine.runOnce(last, 1).code === exit.barrier) continue;
      if (pe.exceptionsTaken[1] !== before) {
        const exception = takenBy(pe);
        // An instruction that is done again and faults again is in no execution.
        if (again[last] === Number(exception.pc)) return undefined;
        if (unhandled === 'handled' && exception.type !== 'SupervisorCall') again[last] = Number(exception.pc);
        taken[last]!.push(exception);
      } else if (pc === again[last]) again[last] = undefined;
    }
    return undefined;
  }

  return { run };
}
