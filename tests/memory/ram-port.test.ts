import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coreMessages } from '../../actors/core/messages.ts';
import { pageShift, ramBase, touchedPageOffset } from '../../src/arch/state-layout.ts';
import type { RamPort } from '../../src/memory/ram-port.ts';
import { deviceRam } from '../../workers/device-ram.ts';
import { type FlatMachine, flatMachine } from '../engine/flat-machine.ts';

const ramBytes = 1 << 20;
const ramEnd = ramBase + ramBytes;

/** A device beside the PEs of a machine, and the messages that it has sent. */
function deviceOf(machine: FlatMachine): { ram: RamPort; sent: [target: number, code: number][] } {
  const sent: [number, number][] = [];
  const { views, engine, pes } = machine;
  const port = {
    send: (target: number, code: number) => {
      sent.push([target, code]);
    },
  };
  return { ram: deviceRam({ views, ramBytes, engine, cores: pes.map(({ index }) => 10 + index) }, port), sent };
}

const spin = 'start: b start';

describe('RAM as a device sees it', () => {
  it('holds what was written, in little-endian order, and marks every page that was written to', () => {
    const machine = flatMachine('step', spin);
    const { ram } = deviceOf(machine);
    machine.views.bytes.fill(
      0,
      touchedPageOffset + (ramBase >>> pageShift),
      touchedPageOffset + (ramEnd >>> pageShift),
    );
    const pa = ramBase + 0x3ffd;
    expect(ram.writeDoubleword(pa, 0x8877_6655_4433_2211n)).toBe(true);
    expect(ram.readDoubleword(pa)).toBe(0x8877_6655_4433_2211n);
    expect(ram.readWord(pa, 1)).toBe(0x11);
    expect(ram.readWord(pa + 1, 2)).toBe(0x3322);
    expect(ram.readWord(pa + 4, 4)).toBe(0x8877_6655);
    expect(ram.readBytes(pa, 3)).toEqual(Uint8Array.of(0x11, 0x22, 0x33));
    const touched = [2, 3, 4, 5].map((n) => machine.views.bytes[touchedPageOffset + (ramBase >>> pageShift) + n]);
    expect(touched).toEqual([0, 1, 1, 0]);
  });

  it('ends exactly where the board says: a range that is not wholly inside is neither read nor written', () => {
    const machine = flatMachine('step', spin);
    const { ram } = deviceOf(machine);
    const edge = fc.constantFrom(0, ramBase, ramEnd, 2 ** 32, 2 ** 48, 2 ** 63);
    const address = fc.tuple(edge, fc.integer({ min: -20, max: 20 })).map(([at, offset]) => at + offset);
    fc.assert(
      fc.property(address, fc.nat(16), (pa, sizeBytes) => {
        const isInside = pa >= ramBase && pa + sizeBytes <= ramEnd;
        const before = machine.views.bytes.slice(ramEnd - 32, ramEnd);
        expect(ram.holds(pa, sizeBytes)).toBe(isInside);
        expect(ram.readBytes(pa, sizeBytes)?.length).toBe(isInside ? sizeBytes : undefined);
        expect(ram.writeBytes(pa, new Uint8Array(sizeBytes).fill(7))).toBe(isInside);
        if (!isInside) expect(machine.views.bytes.slice(ramEnd - 32, ramEnd)).toEqual(before);
        expect(ram.readWord(pa, 4) === undefined).toBe(!(pa >= ramBase && pa + 4 <= ramEnd));
        expect(ram.writeWord(pa, 2, 1)).toBe(pa >= ramBase && pa + 2 <= ramEnd);
      }),
      { seed: 3 },
    );
    expect(ram.readWord(NaN, 1)).toBeUndefined();
  });
});

describe('a write by a device', () => {
  const counting = `
loop:   add     x3, x3, #1
        b       loop
other:  add     x3, x3, #16`;

  it.each(['word', 'bytes'] as const)('of a %s over translated code takes effect at the next instruction', (kind) => {
    const machine = flatMachine('translate', counting);
    const { ram } = deviceOf(machine);
    machine.run(0, 2 * 1000);
    const word = ram.readWord(machine.address('other'), 4) as number;
    const at = machine.address('loop');
    if (kind === 'word') ram.writeWord(at, 4, word);
    else ram.writeBytes(at, new Uint8Array(new Uint32Array([word]).buffer));
    machine.run(0, 2 * 1000);
    expect(machine.pes[0]?.readX(3)).toBe(1000n + 16_000n);
    expect(machine.engine.counters().invalidations).toBeGreaterThan(0);
  });

  it('tells every host of the lines of code that it has changed', () => {
    const lines: number[] = [];
    const machine = flatMachine('translate', counting, { onCodeWritten: (line) => lines.push(line) });
    const { ram } = deviceOf(machine);
    machine.run(0, 2 * 1000);
    ram.writeWord(machine.address('loop'), 4, 0xd503_201f);
    expect(lines).toContain(machine.address('loop') >>> 6);
  });

  const exclusives = `
        adr     x1, cell
        ldxr    w2, [x1]
        stxr    w3, w2, [x1]
end:    b       end
        .align  6
cell:   .quad   5, 0, 0, 0, 0, 0, 0, 0
beside: .quad   0`;

  it.each([
    ['in the granule', 60, 1n],
    ['beside the granule', 64, 0n],
  ])('%s decides whether the STXR of an LDXR/STXR pair fails', (_where, offset, status) => {
    const machine = flatMachine('step', exclusives);
    const { ram, sent } = deviceOf(machine);
    machine.run(0, 2);
    ram.writeWord(machine.address('cell') + offset, 1, 9);
    machine.run(0, 1);
    expect(machine.pes[0]?.readX(3)).toBe(status);
    // The cleared monitor is an event for its PE.
    expect(sent).toEqual(status === 1n ? [[10, coreMessages.Event.code]] : []);
  });
});
