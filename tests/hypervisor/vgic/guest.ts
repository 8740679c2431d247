// What the guest of a bench does to its GIC: through the frames that it sees, and through its CPU interface.

import { accessDistributor, accessRedistributor } from '../../../src/hypervisor/vgic/mmio.ts';
import type { Bench } from './bench.ts';

const spurious = 1023;

interface Where {
  readonly vm?: number;
  readonly id?: number;
  readonly sizeBytes?: number;
}

export function writeGicd(bench: Bench, offset: number, value: number | bigint, where: Where = {}): void {
  const vcpu = bench.vcpu(where.vm ?? 0, where.id);
  bench.run(vcpu.core, (rhyper) => accessDistributor(rhyper, vcpu, offset, where.sizeBytes ?? 4, true, BigInt(value)));
}

export function readGicd(bench: Bench, offset: number, where: Where = {}): bigint | undefined {
  const vcpu = bench.vcpu(where.vm ?? 0, where.id);
  return bench.run(vcpu.core, (rhyper) => accessDistributor(rhyper, vcpu, offset, where.sizeBytes ?? 4, false, 0n));
}

/** `which` is the vCPU whose frames are meant. */
export function writeGicr(bench: Bench, which: number, offset: number, value: number, where: Where = {}): void {
  const vcpu = bench.vcpu(where.vm ?? 0, where.id);
  bench.run(vcpu.core, (rhyper) =>
    accessRedistributor(rhyper, vcpu, which, offset, where.sizeBytes ?? 4, true, BigInt(value)),
  );
}

export function readGicr(bench: Bench, which: number, offset: number, where: Where = {}): bigint | undefined {
  const vcpu = bench.vcpu(where.vm ?? 0, where.id);
  return bench.run(vcpu.core, (rhyper) =>
    accessRedistributor(rhyper, vcpu, which, offset, where.sizeBytes ?? 4, false, 0n),
  );
}

export const sgiFrame = 0x1_0000;

/** Turns the VM's GIC on, with these SPIs enabled at a priority. */
export function enable(bench: Bench, intids: readonly number[], priority = 0x80, vm = 0): void {
  // Both groups: they are in Group 1 with GICv3, in Group 0 with GICv2.
  writeGicd(bench, 0x0000, 0x13, { vm });
  for (const intid of intids) {
    if (intid < 32) {
      writeGicr(bench, 0, sgiFrame + 0x400 + intid, priority, { vm, sizeBytes: 1 });
      writeGicr(bench, 0, sgiFrame + 0x100, 1 << intid, { vm });
    } else {
      writeGicd(bench, 0x400 + intid, priority, { vm, sizeBytes: 1 });
      writeGicd(bench, 0x100 + 4 * (intid >>> 5), (1 << (intid & 31)) >>> 0, { vm });
    }
  }
}

/** The guest of a core unmasks, or masks with 0. */
export function unmask(bench: Bench, core: number, mask = 0xf8): void {
  bench.icc(core, 'ICC_PMR_EL1', mask);
  bench.icc(core, 'ICC_IGRPEN1_EL1', 1);
}

/** The guest acknowledges one interrupt: its INTID, or undefined where there is none. */
export function acknowledge(bench: Bench, core: number): number | undefined {
  const intid = bench.icc(core, 'ICC_IAR1_EL1');
  return intid === spurious ? undefined : intid;
}

export const end = (bench: Bench, core: number, intid: number): void => {
  bench.icc(core, 'ICC_EOIR1_EL1', intid);
};

/** The guest handles interrupts one after the other, with EL2 taking its own between any two of its steps. */
export function handleAll(bench: Bench, core: number): number[] {
  const handled: number[] = [];
  bench.settle();
  for (let intid = acknowledge(bench, core); intid !== undefined; intid = acknowledge(bench, core)) {
    handled.push(intid);
    bench.settle();
    end(bench, core, intid);
    bench.settle();
  }
  return handled;
}
