// How a device reaches guest RAM: reads and writes by physical address, which do what a store of a PE does (the pages are marked
// as touched, translated code that is written over ends, exclusive monitors of the lines are cleared), in the order data, then
// monitors. A range that is not wholly in RAM is answered as a bus answers it: nothing has been read or written.
//
// Under `lockstep` devices run when no core does, so that an access is atomic to every PE whatever its size. Under `parallel` an aligned
// word is: it is read before, and written after, everything that the device does later, and has done before; so that drivers that look
// at an index of a ring, and devices, may rely on what it says.

import type { ExclusiveMonitors } from './exclusive-monitors.ts';
import type { MemoryViews } from './memory-views.ts';
import type { Pairs } from './pairs.ts';

/** Guest RAM, as one device sees it. Addresses may be any number: what is no RAM address is out of range. */
export interface RamPort {
  /** True where all of the bytes are RAM. */
  holds(pa: number, sizeBytes: number): boolean;
  /** A copy of the bytes, or undefined where one of them is outside RAM. */
  readBytes(pa: number, sizeBytes: number): Uint8Array | undefined;
  /** False where one of the bytes would be outside RAM. */
  writeBytes(pa: number, source: Uint8Array): boolean;
  /** A little-endian value of 1, 2, 4 or 8 bytes (aligned or not), or undefined where one of them is outside RAM. */
  readWord(pa: number, sizeBytes: 1 | 2 | 4): number | undefined;
  readDoubleword(pa: number): bigint | undefined;
  writeWord(pa: number, sizeBytes: 1 | 2 | 4, value: number): boolean;
  writeDoubleword(pa: number, value: bigint): boolean;
  /** Stores an aligned word where memory holds what is expected, and returns what it has held; undefined where it is outside RAM. */
  compareExchangeWord(pa: number, expected: number, value: number): number | undefined;
}

export interface RamPortOptions {
  readonly views: MemoryViews;
  readonly ramBase: number;
  readonly ramBytes: number;
  /** The maps beside RAM: a byte for each line and for each page. */
  readonly lineMapOffset: number;
  readonly lineShift: number;
  /** The line map's bit of a line that holds the source of translated code. */
  readonly lineHoldsCode: number;
  readonly touchedPageOffset: number;
  readonly pageShift: number;
  readonly monitors: Pick<ExclusiveMonitors, 'stored'>;
  /** Given where PEs run at the same time. */
  readonly pairs?: Pick<Pairs, 'concerns' | 'locked'>;
  /** Ends what was translated from these bytes, at every engine of the machine. */
  readonly codeWritten: (pa: number, sizeBytes: number) => void;
  /** The global monitor of a PE has been cleared: an event for it. */
  readonly monitorCleared: (pe: number) => void;
}

/** By no PE. */
const nobody = -1;

export function makeRamPort(options: RamPortOptions): RamPort {
  const { views, ramBase, ramBytes, lineMapOffset, lineShift, lineHoldsCode, touchedPageOffset, pageShift } = options;
  const { bytes, halfwords, words, doublewords, view } = views;
  const ramEnd = ramBase + ramBytes;
  const isRam = (pa: number, sizeBytes: number): boolean =>
    Number.isInteger(pa) && sizeBytes >= 0 && pa >= ramBase && pa + sizeBytes <= ramEnd;

  /** Numbers of the units of 2^shift bytes that a range touches. */
  const unitsOf = (pa: number, sizeBytes: number, shift: number): [first: number, last: number] => [
    pa >>> shift,
    (pa + sizeBytes - 1) >>> shift,
  ];

  /** A store to these bytes is about to happen. */
  function announce(pa: number, sizeBytes: number): void {
    const [first, last] = unitsOf(pa, sizeBytes, lineShift);
    const marks = bytes.subarray(lineMapOffset + first, lineMapOffset + last + 1);
    if (marks.some((mark) => (mark & lineHoldsCode) !== 0)) options.codeWritten(pa, sizeBytes);
  }

  /** The store has happened. */
  function report(pa: number, sizeBytes: number): void {
    const [firstPage, lastPage] = unitsOf(pa, sizeBytes, pageShift);
    bytes.fill(1, touchedPageOffset + firstPage, touchedPageOffset + lastPage + 1);
    const [first, last] = unitsOf(pa, sizeBytes, lineShift);
    for (let line = first; line <= last; line += 1) {
      if (bytes[lineMapOffset + line] !== 0)
        options.monitors.stored(nobody, line * 2 ** lineShift, options.monitorCleared);
    }
  }

  function write(pa: number, sizeBytes: number, store: () => void): boolean {
    if (!isRam(pa, sizeBytes)) return false;
    if (sizeBytes === 0) return true;
    announce(pa, sizeBytes);
    if (options.pairs?.concerns(pa, sizeBytes)) options.pairs.locked(store);
    else store();
    report(pa, sizeBytes);
    return true;
  }
  const isAligned = (pa: number, sizeBytes: number): boolean => pa % sizeBytes === 0;

  return {
    holds: isRam,
    readBytes: (pa, sizeBytes) => (isRam(pa, sizeBytes) ? bytes.slice(pa, pa + sizeBytes) : undefined),
    readWord: (pa, sizeBytes) => {
      if (!isRam(pa, sizeBytes)) return undefined;
      if (sizeBytes === 1) return Atomics.load(bytes, pa);
      if (!isAligned(pa, sizeBytes)) return sizeBytes === 2 ? view.getUint16(pa, true) : view.getUint32(pa, true);
      return sizeBytes === 2 ? Atomics.load(halfwords, pa / 2) : Atomics.load(words, pa / 4);
    },
    readDoubleword: (pa) => (isRam(pa, 8) ? view.getBigUint64(pa, true) : undefined),
    writeBytes: (pa, source) => write(pa, source.length, () => bytes.set(source, pa)),
    writeWord: (pa, sizeBytes, value) =>
      write(pa, sizeBytes, () => {
        if (sizeBytes === 1) Atomics.store(bytes, pa, value);
        else if (!isAligned(pa, sizeBytes) && sizeBytes === 2) view.setUint16(pa, value, true);
        else if (!isAligned(pa, sizeBytes)) view.setUint32(pa, value, true);
        else if (sizeBytes === 2) Atomics.store(halfwords, pa / 2, value);
        else Atomics.store(words, pa / 4, value);
      }),
    writeDoubleword: (pa, value) =>
      write(pa, 8, () => {
        if (isAligned(pa, 8)) Atomics.store(doublewords, pa / 8, value);
        else view.setBigUint64(pa, value, true);
      }),
    compareExchangeWord: (pa, expected, value) => {
      let held: number | undefined;
      write(pa, 4, () => {
        held = Atomics.compareExchange(words, pa / 4, expected, value);
      });
      return held;
    },
  };
}
