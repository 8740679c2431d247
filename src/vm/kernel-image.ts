// The image of a VM's kernel as its hypervisor loads it: one flat block that is entered at its first byte. An arm64 Image is that
// already; of an ELF file the segments are put together. What neither is, is refused.

import { isArm64Image } from '../board/arm64-image.ts';
import { isElf, readElf, viewOf } from '../board/elf.ts';
import { endOf, hex, type InputFile, refuse } from '../board/image.ts';
import { maxMemoryBytes } from '../board/memory-map.ts';

export interface KernelImage {
  readonly bytes: Uint8Array;
  readonly loadIpa: number;
  /** With the memory behind it that the image says is its own. */
  readonly sizeBytes: number;
}

export function kernelImage(file: InputFile, loadIpa: number, isLoadGiven: boolean): KernelImage {
  const { path, bytes } = file;
  if (isArm64Image(bytes)) {
    const imageBytes = Number(viewOf(bytes).getBigUint64(16, true));
    return { bytes, loadIpa, sizeBytes: Math.max(bytes.length, imageBytes) };
  }
  if (!isElf(bytes)) return refuse(path, 'neither an ELF executable nor an arm64 Image');
  const { segments, entry } = readElf(file, maxMemoryBytes);
  const start = Math.min(...segments.map(({ address }) => address));
  const end = Math.max(...segments.map(endOf));
  if (entry !== start)
    refuse(path, `it is entered at ${hex(entry)}, and a VM at the first byte of its image, ${hex(start)}`);
  if (isLoadGiven && loadIpa !== start) refuse(path, `it is linked for ${hex(start)}, not for ${hex(loadIpa)}`);
  const flat = new Uint8Array(Math.max(...segments.map(({ address, bytes: part }) => address + part.length)) - start);
  for (const { address, bytes: part } of segments) flat.set(part, address - start);
  return { bytes: flat, loadIpa: start, sizeBytes: end - start };
}
