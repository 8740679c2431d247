// The state of one PE, as far as the vectors see it, and where things lie in its address space.

/** The window that memory accesses fall into. */
export const WINDOW_BASE = 0x1000_0000;
export const WINDOW_SIZE = 0x1000;

/** Two regions of code, below and above the window, within reach of a literal load. Unused words are BRK #0. */
export const CODE_BASES = [0x0ffe_0000, 0x1001_0000] as const;
export const CODE_SIZE = 0x1_0000;

/** Nothing is mapped between the window and the upper code region. */
export const UNMAPPED_BASE = 0x1000_4000;
export const UNMAPPED_SIZE = 0x4000;

export interface State {
  pc: bigint;
  /** X0 to X30. */
  readonly x: BigUint64Array;
  /** SP_EL0, which is SP here. */
  sp: bigint;
  /** PSTATE.N, Z, C, V in bits 3 to 0. */
  nzcv: number;
  fpcr: number;
  fpsr: number;
  /** V0 to V31, 16 bytes each, little endian. */
  readonly v: Uint8Array;
  /** The bytes of the window. Shared between states: not to be written to. */
  memory: Uint8Array;
}

export type FaultKind = 'translation' | 'alignment' | 'undefined' | 'breakpoint';

/** The synchronous exception that the instruction took; the state is then the one before it. */
export interface Fault {
  readonly kind: FaultKind;
  /** FAR, for a translation or an Alignment fault of a data access. */
  readonly address: bigint;
}

export function copyState(state: State): State {
  return { ...state, x: state.x.slice(), v: state.v.slice() };
}

const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/** What differs, one line a register, in the manual's names: empty where the states are equal. */
export function differences(expected: State, actual: State): string[] {
  const lines: string[] = [];
  const compare = (name: string, wanted: bigint | number, found: bigint | number) => {
    if (wanted !== found) lines.push(`${name} is ${hex(found)}, expected ${hex(wanted)}`);
  };
  compare('PC', expected.pc, actual.pc);
  for (let i = 0; i < 31; i++) compare(`X${i}`, expected.x[i] ?? 0n, actual.x[i] ?? 0n);
  compare('SP', expected.sp, actual.sp);
  compare('NZCV', expected.nzcv, actual.nzcv);
  compare('FPCR', expected.fpcr, actual.fpcr);
  compare('FPSR', expected.fpsr, actual.fpsr);
  if (Buffer.compare(expected.v, actual.v) !== 0) {
    for (let i = 0; i < 512; i++) compare(`V${i >> 4}.B[${i & 15}]`, expected.v[i] ?? 0, actual.v[i] ?? 0);
  }
  if (expected.memory !== actual.memory && Buffer.compare(expected.memory, actual.memory) !== 0) {
    for (let i = 0; i < WINDOW_SIZE; i++) {
      compare(`byte at ${hex(WINDOW_BASE + i)}`, expected.memory[i] ?? 0, actual.memory[i] ?? 0);
    }
  }
  return lines;
}
