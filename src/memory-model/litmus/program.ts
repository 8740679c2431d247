// From a litmus test to the program that the explorer runs, and back from its final states to what herd7 prints.
//
// Refused here: translation tables, memory tags.

import type { ExceptionSettings } from '../aarch64-exceptions.ts';
import { aarch64Thread, type InitialRegisters, makeCode } from '../aarch64-thread.ts';
import { noNames, type SystemRegisterNames } from '../../isa/syntax.ts';
import type { CacheType, MemoryArea, Observable, Program, Thread } from '../program.ts';
import { assembleColumns, chooseRegisters, encodeLine, type ThreadCode } from './code.ts';
import { instructionText } from './instruction-text.ts';
import { type FinalStates, finalStates, type ValueNames } from './final-state.ts';
import { descriptorNames } from './descriptors.ts';
import { type Layout, layOut, type Variable } from './layout.ts';
import { arraysOf } from './spelling.ts';
import type { InitialItem, LitmusTest, Value } from './test.ts';
import { refuse } from './text.ts';
import { asType, typeOf } from './types.ts';
import { type CodeNames, valueNames } from './values.ts';
import { descriptorAreas, hardwareThreads, translationOf } from './translation.ts';
import { variantsOf, type Variants } from './variants.ts';
import { readX86Columns, type X86Column } from './x86-code.ts';
import { generalRegister } from '../x86-registers.ts';
import { x86Thread } from '../x86-thread.ts';

export interface ProgramOptions {
  /** System registers by name, for MRS and MSR. */
  readonly names?: SystemRegisterNames;
  /** How often a thread may pass the same backward branch. */
  readonly unroll?: number;
  /** Variants of herd7, beside those that the test names. */
  readonly variants?: readonly string[];
}

export interface LitmusProgram {
  readonly test: LitmusTest;
  readonly program: Program;
  readonly finalStates: FinalStates;
}

/** As herd7's -unroll. */
const usualUnroll = 2;

/** Makes the program of a test; a UserError names what of the test it cannot be made of. */
export function litmusProgram(test: LitmusTest, options: ProgramOptions = {}): LitmusProgram {
  const layout = layOut(test);
  const systemRegisters = options.names ?? noNames;
  if (test.architecture !== 'AArch64') return x86Program(test, layout, options);
  const addressOf = (name: string) => layout.variables.get(name)?.address;
  const code = assembleColumns(test, { names: systemRegisters, addressOf });
  const codeNames = namesOfCode(test, code, systemRegisters);
  const names = valueNames(layout, codeNames, descriptorNames(layout), a64Register);
  const states = finalStates(test, layout, names, arraysOf(test));
  const variants = variantsOf(test, options);
  const translationFor = translationOf(test, layout, variants);
  const codes = code.map((column) => ({ ...column, code: makeCode(column.base, column.bytes) }));
  const all = codes.map((column) => column.code);
  const hasControlStack = variants.has('shadowstack');
  const threads = codes.map((column) => {
    if (column.isHandler) return [];
    const handler = codes.find(({ thread, isHandler }) => isHandler && thread === column.thread)?.code;
    const exceptions = exceptionSettings(variants);
    const translation = translationFor(column.thread);
    const isEL0 = translation?.isEL0 ?? false;
    const staysAtHome = !handler && !codeNames.isRead && !hasControlStack && !variants.has('vmsa');
    const surroundings = {
      ...{ others: all, exceptions, hasControlStack, isEL0 },
      ...(handler && { handler }),
      ...(staysAtHome && { observed: registersObserved(states.observed, column.thread) }),
    };
    const registers = initialRegisters(test, column.thread, names);
    const thread = aarch64Thread(`P${column.thread}`, column.code, registers, surroundings);
    return [{ ...thread, ...(translation && { translation }) }];
  });
  const isTranslated = variants.has('vmsa');
  const descriptors = descriptorAreas(test, layout, names, isTranslated);
  const program: Program = {
    threads: [...withPlaces(test, code, threads.flat()), ...hardwareThreads(test, layout, descriptors, isTranslated)],
    memory: [...memoryOf(test, layout, names), ...descriptors, ...(codeNames.isRead ? code.map(codeArea) : [])],
    observed: states.observed,
    unroll: options.unroll ?? usualUnroll,
    cacheType: cacheTypeOf(test),
    hasControlStacks: hasControlStack,
  };
  return { test, program, finalStates: states };
}

/** `CacheType=IDC DIC`: what CTR_EL0 says. */
function cacheTypeOf({ info }: LitmusTest): CacheType {
  const names = (info.get('cachetype') ?? '').toUpperCase().split(/[\s,]+/);
  // Instruction caches see nothing that is still in a data cache.
  const DIC = names.includes('DIC');
  return { DIC, IDC: DIC || names.includes('IDC') };
}

/** Labels are no values in a test for x86, and no instruction is read as data. */
const noCodeNames = (code: readonly X86Column[]): CodeNames => ({
  labelAt: (thread, label) => code[thread]?.labels.get(label),
  nameAt: () => undefined,
  labelsAt: () => [],
  numberAt: () => undefined,
  wordOf: (_, at) => {
    throw refuse(at, 'instructions are no values in a test for x86');
  },
  instructionOf: () => undefined,
});

function x86Program(test: LitmusTest, layout: Layout, { unroll = usualUnroll }: ProgramOptions): LitmusProgram {
  const handler = test.columns.find(({ isHandler }) => isHandler);
  if (handler) throw refuse(handler.at, `P${handler.thread}.F: handlers of exceptions are for AArch64`);
  variantsOf(test, {});
  const code = readX86Columns(test, (name) => {
    const variable = layout.variables.get(name);
    return variable && { address: variable.address, bytes: variable.type.bytes };
  });
  const names = valueNames(layout, noCodeNames(code), descriptorNames(layout), (name) =>
    generalRegister(name) === undefined ? undefined : name,
  );
  const states = finalStates(test, layout, names, arraysOf(test));
  const program: Program = {
    threads: withPlaces(
      test,
      code,
      code.map((column) => {
        const registers = new Map<number, bigint>();
        for (const item of test.initial) {
          if (item.kind === 'symbolic register') throw refuse(item.at, 'symbolic registers are for AArch64');
          if (item.kind !== 'location' || item.location.kind !== 'register') continue;
          const { thread, name } = item.location;
          const register = generalRegister(name);
          if (register === undefined) throw refuse(item.at, `${name} is no register of a thread`);
          if (thread === column.thread) registers.set(register.number, initialValue(item, names, 64));
        }
        return x86Thread(`P${column.thread}`, column.code, registers);
      }),
    ),
    memory: memoryOf(test, layout, names),
    observed: states.observed,
    unroll,
  };
  return { test, program, finalStates: states };
}

/** Names of the registers of a thread that are looked at in the end. */
const registersObserved = (observed: readonly Observable[], thread: number): ReadonlySet<string> =>
  new Set(observed.flatMap((one) => (one.kind === 'register' && one.thread === thread ? [one.name] : [])));

/** X0 to X30, SP, V0 to V31 by any of its names, the flags, and the pointer of the Guarded Control Stack. */
function a64Register(name: string): string | undefined {
  const register = name.replace(/^[QDSHB](?=\d)/, 'V');
  return /^(?:X(?:[12]?\d|30)|V(?:[12]?\d|3[01])|SP|[NZC]|GCSPR_EL1)$/.test(register) ? register : undefined;
}

/** What exceptions do under the variants of the test. */
function exceptionSettings(variants: Variants): ExceptionSettings {
  // FEAT_ExS: SCTLR_EL1.EIS and EOS say which entries and returns are context synchronization events.
  const hasExS = variants.has('exs');
  return {
    unhandled: variants.unhandled,
    entrySynchronizes: !hasExS || variants.has('eis'),
    returnSynchronizes: !hasExS || variants.has('eos'),
  };
}

function initialRegisters(test: LitmusTest, thread: number, names: ValueNames): InitialRegisters {
  const registers = new Map<string, bigint>();
  const chosen = chooseRegisters(test, thread);
  for (const item of test.initial) {
    if (item.kind === 'symbolic register') {
      const register = chosen.get(item.name);
      if (register !== undefined) registers.set(`X${register}`, initialValue(item, names, 64));
    } else if (item.kind === 'location' && item.location.kind === 'register' && item.location.thread === thread) {
      const { name } = item.location;
      const register = a64Register(name);
      if (register === undefined) throw refuse(item.at, `${name} is no register of a thread`);
      registers.set(register, initialValue(item, names, register.startsWith('V') ? 128 : 64));
    }
  }
  return registers;
}

const instructionBytes = 4n;

/** Threads that know where the instructions of any of them stand in the file. */
function withPlaces(
  test: LitmusTest,
  code: readonly { readonly base: bigint }[],
  threads: readonly Thread[],
): Thread[] {
  const lines = test.columns.map((column) => column.lines.filter(({ kind }) => kind === 'instruction'));
  const placeOf = (pc: bigint): string | undefined => {
    const spots = code.map(({ base }, n) =>
      pc >= base ? lines[n]?.[Number((pc - base) / instructionBytes)]?.at : undefined,
    );
    const spot = spots.find((found) => found !== undefined);
    return spot && `${spot.file}:${spot.line}:${spot.column}`;
  };
  return threads.map((thread) => ({ ...thread, placeOf }));
}

/** The initial value of a register, in its bits; what has a type is a number of that type. */
function initialValue(
  item: InitialItem & { readonly kind: 'location' | 'symbolic register' },
  names: ValueNames,
  bits: number,
): bigint {
  if (item.value === undefined) return 0n;
  const value = names.numberOf(item.value, item.at);
  const type = item.type === undefined ? undefined : typeOf(item.type, item.at);
  // An address that is given to an int is the address all the same.
  const isNumber = item.value.kind === 'number' && type !== undefined;
  return BigInt.asUintN(bits, isNumber ? asType(type, value) : value);
}

function memoryOf(test: LitmusTest, layout: Layout, names: ValueNames): MemoryArea[] {
  const contents = new Map<string, Uint8Array>();
  for (const variable of layout.variables.values()) {
    contents.set(variable.name, new Uint8Array(layout.sizeOf(variable)));
  }
  const write = (variable: Variable, index: number, value: Value, item: InitialItem): void => {
    const bytes = contents.get(variable.name)!;
    let rest = BigInt.asUintN(8 * variable.type.bytes, names.numberOf(value, item.at));
    for (let n = 0; n < variable.type.bytes; n += 1, rest >>= 8n) {
      bytes[index * variable.type.bytes + n] = Number(rest & 0xffn);
    }
  };
  for (const item of test.initial) {
    if (item.value === undefined) continue;
    if (item.kind === 'array' || item.kind === 'shadow stack') {
      const variable = layout.variables.get(item.name)!;
      const { value } = item;
      if (value.kind !== 'list') throw refuse(item.at, `${item.name} is an array: its value is a list in braces`);
      value.elements.forEach((element, index) => {
        write(variable, index, element, item);
      });
    } else if (item.kind === 'location' && item.location.kind === 'memory') {
      const { name, index } = item.location;
      write(layout.variables.get(name)!, index ?? 0, item.value, item);
    }
  }
  return [...layout.variables.values()].map(({ name, address, type }) => ({
    name,
    address,
    bytes: contents.get(name)!,
    elementBytes: type.bytes,
    isSigned: type.isSigned,
  }));
}

/** Instructions as data. */
const codeArea = ({ thread, isHandler, base, bytes, labels }: ThreadCode): MemoryArea => ({
  name: `P${thread}${isHandler ? '.F' : ''}`,
  address: base,
  bytes,
  elementBytes: 4,
  isSigned: false,
  isCode: true,
  labels: new Map([...labels].map(([label, address]) => [address, label])),
});

/** Below are the words of UDF. */
const firstWord = 0x1_0000n;
/** Instructions are numbered from 100000 for P0, from 200000 for P1, and so on, as in herd7. */
const codeNumbersOfThread = 100_000n;

/** A label, or a list that has one. */
const hasLabel = (value: Value | undefined): boolean =>
  value?.kind === 'label' || (value?.kind === 'list' && value.elements.some(hasLabel));

/** ADR, ADRP, BL, BLR, and a load whose address is a label. */
const makesCodeAddress = /^(?:ADR|BL|LDR(?:SW)?\s+\w+\s*,\s*[A-Z_.])/i;

/** Labels and instructions of the test as values; `isRead` where any instruction's address can be had by the program. */
function namesOfCode(
  test: LitmusTest,
  code: readonly ThreadCode[],
  systemRegisters: SystemRegisterNames,
): CodeNames & { readonly isRead: boolean } {
  const labels = new Map<bigint, string>();
  for (const { thread, labels: own } of code) {
    for (const [label, address] of own) if (!labels.has(address)) labels.set(address, `label:"P${thread}:${label}"`);
  }
  const written = new Map<bigint, string>();
  const isRead =
    test.initial.some((item) => hasLabel(item.value)) ||
    test.columns.some((column) =>
      column.lines.some((line) => line.kind === 'instruction' && makesCodeAddress.test(line.text)),
    );
  const words = new Set(isRead ? code.flatMap(({ bytes }) => wordsOf(bytes)) : []);
  return {
    isRead,
    labelAt: (thread, label) => code.find((column) => column.thread === thread)?.labels.get(label),
    nameAt: (address) => labels.get(address),
    labelsAt: (pc) =>
      code
        .filter(({ base, bytes }) => pc >= base && pc < base + BigInt(bytes.length))
        .flatMap((column) => [...column.labels].flatMap(([label, address]) => (address === pc ? [label] : []))),
    numberAt: (address) => {
      const own = code.find(
        ({ base, bytes, isHandler }) => !isHandler && address >= base && address <= base + BigInt(bytes.length),
      );
      return own && BigInt(own.thread + 1) * codeNumbersOfThread + (address - own.base);
    },
    wordOf: (text, at) => {
      const word = BigInt(encodeLine(text, at, 0n, () => undefined, systemRegisters));
      written.set(word, text);
      return word;
    },
    instructionOf: (word) => {
      // The words of UDF are small numbers.
      if (!written.has(word) && (!words.has(word) || word < firstWord)) return undefined;
      const text = written.get(word) ?? instructionText(Number(word));
      return text === 'NOP' ? text : `instr:"${text}"`;
    },
  };
}

function wordsOf(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >>> 2 }, (_, n) => BigInt(view.getUint32(4 * n, true)));
}
