// The trace reading: an instruction's meaning over concrete values that carry the reads on which they depend.
//
// It is the slow and simple reading: the wasm engines are tested against it, and the exploration of a memory model takes its address,
// data and control dependencies from it. Register and flag writes take effect together when the meaning has run to its end.

import { assert } from '../report/assert.ts';
import { formats, fpcrBit } from '../isa/floating-point/format.ts';
import { floatOutcome } from '../isa/floating-point/operations.ts';
import { wordsOver } from '../isa/floating-point/words.ts';
import type { PointerKey } from '../isa/pointer-authentication/names.ts';
import { keyOf, pointerControl, pointerResult } from '../isa/pointer-authentication/pointer.ts';
import type { Decoded } from '../isa/decoder.ts';
import type { Access, AccessBytes, ElementBits, FlagName, Ordering, Semantics, Value } from '../isa/semantics.ts';
import type {
  TraceAccess,
  TraceEvent,
  TraceException,
  TraceHooks,
  TraceMemory,
  TraceRead,
  TraceState,
} from './trace-state.ts';
import type { Fields } from '../isa/syntax.ts';
import { laneOperations } from './trace-lanes.ts';
import {
  concrete,
  independent,
  merge,
  openName,
  openValue,
  resize,
  traceOperations,
  traceValue,
  type TraceValue,
} from './trace-values.ts';

/** What became of an instruction; after an exception PC and everything else is as before it. */
export type TraceOutcome = TraceException | { readonly exception?: never };

/** Ends a meaning in the middle, as an exception does. It does not leave `executeTrace`. */
class Ended extends Error {
  exception: TraceException = { exception: 'UNDEFINED' };
}

/** There is one, because a stack trace for each would cost more than most instructions. */
const ended = new Ended();

const end = (exception: TraceException): never => {
  ended.exception = exception;
  throw ended;
};

/** The answer of memory or of a hook, where it is not an exception. */
function unlessException<T>(answer: T | TraceException): T {
  if (typeof answer === 'object' && answer !== null && 'exception' in answer) return end(answer);
  return answer;
}

/** NZCV: op0 3, op1 3, CRn 4, CRm 2, op2 0. */
const keyNZCV = 0b11_011_0100_0010_000;
/** FPCR and FPSR. */
const keyFPCR = 0b11_011_0100_0100_000;
const keyFPSR = 0b11_011_0100_0100_001;
/** ELR_EL1: who runs a trace is at EL1 or EL0. */
const keyELR_EL1 = 0b11_000_0100_0000_001;
/** AP<key>KeyLo_EL1 and AP<key>KeyHi_EL1: op0 3, op1 0, CRn 2, CRm 1 to 3. */
const keyRegister = (key: PointerKey | 'GA', half: 'Hi' | 'Lo'): number => {
  const n = ['IA', 'IB', 'DA', 'DB', 'GA'].indexOf(key);
  return 0b11_000_0010_0001_000 + 8 * (n >> 1) + 2 * (n & 1) + (half === 'Hi' ? 1 : 0);
};
const concreteWords = wordsOver(traceOperations);
const flagNames: readonly FlagName[] = ['V', 'C', 'Z', 'N'];

/** Ends the instruction if the value is not known. */
function known(value: Value): TraceValue {
  const x = concrete(value);
  return x.open === undefined ? x : end({ exception: 'open value', value: x });
}

const number = (value: Value): number => Number(concrete(value).bits);

/** Exclusives and atomics are always aligned to their size. */
const alignedAccess = (order: Ordering): Access => ({ ...order, aligned: true });

/** The width in which an element of memory is loaded. */
const loadedWidth = (bytes: AccessBytes): 32 | 64 | 128 => (bytes === 16 ? 128 : bytes === 8 ? 64 : 32);

/** The instruction that is being executed: the semantics interface is made once, because making it costs more than most meanings. */
interface Context {
  fields: Fields;
  state: TraceState;
  memory: TraceMemory;
  hooks: TraceHooks;
  /** What takes effect when the meaning has run to its end. */
  writes: (() => void)[];
  nextPc: bigint;
}

/** The semantics interface over whatever the context holds. */
function makeSemantics(c: Context): Semantics {
  const readX = (n: number): TraceValue => (n === 31 ? traceValue(64, 0n) : c.state.readX(n));
  const readXSP = (n: number): TraceValue => (n === 31 ? c.state.readSP() : c.state.readX(n));
  const write = (effect: () => void): void => {
    c.writes.push(effect);
  };
  const event = (e: TraceEvent) => write(() => c.hooks.report(e));

  const accessOf = (address: Value, bytes: AccessBytes, access: Access): TraceAccess => {
    assert(address.width === 64, 'an address has 64 bits');
    return { address: concrete(address), bytes, access, control: c.state.control };
  };
  const loaded = (bytes: AccessBytes, answer: TraceRead | TraceException): readonly TraceValue[] => {
    const { bits, read, elements } = unlessException(answer);
    return bits.map((value, n) => {
      const { open, ...depends } = elements?.[n] ?? { deps: [read], picks: [] };
      const width = loadedWidth(bytes);
      return open === undefined ? traceValue(width, value, depends) : openValue(width, open, depends);
    });
  };
  const low = (value: Value, bytes: AccessBytes): TraceValue => {
    const stored = concrete(value);
    if (stored.open !== undefined) return stored;
    return traceValue(stored.width, BigInt.asUintN(8 * bytes, stored.bits), stored);
  };
  /** The status of a store-exclusive carries no dependency: a write is no read. */
  const status = (done: boolean): TraceValue => traceValue(32, done ? 0n : 1n);

  /** Cumulative flags are no value that an instruction computes: FPSR carries no dependencies. */
  const raise = (flags: bigint): void => {
    if (flags === 0n) return;
    write(() => {
      const before = unlessException(c.hooks.readSystemRegister(keyFPSR));
      c.hooks.writeSystemRegister(keyFPSR, traceValue(64, before.bits | flags));
    });
  };

  const load = (address: Value, bytes: AccessBytes, access: Access): TraceValue =>
    loaded(bytes, c.memory.load(accessOf(address, bytes, access)))[0]!;
  const store = (address: Value, value: Value, bytes: AccessBytes, access: Access): void => {
    unlessException(c.memory.store(accessOf(address, bytes, access), low(value, bytes)));
  };
  /** Addresses of consecutive elements. */
  const elements = (address: Value, bytes: number, count: number): Value[] =>
    Array.from({ length: count }, (_, n) => traceOperations.add(address, traceValue(64, BigInt(bytes * n))));

  const authenticatePointer: Semantics['authenticatePointer'] = (operation, pointer, modifier) => {
    const [x, y] = [concrete(pointer), concrete(modifier)];
    const key = keyOf(operation);
    const control = c.state.pointerControl;
    const isEnabled = key === undefined || key === 'GA' || (control & (1 << pointerControl.enabled[key])) !== 0;
    if (!isEnabled) return x;
    const depends = merge(x, key === undefined ? independent : y);
    if (x.open !== undefined || y.open !== undefined) return openValue(64, openName(operation, 64, x, y), depends);
    const half = (name: 'Hi' | 'Lo'): TraceValue => {
      const value = key === undefined ? traceValue(64, 0n) : c.hooks.readSystemRegister(keyRegister(key, name));
      return traceValue(64, unlessException(value).bits);
    };
    const context = {
      w: concreteWords,
      control: traceValue(64, BigInt(control)),
      key: [half('Hi'), half('Lo')],
    } as const;
    // The choices inside are the operation's own.
    const result = pointerResult(operation, context, traceValue(64, x.bits), traceValue(64, y.bits));
    return traceValue(64, concrete(result).bits, depends);
  };

  const branchTo = (
    target: Value,
    taken: boolean,
    kind: 'conditional' | Parameters<Semantics['branch']>[1],
    on: TraceValue,
  ) => {
    const destination = known(target);
    const depends = { deps: on.deps, picks: on.picks };
    event({ event: 'branch', kind, taken, target: destination, depends });
    write(() => {
      c.state.control = merge(c.state.control, depends);
    });
    if (taken) c.nextPc = destination.bits;
  };

  const semantics: Semantics = {
    ...traceOperations,

    ...laneOperations,

    floatLanes: (operation, bits, lanes, operands) => {
      const elements = Array.from({ length: lanes }, (_, lane) =>
        semantics.float(
          operation,
          bits,
          operands.map((operand) => (operand.width === 128 ? laneOperations.laneOf(operand, bits, lane) : operand)),
        ),
      );
      return elements.reduce(
        (vector, element, lane) => laneOperations.withLane(vector, bits, lane, element),
        traceValue(128, 0n),
      );
    },
    float: (operation, bits, operands) => {
      const fpcr = unlessException(c.hooks.readSystemRegister(keyFPCR));
      const depends = operands.map(concrete).reduce(merge, fpcr);
      if (operands.some((operand) => concrete(operand).open !== undefined)) {
        return openValue(64, openName(`${operation}${bits}`, 64, ...operands.map(concrete)), depends);
      }
      const [a, b, d] = [0, 1, 2].map((n) => traceValue(64, operands[n] ? concrete(operands[n]).bits : 0n));
      const context = { w: concreteWords, format: formats[bits], fpcr: traceValue(64, fpcr.bits) };
      const { value, flags } = floatOutcome(operation, context, [a!, b!, d!]);
      raise(concrete(flags).bits);
      // The choices inside are the operation's own: its result depends on all of its operands.
      return traceValue(64, concrete(value).bits, depends);
    },
    roundingMode: () => {
      const fpcr = unlessException(c.hooks.readSystemRegister(keyFPCR));
      return traceValue(64, (fpcr.bits >> BigInt(fpcrBit.RMode)) & 3n, fpcr);
    },
    raiseFPSR: (flags) => {
      raise(concrete(flags).bits);
    },

    readX: (n, width) => resize(readX(number(n)), width),
    readXSP: (n, width) => resize(readXSP(number(n)), width),
    readBase: (n) => {
      const base = readXSP(number(n));
      if (number(n) === 31 && c.state.checksSPAlignment && known(base).bits % 16n !== 0n)
        end({ exception: 'SP alignment' });
      return base;
    },
    writeX: (n, value) => {
      const register = number(n);
      if (register !== 31) write(() => c.state.writeX(register, resize(concrete(value), 64)));
    },
    writeXSP: (n, value) => {
      const register = number(n);
      const extended = resize(concrete(value), 64);
      write(() => (register === 31 ? c.state.writeSP(extended) : c.state.writeX(register, extended)));
    },
    readV: (n, width) => resize(c.state.readV(number(n)), width),
    writeV: (n, value) => write(() => c.state.writeV(number(n), resize(concrete(value), 128))),
    checkFPEnabled: () => {
      if (c.state.trapsFP) end({ exception: 'FP trap' });
    },
    readFlag: (name) => c.state.readFlag(name),
    writeFlags: (flags) => {
      for (const name of flagNames) {
        const value = flags[name];
        if (value) write(() => c.state.writeFlag(name, concrete(value)));
      }
    },
    pc: () => traceValue(64, c.state.pc),

    load: (address, bytes, access) => {
      const { elementBytes } = access;
      if (elementBytes === undefined) return load(address, bytes, access);
      const words = elements(address, elementBytes, bytes / elementBytes).map((at) => load(at, elementBytes, {}));
      if (words.length === 1) return words[0]!;
      const bits = (8 * elementBytes) as ElementBits;
      const vector = words.reduce<Value>(
        (v, word, n) => laneOperations.withLane(v, bits, n, word),
        traceValue(128, 0n),
      );
      return bytes === 16 ? vector : laneOperations.laneOf(vector, 64, 0);
    },
    store: (address, value, bytes, access) => {
      const { elementBytes } = access;
      if (elementBytes === undefined) {
        store(address, value, bytes, access);
        return;
      }
      const vector = resize(concrete(value), 128);
      elements(address, elementBytes, bytes / elementBytes).forEach((at, n) => {
        store(at, laneOperations.laneOf(vector, (8 * elementBytes) as ElementBits, n), elementBytes, {});
      });
    },
    loadPair: (address, bytes) => {
      const [first, second] = elements(address, bytes, 2).map((at) => load(at, bytes, {}));
      return [first!, second!];
    },
    storePair: (address, first, second, bytes) => {
      const values = [first, second];
      elements(address, bytes, 2).forEach((at, n) => {
        store(at, values[n]!, bytes, {});
      });
    },
    loadElements: (address, bits, count) =>
      elements(address, bits / 8, count).map((at) => resize(load(at, (bits / 8) as AccessBytes, {}), 64)),
    storeElements: (address, bits, words) => {
      elements(address, bits / 8, words.length).forEach((at, n) => {
        store(at, words[n]!, (bits / 8) as AccessBytes, {});
      });
    },
    loadExclusive: (address, bytes, order) =>
      loaded(bytes, c.memory.loadExclusive(accessOf(address, bytes, alignedAccess(order)), 1))[0]!,
    loadExclusivePair: (address, bytes, order) => {
      const [first, second] = loaded(bytes, c.memory.loadExclusive(accessOf(address, bytes, alignedAccess(order)), 2));
      return [first!, second!];
    },
    storeExclusive: (address, value, bytes, order) =>
      status(
        unlessException(c.memory.storeExclusive(accessOf(address, bytes, alignedAccess(order)), [low(value, bytes)])),
      ),
    storeExclusivePair: (address, first, second, bytes, order) =>
      status(
        unlessException(
          c.memory.storeExclusive(accessOf(address, bytes, alignedAccess(order)), [
            low(first, bytes),
            low(second, bytes),
          ]),
        ),
      ),
    clearExclusive: () => write(() => c.memory.clearExclusive()),
    atomic: (operation, address, operand, bytes, order) => {
      const access = { ...accessOf(address, bytes, alignedAccess(order)), isDiscarded: c.fields.Rt === 31 };
      return loaded(bytes, c.memory.atomic(access, operation, low(operand, bytes)))[0]!;
    },
    compareAndSwap: (address, expected, replacement, bytes, order) =>
      loaded(
        bytes,
        c.memory.compareAndSwap(
          { ...accessOf(address, bytes, alignedAccess(order)), isDiscarded: c.fields.Rs === 31 },
          [low(expected, bytes)],
          [low(replacement, bytes)],
        ),
      )[0]!,
    compareAndSwapPair: (address, expected, replacement, bytes, order) => {
      const [first, second] = loaded(
        bytes,
        c.memory.compareAndSwap(
          accessOf(address, bytes, alignedAccess(order)),
          expected.map((value) => low(value, bytes)),
          replacement.map((value) => low(value, bytes)),
        ),
      );
      return [first!, second!];
    },

    // Pages of the trace reading are not guarded.
    inGuardedPage: () => traceValue(32, 0n),
    setBType: () => {},
    branch: (target, kind) => branchTo(target, true, kind, concrete(target)),
    branchIf: (condition, target) => {
      const decision = known(condition);
      branchTo(target, decision.bits !== 0n, 'conditional', decision);
    },

    undefined: () => end({ exception: 'UNDEFINED' }),
    svc: (imm16) => end({ exception: 'SVC', imm16: number(imm16) }),
    hvc: (imm16) => end({ exception: 'HVC', imm16: number(imm16) }),
    smc: (imm16) => end({ exception: 'SMC', imm16: number(imm16) }),
    brk: (imm16) => end({ exception: 'BRK', imm16: number(imm16) }),
    hlt: (imm16) => end({ exception: 'HLT', imm16: number(imm16) }),
    eret: () => event({ event: 'ERET' }),
    exceptionLink: () => unlessException(c.hooks.readSystemRegister(keyELR_EL1)),
    authenticatePointer,
    readSystemRegister: (key) => {
      if (number(key) !== keyNZCV) return unlessException(c.hooks.readSystemRegister(number(key)));
      return flagNames
        .map((name, bit) => {
          const flag = traceOperations.zeroExtend(c.state.readFlag(name), 32, 64);
          return traceOperations.lsl(flag, traceValue(64, BigInt(28 + bit)));
        })
        .reduce((nzcv, flag) => traceOperations.or(nzcv, flag));
    },
    writeSystemRegister: (key, value) => {
      const source = concrete(value);
      if (number(key) !== keyNZCV) {
        unlessException(c.hooks.writeSystemRegister(number(key), source));
        return;
      }
      flagNames.forEach((name, bit) => {
        const shifted = traceOperations.lsr(source, traceValue(64, BigInt(28 + bit)));
        write(() => c.state.writeFlag(name, traceOperations.and(traceOperations.low32(shifted), traceValue(32, 1n))));
      });
    },
    writePstateField: (op1, op2, CRm) =>
      event({ event: 'PSTATE', op1: number(op1), op2: number(op2), CRm: number(CRm) }),
    systemInstruction: (key, value) => {
      unlessException(c.hooks.systemInstruction(number(key), concrete(value)));
    },
    systemInstructionWithResult: (key) => unlessException(c.hooks.systemInstructionWithResult(number(key))),
    barrier: (kind, CRm) => event({ event: 'barrier', kind, CRm: number(CRm) }),
    instructionSynchronizationBarrier: () => event({ event: 'ISB' }),
    wfi: () => event({ event: 'WFI' }),
    wfe: () => event({ event: 'WFE' }),
    sev: () => event({ event: 'SEV' }),
    sevl: () => event({ event: 'SEVL' }),
    yield: () => event({ event: 'YIELD' }),
  };

  return semantics;
}

/** Filled in for each instruction. */
const context = {} as Context;
const semantics = makeSemantics(context);

/** The fields of an instruction as values. */
const operandsOf = new WeakMap<Decoded, Readonly<Record<string, TraceValue>>>();

function operands(decoded: Decoded): Readonly<Record<string, TraceValue>> {
  const known = operandsOf.get(decoded);
  if (known) return known;
  const made = Object.fromEntries(
    Object.entries(decoded.fields).map(([name, value]) => [name, traceValue(32, BigInt(value))]),
  );
  operandsOf.set(decoded, made);
  return made;
}

/** Runs one instruction on the state; memory and hooks do not call it in turn. */
export function executeTrace(
  decoded: Decoded,
  state: TraceState,
  memory: TraceMemory,
  hooks: TraceHooks,
): TraceOutcome {
  const { row, fields } = decoded;
  const writes: (() => void)[] = [];
  Object.assign(context, { fields, state, memory, hooks, writes, nextPc: BigInt.asUintN(64, state.pc + 4n) });
  try {
    row.meaning(semantics, fields, operands(decoded));
  } catch (error) {
    if (error === ended) return ended.exception;
    throw error;
  }
  for (const effect of writes) effect();
  state.pc = context.nextPc;
  return {};
}
