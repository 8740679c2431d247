// A thread of A64 instructions: the trace reading over its own registers.
//
// Left out: SP alignment checks, traps of SIMD&FP, system registers but NZCV, ELR_EL1, FPCR, FPSR and the thread ID registers. Exceptions are taken to EL1
// (aarch64-exceptions.ts), where the thread goes on with its handler.

import { noPointerKeys } from '../isa/pointer-authentication/pointer.ts';
import { executeTrace } from '../engine/trace.ts';
import type { TraceException, TraceHooks, TraceMemory, TraceState } from '../engine/trace-state.ts';
import { independent, type Dependencies, traceValue, type TraceValue } from '../engine/trace-values.ts';
import type { Decoded } from '../isa/decoder.ts';
import { disassemble } from '../isa/disassembler.ts';
import { decodeAny } from '../isa/instruction-set.ts';
import { noNames } from '../isa/syntax.ts';
import { systemOperations } from '../isa/syntax/system-operations.ts';
import type { BarrierKind, FlagName } from '../isa/semantics.ts';
import { assert } from '../report/assert.ts';
import {
  entrySets,
  type ExceptionSettings,
  isUndefinedAtEL0,
  keyELR_EL1,
  returnSets,
  type Taken,
  takenException,
  undefinedTaken,
  usualExceptions,
} from './aarch64-exceptions.ts';
import {
  beforeBranch,
  type ControlStack,
  isStackOperation,
  stackOperation,
  stackOperationWithResult,
} from './guarded-control-stack.ts';
import { observedState } from './observed-state.ts';
import { cacheMaintenanceAt, isDataCacheOperation } from './cache-maintenance.ts';
import { liveRegisters, monitor, type RegisterNames } from './register-liveness.ts';
import type { FenceName, SameValue, StepOutcome, Thread, ThreadHooks, ThreadState } from './program.ts';

/** A stretch of code, decoded once. */
export interface Code {
  /** Address of the first instruction. */
  readonly base: bigint;
  readonly words: Uint32Array;
  readonly instructions: readonly (Decoded | undefined)[];
}

export function makeCode(base: bigint, bytes: Uint8Array): Code {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Uint32Array.from({ length: bytes.length >>> 2 }, (_, n) => view.getUint32(4 * n, true));
  return { base, words, instructions: Array.from(words, (word) => decodeAny(word)) };
}

/** Registers by name: 'X0'..'X30', 'SP', 'V0'..'V31', 'N', 'Z', 'C', 'V'. */
export type InitialRegisters = ReadonlyMap<string, bigint>;

/** What a thread may run into besides its own code. */
export interface Surroundings {
  /** Code to which it may branch; it ends where it leaves that and its own. */
  readonly others?: readonly Code[];
  /** Where exceptions are handled. */
  readonly handler?: Code;
  readonly exceptions?: ExceptionSettings;
  /** Calls and returns are guarded by the stack at GCSPR_EL1. */
  readonly hasControlStack?: boolean;
  /** It runs at EL0, outside its handler. */
  readonly isEL0?: boolean;
  /** Registers that are looked at in the end: none of the others matters then. It goes to no other code, and accesses do not fault. */
  readonly observed?: RegisterNames;
}

/** All that threads of one state share. */
interface Setting {
  readonly code: readonly Code[];
  readonly handler: Code | undefined;
  readonly exceptions: ExceptionSettings;
  readonly hasControlStack: boolean;
  readonly isEL0: boolean;
  /** By the instructions of its own code: the registers that matter there. */
  readonly live: () => readonly (RegisterNames | undefined)[];
}

/** A thread that starts where its own code does. */
export function aarch64Thread(
  name: string,
  code: Code,
  registers: InitialRegisters,
  {
    others = [],
    handler,
    exceptions = usualExceptions,
    hasControlStack = false,
    isEL0 = false,
    observed,
  }: Surroundings = {},
): Thread {
  const start = new Registers(code.base, registers);
  const all = [code, ...(handler ? [handler] : []), ...others.filter((other) => other !== code && other !== handler)];
  let known: readonly (RegisterNames | undefined)[] | undefined;
  const live = () => (known ??= observed ? liveRegisters(code.instructions, observed) : []);
  const setting = { code: all, handler, exceptions, hasControlStack, isEL0, live };
  return { name, start: () => new AArch64State(setting, start.clone()) };
}

/** CRm of DMB and DSB: the shareability domain and the types of access; what is reserved is SY. */
const barrierOptions = [
  ...['SY', 'OSHLD', 'OSHST', 'OSH', 'SY', 'NSHLD', 'NSHST', 'NSH'],
  ...['SY', 'ISHLD', 'ISHST', 'ISH', 'SY', 'LD', 'ST', 'SY'],
] as const;

/** DSB with CRm 0 and 4 are SSBB and PSSBB, which order only speculation. */
function fenceOf(kind: BarrierKind, CRm: number): FenceName | undefined {
  return kind === 'DSB' && (CRm === 0 || CRm === 4) ? undefined : `${kind}.${barrierOptions[CRm]!}`;
}

const flagNames = ['N', 'Z', 'C', 'V'] as const;
const flagNumber: Readonly<Record<FlagName, number>> = { N: 0, Z: 1, C: 2, V: 3 };
/** System registers that only hold what is written to them, from 0 on: FPCR and FPSR; TPIDR_EL0, TPIDRRO_EL0 and TPIDR_EL1. */
const plainRegisters: readonly number[] = [
  ...[0b11_011_0100_0100_000, 0b11_011_0100_0100_001],
  ...[0b11_011_1101_0000_010, 0b11_011_1101_0000_011, 0b11_000_1101_0000_100],
];

const undefinedInstruction: TraceException = { exception: 'UNDEFINED' };

/** Where a thread is with its exceptions: it has none, is in its handler, or does an instruction again that has faulted. */
type Mode = 'usual' | 'handler' | 'again';

function written(values: readonly TraceValue[], n: number, value: TraceValue): readonly TraceValue[] {
  const copy = values.slice();
  copy[n] = value;
  return copy;
}

class Registers implements TraceState {
  readonly checksSPAlignment = false;
  readonly trapsFP = false;
  readonly pointerControl = noPointerKeys;
  pc: bigint;
  control: Dependencies = independent;
  mode: Mode = 'usual';
  elr: TraceValue = traceValue(64, 0n);
  /** GCSPR_EL1. */
  gcspr: TraceValue = traceValue(64, 0n);
  /** What is written takes a copy of the others; most instructions write none of a kind, and states are kept for each instruction. */
  #x: readonly TraceValue[];
  #v: readonly TraceValue[];
  #flags: readonly TraceValue[];
  #sp: TraceValue;
  /** In the order of plainRegisters. */
  #plain: readonly TraceValue[];

  /** As another, or with initial values. */
  constructor(pc: bigint, from: Registers | InitialRegisters) {
    this.pc = pc;
    if (from instanceof Registers) {
      this.control = from.control;
      this.mode = from.mode;
      this.elr = from.elr;
      this.gcspr = from.gcspr;
      this.#x = from.#x;
      this.#v = from.#v;
      this.#flags = from.#flags;
      this.#sp = from.#sp;
      this.#plain = from.#plain;
    } else {
      this.gcspr = traceValue(64, from.get('GCSPR_EL1') ?? 0n);
      this.#x = Array.from({ length: 31 }, (_, n) => traceValue(64, from.get(`X${n}`) ?? 0n));
      this.#v = Array.from({ length: 32 }, (_, n) => traceValue(128, from.get(`V${n}`) ?? 0n));
      this.#flags = flagNames.map((flag) => traceValue(32, from.get(flag) ?? 0n));
      this.#sp = traceValue(64, from.get('SP') ?? 0n);
      this.#plain = plainRegisters.map(() => traceValue(64, 0n));
    }
  }

  clone(): Registers {
    return new Registers(this.pc, this);
  }

  /** `live` are the registers that matter, if not all of them do. */
  isSameAs(other: Registers, sameValue: SameValue, live: RegisterNames | undefined): boolean {
    const matters = (name: string): boolean => live?.has(name) ?? true;
    return (
      this.pc === other.pc &&
      this.mode === other.mode &&
      sameValue(this.elr, other.elr) &&
      sameValue(this.gcspr, other.gcspr) &&
      this.#x.every((value, n) => !matters(`X${n}`) || sameValue(value, other.#x[n]!)) &&
      this.#v.every((value, n) => !matters(`V${n}`) || sameValue(value, other.#v[n]!)) &&
      flagNames.every((name, n) => !matters(name) || sameValue(this.#flags[n]!, other.#flags[n]!)) &&
      (!matters('SP') || sameValue(this.#sp, other.#sp)) &&
      this.#plain.every((value, n) => sameValue(value, other.#plain[n]!))
    );
  }

  readX(n: number): TraceValue {
    return this.#x[n]!;
  }
  writeX(n: number, value: TraceValue): void {
    this.#x = written(this.#x, n, value);
  }
  readSP(): TraceValue {
    return this.#sp;
  }
  writeSP(value: TraceValue): void {
    this.#sp = value;
  }
  readV(n: number): TraceValue {
    return this.#v[n]!;
  }
  writeV(n: number, value: TraceValue): void {
    this.#v = written(this.#v, n, value);
  }
  readFlag(name: FlagName): TraceValue {
    return this.#flags[flagNumber[name]]!;
  }
  writeFlag(name: FlagName, value: TraceValue): void {
    this.#flags = written(this.#flags, flagNumber[name], value);
  }

  readSystem(key: number): TraceValue | undefined {
    return key === keyELR_EL1 ? this.elr : this.#plain[plainRegisters.indexOf(key)];
  }
  /** False where there is no such register. */
  writeSystem(key: number, value: TraceValue): boolean {
    if (key === keyELR_EL1) {
      this.elr = value;
      return true;
    }
    const n = plainRegisters.indexOf(key);
    if (n >= 0) this.#plain = this.#plain.with(n, value);
    return n >= 0;
  }
}

class AArch64State implements ThreadState {
  readonly #setting: Setting;
  readonly #registers: Registers;

  constructor(setting: Setting, registers: Registers) {
    this.#setting = setting;
    this.#registers = registers;
  }

  get pc(): bigint {
    return this.#registers.pc;
  }

  clone(): AArch64State {
    return new AArch64State(this.#setting, this.#registers.clone());
  }

  /** The code that the thread is in, and the place of its instruction there; undefined past the end. */
  #place(): { readonly code: Code; readonly at: number } | undefined {
    for (const code of this.#setting.code) {
      const at = Number(this.pc - code.base) / 4;
      if (at >= 0 && at < code.words.length) return { code, at };
    }
    return undefined;
  }

  isSameAs(other: ThreadState, sameValue: SameValue): boolean {
    return other instanceof AArch64State && this.#registers.isSameAs(other.#registers, sameValue, this.#live);
  }

  get needsMonitor(): boolean {
    return this.#live?.has(monitor) ?? true;
  }

  /** The registers that matter where it is, if not all of them do. */
  get #live(): RegisterNames | undefined {
    const { code, live } = this.#setting;
    return live()[Number(this.pc - code[0]!.base) / 4];
  }

  step(memory: TraceMemory, hooks: ThreadHooks): StepOutcome {
    const place = this.#place();
    if (!place) return { kind: 'end' };
    const fetched = hooks.fetch(this.pc);
    if (fetched?.open !== undefined)
      return { kind: 'exception', exception: { exception: 'open value', value: fetched } };
    const instruction = fetched === undefined ? place.code.instructions[place.at] : decodeAny(Number(fetched.bits));
    if (instruction === undefined) {
      if (fetched === undefined) return { kind: 'exception', exception: undefinedInstruction };
      return this.#take(undefinedTaken, undefinedInstruction, hooks);
    }
    const own = this.#registers;
    if (this.#setting.isEL0 && own.mode !== 'handler' && isUndefinedAtEL0(instruction))
      return this.#take(undefinedTaken, undefinedInstruction, hooks);
    // An exception return needs its address before it begins.
    if (instruction.row.name === 'ERET' && own.elr.open !== undefined)
      return { kind: 'exception', exception: { exception: 'open value', value: own.elr } };
    const registers = hooks.registers ? observedState(own, hooks.registers) : own;
    const stack = this.#setting.hasControlStack ? { pointer: own.gcspr, memory } : undefined;
    const { hooks: ownHooks, returned } = traceHooks(hooks, own, stack);
    const next = BigInt.asUintN(64, own.pc + instructionBytes);
    const unguarded = stack && beforeBranch(instruction, stack, next, (n) => registers.readX(n));
    const outcome = unguarded ?? executeTrace(instruction, registers, memory, ownHooks);
    if (stack && outcome.exception === undefined) own.gcspr = stack.pointer;
    if (outcome.exception === undefined) {
      if (returned()) this.#return(hooks);
      else if (own.mode === 'again') own.mode = 'usual';
      return { kind: 'next' };
    }
    const taken = takenException(outcome, instruction);
    return taken === undefined ? { kind: 'exception', exception: outcome } : this.#take(taken, outcome, hooks);
  }

  /** Takes an exception to EL1. */
  #take(taken: Taken, exception: TraceException, hooks: ThreadHooks): StepOutcome {
    const own = this.#registers;
    const { handler, exceptions } = this.#setting;
    if (own.mode === 'again') return { kind: 'dropped' };
    if (own.mode === 'handler') return { kind: 'exception', exception };
    const { type, address, isSystemCall } = taken;
    const { pc } = own;
    const told = { pc, type, ...(address !== undefined && { address }) };
    hooks.exceptionEntry(told, entrySets(taken, exceptions), handler !== undefined);
    const next = BigInt.asUintN(64, pc + instructionBytes);
    own.elr = traceValue(64, isSystemCall ? next : pc);
    if (handler) {
      own.mode = 'handler';
      own.pc = handler.base;
      return { kind: 'next' };
    }
    if (exceptions.unhandled === 'fatal') return { kind: 'end' };
    if (exceptions.unhandled === 'skip' || isSystemCall) own.pc = next;
    else own.mode = 'again';
    return { kind: 'next' };
  }

  /** ERET: to where ELR_EL1 says. */
  #return(hooks: ThreadHooks): void {
    const own = this.#registers;
    hooks.branch(own.elr);
    hooks.exceptionReturn(returnSets(this.#setting.exceptions));
    own.mode = 'usual';
    own.pc = own.elr.bits;
  }

  describe(): string {
    const place = this.#place();
    return place ? disassemble(place.code.words[place.at]!, this.pc, noNames, decodeAny) : 'end';
  }

  register(name: string): TraceValue {
    const registers = this.#registers;
    const number = Number(name.slice(1));
    if (/^X\d+$/.test(name) && number < 31) return registers.readX(number);
    if (/^V\d+$/.test(name) && number < 32) return registers.readV(number);
    if (name === 'SP') return registers.readSP();
    if (name === 'GCSPR_EL1') return registers.gcspr;
    assert(name in flagNumber, `${name} is no register of a thread`);
    return registers.readFlag(name as FlagName);
  }
}

const instructionBytes = 4n;

/** SYS has op0 1. */
const op0OfSys = 1 << 14;

/** Bits [43:0] of the register are bits [55:12] of the address (Arm DDI 0487, C5.5 "TLBI VAE1"). */
const addressOfTlbi = (bits: bigint): bigint => BigInt.asUintN(44, bits) << 12n;

/** TLBI at EL1, by its key: the sets of cat it belongs to, and whether its register holds an address. */
const tlbOperations: ReadonlyMap<number, { readonly sets: readonly string[]; readonly isByAddress: boolean }> = new Map(
  systemOperations.flatMap(({ mnemonic, name, key }) => {
    const [text, operation, domain] = /^(VMALL|ASID|VAA?L?)E1(IS|OS)?$/.exec(name.toUpperCase()) ?? [];
    if (mnemonic !== 'tlbi' || text === undefined) return [];
    const sets = ['TLBI', `TLBI.${text}`, ...(domain === undefined ? [] : ['TLBIIS'])];
    return [[op0OfSys | key, { sets, isByAddress: operation!.startsWith('VA') }] as const];
  }),
);

/** The hooks of the trace reading for a thread: fences and branches go on to it. `returned` tells whether there was an exception return. */
function traceHooks(
  hooks: ThreadHooks,
  registers: Registers,
  stack: ControlStack | undefined,
): { hooks: TraceHooks; returned: () => boolean } {
  let hasReturned = false;
  const ownHooks: TraceHooks = {
    report: (event) => {
      if (event.event === 'branch') hooks.branch(event.depends);
      if (event.event === 'ISB') hooks.fence('ISB');
      if (event.event === 'ERET') hasReturned = true;
      if (event.event !== 'barrier') return;
      const fence = fenceOf(event.kind, event.CRm);
      if (fence !== undefined) hooks.fence(fence);
    },
    readSystemRegister: (key) => registers.readSystem(key) ?? undefinedInstruction,
    writeSystemRegister: (key, value) => (registers.writeSystem(key, value) ? undefined : undefinedInstruction),
    systemInstruction: (key, argument) => {
      if (stack && isStackOperation(key)) return stackOperation(key, stack, argument);
      const tlb = tlbOperations.get(key);
      if (tlb !== undefined) {
        if (tlb.isByAddress && argument.open !== undefined) return { exception: 'open value', value: argument };
        hooks.maintenance(tlb.sets, argument, tlb.isByAddress ? addressOfTlbi(argument.bits) : undefined);
        return undefined;
      }
      const cache = cacheMaintenanceAt(key);
      if (cache !== undefined) hooks.cacheMaintenance(cache, argument);
      return cache !== undefined || isDataCacheOperation(key) ? undefined : undefinedInstruction;
    },
    systemInstructionWithResult: (key) => (stack ? stackOperationWithResult(key, stack) : undefinedInstruction),
  };
  return { hooks: ownHooks, returned: () => hasReturned };
}
