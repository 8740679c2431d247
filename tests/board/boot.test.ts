import { describe, expect, it } from 'vitest';
import { planBoot } from '../../src/board/boot.ts';
import { readTree } from '../../src/board/flattened-tree.ts';
import { resolveBoard } from '../../src/board/virt.ts';
import { arm64ImageFile, elfFile, goodElf, ramBase } from './elf-file.ts';
import { refusal } from './refusal.ts';
import type { BootFiles, BootPlan } from '../../src/board/boot.ts';

const MiB = 0x10_0000;
const board = (memoryBytes = 512 * MiB, secure = false, virtualization = true) =>
  resolveBoard({ cores: 2, memoryBytes, gicVersion: 3, virtualization, secure });
const file = (path: string, bytes: Uint8Array) => ({ path, bytes });
const image = (header: Parameters<typeof arm64ImageFile>[0], length?: number) =>
  file('Image', arm64ImageFile(header, length));
const initrd = file('initrd', new Uint8Array(5000).fill(0x49));

/** Property of /chosen in the tree that the plan puts into RAM. */
function chosen(plan: BootPlan, name: string): Buffer | undefined {
  const segment = plan.segments.find(({ address }) => address === plan.dtbAddress);
  const { children } = readTree(segment!.bytes, 'tree').root;
  const property = children.find((node) => node.name === 'chosen')!.properties.find((p) => p.name === name);
  return property && Buffer.from(property.value);
}

describe('an arm64 Image', () => {
  // The addresses are those of QEMU 7.2 with the same files (info roms, info registers).
  it('lies one 2 MiB step up if its text offset falls into the first page', () => {
    const plan = planBoot(board(), { image: image({ imageBytes: 0x4000n }, 0x3000), initrd });
    expect(plan).toMatchObject({ kind: 'image', entry: 0x4020_0000, dtbAddress: 0x4820_0000, x0: 0x4820_0000 });
    expect(plan.segments.map(({ address, bytes, zeroBytes }) => [address, bytes.length, zeroBytes])).toMatchObject([
      [0x4020_0000, 0x3000, 0x1000],
      [0x4800_0000, 5000, 0],
      [0x4820_0000, expect.any(Number), expect.any(Number)],
    ]);
  });

  it('lies at its text offset, or at the old one if it has no image size', () => {
    expect(planBoot(board(), { image: image({ textOffset: 0x8_0000n }) }).entry).toBe(0x4008_0000);
    expect(planBoot(board(), { image: image({ textOffset: 0x123n, imageBytes: 0n }) }).entry).toBe(0x4008_0000);
  });

  it('has its RAM disk at half of RAM, at 128 MiB, or above itself', () => {
    const dtbOf = (memoryBytes: number, files: BootFiles) => planBoot(board(memoryBytes), files).dtbAddress;
    expect(dtbOf(128 * MiB, { image: image({}), initrd })).toBe(0x4420_0000);
    expect(dtbOf(3072 * MiB, { image: image({}), initrd })).toBe(0x4820_0000);
    expect(dtbOf(512 * MiB, { image: image({ imageBytes: 0x900_0000n }), initrd })).toBe(0x4940_0000);
    expect(dtbOf(512 * MiB, { image: image({}) })).toBe(0x4800_0000);
  });

  it('finds its arguments and its RAM disk in /chosen', () => {
    const plan = planBoot(board(), { image: image({}), initrd, kernelArgs: 'console=ttyAMA0 quiet' });
    expect(chosen(plan, 'bootargs')?.toString()).toBe('console=ttyAMA0 quiet\0');
    expect(chosen(plan, 'linux,initrd-start')?.readBigUInt64BE()).toBe(0x4800_0000n);
    expect(chosen(plan, 'linux,initrd-end')?.readBigUInt64BE()).toBe(0x4800_1388n);
  });

  it('is entered in Non-secure state, with PSCI one level above', () => {
    const reset = (secure: boolean, virtualization: boolean) =>
      planBoot(board(512 * MiB, secure, virtualization), { image: image({}) }).reset;
    expect(reset(false, true)).toEqual({ el: 2, psciConduit: 'smc', allCoresStart: false });
    expect(reset(true, true)).toEqual({ el: 2, psciConduit: 'smc', allCoresStart: false });
    expect(reset(false, false)).toEqual({ el: 1, psciConduit: 'hvc', allCoresStart: false });
  });

  it('is refused if it is big-endian, larger than RAM, or leaves no room', () => {
    const refused = (files: BootFiles, memoryBytes = 16 * MiB) => refusal(() => planBoot(board(memoryBytes), files));
    expect(refused({ image: image({ flags: 1n }) })).toBe(
      'Image: a big-endian arm64 Image: Heddle runs little-endian only',
    );
    expect(refused({ image: image({ imageBytes: 1n << 60n }) })).toBe(
      'Image: the arm64 Image needs 0x1000000000000000 bytes of RAM, there are 0x1000000',
    );
    expect(refused({ image: image({ imageBytes: 0xf0_0000n }) })).toBe(
      'Image: 0x40200000-0x41100000 is outside RAM, which is 0x40000000-0x41000000 with this --memory',
    );
    expect(refused({ image: image({}), initrd: file('big', new Uint8Array(9 * MiB)) })).toBe(
      'big: 0x40800000-0x41100000 is outside RAM, which is 0x40000000-0x41000000 with this --memory',
    );
    expect(refused({ image: image({}) }, 4 * MiB)).toBe(
      'device tree: 0x40400000-0x40500000 is outside RAM, which is 0x40000000-0x40400000 with this --memory',
    );
  });
});

describe('an ELF executable', () => {
  it('finds the device tree at the start of RAM, and X0 is 0', () => {
    const plan = planBoot(board(), { image: file('prog', elfFile(goodElf)), kernelArgs: 'x=1' });
    expect(plan).toMatchObject({ kind: 'elf', entry: 0x4020_0000, dtbAddress: ramBase, x0: 0 });
    expect(chosen(plan, 'bootargs')?.toString()).toBe('x=1\0');
  });

  it('has no device tree if it leaves less than 1 MiB free there', () => {
    const at = (address: number) =>
      planBoot(board(), { image: file('prog', elfFile({ segments: [{ address, memoryBytes: 4 }] })) });
    expect(at(ramBase + MiB).dtbAddress).toBe(ramBase);
    expect(at(ramBase + MiB - 4).dtbAddress).toBeUndefined();
    expect(at(ramBase).segments).toHaveLength(1);
  });

  it('is entered by every core at EL3 on a board with EL3', () => {
    expect(planBoot(board(512 * MiB, true), { image: file('prog', elfFile(goodElf)) }).reset).toEqual({
      el: 3,
      psciConduit: undefined,
      allCoresStart: true,
    });
  });

  it('takes no initrd, and no user tree where it leaves no room', () => {
    const prog = file('prog', elfFile(goodElf));
    expect(refusal(() => planBoot(board(), { image: prog, initrd }))).toBe(
      'initrd: an initrd goes with an arm64 Image, not with an ELF executable',
    );
    const plan = planBoot(board(), { image: prog });
    const dtb = file('my.dtb', plan.segments.at(-1)!.bytes);
    const low = file('low', elfFile({ segments: [{ address: ramBase, memoryBytes: 4 }] }));
    expect(refusal(() => planBoot(board(), { image: low, dtb }))).toBe(
      'my.dtb: no room for the device tree: the image uses the start of RAM',
    );
  });

  it('gets the tree of the user with the RAM and the arguments of this run', () => {
    const prog = file('prog', elfFile(goodElf));
    const mine = planBoot(board(256 * MiB), { image: prog, kernelArgs: 'old' }).segments.at(-1)!.bytes;
    const plan = planBoot(board(), { image: prog, dtb: file('my.dtb', mine), kernelArgs: 'new' });
    expect(chosen(plan, 'bootargs')?.toString()).toBe('new\0');
    expect(chosen(plan, 'stdout-path')?.toString()).toBe('/pl011@9000000\0');
    const { children } = readTree(plan.segments.at(-1)!.bytes, 'tree').root;
    const memory = children.filter(({ name }) => name.startsWith('memory'));
    expect(memory.map(({ properties }) => Buffer.from(properties[1]!.value).readBigUInt64BE(8))).toEqual([
      0x2000_0000n,
    ]);
    expect(children.filter(({ name }) => name === 'psci')).toHaveLength(1);
  });
});

describe('any other file', () => {
  it('is refused', () => {
    const refused = (bytes: Uint8Array) => refusal(() => planBoot(board(), { image: file('x.bin', bytes) }));
    expect(refused(new Uint8Array(0))).toBe('x.bin: an empty file');
    expect(refused(new Uint8Array(4096))).toBe('x.bin: neither an ELF executable nor an arm64 Image');
    expect(refused(Uint8Array.of(0x4d, 0x5a))).toBe('x.bin: neither an ELF executable nor an arm64 Image');
  });
});
