// Vectors in an engine: one PE at EL0 is put into a vector's state and runs its words, and what it leaves is compared with what
// qemu-aarch64 has left.

import { exit } from '../../src/arch/exits.ts';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import type { EngineMode } from '../../src/engine/engine.ts';
import type { Group } from '../vectors/encodings.ts';
import { CODE_BASES, CODE_SIZE, differences, type State, WINDOW_BASE, WINDOW_SIZE } from '../vectors/state.ts';
import { readVectors, type Vector } from '../vectors/vectors.ts';
import { el0Machine, type El0Machine } from './el0-machine.ts';

const windowPa = ramBase + 0x10_0000;
const codePa = [ramBase + 0x20_0000, ramBase + 0x30_0000] as const;
const brk0 = 0xd420_0000;
const codeWords = CODE_SIZE / 4;

const exceptionClass = {
  unknown: 0x00,
  instructionAbort: 0x20,
  pcAlignment: 0x22,
  dataAbort: 0x24,
  brk: 0x3c,
} as const;

function machine(mode: EngineMode): El0Machine {
  const m = el0Machine(mode, [
    { va: WINDOW_BASE, pa: windowPa, sizeBytes: WINDOW_SIZE, executable: false },
    ...CODE_BASES.map((va, i) => ({ va, pa: codePa[i] as number, sizeBytes: CODE_SIZE, executable: true })),
  ]);
  for (const pa of codePa) m.views.words.fill(brk0, pa / 4, pa / 4 + codeWords);
  return m;
}

function write(m: El0Machine, va: bigint, words: readonly number[]): void {
  const region = va >= BigInt(CODE_BASES[1]) ? 1 : 0;
  const pa = codePa[region] + Number(va) - CODE_BASES[region];
  m.engine.codeWritten(pa, 4 * words.length);
  m.views.words.set(words, pa / 4);
}

/** Puts the PE into the vector's state, runs it until it takes an exception, and returns the state it was in then. */
function execute(m: El0Machine, { input, words }: Vector): { state: State; esr: number; far: bigint } {
  const { pe, views } = m;
  m.enterEl0();
  const slot = (offset: number): number => (pe.base + offset) >>> 3;
  views.doublewords.set(input.x, slot(record.x));
  views.doublewords[slot(record.sp)] = input.sp;
  views.doublewords[slot(record.pc)] = input.pc;
  [record.n, record.z, record.c, record.v].forEach((at, i) => {
    views.words[(pe.base + at) >>> 2] = (input.nzcv >>> (3 - i)) & 1;
  });
  views.bytes.set(input.v, pe.base + record.vector);
  pe.writeRegister('FPCR', BigInt(input.fpcr));
  pe.writeRegister('FPSR', BigInt(input.fpsr));
  views.bytes.set(input.memory, windowPa);
  write(m, input.pc, words);
  let left = 1000;
  while (pe.currentEl === 0 && left > 0 && m.engine.run(pe, left) === exit.redirect) {
    left = views.signedWords[(pe.base + record.budget) >>> 2] as number;
  }
  write(
    m,
    input.pc,
    words.map(() => brk0),
  );
  const ended = pe.currentEl === 1;
  const esr = ended ? Number(pe.readRegister('ESR_EL1')) : 0;
  const far = ended ? pe.readRegister('FAR_EL1') : 0n;
  const state: State = {
    pc: ended ? pe.readRegister('ELR_EL1') : (views.doublewords[slot(record.pc)] as bigint),
    x: views.doublewords.slice(slot(record.x), slot(record.x) + 31),
    sp: pe.readRegister('SP_EL0'),
    nzcv: ended
      ? Number(pe.readRegister('SPSR_EL1') >> 28n)
      : [record.n, record.z, record.c, record.v].reduce(
          (bits, at) => (bits << 1) | (views.words[(pe.base + at) >>> 2] as number),
          0,
        ),
    fpcr: Number(pe.readRegister('FPCR')),
    fpsr: Number(pe.readRegister('FPSR')),
    v: views.bytes.slice(pe.base + record.vector, pe.base + record.vector + 512),
    memory: views.bytes.slice(windowPa, windowPa + WINDOW_SIZE),
  };
  return { state, esr, far };
}

/** What is wrong with the outcome of a vector; empty where nothing is. */
function check(m: El0Machine, vector: Vector): string[] {
  const { state, esr, far } = execute(m, vector);
  const wrong = differences(vector.expected, state);
  const found = esr >>> 26;
  const { fault } = vector;
  if (!fault) return wrong;
  const wanted = {
    translation: exceptionClass.dataAbort,
    alignment: exceptionClass.dataAbort,
    undefined: exceptionClass.unknown,
    breakpoint: exceptionClass.brk,
  }[fault.kind];
  if (found !== wanted) wrong.push(`ESR.EC is 0x${found.toString(16)}, expected ${fault.kind}`);
  if (wanted === exceptionClass.dataAbort) {
    const isAlignment = (esr & 0x3f) === 0x21;
    if (isAlignment !== (fault.kind === 'alignment')) wrong.push(`ESR.DFSC is 0x${(esr & 0x3f).toString(16)}`);
    if (far !== fault.address) wrong.push(`FAR is 0x${far.toString(16)}, expected 0x${fault.address.toString(16)}`);
  }
  return wrong;
}

/** What is wrong with the vectors of a group, the first of each encoding, and how many there are. */
export function runGroup(mode: EngineMode, group: Group): { failures: string[]; count: number } {
  const m = machine(mode);
  const failures = new Map<string, string>();
  let count = 0;
  let encoding = '';
  for (const vector of readVectors(group)) {
    count += 1;
    if (vector.encoding.name !== encoding) m.renewEngine();
    encoding = vector.encoding.name;
    if (failures.has(vector.encoding.name)) continue;
    const wrong = check(m, vector);
    if (wrong.length === 0) continue;
    const hex = vector.words.map((word) => word.toString(16)).join(' ');
    failures.set(vector.encoding.name, `${vector.encoding.name} #${vector.index} (${hex}): ${wrong.join('; ')}`);
  }
  return { failures: [...failures.values()], count };
}
