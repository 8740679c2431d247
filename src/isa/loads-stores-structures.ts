// Advanced SIMD load/store of multiple and of single structures, with their post-indexed forms: Arm DDI 0487, C4.1 "Loads and Stores".
// A structure has one element in each of its registers, which follow one another modulo 32. Each element is an access of its own, in
// ascending order of address; no register is written before all of them have been made.

import { row, type Row } from './encoding.ts';
import type { ElementBits, Semantics, Value } from './semantics.ts';
import { arrangementOf, elementBits, mapLanes, writeVector } from './simd/elements.ts';
import type { Fields, Form, Operand } from './syntax.ts';
import { baseAddress, movedAfter, movedByRegister } from './syntax/addresses.ts';
import { arrangement, elementList, letterOfSize, vectorList } from './syntax/vectors.ts';

const modes = ['offset', 'post'] as const;
type Mode = (typeof modes)[number];

/** Register `Rt + n`, modulo 32. */
const register = (s: Semantics, Rt: Value, n: number): Value =>
  n === 0 ? Rt : s.and(s.add(Rt, s.constant(32, n)), s.constant(32, 31));

/** The base moves by Rm, or by the bytes of the access where Rm is 31. */
function moveBase(s: Semantics, mode: Mode, f: { readonly Rn: Value }, base: Value, bytes: number): void {
  if (mode === 'offset') return;
  const { Rm } = f as unknown as { readonly Rm: Value };
  const isImmediate = s.eq(Rm, s.constant(32, 31));
  s.writeXSP(f.Rn, s.add(base, s.select(isImmediate, s.constant(64, bytes), s.readX(Rm, 64))));
}

/** The forms of a mnemonic: `list, [Xn]`, or `list, [Xn], #bytes` and `list, [Xn], Xm`. */
function forms(
  mode: Mode,
  mnemonic: string,
  list: Operand,
  isAllocated: (k: Fields) => boolean,
  bytes: (k: Fields) => number,
): readonly Form[] {
  const named = (k: Fields): string | undefined => (isAllocated(k) ? mnemonic.toLowerCase() : undefined);
  if (mode === 'offset') return [{ mnemonic: named, operands: [list, baseAddress] }];
  return [
    { mnemonic: named, operands: [list, movedAfter(bytes)], where: { Rm: 31 } },
    { mnemonic: named, operands: [list, movedByRegister], when: (f) => f.Rm !== 31 },
  ];
}

/** Of multiple structures: elements in a structure, and registers. LD1 and ST1 fill up to four registers, one after the other. */
const multiplePages = [
  { opcode: '0000', elements: 4, registers: 4 },
  { opcode: '0010', elements: 1, registers: 4 },
  { opcode: '0100', elements: 3, registers: 3 },
  { opcode: '0110', elements: 1, registers: 3 },
  { opcode: '0111', elements: 1, registers: 1 },
  { opcode: '1000', elements: 2, registers: 2 },
  { opcode: '1010', elements: 1, registers: 2 },
] as const;
type MultiplePage = (typeof multiplePages)[number];

/** The name after the class: R3_3v, or I3_i3 and R3_r3 where the base moves; structures of several elements need no second number. */
function multipleSuffix({ elements, registers }: MultiplePage, Rm: number | undefined): string {
  const count = elements === 1 ? `${registers}` : '';
  if (Rm === undefined) return elements === 1 ? `asisdlse_R${registers}_${registers}v` : `asisdlse_R${registers}`;
  return `asisdlsep_${Rm === 31 ? 'I' : 'R'}${registers}_${Rm === 31 ? 'i' : 'r'}${count}`;
}

/** Elements of the registers of structures, in order of address. */
function interleaved<T>(registers: number, lanes: number, element: (register: number, lane: number) => T): T[] {
  return Array.from({ length: registers * lanes }, (_, n) => element(n % registers, Math.floor(n / registers)));
}

function multiple(op: 'LD' | 'ST', mode: Mode, page: MultiplePage): Row {
  const { opcode, elements, registers } = page;
  const mnemonic = `${op}${elements}`;
  const isAllocated = (k: Fields): boolean => elements === 1 || k.size !== 3 || k.Q === 1;
  const bytesOf = (k: Fields): number => registers * (k.Q === 1 ? 16 : 8);
  return row({
    name: `${mnemonic} (multiple structures)`,
    pattern: `0 Q 001100 ${mode === 'post' ? '1' : '0'} ${op === 'LD' ? '1' : '0'} 0 ${mode === 'post' ? 'Rm' : '00000'} ${opcode} size Rn Rt`,
    encoding: (f) => `${mnemonic}_${multipleSuffix(page, (f as Fields).Rm)}`,
    allocated: isAllocated,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const base = s.readBase(f.Rn);
      const shape = arrangementOf(k.size, k.Q);
      const names = Array.from({ length: registers }, (_, n) => register(s, f.Rt, n));
      const bytes = k.Q === 1 ? 16 : 8;
      const access = { elementBytes: (shape.bits / 8) as 1 | 2 | 4 | 8 };
      const at = (n: number): Value => s.add(base, s.constant(64, bytes * n));
      if (op === 'LD' && elements === 1) {
        const values = names.map((_, n) => s.load(at(n), bytes, access));
        names.forEach((name, n) => s.writeV(name, values[n]!));
      } else if (op === 'LD') {
        const words = s.loadElements(base, shape.bits, registers * shape.lanes);
        names.forEach((name, n) => {
          const first = s.splat(shape.bits, words[n]!);
          writeVector(
            s,
            name,
            k.Q,
            mapLanes(s, first, shape, (lane) => words[registers * lane + n]!),
          );
        });
      } else if (elements === 1) {
        names.forEach((name, n) => s.store(at(n), s.readV(name, bytes === 16 ? 128 : 64), bytes, access));
      } else {
        const vectors = names.map((name) => s.readV(name, 128));
        const words = interleaved(registers, shape.lanes, (n, lane) => s.laneOf(vectors[n]!, shape.bits, lane));
        s.storeElements(base, shape.bits, words);
      }
      moveBase(s, mode, f, base, bytesOf(k));
    },
    syntax: forms(
      mode,
      mnemonic,
      vectorList('Rt', () => registers, arrangement),
      isAllocated,
      bytesOf,
    ),
  });
}

/** log2 of the bytes of an element of a single structure; undefined where opc, S and size are unallocated. */
function scaleOf(k: Fields): number | undefined {
  switch (k.opc) {
    case 0:
      return 0;
    case 1:
      return (k.size! & 1) === 0 ? 1 : undefined;
    case 2:
      if (k.size === 0) return 2;
      return k.size === 1 && k.S === 0 ? 3 : undefined;
    default:
      return undefined;
  }
}

/** The element of each register: Q:S:size without the bits that tell its size. */
const indexOf = (k: Fields): number => ((k.Q! << 3) | (k.S! << 2) | k.size!) >> (scaleOf(k) ?? 0);

/** Bytes of a structure. */
const structureBytes = (k: Fields, elements: number, scale: number | undefined): number => elements << (scale ?? 0);

/** The bits that hold the number of elements less 1: opcode<0> and R. */
const countBits = (elements: number): { readonly low: string; readonly R: string } => ({
  low: elements > 2 ? '1' : '0',
  R: elements % 2 === 0 ? '1' : '0',
});

function single(op: 'LD' | 'ST', mode: Mode, elements: number): Row {
  const mnemonic = `${op}${elements}`;
  const { low, R } = countBits(elements);
  const bytesOf = (k: Fields): number => structureBytes(k, elements, scaleOf(k));
  return row({
    name: `${mnemonic} (single structure)`,
    pattern: `0 Q 001101 ${mode === 'post' ? '1' : '0'} ${op === 'LD' ? '1' : '0'} ${R} ${mode === 'post' ? 'Rm' : '00000'} opc ${low} S size Rn Rt`,
    encoding: (f) => {
      const letter = letterOfSize(scaleOf(f)!);
      const { Rm } = f as Fields;
      const capital = letter.toUpperCase();
      if (Rm === undefined) return `${mnemonic}_asisdlso_${capital}${elements}_${elements}${letter}`;
      const [X, kind] = Rm === 31 ? ['', 'i'] : ['X', 'r'];
      return `${mnemonic}_asisdlsop_${capital}${X}${elements}_${kind}${elements}${letter}`;
    },
    allocated: (f) => scaleOf(f) !== undefined,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const base = s.readBase(f.Rn);
      const scale = scaleOf(k)!;
      const bits = elementBits(scale);
      const names = Array.from({ length: elements }, (_, n) => register(s, f.Rt, n));
      const at = (n: number): Value => s.add(base, s.constant(64, n << scale));
      if (op === 'LD') {
        const words = names.map((_, n) => loadWord(s, at(n), bits));
        names.forEach((name, n) => s.writeV(name, s.withLane(s.readV(name, 128), bits, indexOf(k), words[n]!)));
      } else {
        const words = names.map((name) => s.laneOf(s.readV(name, 128), bits, indexOf(k)));
        words.forEach((word, n) => s.store(at(n), word, (bits / 8) as 1 | 2 | 4 | 8, {}));
      }
      moveBase(s, mode, f, base, bytesOf(k));
    },
    syntax: forms(
      mode,
      mnemonic,
      elementList(
        'Rt',
        () => elements,
        (f) => letterOfSize(scaleOf(f) ?? 0),
        indexOf,
      ),
      (k) => scaleOf(k) !== undefined,
      bytesOf,
    ),
  });
}

const loadWord = (s: Semantics, address: Value, bits: ElementBits): Value => {
  const word = s.load(address, (bits / 8) as 1 | 2 | 4 | 8, {});
  return bits === 64 ? word : s.zeroExtend(word, 32, 64);
};

/** LD1R to LD4R: the structure goes to every lane. */
function replicate(mode: Mode, elements: number): Row {
  const mnemonic = `LD${elements}R`;
  const { low, R } = countBits(elements);
  const bytesOf = (k: Fields): number => structureBytes(k, elements, k.size);
  return row({
    name: mnemonic,
    pattern: `0 Q 001101 ${mode === 'post' ? '1' : '0'} 1 ${R} ${mode === 'post' ? 'Rm' : '00000'} 11 ${low} 0 size Rn Rt`,
    encoding: (f) => {
      const { Rm } = f as Fields;
      if (Rm === undefined) return `${mnemonic}_asisdlso_R${elements}`;
      return `${mnemonic}_asisdlsop_${Rm === 31 ? `R${elements}_i` : `RX${elements}_r`}`;
    },
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const base = s.readBase(f.Rn);
      const bits = elementBits(k.size);
      const names = Array.from({ length: elements }, (_, n) => register(s, f.Rt, n));
      const words = names.map((_, n) => loadWord(s, s.add(base, s.constant(64, n << k.size)), bits));
      names.forEach((name, n) => writeVector(s, name, k.Q, s.splat(bits, words[n]!)));
      moveBase(s, mode, f, base, bytesOf(k));
    },
    syntax: forms(
      mode,
      mnemonic,
      vectorList('Rt', () => elements, arrangement),
      () => true,
      bytesOf,
    ),
  });
}

const counts = [1, 2, 3, 4];

export const loadsStoresStructures: readonly Row[] = modes.flatMap((mode) => [
  ...(['ST', 'LD'] as const).flatMap((op) => [
    ...multiplePages.map((page) => multiple(op, mode, page)),
    ...counts.map((elements) => single(op, mode, elements)),
  ]),
  ...counts.map((elements) => replicate(mode, elements)),
]);
