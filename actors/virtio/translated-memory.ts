// Memory as a device behind a TBU reaches it in one pass over its queues: page by page, where translations have been granted. What the
// device writes is kept until the pass is complete, and seen by the pass itself.
//
// A pass that meets a page without an answer is not complete: it goes on as if the page were there and zero, so that it tells which other
// pages it needs, and is then forgotten as a whole. A long range is asked for in growing parts: one that is not there costs one fault.

import type { GuestMemory } from './guest-memory.ts';

const pageBytes = 4096;
/** Addresses beyond this are not exact numbers, and no SMMU here translates them. */
const addressEnd = 2 ** 52;
/** The most pages that a range asks for at once: a request of 1 MiB. */
const maxPagesAtOnce = 256;

/**
 * Ends a pass at a range of which too much is not known to go on as if it were there: a length that a driver has made up is not worth
 * gigabytes of zeros. It does not leave translated-device.ts.
 */
export class PassEnds extends Error {}

type Access = 'read' | 'write';

interface Segment {
  readonly pa: number;
  readonly sizeBytes: number;
}

/** A page and what is to be done with it, as one number. */
const keyOf = (address: number, access: Access): number =>
  2 * Math.floor(address / pageBytes) + (access === 'write' ? 1 : 0);
export const pageOfKey = (key: number): number => Math.floor(key / 2) * pageBytes;
export const isWriteKey = (key: number): boolean => key % 2 === 1;

export class TranslatedMemory implements GuestMemory {
  /** RAM by physical address; what is written to it belongs to the pass as well. */
  readonly physical: GuestMemory;
  private readonly ram: GuestMemory;
  /** Physical address of a page by its key, or NaN where it has been aborted. */
  private readonly granted = new Map<number, number>();
  private readonly wanted = new Set<number>();
  private writes: { readonly pa: number; readonly bytes: Uint8Array }[] = [];
  private pagesAtOnce = 1;
  private isLast = false;

  constructor(ram: GuestMemory) {
    this.ram = ram;
    const itself = (pa: number, sizeBytes: number): Segment[] => [{ pa, sizeBytes }];
    this.physical = {
      holds: (pa, sizeBytes, access) => ram.holds(pa, sizeBytes, access),
      readBytes: (pa, sizeBytes) => this.read(itself(pa, sizeBytes), sizeBytes),
      writeBytes: (pa, source) => this.write(itself(pa, source.length), source),
      readWord: (pa, sizeBytes) => wordOf(this.read(itself(pa, sizeBytes), sizeBytes)),
      writeWord: (pa, sizeBytes, value) => this.write(itself(pa, sizeBytes), bytesOf(value, sizeBytes)),
    };
  }

  /** Begins a pass; `isLast`: pages without an answer are not there. */
  begin(pagesAtOnce: number, isLast: boolean): void {
    this.wanted.clear();
    this.writes = [];
    this.pagesAtOnce = Math.min(pagesAtOnce, maxPagesAtOnce);
    this.isLast = isLast;
  }

  /** The pages that the pass has missed, by key. */
  get missing(): readonly number[] {
    return [...this.wanted];
  }

  /** The answer about a page: where it is, or NaN. */
  answer(key: number, pa: number): void {
    this.granted.set(key, pa);
  }

  /** What the pass has written is written. */
  commit(): void {
    for (const { pa, bytes } of this.writes) this.ram.writeBytes(pa, bytes);
    this.writes = [];
  }

  /** No translation is used from now on. */
  release(): void {
    this.granted.clear();
  }

  /** Where a range is; 'unknown' while an answer is missing, undefined where some of it cannot be reached. */
  private locate(address: number, sizeBytes: number, access: Access): Segment[] | 'unknown' | undefined {
    if (!Number.isSafeInteger(address) || address < 0 || address + sizeBytes > addressEnd) return undefined;
    const segments: Segment[] = [];
    let asked = 0;
    for (let at = address; at < address + sizeBytes;) {
      const inPage = at % pageBytes;
      const size = Math.min(pageBytes - inPage, address + sizeBytes - at);
      const key = keyOf(at, access);
      const page = this.granted.get(key);
      if (page === undefined) {
        if (this.isLast) return undefined;
        this.wanted.add(key);
        asked += 1;
        if (asked >= this.pagesAtOnce) return 'unknown';
      } else if (!this.ram.holds(page + inPage, size, access)) return undefined;
      else segments.push({ pa: page + inPage, sizeBytes: size });
      at += size;
    }
    return asked > 0 ? 'unknown' : segments;
  }

  private read(segments: readonly Segment[], sizeBytes: number): Uint8Array | undefined {
    const result = new Uint8Array(sizeBytes);
    let at = 0;
    for (const { pa, sizeBytes: size } of segments) {
      const bytes = this.ram.readBytes(pa, size);
      if (bytes === undefined) return undefined;
      result.set(bytes, at);
      for (const written of this.writes) {
        const from = Math.max(pa, written.pa);
        const to = Math.min(pa + size, written.pa + written.bytes.length);
        if (from < to) result.set(written.bytes.subarray(from - written.pa, to - written.pa), at + from - pa);
      }
      at += size;
    }
    return result;
  }

  private write(segments: readonly Segment[], source: Uint8Array): boolean {
    if (!segments.every(({ pa, sizeBytes }) => this.ram.holds(pa, sizeBytes, 'write'))) return false;
    let at = 0;
    for (const { pa, sizeBytes } of segments) {
      this.writes.push({ pa, bytes: source.slice(at, at + sizeBytes) });
      at += sizeBytes;
    }
    return true;
  }

  holds(address: number, sizeBytes: number, access: Access): boolean {
    const located = this.locate(address, sizeBytes, access);
    if (located === 'unknown' && sizeBytes > maxPagesAtOnce * pageBytes) throw new PassEnds();
    return located !== undefined;
  }

  readBytes(address: number, sizeBytes: number): Uint8Array | undefined {
    const segments = this.locate(address, sizeBytes, 'read');
    if (segments === 'unknown') return new Uint8Array(sizeBytes);
    return segments && this.read(segments, sizeBytes);
  }

  writeBytes(address: number, source: Uint8Array): boolean {
    const segments = this.locate(address, source.length, 'write');
    if (segments === 'unknown') return true;
    return segments !== undefined && this.write(segments, source);
  }

  readWord(address: number, sizeBytes: 1 | 2 | 4): number | undefined {
    return wordOf(this.readBytes(address, sizeBytes));
  }

  writeWord(address: number, sizeBytes: 1 | 2 | 4, value: number): boolean {
    return this.writeBytes(address, bytesOf(value, sizeBytes));
  }
}

/** Little-endian. */
const wordOf = (bytes: Uint8Array | undefined): number | undefined =>
  bytes?.reduceRight((value, byte) => value * 256 + byte, 0);
const bytesOf = (value: number, sizeBytes: number): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, n) => (value >>> (8 * n)) & 0xff);
