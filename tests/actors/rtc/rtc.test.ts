import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rtc } from '../../../actors/rtc/rtc.ts';
import { FakePort, request } from '../uart/bench.ts';

const [DR, MR, LR, CR, IMSC, RIS, MIS, ICR] = [0, 4, 8, 12, 16, 20, 24, 28];
const second = 1e9;
const start = 1_700_000_000;

function make(): {
  rtc: Rtc;
  port: FakePort;
  read: (offset: number) => number;
  write: (offset: number, value: number) => void;
  pass: (ticks: number) => void;
} {
  const port = new FakePort();
  const rtc = new Rtc(port, { distributor: 3, intid: 34, startSeconds: start });
  return {
    rtc,
    port,
    read: (offset) => rtc.read(offset, 4),
    write: (offset, value) => rtc.write(offset, 4, value),
    pass: (ticks) => port.pass(ticks, () => rtc.timer()),
  };
}

describe('the PL031', () => {
  it('has the reset values of its data sheet and of QEMU', () => {
    const { read } = make();
    expect([MR, LR, CR, IMSC, RIS, MIS].map(read)).toEqual([0, 0, 1, 0, 0, 0]);
    expect(Array.from({ length: 8 }, (_, i) => read(0xfe0 + 4 * i))).toEqual([
      0x31, 0x10, 0x14, 0, 0x0d, 0xf0, 5, 0xb1,
    ]);
  });

  it('counts seconds of simulated time from its start value', () => {
    const { read, pass } = make();
    expect(read(DR)).toBe(start);
    pass(second - 1);
    expect(read(DR)).toBe(start);
    pass(1);
    expect(read(DR)).toBe(start + 1);
  });

  it('goes on from what is written to RTCLR', () => {
    const { read, write, pass } = make();
    pass(10 * second);
    write(LR, 0xffff_fffe);
    expect([read(DR), read(LR)]).toEqual([0xffff_fffe, 0xffff_fffe]);
    pass(3 * second);
    expect(read(DR)).toBe(1);
  });

  it('matches when the counter reaches RTCMR, and drives its wire while the interrupt is unmasked', () => {
    const { read, write, pass, port } = make();
    pass(second / 2);
    write(MR, start + 3);
    write(IMSC, 1);
    pass(2 * second);
    expect([read(RIS), port.wire]).toEqual([0, false]);
    pass(second / 2);
    expect([read(RIS), read(MIS), port.wire, port.sent[0]?.payload]).toEqual([1, 1, true, [34]]);
    write(IMSC, 0);
    expect([read(RIS), read(MIS), port.wire]).toEqual([1, 0, false]);
    write(IMSC, 1);
    write(ICR, 1);
    expect([read(RIS), port.wire]).toEqual([0, false]);
  });

  it('matches at once when RTCMR is what it counts already', () => {
    const { read, write } = make();
    write(MR, start);
    expect(read(RIS)).toBe(1);
  });

  it('a later RTCLR moves the match', () => {
    const { read, write, pass } = make();
    write(MR, start + 100);
    write(LR, start + 98);
    pass(1.9 * second);
    expect(read(RIS)).toBe(0);
    pass(0.1 * second);
    expect(read(RIS)).toBe(1);
  });

  it('survives save and restore', () => {
    const { rtc, write } = make();
    write(LR, 5);
    write(MR, 5);
    write(IMSC, 1);
    const copy = make();
    copy.rtc.restore(structuredClone(rtc.save()));
    expect(copy.rtc.save()).toEqual(rtc.save());
    expect(copy.read(DR)).toBe(5);
  });

  it('takes any access without a fault, and its wire follows the masked interrupt', () => {
    const access = fc.tuple(
      fc.boolean(),
      fc.oneof(
        fc.nat(0xfff),
        fc.nat(7).map((word) => word * 4),
      ),
      fc.constantFrom(1, 2, 4, 8),
      fc.nat(0xffff_ffff),
    );
    fc.assert(
      fc.property(fc.array(access, { maxLength: 100 }), (accesses) => {
        const { rtc, port, read, pass } = make();
        for (const [isRead, offset, sizeBytes, value] of accesses) {
          rtc.receive(request(isRead, offset, sizeBytes, [value, value, 0]));
          pass(value);
        }
        expect(port.wire).toBe(read(MIS) === 1);
        expect(port.sent.length).toBeGreaterThanOrEqual(accesses.length);
      }),
      { numRuns: 200, seed: 9 },
    );
  });
});
