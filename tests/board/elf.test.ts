import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readElf } from '../../src/board/elf.ts';
import { readSymbols } from '../../src/board/elf-symbols.ts';
import { UserError } from '../../src/report/user-error.ts';
import { branchToSelf, elfFile, goodElf, ramBase } from './elf-file.ts';
import { refusal } from './refusal.ts';
import type { ElfParts } from './elf-file.ts';

const MiB = 0x10_0000;
const memoryBytes = 512 * MiB;
const read = (bytes: Uint8Array) => readElf({ path: 'prog.elf', bytes }, memoryBytes);
const refused = (parts: Partial<ElfParts>): string => refusal(() => read(elfFile({ ...goodElf, ...parts })));
const text = { address: ramBase + 2 * MiB, bytes: branchToSelf };

describe('an ELF executable', () => {
  it('gives its bytes, its zeros and its entry', () => {
    expect(read(elfFile(goodElf))).toEqual({
      kind: 'elf',
      segments: [{ address: 0x4020_0000, bytes: branchToSelf, zeroBytes: 0xfc }],
      entry: 0x4020_0000,
      end: 0x4020_0100,
    });
  });

  it('may have segments anywhere in RAM, in any order, up to the last byte', () => {
    const last = { address: ramBase + memoryBytes - 4, bytes: branchToSelf };
    const first = { address: ramBase, bytes: branchToSelf };
    const image = read(elfFile({ segments: [last, text, first] }));
    expect(image.segments.map(({ address }) => address)).toEqual([0x5fff_fffc, 0x4020_0000, 0x4000_0000]);
    expect(image.end).toBe(0x6000_0000);
  });

  it('is loaded and entered at physical addresses if it is linked to run at virtual ones', () => {
    const virtualAddress = 0xffff_8000_0000_0000n;
    const image = read(
      elfFile({
        segments: [{ ...text, bytes: new Uint8Array(16), virtualAddress }],
        entry: virtualAddress + 8n,
      }),
    );
    expect(image.entry).toBe(0x4020_0008);
  });

  it('costs nothing for a bss that fills RAM', () => {
    const huge = { address: ramBase + 4 * MiB, memoryBytes: memoryBytes - 4 * MiB };
    expect(read(elfFile({ segments: [text, huge] })).segments[1]).toEqual({
      address: huge.address,
      bytes: new Uint8Array(0),
      zeroBytes: huge.memoryBytes,
    });
  });

  it('may be position-independent in type if nothing is left to relocate', () => {
    expect(read(elfFile({ ...goodElf, type: 3 })).entry).toBe(0x4020_0000);
  });

  it('is refused in one sentence that names the file and the fault', () => {
    expect(refusal(() => read(branchToSelf))).toBe('prog.elf: not an ELF file');
    expect(refusal(() => read(elfFile(goodElf).subarray(0, 40)))).toBe(
      'prog.elf: cut short: 40 bytes, and an ELF header has 64',
    );
    expect(refusal(() => read(elfFile(goodElf).subarray(0, 100)))).toBe(
      'prog.elf: cut short: its 1 program headers at 0x40 lie past the end of the file',
    );
    expect(refusal(() => read(elfFile(goodElf).subarray(0, 122)))).toBe(
      'prog.elf: cut short: segment 0 needs bytes up to 0x7c, the file has 0x7a',
    );
    expect(refused({ fileClass: 1 })).toBe('prog.elf: a 32-bit ELF file: Heddle runs AArch64 only');
    expect(refused({ encoding: 2 })).toBe('prog.elf: a big-endian ELF file: Heddle runs little-endian only');
    expect(refused({ machine: 62 })).toBe('prog.elf: made for x86-64, not for AArch64');
    expect(refused({ machine: 40 })).toBe('prog.elf: made for Arm (32-bit), not for AArch64');
    expect(refused({ machine: 4711 })).toBe('prog.elf: made for ELF machine 4711, not for AArch64');
    expect(refused({ type: 1 })).toBe('prog.elf: an object file: link it first');
    expect(refused({ type: 4 })).toBe('prog.elf: a core dump, not an executable');
    expect(refused({ segments: [] })).toBe(
      'prog.elf: the ELF file has no program headers, so there is nothing to load',
    );
    expect(refused({ segments: [{ address: 0, type: 4 }] })).toBe('prog.elf: no program header asks to load anything');
  });

  it('is refused if a segment lies outside RAM, with the addresses', () => {
    expect(refused({ segments: [text, { address: 0x1000, memoryBytes: 0x20 }] })).toBe(
      'prog.elf: 0x1000-0x1020 is outside RAM, which is 0x40000000-0x60000000 with this --memory',
    );
    expect(refused({ segments: [{ ...text, memoryBytes: memoryBytes }] })).toBe(
      'prog.elf: 0x40200000-0x60200000 is outside RAM, which is 0x40000000-0x60000000 with this --memory',
    );
    expect(refused({ segments: [{ ...text, memoryBytes: Number.MAX_SAFE_INTEGER }] })).toMatch(/ is outside RAM$/);
  });

  it('is refused if two segments overlap', () => {
    expect(
      refused({
        segments: [
          { ...text, memoryBytes: 0x1001 },
          { ...text, address: text.address + 0x1000 },
        ],
      }),
    ).toBe('prog.elf: two segments overlap, at 0x40200000 and at 0x40201000');
  });

  it('is refused if a segment has more bytes than room', () => {
    expect(refused({ segments: [{ ...text, memoryBytes: 2 }] })).toBe(
      'prog.elf: the segment at 0x40200000 has 4 bytes in the file and room for 2',
    );
  });

  it('is refused if its entry point is nowhere, in data, or not at an instruction', () => {
    expect(refused({ entry: 0n })).toBe('prog.elf: its entry point 0x0 is in no executable segment');
    expect(refused({ segments: [{ ...text, flags: 6 }] })).toBe(
      'prog.elf: its entry point 0x40200000 is in no executable segment',
    );
    expect(refused({ entry: BigInt(text.address + 2) })).toBe(
      'prog.elf: its entry point 0x40200002 is not a multiple of 4',
    );
  });

  it('is no image if it is a program for Linux', () => {
    const linux = 'prog.elf: a Linux program, which needs no machine of its own';
    expect(refused({ segments: [text, { address: 0, type: 3 }] })).toBe(linux);
    expect(refused({ osabi: 3 })).toBe(linux);
    const words = Uint32Array.of(4, 16, 1, 0x0055_4e47, 0, 3, 7, 0);
    const abiTag = { address: 0, type: 4, bytes: new Uint8Array(words.buffer) };
    expect(refused({ segments: [abiTag, text], entry: BigInt(text.address) })).toBe(linux);
  });

  it('is refused if it needs relocations', () => {
    const dynamic = { address: 0, type: 2, bytes: new Uint8Array(BigUint64Array.of(7n, 0x1000n, 0n, 0n).buffer) };
    expect(refused({ type: 3, segments: [text, dynamic] })).toBe(
      'prog.elf: a position-independent executable that needs relocations',
    );
  });

  it('never ends in anything but an image in RAM or a refusal, whatever is changed or cut', () => {
    const good = elfFile({
      ...goodElf,
      segments: [...goodElf.segments, { address: ramBase + 8 * MiB, memoryBytes: 64 }],
    });
    const change = fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) });
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat(good.length), (changes, length) => {
        const bytes = good.slice(0, length % 3 === 0 ? length : good.length);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        const file = { path: 'prog.elf', bytes };
        try {
          const image = readElf(file, memoryBytes);
          accepted++;
          for (const { address, bytes: loaded, zeroBytes } of image.segments) {
            expect(address).toBeGreaterThanOrEqual(ramBase);
            expect(address + loaded.length + zeroBytes).toBeLessThanOrEqual(ramBase + memoryBytes);
          }
          readSymbols(file);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).toMatch(/^prog\.elf: [^\n]+$/);
        }
      }),
      { seed: 2, numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });
});

describe('the symbols of an executable', () => {
  it('are its named addresses, without mapping symbols', () => {
    expect(readSymbols({ path: 'prog.elf', bytes: elfFile(goodElf) })).toEqual(
      new Map([
        ['_start', 0x4020_0000n],
        ['bss', 0x4020_0004n],
      ]),
    );
  });

  it('are refused if their table points outside the file', () => {
    const bytes = elfFile(goodElf);
    const view = new DataView(bytes.buffer);
    const sections = Number(view.getBigUint64(40, true));
    view.setBigUint64(sections + 64 + 32, 0xffff_ffff_ffff_ffffn, true);
    expect(refusal(() => readSymbols({ path: 'prog.elf', bytes }))).toBe(
      'prog.elf: cut short: its symbol table lies past the end of the file',
    );
  });
});
