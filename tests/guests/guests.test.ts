import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

// The list that every other test and the QEMU scripts go by must not drift from what is on disk.

interface Guest {
  readonly name: string;
  readonly file: string;
  readonly timingIndependent: boolean;
  readonly exitCode: number | readonly number[] | null;
}

interface VmRun {
  readonly name: string;
  readonly program: string;
}

const here = new URL('.', import.meta.url);
const { guests, vmRuns } = JSON.parse(readFileSync(new URL('guests.json', here), 'utf8')) as {
  guests: readonly Guest[];
  vmRuns: readonly VmRun[];
};
const filesIn = (folder: string, suffix: string): string[] =>
  readdirSync(new URL(folder, here))
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();

describe('the guests', () => {
  const names = guests.map((guest) => guest.name).sort();

  test('listed are the ones with a source and the ones that are built', () => {
    expect(filesIn('src', '.c')).toEqual(names);
    expect(filesIn('bin', '.elf')).toEqual(names);
  });

  test('have their expected output when it does not depend on timing and they end', () => {
    const steady = guests.filter((guest) => guest.timingIndependent && guest.exitCode !== null);
    expect(filesIn('expected', '.txt')).toEqual(steady.map((guest) => guest.name).sort());
  });

  test.each(guests)('$name is a small AArch64 ELF that is entered at 0x40080000 and names no machine', ({ file }) => {
    const image = readFileSync(new URL(file, here));
    expect(image.length).toBeLessThan(64 * 1024);
    expect(image.readUInt32BE(0)).toBe(0x7f454c46);
    expect(image.readUInt16LE(18)).toBe(183); // EM_AARCH64
    expect(image.readBigUInt64LE(24)).toBe(0x40080000n);
    expect(image.toString('latin1')).not.toMatch(/\/(tmp|home|work|usr)\//);
  });
});

describe('the programs of virtual machines', () => {
  const programs = filesIn('src/vm', '.c');

  test('are built as ELF files and as arm64 Images, and run in some way that is listed', () => {
    expect(filesIn('bin/vm', '.elf')).toEqual(programs);
    expect(filesIn('bin/vm', '.img')).toEqual(programs);
    expect([...new Set(vmRuns.map(({ program }) => program))].sort()).toEqual(programs);
    expect(filesIn('expected/vm', '.txt')).toEqual(vmRuns.map(({ name }) => name).sort());
  });

  test.each(programs)('%s is small, needs no relocation by its loader, and is the same in both forms', (name) => {
    const elf = readFileSync(new URL(`bin/vm/${name}.elf`, here));
    const flat = readFileSync(new URL(`bin/vm/${name}.img`, here));
    expect(elf.length).toBeLessThan(96 * 1024);
    expect(elf.toString('latin1')).not.toMatch(/\/(tmp|home|work|usr)\//);
    expect(flat.toString('latin1', 56, 60)).toBe('ARMd');
    const headerAt = Number(elf.readBigUInt64LE(32));
    const base = elf.readBigUInt64LE(24); // e_entry is the first byte
    let end = 0;
    for (let i = 0; i < elf.readUInt16LE(56); i++) {
      const at = headerAt + 56 * i;
      expect(elf.readUInt32LE(at)).toBe(1); // PT_LOAD, and nothing else
      const fileOffset = Number(elf.readBigUInt64LE(at + 8));
      const place = Number(elf.readBigUInt64LE(at + 24) - base);
      const bytes = Number(elf.readBigUInt64LE(at + 32));
      expect(flat.subarray(place, place + bytes)).toEqual(elf.subarray(fileOffset, fileOffset + bytes));
      end = place + Number(elf.readBigUInt64LE(at + 40));
    }
    expect(Number(flat.readBigUInt64LE(16))).toBe(end); // image_size: with what no file carries
  });
});
