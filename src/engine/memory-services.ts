// The services of memory (services.ts): accesses that generated code does not do by itself, exclusives and atomics.
//
// What has to be the last access of a run, because it has sent a message, is found out when it has acted: the stepper ends the run with the
// instruction; translated code leaves it to be done again by the stepper.

import { exit, type Exit } from '../arch/exits.ts';
import { accessFlag, accessKind, elementsMask, elementsShift, type Pe } from '../arch/pe.ts';
import { pe as record } from '../arch/state-layout.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { assert } from '../report/assert.ts';
import { atomicResult } from './atomics.ts';
import { atomicOperations, atomicShift, memoryDescriptor, scratchSlot } from './services.ts';

type Service = (cpu: number, descriptor: number) => Exit;

/** What services know of the PEs that they serve. */
export interface ServiceCompany {
  readonly peOf: (cpu: number) => Pe;
  /** PEs of other threads run at the same time. */
  readonly isConcurrent: boolean;
  /** YIELD ends a run, with exit.yield. */
  readonly yields: boolean;
  /** No other PE of this thread could store what one of them waits for. */
  readonly isOnlyPe: () => boolean;
  /** What the service has done must come before any other instruction. */
  readonly mustStop: () => boolean;
  /** The stepper runs a single instruction. */
  readonly isAlone: () => boolean;
  readonly fence: (cpu: number) => number;
}

const scratchWord = (cpu: number, slot: number): number => (cpu + record.scratch + 8 * slot) >>> 2;

const steppedFlag = (descriptor: number): number => (descriptor & memoryDescriptor.stepped ? accessFlag.stepped : 0);
const flagsOf = (descriptor: number): number =>
  (descriptor & memoryDescriptor.aligned ? accessFlag.aligned : 0) |
  (descriptor & memoryDescriptor.unprivileged ? accessFlag.unprivileged : 0) |
  steppedFlag(descriptor) |
  (((descriptor >>> memoryDescriptor.elementsShift) & elementsMask) << elementsShift);
const bytesOf = (descriptor: number): number =>
  1 << ((descriptor >>> memoryDescriptor.sizeShift) & memoryDescriptor.sizeMask);

export function memoryServices(
  { words, doublewords }: MemoryViews,
  { peOf, isConcurrent, mustStop, fence }: ServiceCompany,
): Readonly<Record<'access' | 'exclusive' | 'atomic', Service>> {
  /** Memory has been changed. While other PEs run that cannot be done again, and a message waits for the end of the run. */
  function afterStore(descriptor: number): typeof exit.none | typeof exit.last | typeof exit.step {
    if (!mustStop() || isConcurrent) return exit.none;
    return descriptor & memoryDescriptor.stepped ? exit.last : exit.step;
  }

  function memoryService(cpu: number, descriptor: number): Exit {
    const isStore = (descriptor & memoryDescriptor.store) !== 0;
    const kind = isStore ? accessKind.write : accessKind.read;
    const code = peOf(cpu).accessMemory(kind, bytesOf(descriptor), flagsOf(descriptor));
    // Plain stores may run twice: the second time the stepper runs the rest of the instruction too. None is over itself: its line is marked.
    return code === exit.none && isStore ? afterStore(descriptor) : code;
  }

  /** Pairs of words travel as one doubleword; the generated code sees one slot each. */
  function exclusiveService(cpu: number, descriptor: number): Exit {
    const isPair = (descriptor & memoryDescriptor.pair) !== 0;
    const bytes = bytesOf(descriptor) * (isPair ? 2 : 1);
    // A pair is aligned to the size of both.
    const flags = accessFlag.aligned | steppedFlag(descriptor);
    const value = scratchWord(cpu, scratchSlot.value);
    const high = scratchWord(cpu, scratchSlot.valueHigh);
    if (descriptor & memoryDescriptor.store) {
      if (isPair && bytes === 8) words[value + 1] = words[high] as number;
      const stored = peOf(cpu).storeExclusive(bytes, flags);
      const after = stored === exit.none ? afterStore(descriptor) : stored;
      // Marked again, the granule lets the store pass a second time.
      if (stored === exit.none && after === exit.step) peOf(cpu).loadExclusive(bytes, flags);
      return after;
    }
    const code = peOf(cpu).loadExclusive(bytes, flags);
    if (isPair && bytes === 8) {
      words[high] = words[value + 1] as number;
      words[high + 1] = 0;
    }
    return code;
  }

  function atomicService(cpu: number, descriptor: number): Exit {
    const pe = peOf(cpu);
    const isPair = (descriptor & memoryDescriptor.pair) !== 0;
    const elementBytes = bytesOf(descriptor);
    const bytes = elementBytes * (isPair ? 2 : 1);
    const flags = accessFlag.aligned | accessFlag.atomic | steppedFlag(descriptor);
    const slot = (n: number): number => (cpu + record.scratch + 8 * n) >>> 3;
    const [low, high] = [slot(scratchSlot.value), slot(scratchSlot.valueHigh)];
    const operation = atomicOperations[descriptor >>> atomicShift];
    assert(operation !== undefined, 'an atomic operation of the table');
    const pack = (first: bigint, second: bigint): bigint => {
      const shift = BigInt(8 * elementBytes);
      return isPair ? BigInt.asUintN(Number(shift), first) | (second << shift) : first;
    };
    const at = (n: number): bigint => doublewords[n] as bigint;
    const operand = pack(at(low), at(high));
    const expected = pack(at(slot(scratchSlot.expected)), at(slot(scratchSlot.expectedHigh)));
    const put = (n: number, value: bigint): void => {
      doublewords[n] = BigInt.asUintN(64, value);
      doublewords[n + 1] = value >> 64n;
    };
    const found = (): bigint => BigInt.asUintN(8 * bytes, bytes === 16 ? at(low) | (at(high) << 64n) : at(low));
    const read = pe.accessMemory(accessKind.read, bytes, flags);
    if (read !== exit.none) return read;
    let before = found();
    for (let isDone = false; !isDone;) {
      const after = atomicResult(operation, before, operand, expected, bytes);
      put(low, after);
      if (isConcurrent) put(slot(scratchSlot.expected), before);
      const written = isConcurrent ? pe.compareAndSwap(bytes, flags) : pe.accessMemory(accessKind.write, bytes, flags);
      if (written !== exit.none) return written;
      // Another PE may have come between.
      isDone = !isConcurrent || found() === before;
      if (!isDone) before = found();
    }
    const after = afterStore(descriptor);
    if (after === exit.step) {
      put(low, before);
      pe.accessMemory(accessKind.write, bytes, flags);
      return after;
    }
    const elementBits = 8 * elementBytes;
    doublewords[low] = BigInt.asUintN(elementBits, before);
    doublewords[high] = before >> BigInt(elementBits);
    return after;
  }

  /** What TypeScript does in memory is plain: where other PEs run, fences around it order what an instruction has to. */
  const fenced =
    (service: Service): Service =>
    (cpu, descriptor) => {
      if ((descriptor & memoryDescriptor.ordered) === 0) return service(cpu, descriptor);
      fence(cpu);
      const code = service(cpu, descriptor);
      fence(cpu);
      return code;
    };
  const accesses = { access: memoryService, exclusive: exclusiveService, atomic: atomicService };
  const orderedAccesses = {
    access: fenced(memoryService),
    exclusive: fenced(exclusiveService),
    atomic: fenced(atomicService),
  };
  return isConcurrent ? orderedAccesses : accesses;
}
