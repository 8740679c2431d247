// Vectors in an engine: one PE at EL0 is put into a vector's state and runs its words, and what it leaves is compared with what
// qemu-aarch64 has left.
//
// Many vectors lie in the code regions side by side, each at its own address, with a BRK behind it. A module of translated code costs about
// the same whatever it holds, so before they run, a list of conditional branches leads the translator to all vectors of a page: they
// share a module. Branches go anywhere, and find nothing but BRK there: a vector of one has the code regions for itself.

import { exit } from '../../src/arch/exits.ts';
import { pageShift, pe as record, ramBase } from '../../src/arch/state-layout.ts';
import type { EngineMode } from '../../src/engine/engine.ts';
import type { Group } from '../vectors/encodings.ts';
import { CODE_BASES, CODE_SIZE, differences, type State, WINDOW_BASE, WINDOW_SIZE } from '../vectors/state.ts';
import { readVectors, type Vector } from '../vectors/vectors.ts';
import { el0Machine, type El0Machine } from './el0-machine.ts';

const windowPa = ramBase + 0x10_0000;
const codePa = [ramBase + 0x20_0000, ramBase + 0x30_0000] as const;
const brk0 = 0xd420_0000;
const cbzX0 = 0xb400_0000;
/** In 32 pages of code a batch has about 30 vectors a page: a module has room for 64 traces, a trace for 64 instructions. */
const mostVectors = 1000;
const mostBranches = 60;

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
  return m;
}

/** Leaves nothing but BRK in the code regions. */
function clearCode(m: El0Machine): void {
  for (const pa of codePa) {
    m.engine.codeWritten(pa, CODE_SIZE);
    m.views.words.fill(brk0, pa / 4, pa / 4 + CODE_SIZE / 4);
  }
}

function write(m: El0Machine, va: bigint, words: readonly number[]): void {
  const region = va >= BigInt(CODE_BASES[1]) ? 1 : 0;
  const pa = codePa[region] + Number(va) - CODE_BASES[region];
  m.engine.codeWritten(pa, 4 * words.length);
  m.views.words.set(words, pa / 4);
}

/** Runs what lies at PC until an exception is taken. */
function run({ pe, views, engine }: El0Machine): void {
  let left = 1000;
  while (pe.currentEl() === 0 && left > 0 && engine.run(pe, left) === exit.redirect) {
    left = views.signedWords[(pe.base + record.budget) >>> 2] as number;
  }
}

/** Puts the PE into the vector's state, runs it until it takes an exception, and returns the state it was in then. */
function execute(m: El0Machine, { input }: Vector): { state: State; esr: number; far: bigint } {
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
  run(m);
  const ended = pe.currentEl() === 1;
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

/** Vectors whose words and the BRK behind them do not meet. */
class Batch {
  readonly vectors: Vector[] = [];
  /** Addresses of words in use. */
  private readonly used = new Set<number>();

  /** Adds the vector where there is room for it. */
  add(vector: Vector): boolean {
    const { vectors, used } = this;
    const start = Number(vector.input.pc);
    const addresses = Array.from({ length: vector.words.length + 1 }, (_, i) => start + 4 * i);
    if (vectors.length === mostVectors || addresses.some((at) => used.has(at))) return false;
    if (vectors.some(({ encoding }) => encoding.kind === 'branch' || vector.encoding.kind === 'branch')) return false;
    for (const at of addresses) used.add(at);
    vectors.push(vector);
    return true;
  }

  private pages(): number[][] {
    const byPage = new Map<number, number[]>();
    for (const { input } of this.vectors) {
      const page = Number(input.pc >> BigInt(pageShift));
      byPage.set(page, [...(byPage.get(page) ?? []), Number(input.pc)]);
    }
    return [...byPage.values()];
  }

  /** A free place in the page for so many words. */
  private place(page: number, count: number): number | undefined {
    let free = 0;
    for (let at = page; at < page + (1 << pageShift); at += 4) {
      free = this.used.has(at) ? 0 : free + 1;
      if (free === count) return at - 4 * (count - 1);
    }
    return undefined;
  }

  /** Writes the vectors. */
  write(m: El0Machine): void {
    for (const { input, words } of this.vectors) write(m, input.pc, words);
  }

  /** Has the vectors of each page translated, by branches to them that are not taken. */
  translate(m: El0Machine): void {
    for (const addresses of this.pages()) {
      const targets = addresses.slice(0, mostBranches);
      const place = this.place((targets[0] as number) & -(1 << pageShift), targets.length + 1);
      if (place === undefined) continue;
      const words = targets.map((target, i) => cbzX0 | ((((target - place) / 4 - i) & 0x7_ffff) << 5));
      write(m, BigInt(place), words);
      m.enterEl0();
      m.views.doublewords[(m.pe.base + record.x) >>> 3] = 1n;
      m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(place);
      run(m);
    }
  }
}

/** The vectors in batches: what finds no room in one waits for the next. */
function* batchesOf(vectors: Iterable<Vector>): Generator<Batch> {
  let batch = new Batch();
  let left: Vector[] = [];
  const isFull = (): boolean => left.length > mostVectors / 8 || batch.vectors.length === mostVectors;
  const renew = (): void => {
    const waiting = left;
    [batch, left] = [new Batch(), []];
    for (const vector of waiting) if (!batch.add(vector)) left.push(vector);
  };
  for (const vector of vectors) {
    if (!batch.add(vector)) left.push(vector);
    while (isFull()) {
      yield batch;
      renew();
    }
  }
  while (batch.vectors.length > 0) {
    yield batch;
    renew();
  }
}

/** What is wrong with the vectors of a group, for each engine the first of each encoding, and how many vectors there are. */
export function runGroup(group: Group, modes: readonly EngineMode[]): { failures: string[]; count: number } {
  const machines = modes.map((mode) => ({ mode, m: machine(mode) }));
  const failures = new Map<string, string>();
  let count = 0;
  let encoding = '';
  for (const batch of batchesOf(readVectors(group))) {
    count += batch.vectors.length;
    // A vector that is alone shares its engine with others of its encoding.
    const name = batch.vectors[0]?.encoding.name ?? '';
    const isRenewed = batch.vectors.length > 1 || name !== encoding;
    encoding = name;
    for (const { mode, m } of machines) {
      if (isRenewed) m.renewEngine();
      clearCode(m);
      batch.write(m);
      if (mode === 'translate' && batch.vectors.length > 1) batch.translate(m);
      for (const vector of batch.vectors) {
        const subject = `${mode}: ${vector.encoding.name}`;
        if (failures.has(subject)) continue;
        const wrong = check(m, vector);
        if (wrong.length === 0) continue;
        const hex = vector.words.map((word) => word.toString(16)).join(' ');
        failures.set(subject, `${subject} #${vector.index} (${hex}): ${wrong.join('; ')}`);
      }
    }
  }
  return { failures: [...failures.values()], count };
}
