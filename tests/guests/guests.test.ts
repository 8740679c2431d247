import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

// The list that every other test and the QEMU scripts go by must not drift from what is on disk.

interface Guest {
  readonly name: string;
  readonly file: string;
  readonly timingIndependent: boolean;
  readonly exitCode: number | readonly number[] | null;
}

const here = new URL('.', import.meta.url);
const { guests } = JSON.parse(readFileSync(new URL('guests.json', here), 'utf8')) as { guests: readonly Guest[] };
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
