// Load/store pair, which looks the soft TLB up once for both registers: at the end of a page, and without alignment.

import { describe, expect, test } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { el0Machine, type El0Machine } from './el0-machine.ts';

const code = { va: 0x10_0000, pa: ramBase + 0x10_0000, sizeBytes: 0x1000, executable: true };
/** Two pages that are not beside each other in memory, and none after them. */
const pages = [
  { va: 0x20_0000, pa: ramBase + 0x20_0000, sizeBytes: 0x1000, executable: false },
  { va: 0x20_1000, pa: ramBase + 0x30_0000, sizeBytes: 0x1000, executable: false },
] as const;
const [middle, end] = [pages[1].va, pages[1].va + 0x1000];
const firstValue = 0x8899_aabb_ccdd_eeffn;
const secondValue = 0x0011_2233_4455_6677n;

/** The bytes around an address, up to the end of the pages. */
function bytesAt({ views }: El0Machine, va: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => {
    const page = pages.find((each) => va + n >= each.va && va + n < each.va + each.sizeBytes)!;
    return views.bytes[page.pa + va + n - page.va]!;
  });
}

/** Runs an instruction with X0 and the pair's values, up to the exception that it or the BRK after it takes: its class and address. */
function run(m: El0Machine, text: string, x0: number): readonly [EC: number, FAR: bigint] {
  m.enterEl0();
  const { bytes } = assemble(`${text}\nbrk #0`, { base: code.va });
  m.engine.codeWritten(code.pa, bytes.length);
  m.views.bytes.set(bytes, code.pa);
  for (const { pa, sizeBytes } of pages) {
    for (let n = 0; n < sizeBytes; n += 1) m.views.bytes[pa + n] = (n * 7 + pa / sizeBytes) & 0xff;
  }
  m.pe.writeX(0, BigInt(x0));
  m.pe.writeX(1, firstValue);
  m.pe.writeX(2, secondValue);
  m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(code.va);
  while (m.pe.currentEl() === 0) expect(m.engine.run(m.pe, 10)).toBe(exit.redirect);
  return [Number(m.pe.readRegister('ESR_EL1')) >>> 26, m.pe.readRegister('FAR_EL1')];
}

const brk = 0x3c;
const dataAbort = 0x24;
const littleEndian = (bytes: readonly number[]): bigint =>
  bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

describe.each(['step', 'translate', 'region'] as const)('the %s engine', (mode) => {
  const m = el0Machine(mode, [code, ...pages]);

  test.each([
    ['ldp x1, x2, [x0]', 8, 64],
    ['ldp w1, w2, [x0]', 4, 64],
    ['ldpsw x1, x2, [x0]', 4, 32],
  ])('%s reads two values across the end of a page', (text, bytes, signBits) => {
    for (let before = 0; before <= 2 * bytes; before += 1) {
      const at = middle - before;
      expect(run(m, text, at)[0]).toBe(brk);
      const values = [at, at + bytes].map((va) => littleEndian(bytesAt(m, va, bytes)));
      expect([m.pe.readX(1), m.pe.readX(2)]).toEqual(
        values.map((value) => BigInt.asUintN(64, BigInt.asIntN(signBits, value))),
      );
    }
  });

  test.each([
    ['stp x1, x2, [x0]', 8],
    ['stp w1, w2, [x0]', 4],
  ])('%s writes two values across the end of a page', (text, bytes) => {
    for (let before = 0; before <= 2 * bytes; before += 1) {
      const at = middle - before;
      expect(run(m, text, at)[0]).toBe(brk);
      const written = [at, at + bytes].map((va) => littleEndian(bytesAt(m, va, bytes)));
      expect(written).toEqual([firstValue, secondValue].map((value) => BigInt.asUintN(8 * bytes, value)));
    }
  });

  test.each([
    ['ldp x1, x2, [x0, #-8]!', 0, 8],
    ['ldp w1, w2, [x0], #8', -4, 4],
    ['stp x1, x2, [x0], #16', -8, 8],
    ['stp w1, w2, [x0, #-4]!', 0, 4],
  ])('%s whose second register is in no page names its address and changes nothing', (text, offset, bytes) => {
    const at = end + offset;
    const before = run(m, 'nop', at);
    expect(before[0]).toBe(brk);
    const kept = bytesAt(m, end - bytes, bytes);
    expect(run(m, text, at)).toEqual([dataAbort, BigInt(end)]);
    expect([m.pe.readX(0), m.pe.readX(1), m.pe.readX(2)]).toEqual([BigInt(at), firstValue, secondValue]);
    expect(bytesAt(m, end - bytes, bytes)).toEqual(kept);
  });
});
