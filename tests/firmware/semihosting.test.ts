import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { ramBase } from '../../src/arch/state-layout.ts';
import { createSemihosting } from '../../src/firmware/semihosting.ts';
import { codeAddress, onePe, ramEnd, type TestPe } from '../arch/fixture.ts';

const block = BigInt(ramBase) + 0x10_0000n;
const text = block + 0x1000n;

interface Session {
  readonly test: TestPe;
  readonly exits: number[];
  output(): string;
  written(): number;
  ticks: number;
}

function session(commandLine = ''): Session {
  const written: Uint8Array[] = [];
  const exits: number[] = [];
  const state = { ticks: 0 };
  const semihosting = createSemihosting({
    write: (bytes) => written.push(bytes),
    exit: (code) => exits.push(code),
    now: () => state.ticks,
    commandLine,
  });
  const test = onePe({ semihosting });
  return Object.assign(state, {
    test,
    exits,
    output: () => written.map((bytes) => String.fromCharCode(...bytes)).join(''),
    written: () => written.reduce((sum, bytes) => sum + bytes.length, 0),
  });
}

const putText = ({ test }: Session, value: string, at = text): void => {
  test.memory.bytes.set(new TextEncoder().encode(`${value}\0`), Number(at));
};

function call({ test }: Session, operation: number, parameter: bigint | readonly bigint[]): bigint {
  if (typeof parameter === 'bigint') test.pe.writeX(1, parameter);
  else {
    parameter.forEach((value, i) => test.setRam64(Number(block) + 8 * i, value));
    test.pe.writeX(1, block);
  }
  test.pe.writeX(0, BigInt(operation));
  expect(test.pe.hlt(0xf000)).toBe(exit.none);
  return BigInt.asIntN(64, test.pe.readX(0));
}

describe('semihosting', () => {
  it('writes characters, strings and buffers to the console', () => {
    const s = session();
    putText(s, 'Hello');
    call(s, 0x04, text);
    putText(s, '!');
    call(s, 0x03, text);
    putText(s, ' again');
    expect(call(s, 0x05, [2n, text, 6n])).toBe(0n);
    expect(s.output()).toBe('Hello! again');
  });

  it('opens the console, and nothing else', () => {
    const s = session();
    putText(s, ':tt');
    expect(call(s, 0x01, [text, 0n, 3n])).toBe(1n);
    expect(call(s, 0x01, [text, 4n, 3n])).toBe(2n);
    expect(call(s, 0x09, [2n])).toBe(1n);
    expect(call(s, 0x02, [2n])).toBe(0n);
    putText(s, 'x.y');
    expect(call(s, 0x01, [text, 0n, 3n])).toBe(-1n);
    expect(call(s, 0x13, 0n)).toBe(2n);
    expect(call(s, 0x05, [7n, text, 3n])).toBe(3n);
    expect(call(s, 0x13, 0n)).toBe(9n);
  });

  it('has no input', () => {
    const s = session();
    expect(call(s, 0x06, [1n, text, 10n])).toBe(10n);
    expect(call(s, 0x07, 0n)).toBe(-1n);
  });

  it('tells simulated time', () => {
    const s = session();
    s.ticks = 3_250_000_000;
    expect(call(s, 0x10, 0n)).toBe(325n);
    expect(call(s, 0x11, 0n)).toBe(3n);
    expect(call(s, 0x31, 0n)).toBe(1_000_000_000n);
    expect(call(s, 0x30, block)).toBe(0n);
    expect(s.test.ram64(Number(block))).toBe(3_250_000_000n);
  });

  it('gives the command line, if the buffer holds it', () => {
    const s = session('kernel -x');
    expect(call(s, 0x15, [text, 10n])).toBe(0n);
    expect(s.test.ram64(Number(block) + 8)).toBe(9n);
    expect(s.test.pe.readMemory(text, 10)).toEqual(new TextEncoder().encode('kernel -x\0'));
    expect(call(s, 0x15, [text, 9n])).toBe(-1n);
  });

  it.each([
    { operation: 0x18, fields: [0x2_0026n, 3n], code: 3 },
    { operation: 0x20, fields: [0x2_0026n, 0n], code: 0 },
    { operation: 0x18, fields: [0x2_0026n, 0x101n], code: 1 },
    { operation: 0x18, fields: [0x2_0023n, 0n], code: 1 },
  ])('ends the run by operation $operation with $fields: exit code $code', ({ operation, fields, code }) => {
    const s = session();
    fields.forEach((value, i) => s.test.setRam64(Number(block) + 8 * i, value));
    s.test.pe.writeX(0, BigInt(operation));
    s.test.pe.writeX(1, block);
    expect(s.test.pe.hlt(0xf000)).toBe(exit.stopped);
    expect(s.test.pc).toBe(codeAddress + 4n);
    expect(s.exits).toEqual([code]);
  });

  it('answers -1 to unknown operations and to addresses that are not memory', () => {
    const s = session();
    expect(call(s, 0x99, 0n)).toBe(-1n);
    expect(call(s, 0x13, 0n)).toBe(38n);
    expect(call(s, 0x04, 0x1000n)).toBe(-1n);
    expect(call(s, 0x05, 0x1000n)).toBe(-1n);
    expect(call(s, 0x13, 0n)).toBe(14n);
  });

  it('writes a buffer that is larger than memory as far as it goes', () => {
    const s = session();
    const length = 0xffff_ffff_ffff_ffffn;
    const chunk = 0x1_0000n;
    const written = ((BigInt(ramEnd) - text) / chunk) * chunk;
    expect(BigInt.asUintN(64, call(s, 0x05, [2n, text, length]))).toBe(length - written);
    expect(s.written()).toBe(Number(written));
  });

  it('is not there for EL0, nor for other immediates', () => {
    const s = session();
    s.test.pe.hlt(0xf001);
    expect(s.test.syndrome(3).EC).toBe(0);
    s.test.enter(0).pe.hlt(0xf000);
    expect(s.test.syndrome(1).EC).toBe(0);
  });
});
