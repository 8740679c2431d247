// Builds ELF files for tests, right or wrong on purpose.

export interface SegmentParts {
  readonly address: number;
  readonly bytes?: Uint8Array;
  readonly memoryBytes?: number;
  readonly virtualAddress?: bigint;
  readonly type?: number;
  readonly flags?: number;
}

export interface ElfParts {
  readonly segments: readonly SegmentParts[];
  readonly entry?: bigint;
  readonly type?: number;
  readonly machine?: number;
  readonly fileClass?: number;
  readonly encoding?: number;
  readonly osabi?: number;
  readonly symbols?: readonly { readonly name: string; readonly address: bigint; readonly type?: number }[];
}

export const ramBase = 0x4000_0000;

/** B . */
export const branchToSelf = Uint8Array.of(0, 0, 0, 0x14);

/** The smallest good program. */
export const goodElf: ElfParts = {
  segments: [{ address: ramBase + 0x20_0000, bytes: branchToSelf, memoryBytes: 0x100 }],
  symbols: [
    { name: '_start', address: BigInt(ramBase + 0x20_0000), type: 2 },
    { name: '$x', address: BigInt(ramBase + 0x20_0000) },
    { name: 'bss', address: BigInt(ramBase + 0x20_0004), type: 1 },
  ],
};

/** Lays out: header, program headers, the segments' bytes, then symbols, their names, and section headers. */
export function elfFile(parts: ElfParts): Uint8Array<ArrayBuffer> {
  const { segments, symbols = [] } = parts;
  const dataOffset = 64 + segments.length * 56;
  const offsets: number[] = [];
  let end = dataOffset;
  for (const { bytes } of segments) {
    offsets.push(end);
    end += bytes?.length ?? 0;
  }
  const symbolsOffset = Math.ceil(end / 8) * 8;
  const names = new TextEncoder().encode(`\0${symbols.map(({ name }) => `${name}\0`).join('')}`);
  const namesOffset = symbolsOffset + symbols.length * 24;
  const sectionsOffset = Math.ceil((namesOffset + names.length) / 8) * 8;
  const file = new Uint8Array(sectionsOffset + 3 * 64);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, parts.fileClass ?? 2, parts.encoding ?? 1, 1, parts.osabi ?? 0]);
  view.setUint16(16, parts.type ?? 2, true);
  view.setUint16(18, parts.machine ?? 183, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, parts.entry ?? BigInt(segments[0]?.address ?? 0), true);
  view.setBigUint64(32, 64n, true);
  view.setBigUint64(40, BigInt(sectionsOffset), true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  segments.forEach((segment, i) => {
    const at = 64 + i * 56;
    const bytes = segment.bytes ?? new Uint8Array(0);
    view.setUint32(at, segment.type ?? 1, true);
    view.setUint32(at + 4, segment.flags ?? 5, true);
    view.setBigUint64(at + 8, BigInt(offsets[i]!), true);
    view.setBigUint64(at + 16, segment.virtualAddress ?? BigInt(segment.address), true);
    view.setBigUint64(at + 24, BigInt(segment.address), true);
    view.setBigUint64(at + 32, BigInt(bytes.length), true);
    view.setBigUint64(at + 40, BigInt(segment.memoryBytes ?? bytes.length), true);
    file.set(bytes, offsets[i]);
  });
  let nameOffset = 1;
  symbols.forEach(({ name, address, type = 0 }, i) => {
    const at = symbolsOffset + i * 24;
    view.setUint32(at, nameOffset, true);
    view.setUint8(at + 4, 0x10 | type);
    view.setUint16(at + 6, 0xfff1, true);
    view.setBigUint64(at + 8, address, true);
    nameOffset += name.length + 1;
  });
  file.set(names, namesOffset);
  const section = (n: number, type: number, offset: number, size: number, link: number): void => {
    view.setUint32(sectionsOffset + n * 64 + 4, type, true);
    view.setBigUint64(sectionsOffset + n * 64 + 24, BigInt(offset), true);
    view.setBigUint64(sectionsOffset + n * 64 + 32, BigInt(size), true);
    view.setUint32(sectionsOffset + n * 64 + 40, link, true);
  };
  section(1, 2, symbolsOffset, symbols.length * 24, 2);
  section(2, 3, namesOffset, names.length, 0);
  return file;
}

/** An arm64 Image of `length` bytes with this header. */
export function arm64ImageFile(
  header: { textOffset?: bigint; imageBytes?: bigint; flags?: bigint; magic?: number },
  length = 0x1000,
): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x1400_0010, true);
  view.setBigUint64(8, header.textOffset ?? 0n, true);
  view.setBigUint64(16, header.imageBytes ?? BigInt(length), true);
  view.setBigUint64(24, header.flags ?? 0xan, true);
  view.setUint32(56, header.magic ?? 0x644d_5241, true);
  return file;
}
