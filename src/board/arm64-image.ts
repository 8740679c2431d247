// The arm64 `Image` format (Linux, Documentation/arch/arm64/booting.rst, "Call the kernel image"): a header of 64 bytes that is also the
// first code of the kernel, and one flat block that goes to text_offset above a 2 MiB boundary of RAM.

import { viewOf } from './elf.ts';
import { checkPlacement, hex, refuse } from './image.ts';
import { memoryMap } from './memory-map.ts';
import type { Image, InputFile } from './image.ts';

const headerBytes = 64;
const magic = 0x644d_5241; // "ARM\x64"
const flags = { bigEndian: 1n } as const;

/** What text_offset was before the header had an image_size to say that it is meant. */
const oldTextOffset = 0x8_0000;
const alignment = 0x20_0000;
/**
 * QEMU keeps the first page of RAM for the few instructions of its boot loader and puts a kernel that asks for it one step higher. A
 * kernel sees its own address, so it is the same here.
 */
const bootLoaderBytes = 0x1000;

export const isArm64Image = (bytes: Uint8Array): boolean =>
  bytes.length >= headerBytes && viewOf(bytes).getUint32(56, true) === magic;

/** Reads an Image; it lies in RAM of this size with all that its header reserves. */
export function readArm64Image({ path, bytes }: InputFile, memoryBytes: number): Image {
  const view = viewOf(bytes);
  const textOffset = view.getBigUint64(8, true);
  const imageBytes = view.getBigUint64(16, true);
  if ((view.getBigUint64(24, true) & flags.bigEndian) !== 0n)
    refuse(path, 'a big-endian arm64 Image: Heddle runs little-endian only');
  if (imageBytes !== 0n && textOffset + imageBytes > BigInt(memoryBytes))
    refuse(path, `the arm64 Image needs ${hex(textOffset + imageBytes)} bytes of RAM, there are ${hex(memoryBytes)}`);

  let offset = imageBytes === 0n ? oldTextOffset : Number(textOffset);
  if (offset < bootLoaderBytes) offset += alignment;
  const address = memoryMap.ram.base + offset;
  if (address % 4 !== 0)
    refuse(path, `the arm64 Image asks for the text offset ${hex(offset)}, which is not a multiple of 4`);
  const zeroBytes = Math.max(0, Number(imageBytes) - bytes.length);
  const segments = [{ address, bytes, zeroBytes }];
  checkPlacement(path, segments, memoryBytes);
  return { kind: 'image', segments, entry: address, end: address + bytes.length + zeroBytes };
}
