import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { injectInterrupt } from '../../../src/hypervisor/interrupts.ts';
import type { RhyperOptions } from '../../../src/hypervisor/options.ts';
import { deviceKind } from '../../../src/hypervisor/state.ts';
import { accessGicv } from '../../../src/hypervisor/vgic/gicv-registers.ts';
import { queued } from '../../../src/hypervisor/vgic/queue.ts';
import { accessCpuInterface, sendSgiByRegister } from '../../../src/hypervisor/vgic/trapped-registers.ts';
import { type Bench, makeBench } from './bench.ts';
import { enable, sgiFrame, writeGicd, writeGicr } from './guest.ts';

const spurious = 1023;
const intids = [40, 41, 42, 43, 44, 45, 46, 47] as const;
const sgis = [2, 3, 4, 5] as const;
const vcpuCores = [0, 1] as const;

/** VM 0 has two vCPUs, on cores 0 and 1; VM 1 shares core 0. */
type Step =
  | { readonly kind: 'inject'; readonly intid: number; readonly core: number }
  | { readonly kind: 'sgi'; readonly intid: number; readonly core: number }
  | { readonly kind: 'acknowledge' | 'end' | 'take' | 'switch'; readonly core: number }
  | { readonly kind: 'enable' | 'disable' | 'route'; readonly intid: number; readonly core: number }
  | { readonly kind: 'priority'; readonly intid: number; readonly value: number };

const intid = fc.constantFrom(...intids);
const core = fc.constantFrom(...vcpuCores);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('inject' as const), intid, core: fc.constantFrom(0, 1, 2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sgi' as const), intid: fc.constantFrom(...sgis), core }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('acknowledge', 'end', 'take'), core }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('switch' as const), core: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('enable', 'disable', 'route'), intid, core }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('priority' as const),
      intid,
      value: fc.constantFrom(0x20, 0x40, 0x80, 0xa0),
    }),
  },
);

type Mode = Partial<RhyperOptions> & { readonly lists?: number; readonly gicVersion?: 2 | 3 };

class World {
  readonly bench: Bench;
  /** Raised, and not acknowledged since: SPIs by INTID, SGIs by vCPU and INTID. */
  readonly outstanding = new Set<string>();
  readonly raised = new Map<string, number>();
  readonly acknowledged = new Map<string, number>();
  readonly active: number[][] = [[], []];
  private readonly byBits: boolean;
  private readonly isVersion2: boolean;

  constructor(options: Mode) {
    const devices = intids.map((n) => [deviceKind.virtioNet, n] as const);
    this.bench = makeBench([{ cores: [0, 1], devices }, { cores: [0] }], options);
    this.byBits = options.injection === 'hcr-bits';
    this.isVersion2 = options.gicVersion === 2;
    this.bench.enter(0, 0);
    this.bench.enter(0, 1);
    enable(this.bench, intids);
    for (const each of vcpuCores) {
      this.icc(each, 'ICC_PMR_EL1', 0xf8);
      this.icc(each, 'ICC_IGRPEN1_EL1', 1);
    }
    for (const id of this.isVersion2 ? vcpuCores : []) {
      for (const n of sgis) writeGicd(this.bench, 0x400 + n, 0x60, { id, sizeBytes: 1 });
      for (const n of intids) writeGicd(this.bench, 0x800 + n, 1, { id, sizeBytes: 1 });
    }
    for (const id of this.isVersion2 ? [] : vcpuCores) {
      for (const n of sgis) writeGicr(this.bench, id, sgiFrame + 0x400 + n, 0x60, { id, sizeBytes: 1 });
      writeGicr(this.bench, id, sgiFrame + 0x100, 0xffff, { id });
    }
    this.bench.settle();
  }

  private isRunning(at: number): boolean {
    const { active } = this.bench.cores[at]!.rhyper.core;
    return this.bench.cores[0]!.rhyper.state.vcpus[active - 1]?.vm === 0;
  }

  private icc(at: number, name: 'ICC_PMR_EL1' | 'ICC_IGRPEN1_EL1' | 'ICC_IAR1_EL1' | 'ICC_EOIR1_EL1', value?: number) {
    if (!this.byBits) return this.bench.icc(at, name, value);
    const vcpu = this.bench.vcpu(0, at);
    if (this.isVersion2) {
      const offset = { ICC_PMR_EL1: 0x04, ICC_IGRPEN1_EL1: 0x00, ICC_IAR1_EL1: 0x0c, ICC_EOIR1_EL1: 0x10 }[name];
      return Number(
        this.bench.run(at, (rhyper) => accessGicv(rhyper, vcpu, offset, 4, value !== undefined, BigInt(value ?? 0))),
      );
    }
    const answer = this.bench.run(at, (rhyper) =>
      accessCpuInterface(rhyper, vcpu, name, value !== undefined, BigInt(value ?? 0)),
    );
    return Number(answer);
  }

  private acknowledge(at: number): boolean {
    if (!this.isRunning(at)) return false;
    const got = this.icc(at, 'ICC_IAR1_EL1');
    if (got === spurious) return false;
    // Of an SGI of GICv2 the sender is in [12:10].
    const intid = got & 0x3ff;
    const key = intid < 32 ? `${at}:${intid}` : `${intid}`;
    expect(this.outstanding.has(key)).toBe(true);
    this.outstanding.delete(key);
    this.acknowledged.set(key, (this.acknowledged.get(key) ?? 0) + 1);
    this.active[at]!.push(got);
    return true;
  }

  private end(at: number): boolean {
    const last = this.active[at]!.at(-1);
    if (last === undefined || !this.isRunning(at)) return false;
    this.active[at]!.pop();
    this.icc(at, 'ICC_EOIR1_EL1', last);
    return true;
  }

  private otherVm(): boolean {
    if (this.isRunning(0)) {
      this.bench.leave(0);
      this.bench.enter(1);
      return false;
    }
    this.bench.leave(0);
    this.bench.enter(0, 0);
    return true;
  }

  private raise(key: string, how: () => void): void {
    if (this.outstanding.has(key)) return;
    this.outstanding.add(key);
    this.raised.set(key, (this.raised.get(key) ?? 0) + 1);
    how();
  }

  perform(s: Step): void {
    // A guest's access to its distributor comes from a vCPU that runs: that of core 1 always does.
    const where = { id: 1 };
    switch (s.kind) {
      case 'inject':
        this.raise(`${s.intid}`, () => {
          this.bench.run(s.core, (rhyper) => injectInterrupt(rhyper, this.bench.vcpu(0), s.intid));
        });
        break;
      case 'sgi':
        this.raise(`${s.core}:${s.intid}`, () => {
          if (this.isVersion2) {
            writeGicd(this.bench, 0xf00, (1 << (16 + s.core)) | s.intid, where);
            return;
          }
          const value = (BigInt(s.intid) << 24n) | (1n << BigInt(s.core));
          this.bench.run(1, (rhyper) => sendSgiByRegister(rhyper, this.bench.vcpu(0, 1), value, 1));
        });
        break;
      case 'acknowledge':
        this.acknowledge(s.core);
        break;
      case 'end':
        this.end(s.core);
        break;
      case 'take':
        this.bench.takeInterrupts(s.core);
        break;
      case 'switch':
        this.otherVm();
        break;
      case 'enable':
        writeGicd(this.bench, 0x104, 1 << (s.intid - 32), where);
        break;
      case 'disable':
        writeGicd(this.bench, 0x184, 1 << (s.intid - 32), where);
        break;
      case 'route':
        if (this.isVersion2) writeGicd(this.bench, 0x800 + s.intid, 1 << s.core, { ...where, sizeBytes: 1 });
        else writeGicd(this.bench, 0x6000 + 8 * s.intid, s.core, where);
        break;
      case 'priority':
        writeGicd(this.bench, 0x400 + s.intid, s.value, { ...where, sizeBytes: 1 });
    }
  }

  /** The guest enables everything and handles what there is. */
  finish(): void {
    if (!this.isRunning(0)) this.otherVm();
    writeGicd(this.bench, 0x104, 0xff00, { id: 1 });
    for (let goesOn = true; goesOn;) {
      this.bench.settle();
      goesOn = vcpuCores.map((at) => this.end(at) || this.acknowledge(at)).includes(true);
    }
  }
}

const modes: Readonly<Record<string, Mode>> = {
  'one list register': { lists: 1 },
  'four list registers': {},
  'list registers that give way to any newcomer': { quirks: ['lr-victim-ignores-newcomer'] },
  'bits of HCR_EL2': { injection: 'hcr-bits' },
  'list registers of a GICv2': { gicVersion: 2 },
  'bits of HCR_EL2 with a GICv2': { gicVersion: 2, injection: 'hcr-bits' },
};

describe.each(Object.entries(modes))('interrupts by %s', (_, options) => {
  it('are delivered once each, in whatever order they are raised, taken, ended, moved and masked', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
        const world = new World(options);
        for (const each of steps) world.perform(each);
        world.finish();
        expect([...world.outstanding]).toEqual([]);
        expect(world.acknowledged).toEqual(world.raised);
        const { vgic } = world.bench.vms[0]!;
        expect([...vgic.pending, ...vgic.active, ...vgic.owner].some((bits) => bits !== 0)).toBe(false);
        for (const id of vcpuCores) {
          const vcpu = world.bench.vcpu(0, id);
          for (const name of ['waiting', 'spilledPending', 'spilledActive'] as const)
            expect(queued(vcpu, name)).toEqual([]);
        }
      }),
      { numRuns: 60, seed: 3 },
    );
  });
});
