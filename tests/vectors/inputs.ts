// The input of every vector, derived from (seed, encoding, index) alone: the instruction word and the state before it.
// The generator and the reader of the vectors both call this, so the files hold outcomes only.

import { strict as assert } from 'node:assert';
import { type Access, type Encoding, type Fields, fieldsOf, hasField } from './pattern.ts';
import { type Random, hashWords, random } from './random.ts';
import { CODE_BASES, CODE_SIZE, type State, UNMAPPED_BASE, UNMAPPED_SIZE, WINDOW_BASE, WINDOW_SIZE } from './state.ts';
import { drawImmediate, drawRegister, fillWithFloats, fillWithValues, isRegisterField } from './values.ts';

export interface Input {
  readonly encoding: Encoding;
  readonly index: number;
  /** Executed in order from state.pc; the last is the encoding's. */
  readonly words: readonly number[];
  readonly word: number;
  readonly state: State;
}

/** Draws of fields, or of an address for them, before a pattern is taken to be unsatisfiable. */
const MAX_ATTEMPTS = 10_000;

const MASK_64 = (1n << 64n) - 1n;

/** FPCR.AHP, DN, FZ, RMode and FPSR.QC, IDC, IXC, UFC, OFC, DZC, IOC: what every Armv8.0 FP unit implements. */
const FPCR_BITS = 0x07c0_0000;
const FPSR_BITS = 0x0800_009f;
/** With FEAT_FP16. */
const FPCR_FZ16 = 1 << 19;

export function drawWord(encoding: Encoding, source: Random): number {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    let word = 0;
    const registers: number[] = [];
    for (const { name, lsb, width } of encoding.fields) {
      const isRegister = isRegisterField(name) && width === 5;
      const value = isRegister ? drawRegister(registers, source) : drawImmediate(width, source);
      if (isRegister) registers.push(value);
      word |= value << lsb;
    }
    word = ((word & ~encoding.mask) | encoding.value) >>> 0;
    if (encoding.legal(fieldsOf(encoding, word))) return word;
  }
  return assert.fail(`${encoding.name}: no legal operands in ${MAX_ATTEMPTS} draws`);
}

/** The window's contents before each vector of the encoding. */
export function windowOf(seed: number, encoding: Encoding): Uint8Array {
  const words = new Uint32Array(WINDOW_SIZE / 4);
  fillWithValues(words, random(seed, encoding.name, 'window'));
  return new Uint8Array(words.buffer);
}

function drawState(source: Random, memory: Uint8Array, floats?: 16 | 32 | 64): State {
  // X0 to X30 and SP come from one array, so that SP repeats other registers as well.
  const general = new Uint32Array(64);
  const vectors = new Uint32Array(128);
  fillWithValues(general, source);
  if (floats === undefined) fillWithValues(vectors, source);
  else fillWithFloats(new BigUint64Array(vectors.buffer), floats, source);
  const fpcrBits = FPCR_BITS | (floats === undefined ? 0 : FPCR_FZ16);
  const values = new BigUint64Array(general.buffer);
  const code = CODE_BASES[source.below(CODE_BASES.length)] ?? CODE_BASES[0];
  return {
    // Room for the words and the BRK after them.
    pc: BigInt(code + 4 * source.below(CODE_SIZE / 4 - 8)),
    x: values.slice(0, 31),
    sp: values[31] ?? 0n,
    nzcv: source.below(16),
    fpcr: source.chance(50) ? 0 : (source.word() & fpcrBits) >>> 0,
    fpsr: source.chance(50) ? 0 : (source.word() & FPSR_BITS) >>> 0,
    v: new Uint8Array(vectors.buffer),
    memory,
  };
}

function readX(state: State, register: number): bigint {
  return register === 31 ? 0n : (state.x[register] ?? 0n);
}

function writeX(state: State, register: number, value: bigint): void {
  if (register !== 31) state.x[register] = BigInt.asUintN(64, value);
}

function writeBase(state: State, register: number, value: bigint): void {
  if (register === 31) state.sp = BigInt.asUintN(64, value);
  else writeX(state, register, value);
}

/** ExtendReg and the shift of a register offset. */
function extendRegister(value: bigint, option: number, shift: number): bigint {
  const extended = option === 2 ? value & 0xffff_ffffn : option === 6 ? BigInt.asIntN(32, value) : value;
  return extended << BigInt(shift);
}

/** The distance from the base register to the address of the access. */
function offsetOf(access: Access, f: Fields, encoding: Encoding, state: State): bigint {
  const { addressing } = access;
  if (addressing.kind === 'immediate') {
    if (addressing.post) return 0n;
    const width = encoding.fields.find(({ name }) => name === addressing.field)?.width ?? 0;
    const raw = BigInt(f(addressing.field));
    return (addressing.signed ? BigInt.asIntN(width, raw) : raw) * BigInt(addressing.scale);
  }
  if (addressing.kind === 'register') {
    return extendRegister(readX(state, f('Rm')), f('option'), f('S') * addressing.shift);
  }
  return 0n;
}

/** An address whose access lies wholly in the window; most are multiples of the access's size. */
function drawTarget(access: Access, source: Random, aligned: boolean): number {
  const target = WINDOW_BASE + source.below(WINDOW_SIZE - access.bytes + 1);
  return aligned ? target - (target % access.bytes) : target;
}

/** Sets the base register, or the literal's immediate, so that the access falls where the draw says. */
function placeAccess(
  encoding: Encoding,
  access: Access,
  word: number,
  state: State,
  source: Random,
): number | undefined {
  const f = fieldsOf(encoding, word);
  const mayFault = encoding.kind === 'memory' && access.storeExclusive === undefined;
  const draw = source.below(100);
  const mayMisalign = mayFault && !access.alignedOnly;
  const misaligned = access.alignment > 1 ? mayMisalign && draw < 5 : draw < 30;
  const unmapped = mayFault && draw >= 95 && draw < 98;
  let target = BigInt(drawTarget(access, source, !misaligned));
  if (unmapped) target = BigInt(UNMAPPED_BASE + 16 * source.below(UNMAPPED_SIZE / 32));

  if (access.addressing.kind === 'literal') {
    const field = encoding.fields.find(({ name }) => name === 'imm19');
    assert.ok(field);
    const literal = (Number(target - state.pc) >> 2) & (2 ** field.width - 1);
    return ((word & ~((2 ** field.width - 1) << field.lsb)) | (literal << field.lsb)) >>> 0;
  }
  const base = f('Rn');
  if (access.addressing.kind === 'register' && f('Rm') === base && base !== 31) {
    // base + (base << amount) = target: take the smallest multiple of 16 that reaches the window.
    const factor = 2 ** (f('S') * access.addressing.shift) + 1;
    writeX(state, base, BigInt(Math.ceil(WINDOW_BASE / factor / 16) * 16));
    return word;
  }
  const offset = offsetOf(access, f, encoding, state);
  if (base === 31) {
    // SP must be a multiple of 16 (SCTLR_ELx.SA0); an access that must be aligned has to be so with it.
    target = (target & ~15n) + BigInt.asUintN(4, offset);
    if (target % BigInt(access.alignment) !== 0n) return undefined;
    if (target + BigInt(access.bytes) > BigInt(WINDOW_BASE + WINDOW_SIZE) && !unmapped) return undefined;
  }
  writeBase(state, base, target - offset);
  return word;
}

function addressOf(encoding: Encoding, access: Access, word: number, state: State): bigint {
  const f = fieldsOf(encoding, word);
  const base = f('Rn') === 31 ? state.sp : readX(state, f('Rn'));
  return (base + offsetOf(access, f, encoding, state)) & MASK_64;
}

/** Lets half of the compare-and-swaps find what they compare with. */
function plantComparands(encoding: Encoding, access: Access, word: number, state: State): void {
  const f = fieldsOf(encoding, word);
  const count = access.compares ?? 0;
  const position = Number(addressOf(encoding, access, word, state)) - WINDOW_BASE;
  if (position < 0 || position + access.bytes > WINDOW_SIZE) return;
  const bytesEach = access.bytes / count;
  for (let i = 0; i < count; i++) {
    const register = f('Rs') + i;
    if (register === f('Rn')) return;
    const bits = BigInt(8 * bytesEach);
    let value = 0n;
    for (let byte = bytesEach - 1; byte >= 0; byte--) {
      value = (value << 8n) | BigInt(state.memory[position + i * bytesEach + byte] ?? 0);
    }
    // The register's upper bits take no part in the comparison.
    writeX(state, register, ((readX(state, register) >> bits) << bits) | value);
  }
}

/** LDXR into XZR, or LDXP into two registers that the store-exclusive does not name. */
function loadExclusiveFor(encoding: Encoding, access: Access, word: number): number {
  const f = fieldsOf(encoding, word);
  const size = word & 0xc000_0000;
  const base = f('Rn') << 5;
  if (access.storeExclusive === 'single') return (0x085f_7c1f | size | base) >>> 0;
  const named = [f('Rs'), f('Rt'), f('Rt2'), f('Rn')];
  const [first = 0, second = 0] = [...Array(31).keys()].filter((register) => !named.includes(register));
  return (0x087f_0000 | size | (second << 10) | base | first) >>> 0;
}

function drawBranchTarget(state: State, source: Random): bigint {
  const draw = source.below(100);
  let target = BigInt((CODE_BASES[source.below(2)] ?? 0) + 4 * source.below(CODE_SIZE / 4));
  if (draw < 15) target = BigInt(WINDOW_BASE + 4 * source.below(WINDOW_SIZE / 4));
  // Below 2^47, where no address bit is a tag and nothing sign-extends.
  else if (draw < 30) target = (BigInt(source.below(0x8000)) << 32n) | BigInt(source.word() & ~3);
  else if (draw < 35) target |= BigInt(1 + source.below(3));
  return target === state.pc ? target + 8n : target;
}

/** What an instruction class needs of its operands to be worth running. */
function plantOperands(encoding: Encoding, word: number, state: State, source: Random): void {
  const f = fieldsOf(encoding, word);
  if (encoding.writes) {
    const { field, mask } = encoding.writes;
    writeX(state, f(field), readX(state, f(field)) & mask);
  }
  if (encoding.kind !== 'branch') return;
  if (hasField(encoding, 'Rn')) writeX(state, f('Rn'), drawBranchTarget(state, source));
  // CBZ and CBNZ: zero in one case out of two, in the 64-bit or only in the 32-bit register.
  if (hasField(encoding, 'Rt') && hasField(encoding, 'imm19') && source.chance(50)) {
    const upper = source.chance(30) ? readX(state, f('Rt')) >> 32n : 0n;
    writeX(state, f('Rt'), upper << 32n);
  }
}

export function drawInput(seed: number, encoding: Encoding, index: number, memory: Uint8Array): Input {
  const source = random(seed, encoding.name, index);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    let word: number | undefined = drawWord(encoding, source);
    const state = drawState(source, memory, encoding.floats);
    const words: number[] = [];
    plantOperands(encoding, word, state, source);
    if (encoding.access) {
      word = placeAccess(encoding, encoding.access, word, state, source);
      if (word === undefined) continue;
      if (encoding.access.compares && source.chance(50)) plantComparands(encoding, encoding.access, word, state);
      // One in four store-exclusives finds no monitor set.
      if (encoding.access.storeExclusive && source.chance(75)) {
        words.push(loadExclusiveFor(encoding, encoding.access, word));
      }
    }
    words.push(word);
    return { encoding, index, words, word, state };
  }
  return assert.fail(`${encoding.name}: no address fits`);
}

/** A fingerprint of what the state and the words are, to notice that files and code have parted. */
export function digestInput(input: Input, digest?: number): number {
  const { state, words } = input;
  const scalars = [Number(state.pc), state.nzcv, state.fpcr, state.fpsr];
  const sp = [Number(state.sp & 0xffff_ffffn), Number(state.sp >> 32n)];
  let hash = hashWords([...words, ...scalars, ...sp], digest);
  hash = hashWords(new Uint32Array(state.x.buffer, state.x.byteOffset, 62), hash);
  return hashWords(new Uint32Array(state.v.buffer, state.v.byteOffset, 128), hash);
}
