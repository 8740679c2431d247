// From files to what lies in RAM when the first core leaves reset: the image, its initial RAM disk, the device tree, and where each of
// them is, by the rules of QEMU's loader:
//
// - arm64 Image: the RAM disk at half of RAM or 128 MiB, whichever is less, or above the image if that reaches further; the tree above
//   the RAM disk at the next 2 MiB; its address in X0.
// - ELF: the tree at the start of RAM if the image leaves 1 MiB free there, else nowhere; X0 is 0. There is no RAM disk.

import { isArm64Image, readArm64Image } from './arm64-image.ts';
import { amendTree, boardTree } from './device-tree.ts';
import { isElf, readElf } from './elf.ts';
import { readTree } from './flattened-tree.ts';
import { checkPlacement, endOf, refuse } from './image.ts';
import { memoryMap } from './memory-map.ts';
import { resetOf } from './virt.ts';
import type { Chosen } from './device-tree.ts';
import type { Image, InputFile, Segment } from './image.ts';
import type { Board, Reset } from './virt.ts';

export interface BootFiles {
  readonly image: InputFile;
  readonly initrd?: InputFile;
  readonly dtb?: InputFile;
  readonly kernelArgs?: string;
}

export interface BootPlan {
  readonly kind: Image['kind'];
  readonly segments: readonly Segment[];
  readonly entry: number;
  /** Where the device tree lies, if there was room for it. */
  readonly dtbAddress: number | undefined;
  /** X0 at the entry; X1 to X3 are 0. */
  readonly x0: number;
  readonly reset: Reset;
}

const pageBytes = 0x1000;
const treeAlignment = 0x20_0000;
const maxInitrdOffset = 0x800_0000;
/** The room that QEMU's own tree takes, whatever its length; the rest is zero. */
const treeRoomBytes = 0x10_0000;

const alignUp = (address: number, alignment: number): number => Math.ceil(address / alignment) * alignment;

function readImage(file: InputFile, memoryBytes: number): Image {
  if (isElf(file.bytes)) return readElf(file, memoryBytes);
  if (isArm64Image(file.bytes)) return readArm64Image(file, memoryBytes);
  if (file.bytes.length === 0) return refuse(file.path, 'an empty file');
  return refuse(
    file.path,
    'neither an ELF executable nor an arm64 Image',
    'a raw binary does not say where it belongs',
  );
}

/** Reads and places everything that the user gave for this board. */
export function planBoot(board: Board, { image: file, initrd, dtb, kernelArgs }: BootFiles): BootPlan {
  const { memoryBytes } = board;
  const image = readImage(file, memoryBytes);
  const reset = resetOf(board, image.kind);
  const tree = (chosen: Chosen): Uint8Array =>
    dtb === undefined
      ? boardTree(board, reset.psciConduit, chosen)
      : amendTree(readTree(dtb.bytes, dtb.path), board, reset.psciConduit, chosen);
  const argument = kernelArgs === undefined ? {} : { kernelArgs };
  const { base } = memoryMap.ram;

  if (image.kind === 'elf') {
    if (initrd) refuse(initrd.path, 'an initrd goes with an arm64 Image, not with an ELF executable');
    const bytes = tree(argument);
    const room = Math.max(bytes.length, treeRoomBytes);
    const lowest = Math.min(...image.segments.map(({ address }) => address));
    const fits = base + room <= lowest;
    if (dtb && !fits) refuse(dtb.path, 'no room for the device tree: the image uses the start of RAM');
    const treeSegment = { address: base, bytes, zeroBytes: room - bytes.length };
    return {
      kind: image.kind,
      segments: fits ? [...image.segments, treeSegment] : image.segments,
      entry: image.entry,
      dtbAddress: fits ? base : undefined,
      x0: 0,
      reset,
    };
  }

  const start = alignUp(Math.max(base + Math.min(memoryBytes / 2, maxInitrdOffset), image.end), pageBytes);
  const disk: Segment = { address: start, bytes: initrd?.bytes ?? new Uint8Array(0), zeroBytes: 0 };
  const bytes = tree(initrd ? { ...argument, initrd: { start, end: endOf(disk) } } : argument);
  const room = Math.max(bytes.length, treeRoomBytes);
  const dtbAddress = alignUp(endOf(disk), treeAlignment);
  const segments = [
    ...image.segments,
    ...(initrd ? [disk] : []),
    { address: dtbAddress, bytes, zeroBytes: room - bytes.length },
  ];
  if (initrd) checkPlacement(initrd.path, [disk], memoryBytes);
  checkPlacement(dtb?.path ?? 'device tree', segments, memoryBytes);
  return { kind: image.kind, segments, entry: image.entry, dtbAddress, x0: dtbAddress, reset };
}
