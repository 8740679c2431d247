import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Port } from '../../../actors/actor.ts';
import { busMessages } from '../../../actors/bus/messages.ts';
import { wireMessages } from '../../../actors/gic/wires.ts';
import { GicV2 } from '../../../actors/gic-v2/gic-v2.ts';
import { interruptLines } from '../../../actors/gic-v2/messages.ts';
import { frames } from '../../../actors/gic-v2/registers.ts';

const { GICD, GICC, GICH, GICV } = frames;
const firstCore = 10;
const device = 99;

class Bench {
  readonly gic: GicV2;
  /** "I" and "F" for each core's signals, "v" and "f" for the virtual ones. */
  readonly signals: string[];
  readonly codes: number[] = [];
  private answer = 0;
  private nonSecure = 1;

  constructor(cores = 2, security = false) {
    const ids = Array.from({ length: cores }, (_, n) => firstCore + n);
    this.signals = ids.map(() => '');
    const port = {
      send: (target: number, code: number, payload: readonly number[]) => {
        this.codes.push(code);
        if (code === interruptLines.InterruptLines.code) {
          this.signals[target - firstCore] = payload.map((level, n) => (level ? 'IFvf'[n] : '')).join('');
        } else this.answer = payload[2] ?? 0;
      },
    } as unknown as Port;
    this.gic = new GicV2(port, { cores: ids, security, maintenance: 25 });
  }

  private deliver(source: number, code: number, payload: readonly number[]): void {
    this.gic.receive({ code, source, target: 0, sequence: 0, dueTicks: 0, payload });
  }
  secure(): this {
    this.nonSecure = 0;
    return this;
  }
  nonsecure(): this {
    this.nonSecure = 1;
    return this;
  }
  read(offset: number, core = 0, sizeBytes = 4): number {
    this.deliver(firstCore + core, busMessages.ReadRequest.code, [offset, sizeBytes, 0, this.nonSecure]);
    return this.answer;
  }
  write(offset: number, value: number, core = 0, sizeBytes = 4): void {
    this.deliver(firstCore + core, busMessages.WriteRequest.code, [
      ...[offset, sizeBytes, 0, value >>> 0, 0, this.nonSecure],
    ]);
  }
  wire(source: number, intid: number, high: boolean): void {
    this.deliver(source, high ? wireMessages.WireSet.code : wireMessages.WireClear.code, [intid]);
  }
  /** Everything enabled for all cores, SPIs to core 0. */
  open(cores = 2): this {
    this.write(GICD, 3);
    for (let w = 0; w < 9; w++) this.write(GICD + 0x100 + 4 * w, 0xffff_ffff);
    for (let n = 8; n < 72; n++) this.write(GICD + 0x800 + 4 * n, 0x0101_0101);
    for (let core = 0; core < cores; core++) {
      this.write(GICD + 0x100, 0xffff_ffff, core);
      this.write(GICC + 4, 0xf8, core);
      this.write(GICC, 3, core);
    }
    return this;
  }
}

describe('a GICv2', () => {
  it('banks the registers of SGIs and PPIs, and the CPU interface, by the core that asks', () => {
    const b = new Bench();
    b.write(GICD + 0x400 + 28, 0x8000_0000, 1);
    b.write(GICC + 4, 0x50, 1);
    expect([b.read(GICD + 0x41c, 0), b.read(GICD + 0x41c, 1)]).toEqual([0, 0x8000_0000]);
    expect([b.read(GICC + 4, 0), b.read(GICC + 4, 1)]).toEqual([0, 0x50]);
    expect([b.read(GICD + 0x800, 0), b.read(GICD + 0x800, 1)]).toEqual([0x0101_0101, 0x0202_0202]);
  });

  it('has GICD_ITARGETSR RAZ/WI with a single core, which takes every SPI', () => {
    const b = new Bench(1).open(1);
    expect([b.read(GICD + 0x800), b.read(GICD + 0x820)]).toEqual([0, 0]);
    b.wire(device, 40, true);
    expect([b.signals[0], b.read(GICC + 0xc)]).toEqual(['I', 40]);
  });

  it('tells a core of its signals before the answer to the access that has changed them', () => {
    const b = new Bench().open();
    b.codes.length = 0;
    b.write(GICD + 0xf00, (2 << 24) | 3);
    expect(b.codes).toEqual([interruptLines.InterruptLines.code, busMessages.WriteResponse.code]);
    b.codes.length = 0;
    expect(b.read(GICC + 0xc)).toBe(3);
    expect(b.codes).toEqual([interruptLines.InterruptLines.code, busMessages.ReadResponse.code]);
  });

  it('keeps an SGI pending for each of its sources', () => {
    const b = new Bench(3).open(3);
    b.write(GICD + 0xf00, (1 << 16) | 4, 2);
    b.write(GICD + 0xf00, (1 << 24) | 4, 1);
    expect([b.read(GICD + 0xf24, 0, 1), b.signals]).toEqual([0b110, ['I', '', 'I']]);
    expect(b.read(GICC + 0x18)).toBe((1 << 10) | 4);
    for (const source of [1, 2]) {
      expect(b.read(GICC + 0xc)).toBe((source << 10) | 4);
      expect(b.signals[0]).toBe('');
      b.write(GICC + 0x10, (source << 10) | 4);
    }
    expect(b.signals[0]).toBe('');
  });

  it('gives an SPI with several targets to the first that acknowledges it', () => {
    const b = new Bench().open();
    b.write(GICD + 0x828, 0x03, 0, 1);
    b.wire(device, 40, true);
    expect(b.signals).toEqual(['I', 'I']);
    expect(b.read(GICC + 0xc, 1)).toBe(40);
    expect([b.signals, b.read(GICC + 0xc, 0)]).toEqual([['', ''], 1023]);
    b.write(GICC + 0x10, 40, 1);
    expect(b.signals).toEqual(['I', 'I']);
  });

  it('hides Group 0 from Non-secure software, and shows it its half of the priorities', () => {
    const b = new Bench(1, true).secure().open(1);
    b.write(GICD + 0x84, 1 << 9);
    b.write(GICD + 0x428, 0x40, 0, 1);
    b.write(GICC, 0x0b);
    b.write(GICC + 4, 0xf8);
    b.write(GICD + 0x429, 0xc0, 0, 1);
    b.wire(device, 41, true);
    expect(b.signals[0]).toBe('I');
    b.nonsecure();
    expect([b.read(GICD + 0x84), b.read(GICD + 0x429, 0, 1), b.read(GICC + 4)]).toEqual([0, 0x80, 0xf0]);
    b.secure().wire(device, 40, true);
    expect(b.signals[0]).toBe('F');
    expect(b.nonsecure().read(GICC + 0xc)).toBe(1023);
    expect(b.secure().read(GICC + 0xc)).toBe(40);
    b.nonsecure().write(GICC + 0x10, 40);
    expect(b.secure().read(GICD + 0x304) >>> 8).toBe(1);
    b.write(GICC + 0x10, 40);
    b.wire(device, 40, false);
    expect([b.read(GICC + 0xc), b.read(GICC + 0x20)]).toEqual([1022, 41]);
    expect(b.nonsecure().read(GICC + 0x14)).toBe(0x80);
  });

  it('takes Non-secure SGIs in Group 1 only, and Secure ones in the group that NSATT names', () => {
    const b = new Bench(1, true).secure().open(1);
    b.write(GICD + 0x80, 1 << 5);
    b.nonsecure().write(GICD + 0xf00, (2 << 24) | 4);
    b.write(GICD + 0xf00, (2 << 24) | 5);
    b.secure().write(GICD + 0xf00, (2 << 24) | (1 << 15) | 6);
    b.write(GICD + 0xf00, (2 << 24) | 7);
    expect(b.read(GICD + 0x200)).toBe((1 << 5) | (1 << 7));
  });

  it('ends the physical interrupt with the virtual one, and asks for maintenance by a PPI of its own', () => {
    const b = new Bench().open();
    b.write(GICC, 0x203);
    b.write(GICD + 0x828, 1, 0, 1);
    b.write(GICD + 0x204, 1 << 8);
    expect(b.read(GICC + 0xc)).toBe(40);
    b.write(GICC + 0x10, 40);
    b.write(GICH, 1);
    b.write(GICV, 1);
    b.write(GICV + 4, 0xf8);
    b.write(GICH + 0x100, 0x9800_0000 | (40 << 10) | 50);
    expect(b.signals[0]).toBe('v');
    expect(b.read(GICV + 0xc)).toBe(50);
    expect([b.read(GICD + 0x304) >>> 8, b.signals[0]]).toEqual([1, '']);
    b.write(GICV + 0x10, 50);
    expect(b.read(GICD + 0x304)).toBe(0);
    b.write(GICH, 1 | 2);
    expect([b.signals[0], b.read(GICH + 0x10), b.read(GICC + 0xc)]).toEqual(['I', 2, 25]);
  });

  it('goes on after restore as if nothing had been', () => {
    const a = new Bench().open();
    a.write(GICD + 0xf00, (3 << 16) | 4, 1);
    a.read(GICC + 0xc);
    const b = new Bench();
    b.gic.restore(a.gic.save());
    b.write(GICC + 0x10, (1 << 10) | 4);
    expect([b.read(GICC + 0xc, 1), b.read(GICC + 0x14), b.gic.save()]).toEqual([
      (1 << 10) | 4,
      0xff,
      expect.objectContaining({ version: 1 }),
    ]);
    expect(a.read(GICC + 0x14)).toBe(0);
  });

  it('delivers every SGI of every source exactly once, whatever the order of sends, acknowledges and ends', () => {
    const step = fc.record({ core: fc.nat(3), action: fc.nat(2), intid: fc.nat(15), list: fc.nat(15) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 150 }),
        fc.array(fc.nat(31), { minLength: 16, maxLength: 16 }),
        (steps, levels) => {
          const b = new Bench(4).open(4);
          for (let core = 0; core < 4; core++) {
            levels.forEach((level, intid) => {
              b.write(GICD + 0x400 + intid, (level * 8) & 0xf0, core, 1);
            });
          }
          const pending = new Set<string>();
          const running: number[][] = [[], [], [], []];
          const acknowledge = (core: number): boolean => {
            const iar = b.read(GICC + 0xc, core);
            if (iar === 1023) return false;
            expect(pending.delete(`${core} ${iar & 15} ${iar >> 10}`)).toBe(true);
            running[core]!.push(iar);
            return true;
          };
          const end = (core: number): boolean => {
            const iar = running[core]!.pop();
            if (iar !== undefined) b.write(GICC + 0x10, iar, core);
            return iar !== undefined;
          };
          for (const { core, action, intid, list } of steps) {
            if (action === 1) acknowledge(core);
            else if (action === 2) end(core);
            else {
              b.write(GICD + 0xf00, (list << 16) | intid, core);
              for (let target = 0; target < 4; target++) {
                if ((list >> target) & 1) pending.add(`${target} ${intid} ${core}`);
              }
            }
          }
          for (let core = 0; core < 4; core++) while (end(core) || acknowledge(core));
          expect([...pending]).toEqual([]);
          expect(b.signals).toEqual(['', '', '', '']);
        },
      ),
      { numRuns: 100, seed: 7 },
    );
  });

  it('takes any access without a fault', () => {
    const access = fc.tuple(fc.nat(1), fc.nat(0x3_ffff), fc.constantFrom(1, 4), fc.bigInt(0n, 0xffff_ffffn), fc.nat(3));
    fc.assert(
      fc.property(fc.array(access, { maxLength: 300 }), fc.boolean(), (accesses, security) => {
        const b = new Bench(2, security).open();
        for (const [kind, offset, sizeBytes, value, core] of accesses) {
          const frame = offset & 0x3_0000;
          const at = frame + ((offset & 0xfff) - ((offset & 0xfff) % sizeBytes));
          if ((core & 2) === 0) b.secure();
          else b.nonsecure();
          if (kind === 0) expect(b.read(at, core & 1, sizeBytes)).toBeGreaterThanOrEqual(0);
          else b.write(at, Number(value), core & 1, sizeBytes);
        }
      }),
      { numRuns: 100, seed: 8 },
    );
  });
});
