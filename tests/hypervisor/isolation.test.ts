// Whom the tables of stage 2 let reach what, for random sets of VMs that are built, get shared memory, are reset and removed, in any order:
// by every leaf that is in the tables, and by what a PE translates with them, through a TLB that keeps what it has seen.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPe } from '../../src/arch/create-pe.ts';
import { type Activity, type ResidentAnswer, systemAccess } from '../../src/arch/resident.ts';
import { ramBase } from '../../src/arch/state-layout.ts';
import type { Rhyper } from '../../src/hypervisor/context.ts';
import { interVmCalls } from '../../src/hypervisor/hvc/inter-vm.ts';
import { build, claimVm, removeVm, resetVm } from '../../src/hypervisor/lifecycle.ts';
import { pageBytes } from '../../src/hypervisor/memory.ts';
import { deviceRootOf, vtcr, vttbrOf, walkStage2 } from '../../src/hypervisor/stage2.ts';
import type { Vcpu, Vm } from '../../src/hypervisor/state.ts';
import { fakeCore, TestPe } from '../arch/fixture.ts';
import { memoryOnly, ownMemory, vmMemory } from './fixture.ts';

const MiB = 0x10_0000;
const blockBytes = 2 * MiB;
const store = { ipa: 0x4_0000_0000, pa: vmMemory.pa + vmMemory.bytes - blockBytes, bytes: 3 * pageBytes };
const vms = 4;

interface Range {
  readonly ipa: number;
  readonly bytes: number;
}

/** Few places, so that the VMs meet at the same addresses, side by side and in the same tables. */
const ipa = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map((n) => 0x8000_0000 + n * pageBytes),
  fc.integer({ min: 0, max: 3 }).map((n) => 0x8000_0000 + n * blockBytes),
  fc.constantFrom(0, 0x3fff_f000, 0xf_ffe0_0000, store.ipa - pageBytes),
);
const memory: fc.Arbitrary<Range> = fc.record({
  ipa,
  bytes: fc.oneof(
    fc.integer({ min: 1, max: 20 }).map((pages) => pages * pageBytes),
    fc.constantFrom(blockBytes, 2 * blockBytes, blockBytes + pageBytes, 64 * MiB),
  ),
});
const window = fc.record({
  ipa,
  pa: fc.constantFrom(0, 0x0800_0000, 0x0900_0000, ramBase - pageBytes),
  bytes: fc.constantFrom(pageBytes, 2 * pageBytes),
});
const id = fc.nat(vms - 1);
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('build' as const),
      memory: fc.array(memory, { minLength: 1, maxLength: 3 }),
      windows: fc.array(window, { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('share' as const), id, bytes: fc.integer({ min: 1, max: 5 * MiB }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), id }) },
);
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

const shareMemory = interVmCalls.find(({ name }) => name === 'IVC SHARE_MEM')!;

/** A hypervisor that has one PE, and nobody runs on it. */
class Machine {
  readonly test: TestPe;
  readonly rhyper: Rhyper;

  constructor() {
    const bare = memoryOnly();
    const core = fakeCore();
    const pe = createPe({
      index: 0,
      count: 1,
      memory: bare.memory,
      ramBytes: vmMemory.pa + vmMemory.bytes - ramBase,
      hasEl2: true,
      hasEl3: false,
      hasGicRegisters: true,
      mpidr: 0n,
      environment: core,
    });
    this.test = new TestPe(pe, core, bare.memory).reset(2);
    this.rhyper = {
      ...bare,
      index: 0,
      pe,
      system: systemAccess(pe, bare.memory.doublewords),
      core: bare.state.cores[0]!,
      options: { quirks: [], injection: 'list-registers' } as unknown as Rhyper['options'],
      description: { options: { quirks: [] }, vms: [], slots: [], store } as unknown as Rhyper['description'],
      *serveIpis(): Activity {},
    };
    bare.state.free[0]!.bytes -= blockBytes;
    this.test.setRegister('VTCR_EL2', vtcr);
  }

  run<Result>(activity: Activity<Result>): Result {
    const okay: ResidentAnswer = { isOkay: true, valueLow: 0, valueHigh: 0 };
    for (;;) {
      const { done, value } = activity.next(okay);
      if (done) return value;
    }
  }

  get built(): Vm[] {
    return this.rhyper.state.vms.filter(({ isConfigured, isBuilt }) => isConfigured !== 0 && isBuilt !== 0);
  }

  apply(step: Action): void {
    const { rhyper } = this;
    if (step.do === 'build') {
      if (this.built.length === vms) return;
      const vm = claimVm(rhyper, 'vm', 0)!;
      const { config } = vm;
      Object.assign(config, { cpuCount: 1, cpuMask: 1, kernelLoadIpa: 0x8000_0000 });
      step.memory.forEach((range, n) => Object.assign(config.memory[n]!, range));
      step.windows.forEach((range, n) => Object.assign(config.windows[n]!, range));
      Object.assign(config, { memoryCount: step.memory.length, windowCount: step.windows.length });
      if (this.run(build(rhyper, vm)) !== undefined) vm.isConfigured = 0;
      return;
    }
    const vm = this.built[step.id];
    if (!vm) return;
    if (step.do === 'remove') this.run(removeVm(rhyper, vm));
    else if (step.do === 'reset') this.run(resetVm(rhyper, vm));
    else {
      const call = { caller: vm, vcpu: {} as Vcpu, args: [0n, BigInt(step.bytes)] };
      this.run(shareMemory.handle(rhyper, call));
    }
  }

  /** What the PE finds at an IPA with the tables of a VM. */
  translate(vm: Vm, address: number): { pa: number; isWritable: boolean } | undefined {
    const HCR_EL2 = 0x8000_0001n;
    this.test.setRegister('VTTBR_EL2', vttbrOf(vm));
    this.test.setRegister('HCR_EL2', HCR_EL2);
    const found = (name: string): number | undefined => {
      this.test.sys(name, BigInt(address));
      const par = this.test.register('PAR_EL1');
      return (par & 1n) === 0n ? Number(par & 0xffff_ffff_f000n) + (address % pageBytes) : undefined;
    };
    const pa = found('AT S12E1R');
    return pa === undefined ? undefined : { pa, isWritable: found('AT S12E1W') !== undefined };
  }

  /** Every page that the tables of a VM lead to: the first has 64 entries, for 36 bits. */
  *leaves(table: number, level = 1, from = 0): Generator<{ ipa: number; pa: number; isWritable: boolean }> {
    for (let n = 0; n < (level === 1 ? 64 : 512); n += 1) {
      const entry = this.rhyper.memory.doublewords[table / 8 + n]!;
      if ((entry & 1n) === 0n) continue;
      const address = Number(entry & 0xffff_ffff_f000n);
      const at = from + n * 2 ** (39 - 9 * level);
      if (level < 3 && (entry & 2n) !== 0n) yield* this.leaves(address, level + 1, at);
      else
        for (let page = 0; page < 512 ** (3 - level); page += 1)
          yield { ipa: at + page * pageBytes, pa: address + page * pageBytes, isWritable: (entry & 0x80n) !== 0n };
    }
  }
}

const holds = (of: { readonly pa: number; readonly bytes: number }, pa: number): boolean =>
  pa >= of.pa && pa < of.pa + of.bytes;

/** What a VM may reach at an IPA: its memory, its windows, and the store where it is the manager. */
function mayReach(vm: Vm, at: number, pa: number, isWritable: boolean): boolean {
  const { regions, regionCount, config, isManager } = vm;
  const leadsTo = (range: { ipa: number; pa: number; bytes: number }): boolean =>
    holds(range, pa) && at - range.ipa === pa - range.pa;
  if (regions.slice(0, regionCount).some(leadsTo)) return true;
  if (config.windows.slice(0, config.windowCount).some(leadsTo)) return pa < ownMemory.pa;
  return isManager !== 0 && leadsTo(store) && !isWritable;
}

/** Nothing of RAM is two VMs', or a VM's and free, or the hypervisor's, or the store's. */
function expectMemoryApart({ rhyper: { state }, built }: Machine): void {
  const pieces = [
    ownMemory,
    { pa: store.pa, bytes: blockBytes },
    ...state.free.slice(0, state.freeCount),
    ...built.flatMap(({ regions, regionCount }) => regions.slice(0, regionCount)),
  ].map(({ pa, bytes }) => ({ pa, bytes }));
  const sorted = pieces.sort((a, b) => a.pa - b.pa);
  let end = ramBase;
  for (const { pa, bytes } of sorted) {
    expect(pa).toBe(end);
    end = pa + bytes;
  }
  expect(end).toBe(vmMemory.pa + vmMemory.bytes);
}

function expectIsolated(machine: Machine, seen: Set<number>): void {
  expectMemoryApart(machine);
  const { built } = machine;
  for (const vm of built) {
    for (const root of [vm.stage2Root, deviceRootOf(vm)])
      for (const { ipa: at, pa, isWritable } of machine.leaves(root))
        if (!mayReach(vm, at, pa, isWritable))
          throw new Error(`VM ${vm.id}: IPA 0x${at.toString(16)} is PA 0x${pa.toString(16)}`);
    for (const { ipa: first, bytes } of [...vm.regions.slice(0, vm.regionCount), store])
      for (const at of [first - 1, first, first + bytes / 2, first + bytes - 1, first + bytes])
        if (at >= 0) seen.add(at);
  }
  // The same addresses for every VM and after every step: the TLB has seen them all.
  for (const vm of built)
    for (const at of seen) {
      const translated = machine.translate(vm, at);
      expect(translated).toEqual(walkStage2(machine.rhyper, vm, at));
      if (translated) expect(mayReach(vm, at, translated.pa, translated.isWritable)).toBe(true);
    }
}

describe('stage 2 of a set of VMs', () => {
  it('leads none of them to memory of another, of the hypervisor, of nobody, or to write the store', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 4, maxLength: 14, size: 'max' }), (actions) => {
        const machine = new Machine();
        const pages = machine.rhyper.state.heapBitmap.slice();
        const seen = new Set<number>();
        for (const step of actions) {
          machine.apply(step);
          expectIsolated(machine, seen);
        }
        for (const vm of machine.built) machine.run(removeVm(machine.rhyper, vm));
        expect(machine.rhyper.state.heapBitmap).toEqual(pages);
        expectMemoryApart(machine);
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
