// What the hypervisor's code on one core works with: its PE, the memory with the common state, and the way to the world outside.

import type { Pe } from '../arch/pe.ts';
import type { Activity, SystemAccess } from '../arch/resident.ts';
import type { MemoryViews } from '../arch/resident.ts';
import { assert } from '../report/assert.ts';
import type { SystemDescription } from './description.ts';
import type { Quirk, RhyperOptions } from './options.ts';
import type { CoreState, SystemState, Vcpu, Vm } from './state.ts';
import type { BuildVmTree } from './tree-description.ts';

/** What the board and the run give to the hypervisor; the same on every core. */
export interface RhyperPlatform {
  readonly coreCount: number;
  readonly mpidrs: readonly number[];
  /** The hypervisor's own memory, at the start of RAM, and what is left for VMs. */
  readonly ownMemory: { readonly pa: number; readonly bytes: number };
  readonly vmMemory: { readonly pa: number; readonly bytes: number };
  readonly gicVersion: 2 | 3;
  readonly distributorBase: number;
  /** Of a GICv3. */
  readonly redistributorBases: readonly number[];
  /** The board's SMMU, if it has one: its registers, and the INTID of its edge-triggered interrupt for global errors. */
  readonly smmu?: { readonly pa: number; readonly gerrorIntid: number };
  /** Registers of the board's DMA engines. */
  readonly dmaEngines: readonly number[];
  /** The frames GICC, GICH and GICV of a GICv2. */
  readonly gicV2: {
    readonly cpuInterface: number;
    readonly virtualControl: number;
    readonly virtualCpuInterface: number;
  };
  /** The registers beside those of the board's virtio transports: of slot n they are at `pa + n * stride` (slots.ts). */
  readonly slotControl: { readonly pa: number; readonly stride: number };
}

/** What a core has counted since power-on. */
export interface CoreCounts {
  /** The time that it is. */
  readonly ticks: number;
  /** In WFI and WFE, at any Exception level. */
  readonly asleepTicks: number;
  /** Physical interrupts taken at EL1. */
  readonly interruptsAtEl1: number;
}

/** Effects on the world outside the machine. */
export interface RhyperPort {
  /** What the core has counted up to now. */
  readonly counts: () => CoreCounts;
  /** A line of the hypervisor's own console. */
  readonly log: (line: string) => void;
  /** Ends the run: 0, or what an as-is panic leaves behind. */
  readonly stop: (exitCode: number) => void;
  /** Writes to RAM as a store of this core does: translated code and exclusive monitors hear of it. */
  readonly writeRam: (pa: number, bytes: Uint8Array) => void;
  readonly buildTree: BuildVmTree;
}

export interface Rhyper {
  readonly index: number;
  readonly pe: Pe;
  readonly memory: MemoryViews;
  readonly system: SystemAccess;
  readonly state: SystemState;
  readonly core: CoreState;
  readonly options: RhyperOptions;
  readonly platform: RhyperPlatform;
  readonly port: RhyperPort;
  readonly description: SystemDescription;
  /** Handles the messages that wait for this core: what a core does while it waits for another one, so that both go on. */
  readonly serveIpis: () => Activity;
}

export const hasQuirk = (rhyper: Rhyper, quirk: Quirk): boolean => rhyper.options.quirks.includes(quirk);

export function vmAt(rhyper: Rhyper, id: number): Vm {
  const vm = rhyper.state.vms[id];
  assert(vm !== undefined, `there is a VM ${id}`);
  return vm;
}

export function vcpuAt(rhyper: Rhyper, position: number): Vcpu {
  const vcpu = rhyper.state.vcpus[position];
  assert(vcpu !== undefined, `there is a vCPU ${position}`);
  return vcpu;
}

export function coreAt(rhyper: Rhyper, index: number): CoreState {
  const core = rhyper.state.cores[index];
  assert(core !== undefined, `there is a core ${index}`);
  return core;
}

/** The vCPU whose registers are in the PE. */
export const activeVcpu = (rhyper: Rhyper): Vcpu | undefined =>
  rhyper.core.active === 0 ? undefined : vcpuAt(rhyper, rhyper.core.active - 1);

/** vCPU `id` of a VM. */
export function vcpuOf(rhyper: Rhyper, vm: Vm, id: number): Vcpu | undefined {
  return id < vm.vcpuCount ? vcpuAt(rhyper, vm.vcpus[id] as number) : undefined;
}

/** Position of a vCPU in the table. */
export const positionOf = (rhyper: Rhyper, vcpu: Vcpu): number => vmAt(rhyper, vcpu.vm).vcpus[vcpu.id] as number;

// Bits of an array of words.
export const bitAt = (words: Uint32Array, n: number): boolean => (((words[n >>> 5] as number) >>> (n & 31)) & 1) !== 0;
export function setBit(words: Uint32Array, n: number, value: boolean): void {
  const mask = 1 << (n & 31);
  words[n >>> 5] = value ? (words[n >>> 5] as number) | mask : (words[n >>> 5] as number) & ~mask;
}

/** Writes a general-purpose register of a vCPU, wherever it is now; register 31 ignores it. */
export function writeVcpuX(rhyper: Rhyper, vcpu: Vcpu, n: number, value: bigint): void {
  if (activeVcpu(rhyper) === vcpu) rhyper.pe.writeX(n, BigInt.asUintN(64, value));
  else if (n < vcpu.x.length) vcpu.x[n] = value;
}
