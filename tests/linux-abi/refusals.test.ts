// What cannot be run is refused in one sentence before anything is built.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExecutable } from '../../src/linux-abi/elf.ts';
import { heddleRun, inFolder, suite } from './suite.ts';

const good = new Uint8Array(readFileSync(suite));

/** The sentence with which a changed copy of the suite is refused. */
function refusal(change: (view: DataView) => void, length = good.length): { code: number | null; sentence: string } {
  return inFolder((folder) => {
    const bytes = good.slice(0, length);
    change(new DataView(bytes.buffer));
    writeFileSync(resolve(folder, 'prog'), bytes);
    const { code, stdout, stderr } = heddleRun(['prog', '--', 'start'], { cwd: folder });
    expect(stdout).toBe('');
    return { code, sentence: stderr.trimEnd().split('\n').at(-1) ?? '' };
  });
}

const typeAt = 16;
const machineAt = 18;
const countAt = 56;
const firstSegment = 64;

describe('a damaged executable', () => {
  it.each<[string, (view: DataView) => void, string]>([
    [
      'is for another machine',
      (view) => view.setUint16(machineAt, 62, true),
      'prog: made for ELF machine 62, not for AArch64',
    ],
    ['is an object file', (view) => view.setUint16(typeAt, 1, true), 'prog: the ELF type 1 is not an executable'],
    ['has no program headers', (view) => view.setUint16(countAt, 0, true), 'prog: it has 0 program headers'],
    [
      'wants more of the file than there is',
      (view) => view.setBigUint64(firstSegment + 32, 1n << 40n, true),
      'prog: segment 0 has 1099511627776 bytes in the file and room for',
    ],
    [
      'wants to lie where no program lies',
      (view) => view.setBigUint64(firstSegment + 16, 0xffff_0000_0000_0000n, true),
      'prog: segment 0 at 0xffff000000000000 is outside the address space of a program',
    ],
  ])('that %s is refused in one sentence', { timeout: 30_000 }, (_, change, sentence) => {
    const refused = refusal(change);
    expect(refused.code).toBe(2);
    expect(refused.sentence.startsWith(`heddle: ${sentence}`)).toBe(true);
  });

  it('that is cut short is refused in one sentence', { timeout: 30_000 }, () => {
    expect(refusal(() => undefined, 100)).toEqual({
      code: 2,
      sentence: 'heddle: prog: cut short: its 6 program headers at 0x40 lie past the end of the file',
    });
  });

  it('is read or refused, whatever is changed', () => {
    let refused = 0;
    const change = fc.record({ at: fc.nat(64 + 6 * 56 - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(1000), (changes, cut) => {
        const bytes = cut % 3 === 0 ? good.slice(0, cut) : good.slice();
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        const read = readExecutable(bytes);
        if (typeof read === 'string') {
          refused += 1;
          expect(read).toMatch(/^[^\n]+$/);
          return;
        }
        for (const { offset, fileBytes, memoryBytes } of read.segments) {
          expect(offset + fileBytes).toBeLessThanOrEqual(bytes.length);
          expect(fileBytes).toBeLessThanOrEqual(memoryBytes);
        }
      }),
      { numRuns: 1000, seed: 5 },
    );
    expect(refused).toBeGreaterThan(300);
  });
});
