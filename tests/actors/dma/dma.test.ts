import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../actors/actor.ts';
import { Dma } from '../../../actors/dma/dma.ts';
import { control, errorCode, status } from '../../../actors/dma/registers.ts';
import { decode } from '../../../actors/protocol.ts';
import { ltiMessages } from '../../../actors/smmu/lti.ts';
import { ramBase, ramBytes, smallRam } from '../smmu/ram.ts';
import { FakePort } from '../uart/bench.ts';

const tbu = 9;
const offset = {
  ID: 0x00,
  CONTROL: 0x08,
  STATUS: 0x0c,
  INTERRUPT_CLEAR: 0x10,
  SUBSTREAM: 0x14,
  SOURCE: 0x18,
  TARGET: 0x20,
  LENGTH: 0x28,
  LIST: 0x30,
  COUNT: 0x38,
  FAULT: 0x40,
} as const;

const source = ramBase + 0x10_0000;
const target = ramBase + 0x20_0000;
const list = ramBase + 0x30_0000;

class Bench {
  readonly port = new FakePort();
  readonly ram = smallRam();
  readonly dma: Dma;

  constructor(hasTbu = false) {
    this.dma = new Dma(this.port, { distributor: 1, intid: 42, ram: this.ram, ...(hasTbu ? { tbu } : {}) });
  }

  write(name: keyof typeof offset, value: number | bigint): void {
    this.dma.write(offset[name], 4, Number(BigInt(value) & 0xffff_ffffn));
    if (offset[name] >= offset.SOURCE) this.dma.write(offset[name] + 4, 4, Number(BigInt(value) >> 32n));
  }

  read(name: keyof typeof offset): number {
    const low = this.dma.read(offset[name], 4);
    return offset[name] >= offset.SOURCE ? this.dma.read(offset[name] + 4, 4) * 2 ** 32 + low : low;
  }

  copy(from: number | bigint, to: number | bigint, length: number | bigint, bits = 0): void {
    this.write('SOURCE', from);
    this.write('TARGET', to);
    this.write('LENGTH', length);
    this.write('CONTROL', control.START | bits);
  }

  element(at: number, from: number, to: number, length: number, next: number): void {
    [from, to, length, next].forEach((value, n) => this.ram.writeDoubleword(at + 8 * n, BigInt(value)));
  }

  pass(ticks = 1_000_000): void {
    this.port.pass(ticks, () => (this.dma as Actor).timer(0));
  }

  /** Bytes that tell their place. */
  fill(at: number, length: number): Uint8Array {
    const bytes = Uint8Array.from({ length }, (_, n) => (n * 7 + (n >> 8)) & 0xff);
    this.ram.writeBytes(at, bytes);
    return bytes;
  }
}

describe('the DMA engine', () => {
  it.each([
    ['nothing', 0, 0, 0],
    ['a byte', 3, 1, 1],
    ['a page and more, not aligned', 5, 4091, 9000],
    ['whole pages', 0, 0, 8192],
  ])('copies %s', (_what, from, to, length) => {
    const bench = new Bench();
    const bytes = bench.fill(source + from, length);
    bench.copy(source + from, target + to, length);
    bench.pass();
    expect(bench.read('STATUS')).toBe(status.DONE);
    expect(bench.read('COUNT')).toBe(length);
    expect(bench.ram.readBytes(target + to, length)).toEqual(bytes);
    expect(bench.ram.readWord(target + to + length, 1)).toBe(0);
  });

  it('takes time, chunk by chunk, and says that it is busy', () => {
    const bench = new Bench();
    bench.fill(source, 4096);
    bench.copy(source, target, 4096);
    expect(bench.read('STATUS')).toBe(status.BUSY);
    const counts = [];
    for (let n = 0; n < 5; n += 1) {
      counts.push(bench.read('COUNT'));
      bench.pass(50 + 1024 / 16);
    }
    expect(counts).toEqual([0, 1024, 2048, 3072, 4096]);
    expect(bench.read('STATUS')).toBe(status.DONE);
  });

  it('raises its interrupt at the end until it is cleared, if it is enabled', () => {
    const bench = new Bench();
    bench.copy(source, target, 16);
    bench.pass();
    expect(bench.port.wire).toBe(false);
    bench.copy(source, target, 16, control.DONE_ENABLE);
    expect(bench.read('STATUS')).toBe(status.BUSY);
    bench.pass();
    expect(bench.port.wire).toBe(true);
    bench.write('INTERRUPT_CLEAR', status.ERROR);
    expect(bench.port.wire).toBe(true);
    bench.write('INTERRUPT_CLEAR', status.DONE);
    expect(bench.port.wire).toBe(false);
    expect(bench.read('STATUS')).toBe(0);
  });

  it.each<[string, number | bigint, number | bigint, number, number, number]>([
    ['a source outside memory', 0x8000_0000, target, 64, errorCode.source, 0],
    ['a target outside memory', source, 2n ** 63n, 64, errorCode.target, 0],
    ['a source that leaves memory', ramBase + ramBytes - 4096, target, 8192, errorCode.source, 4096],
  ])('ends with an error at %s', (_what, from, to, length, code, done) => {
    const bench = new Bench();
    bench.copy(from, to, length, control.ERROR_ENABLE);
    bench.pass();
    expect(bench.read('STATUS')).toBe(status.ERROR | (code << 8));
    expect(bench.read('COUNT')).toBe(done);
    expect(bench.read('FAULT')).toBe(Number(code === errorCode.source ? from : to) + done);
    expect(bench.port.wire).toBe(true);
  });

  it('works through a list', () => {
    const bench = new Bench();
    const bytes = bench.fill(source, 3000);
    bench.element(list, source + 1000, target, 2000, list + 0x1000);
    bench.element(list + 0x1000, source, target + 2000, 1000, 0);
    bench.write('LIST', list);
    bench.write('CONTROL', control.START | control.LIST);
    bench.pass();
    expect(bench.read('STATUS')).toBe(status.DONE);
    expect(bench.read('COUNT')).toBe(3000);
    const copied = bench.ram.readBytes(target, 3000);
    expect(copied).toEqual(Uint8Array.from([...bytes.subarray(1000), ...bytes.subarray(0, 1000)]));
    expect(bench.dma.counters).toEqual({ transfers: 2, bytes: 3000, errors: 0 });
  });

  it('ends with an error where the list leaves memory, is not aligned, or leads back into itself', () => {
    const bench = new Bench();
    const run = (first: number): number => {
      bench.write('LIST', first);
      bench.write('CONTROL', control.START | control.LIST);
      bench.pass(10_000_000);
      return bench.read('STATUS') >>> 8;
    };
    bench.element(list, source, target, 8, 0x8000_0000);
    expect(run(list)).toBe(errorCode.list);
    expect(bench.read('FAULT')).toBe(0x8000_0000);
    expect(run(list + 4096 - 16)).toBe(errorCode.list);
    bench.element(list, source, target, 0, list);
    expect(run(list)).toBe(errorCode.listTooLong);
  });

  it('stops after its chunk when START is taken back', () => {
    const bench = new Bench();
    bench.copy(source, target, 1 << 20);
    bench.pass(1000);
    bench.write('CONTROL', 0);
    bench.pass();
    expect(bench.read('STATUS')).toBe(status.ERROR | (errorCode.stopped << 8));
    expect(bench.read('COUNT') % 1024).toBe(0);
    expect(bench.read('COUNT')).toBeLessThan(1 << 20);
  });

  it('counts a second START as misuse, and goes on with the first', () => {
    const bench = new Bench();
    bench.copy(source, target, 64);
    bench.copy(source, target + 64, 64);
    bench.pass();
    expect(bench.dma.guestErrors.misuse).toBe(1);
    expect(bench.dma.counters.transfers).toBe(1);
  });

  it('names itself', () => {
    const id = new Bench().read('ID');
    expect(String.fromCharCode(...[0, 8, 16, 24].map((shift) => (id >>> shift) & 0xff))).toBe('HDMA');
  });
});

describe('the DMA engine behind a TBU', () => {
  const answer = (bench: Bench, tag: number, response: number, pa: number): void => {
    const payload = [tag, response, pa, 0];
    bench.dma.receive({ code: ltiMessages.LR.code, source: tbu, target: 7, sequence: 0, dueTicks: 0, payload });
  };
  const asked = (bench: Bench) =>
    bench.port.sent
      .filter(({ target: to, code }) => to === tbu && code === ltiMessages.LA.code)
      .map(({ payload }) => decode(ltiMessages.LA, payload));
  const completed = (bench: Bench): number[] =>
    bench.port.sent.filter(({ code }) => code === ltiMessages.LC.code).map(({ payload }) => payload[0] as number);

  it('asks for every access, makes it where it is told, and says when it is made', () => {
    const bench = new Bench(true);
    const bytes = bench.fill(source, 100);
    bench.write('SUBSTREAM', 0x8000_0005);
    bench.copy(0x7fff_1234_5000n, 0x9000, 100, control.PRIVILEGED);
    bench.pass();
    expect(asked(bench)).toEqual([
      { tag: 1, addressLow: 0x1234_5000, addressHigh: 0x7fff, access: 1 | 4, substream: (1 << 20) | 5 },
    ]);
    answer(bench, 1, 0, source);
    expect(completed(bench)).toEqual([1]);
    bench.pass();
    expect(asked(bench)[1]).toMatchObject({ tag: 2, addressLow: 0x9000, access: 2 | 4 });
    expect(bench.read('STATUS')).toBe(status.BUSY);
    answer(bench, 2, 0, target);
    expect(completed(bench)).toEqual([1, 2]);
    expect(bench.read('STATUS')).toBe(status.DONE);
    expect(bench.ram.readBytes(target, 100)).toEqual(bytes);
  });

  it('ends with an error where the TBU aborts, and completes nothing', () => {
    const bench = new Bench(true);
    bench.copy(0x8000, 0x9000, 100);
    bench.pass();
    answer(bench, 1, 1, 0);
    expect(bench.read('STATUS')).toBe(status.ERROR | (errorCode.source << 8));
    expect(bench.read('FAULT')).toBe(0x8000);
    expect(completed(bench)).toEqual([]);
  });

  it('is reset in the middle of a transfer: no access is made any more, and what was granted is completed', () => {
    const bench = new Bench(true);
    bench.fill(source, 64);
    bench.copy(0x8000, 0x9000, 64, control.DONE_ENABLE);
    bench.pass();
    answer(bench, 1, 0, source);
    bench.pass();
    bench.write('CONTROL', control.RESET);
    answer(bench, 2, 0, target);
    bench.pass();
    expect(completed(bench)).toEqual([1, 2]);
    expect(bench.ram.readBytes(target, 64)).toEqual(new Uint8Array(64));
    expect([bench.read('STATUS'), bench.read('CONTROL'), bench.read('SOURCE'), bench.read('LENGTH')]).toEqual([
      0, 0, 0, 0,
    ]);
    bench.copy(0x8000, 0x9000, 64);
    bench.pass();
    answer(bench, asked(bench).at(-1)?.tag ?? 0, 0, source);
    bench.pass();
    answer(bench, asked(bench).at(-1)?.tag ?? 0, 0, target);
    expect(bench.read('STATUS')).toBe(status.DONE);
  });

  it('lowers its interrupt when it is reset', () => {
    const bench = new Bench();
    bench.copy(source, target, 16, control.DONE_ENABLE);
    bench.pass();
    expect(bench.port.wire).toBe(true);
    bench.write('CONTROL', control.RESET);
    expect(bench.port.wire).toBe(false);
  });

  it('goes on elsewhere from where it was saved', () => {
    const finish = (bench: Bench): unknown => {
      answer(bench, 1, 0, source);
      bench.pass();
      answer(bench, 2, 0, target);
      bench.pass();
      return [bench.read('STATUS'), bench.read('COUNT'), bench.ram.readBytes(target, 64), bench.port.wire];
    };
    const begin = (): Bench => {
      const bench = new Bench(true);
      bench.fill(source, 64);
      bench.copy(0x8000, 0x9000, 64, control.DONE_ENABLE);
      bench.pass();
      return bench;
    };
    const saved = structuredClone(begin().dma.save());
    const elsewhere = new Bench(true);
    elsewhere.fill(source, 64);
    elsewhere.dma.restore(saved);
    expect(finish(elsewhere)).toEqual(finish(begin()));
    expect(elsewhere.read('STATUS')).toBe(status.DONE);
  });
});
