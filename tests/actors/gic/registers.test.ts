import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busMessages, busResponse } from '../../../actors/bus/messages.ts';
import { Network, sgiTo } from './network.ts';

const single = (cores = 1): Network => new Network({ cores });
const secure = (cores = 1): Network => new Network({ cores, disableSecurity: false, hasEl3: true });
const readD = (network: Network, offset: number, nonSecure = true): number =>
  network.distributor.read(offset, 4, nonSecure);
const readR = (network: Network, offset: number, pe = 0, nonSecure = true): number =>
  network.redistributors[pe]!.read(offset, 4, nonSecure);

describe('GIC registers', () => {
  it('have the reset values of QEMU 7.2 with one Security state', () => {
    const network = single();
    expect(readD(network, 0x0000)).toBe(0x50);
    expect(readD(network, 0x0008)).toBe(0x43b);
    expect([0xffe0, 0xffe4, 0xffe8, 0xffd0, 0xfffc].map((offset) => readD(network, offset))).toEqual([
      0x92, 0xb4, 0x3b, 0x44, 0xb1,
    ]);
    expect([0x0004, 0x0014, 0xffe0, 0xffe8].map((offset) => readR(network, offset))).toEqual([0x43b, 6, 0x93, 0x3b]);
    expect([0x1_0080, 0x1_0100, 0x1_0c00, 0x1_0c04].map((offset) => readR(network, offset))).toEqual([
      0, 0, 0xaaaa_aaaa, 0,
    ]);
  });

  it('GICD_TYPER tells 288 INTIDs, 1 of N, and whether there are two Security states', () => {
    expect(readD(single(), 0x0004)).toBe(0x0178_0008);
    expect(readD(secure(), 0x0004)).toBe(0x0178_0408);
    expect(readD(secure(), 0x0000, false)).toBe(0x30);
  });

  it('GICR_TYPER tells the affinity, the processor number and the last frame', () => {
    const network = single(20);
    expect(readR(network, 0x0008, 3)).toBe(0x300);
    expect(readR(network, 0x0008, 19)).toBe(0x1310);
    expect(readR(network, 0x000c, 19)).toBe(0x103);
  });

  it('keep five bits of priority, readable by byte and by word', () => {
    const network = single();
    network.distributor.write(0x0420, 4, 0xffff_ffff, true);
    network.distributor.write(0x0421, 1, 0x47, true);
    expect(readD(network, 0x0420)).toBe(0xf8f8_40f8);
    expect(network.distributor.read(0x0421, 1, true)).toBe(0x40);
  });

  it('of SGIs and PPIs are RAZ/WI in the distributor', () => {
    const network = single();
    network.distributor.write(0x0100, 4, 0xffff_ffff, true);
    network.distributor.write(0x0400, 4, 0xffff_ffff, true);
    expect([readD(network, 0x0100), readD(network, 0x0400)]).toEqual([0, 0]);
    network.distributor.write(0x0104, 4, 0x8000_0001, true);
    network.distributor.write(0x0184, 4, 0x8000_0000, true);
    expect([readD(network, 0x0104), readD(network, 0x0184)]).toEqual([1, 1]);
    network.distributor.write(0x0100 + 4 * 9, 4, 0xffff_ffff, true);
    expect(readD(network, 0x0100 + 4 * 9)).toBe(0);
  });

  it('GICD_IROUTER keeps the affinity and the routing mode, also by an access of 64 bits', () => {
    const network = single();
    network.send(2000, 0, busMessages.WriteRequest.code, [0x6108, 8, 9, 0xffff_ffff, 0xffff_ffff, 1]);
    network.send(2000, 0, busMessages.ReadRequest.code, [0x6108, 8, 10, 1]);
    network.deliverAll();
    expect([readD(network, 0x6108), readD(network, 0x610c)]).toEqual([0x80ff_ffff, 0xff]);
    const response = network.sent.find(({ code }) => code === busMessages.ReadResponse.code);
    expect(response?.payload).toEqual([busResponse.OKAY, 10, 0x80ff_ffff, 0xff]);
  });

  it('SGIs are edge-triggered whatever is written to GICR_ICFGR0', () => {
    const network = single();
    network.redistributors[0]!.write(0x1_0c00, 4, 0, true);
    network.redistributors[0]!.write(0x1_0c04, 4, 0xffff_ffff, true);
    expect([readR(network, 0x1_0c00), readR(network, 0x1_0c04)]).toEqual([0xaaaa_aaaa, 0xaaaa_aaaa]);
  });

  it('show Non-secure software Non-secure Group 1 interrupts alone', () => {
    const { distributor } = secure();
    distributor.write(0x0084, 4, 0x0000_00f0, false);
    distributor.write(0x0104, 4, 0x0000_00ff, true);
    expect(distributor.read(0x0104, 4, true)).toBe(0xf0);
    distributor.write(0x0104, 4, 0x0000_00ff, false);
    expect(distributor.read(0x0104, 4, false)).toBe(0xff);
    expect(distributor.read(0x0104, 4, true)).toBe(0xf0);
    expect(distributor.read(0x0084, 4, true)).toBe(0);
    distributor.write(0x0420, 4, 0x4040_4040, true);
    expect(distributor.read(0x0420, 4, false)).toBe(0);
    distributor.write(0x0424, 4, 0x4040_4040, true);
    expect(distributor.read(0x0424, 4, false)).toBe(0xa0a0_a0a0);
    expect(distributor.read(0x0424, 4, true)).toBe(0x4040_4040);
  });

  it('GICD_NSACR grants Non-secure software the right to set a Secure interrupt pending', () => {
    const { distributor } = secure();
    distributor.write(0x0e08, 4, 0b01, false);
    distributor.write(0x0204, 4, 0b11, true);
    expect(distributor.read(0x0204, 4, false)).toBe(0b01);
    distributor.write(0x0284, 4, 0b11, true);
    expect(distributor.read(0x0204, 4, false)).toBe(0b01);
    distributor.write(0x0e08, 4, 0b10, false);
    distributor.write(0x0284, 4, 0b11, true);
    expect(distributor.read(0x0204, 4, false)).toBe(0);
  });

  it('setting GICD_CTLR.DS leaves one Security state, at the CPU interfaces too', () => {
    const network = secure();
    network.gicd(0x0000, 0x77);
    network.deliverAll();
    expect(readD(network, 0x0000)).toBe(0x53);
    expect(readD(network, 0x0004)).toBe(0x0178_0008);
    network.gicd(0x0000, 0);
    network.deliverAll();
    expect(readD(network, 0x0000)).toBe(0x50);
    expect(network.cores[0]!.gic.save()).toMatchObject({ disableSecurity: true });
  });

  it('GICD_CTLR.RWP is set until no PE holds an interrupt of a disabled group', () => {
    const network = single();
    network.enableAll();
    network.pulse(40);
    network.deliverAll();
    expect(network.cores[0]!.irq).toBe(true);
    network.distributor.write(0x0000, 4, 0, true);
    expect(readD(network, 0x0000)).toBe(0x8000_0050);
    network.deliverAll();
    expect(readD(network, 0x0000)).toBe(0x50);
    expect(network.cores[0]!.irq).toBe(false);
    expect(readD(network, 0x0204)).toBe(1 << 8);
  });

  it('GICR_CTLR.RWP is set until the PE has given back a disabled interrupt', () => {
    const network = single();
    network.enableAll();
    network.icc(0, 'ICC_SGI1R_EL1', sgiTo(3, 0));
    network.deliverAll();
    expect(network.cores[0]!.irq).toBe(true);
    network.gicr(0, 0x1_0180, 1 << 3);
    network.deliverOne(0);
    expect(readR(network, 0)).toBe(8);
    network.deliverAll();
    expect(readR(network, 0)).toBe(0);
    expect(network.cores[0]!.irq).toBe(false);
  });

  it('count what a guest does wrong, and answer it with zero', () => {
    const { distributor, redistributors } = single();
    expect(distributor.read(0x5000, 4, true)).toBe(0);
    expect(distributor.read(0x0100, 2, true)).toBe(0);
    distributor.write(0x0004, 4, 1, true);
    redistributors[0]!.write(0x1_f000, 4, 1, true);
    expect(distributor.guestErrors).toMatchObject({ unknownOffset: 1, unsupportedSize: 1, writeOfReadOnly: 1 });
    expect(redistributors[0]!.guestErrors.unknownOffset).toBe(1);
  });

  it('take any access without a fault, and come to rest', () => {
    const access = fc.record({
      target: fc.constantFrom(0, 1, 2),
      offset: fc.oneof(
        fc.nat(0x1_ffff),
        fc.nat(0x3ff).map((word) => word * 4),
        fc.nat(0x3ff).map((w) => 0x1_0000 + w * 4),
      ),
      sizeBytes: fc.constantFrom(1, 2, 4, 8, 3, 16),
      value: fc.nat(0xffff_ffff),
      isRead: fc.boolean(),
      nonSecure: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 200 }), fc.boolean(), (accesses, disableSecurity) => {
        const network = new Network({ cores: 2, disableSecurity, hasEl3: !disableSecurity });
        network.enableAll();
        for (const { target, offset, sizeBytes, value, isRead, nonSecure } of accesses) {
          const { ReadRequest, WriteRequest } = busMessages;
          if (isRead) network.send(2000, target, ReadRequest.code, [offset, sizeBytes, 1, nonSecure]);
          else network.send(2000, target, WriteRequest.code, [offset, sizeBytes, 1, value, value, nonSecure]);
        }
        network.deliverAll();
        const responses = network.sent.filter(({ code }) => code === busMessages.ReadResponse.code);
        expect(responses.length).toBe(accesses.filter(({ isRead }) => isRead).length);
        expect(network.distributor.read(0, 4, false) >>> 31).toBe(0);
      }),
      { numRuns: 100, seed: 11 },
    );
  });

  it('survive save and restore, whatever their state', () => {
    const network = single(2);
    network.enableAll();
    network.gicd(0x6000 + 8 * 41, 1);
    network.pulse(40);
    network.wire(41, true);
    network.icc(1, 'ICC_SGI1R_EL1', sgiTo(7, 0));
    for (let i = 0; i < 5; i++) network.deliverOne(i);
    const copy = single(2);
    copy.distributor.restore(structuredClone(network.distributor.save()));
    expect(copy.distributor.save()).toEqual(network.distributor.save());
    network.redistributors.forEach((redistributor, pe) => {
      copy.redistributors[pe]!.restore(structuredClone(redistributor.save()));
      expect(copy.redistributors[pe]!.save()).toEqual(redistributor.save());
    });
    network.cores.forEach(({ gic }, pe) => {
      copy.cores[pe]!.gic.restore(structuredClone(gic.save()));
      expect(copy.cores[pe]!.gic.save()).toEqual(gic.save());
    });
  });
});
