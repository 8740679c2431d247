// Everything that the hypervisor knows, as records in its RAM (records.ts): virtual machines, their vCPUs, the physical cores, and
// the memory that is left.

import type { MemoryViews } from '../arch/resident.ts';
import { limits } from './limits.ts';
import { array, nested, record, several, text } from './records.ts';
import { smmuState } from './smmu/state.ts';
import { mediatedDisk, mediatedRequest } from './mediated/state.ts';
import { vgicOfVcpu, vgicOfVm } from './vgic/state.ts';

/** What `heddle vm` and the list of VMs call a VM. */
export const vmState = { inactive: 0, pending: 1, active: 2 } as const;
export const vmKind = { operatingSystem: 0, bareMetalApp: 1 } as const;
export const vcpuState = { invalid: 0, pending: 1, active: 2 } as const;
export const coreState = { invalid: 0, idle: 1, running: 2 } as const;

/** The kinds of emulated device, as HVC arguments number them. */
export const deviceKind = {
  console: 0,
  gicd: 1,
  gppt: 2,
  virtioBlock: 3,
  virtioNet: 4,
  virtioConsole: 5,
  shyper: 6,
  virtioBlockMediated: 7,
  iommu: 8,
  iccSre: 9,
  sgir: 10,
  gicr: 11,
  /** Not of the ancestor, whose numbers end below. */
  virtioEntropy: 32,
} as const;

const ipaRange = record({ ipa: 'address', bytes: 'address' });
const window = record({ ipa: 'address', pa: 'address', bytes: 'address' });

const passthroughWindow = record({ ipa: 'address', pa: 'address', bytes: 'address', isReadOnly: 'u32' });

const emulatedDevice = record({
  name: text(limits.nameBytes),
  kind: 'u32',
  intid: 'u32',
  ipa: 'address',
  bytes: 'address',
  /** The board's slot that acts for it, plus one; 0 without. */
  slot: 'u32',
  /** The management VM's disk that a mediated block device is on, plus one; 0 without. */
  disk: 'u32',
  request: nested(mediatedRequest),
  arguments: array('u64', limits.deviceArguments),
});

const dtbDevice = record({
  name: text(limits.nameBytes),
  kind: 'u32',
  irqCount: 'u32',
  irqs: array('u32', 8),
  ipa: 'address',
  bytes: 'address',
});

/** What a VM is to be: written by the configuration, read when it is built. */
const vmConfig = record({
  kernelLoadIpa: 'address',
  dtbLoadIpa: 'address',
  ramdiskLoadIpa: 'address',
  commandLine: text(limits.commandLineBytes),
  cpuCount: 'u32',
  /** Physical cores that the VM may use. */
  cpuMask: 'u32',
  /** The core of vCPU 0, or 0xffff_ffff for none in particular. */
  master: 'u32',
  memoryCount: 'u32',
  memory: several(ipaRange, limits.memoryRegionsPerVm),
  deviceCount: 'u32',
  devices: several(emulatedDevice, limits.emulatedDevicesPerVm),
  windowCount: 'u32',
  windows: several(passthroughWindow, limits.passthroughWindowsPerVm),
  irqCount: 'u32',
  irqs: array('u32', limits.interruptsPerVm),
  streamCount: 'u32',
  streams: array('u32', limits.streamsPerVm),
  dtbDeviceCount: 'u32',
  dtbDevices: several(dtbDevice, limits.dtbDevicesPerVm),
});

const vm = record({
  /** The id is in use: a configuration exists. */
  isConfigured: 'u32',
  /** Memory, tables, vCPUs and devices exist. */
  isBuilt: 'u32',
  id: 'u32',
  state: 'u32',
  kind: 'u32',
  name: text(limits.nameBytes),
  /** May call what concerns other VMs. */
  isManager: 'u32',
  config: nested(vmConfig),

  stage2Root: 'address',
  regionCount: 'u32',
  regions: several(window, limits.memoryRegionsPerVm),
  entryIpa: 'address',
  dtbIpa: 'address',
  vcpuCount: 'u32',
  /** Positions in the table of vCPUs. */
  vcpus: array('u32', limits.vcpusPerVm),
  /** Physical interrupts that are the VM's: one bit for each INTID. */
  ownedInterrupts: array('u32', limits.intids / 32),
  /** The page of messages from the hypervisor: 0 until the VM has named one. */
  messagePage: 'address',
  messageSlot: 'u32',
  /** The page of the management VM's memory by which it answers file calls: 0 until it has offered one. */
  filePage: 'address',
  /** A file call that waits for its answer while other VMs have the core: its event plus one, and the CNTPCT_EL0 at which it is given up. */
  fileCall: 'u32',
  fileDeadline: 'u64',
  nextShareIpa: 'address',
  /** It has devices whose faults the SMMU records; when they were looked for last (smmu/faults.ts). */
  hearsFaults: 'u32',
  faultsHeardAt: 'address',
  /** Why the hypervisor has stopped it, for the report. */
  stopReason: text(256),
  vgic: nested(vgicOfVm),
});

/** The System registers of EL1 and EL0 that belong to a vCPU, in the order of `vcpu.system`. */
export const vcpuRegisters = [
  'SP_EL0',
  'SP_EL1',
  'ELR_EL1',
  'SPSR_EL1',
  'SCTLR_EL1',
  'ACTLR_EL1',
  'CPACR_EL1',
  'TTBR0_EL1',
  'TTBR1_EL1',
  'TCR_EL1',
  'ESR_EL1',
  'AFSR0_EL1',
  'AFSR1_EL1',
  'FAR_EL1',
  'PAR_EL1',
  'MAIR_EL1',
  'AMAIR_EL1',
  'VBAR_EL1',
  'CONTEXTIDR_EL1',
  'TPIDR_EL0',
  'TPIDRRO_EL0',
  'TPIDR_EL1',
  'APIAKeyLo_EL1',
  'APIAKeyHi_EL1',
  'APIBKeyLo_EL1',
  'APIBKeyHi_EL1',
  'APDAKeyLo_EL1',
  'APDAKeyHi_EL1',
  'APDBKeyLo_EL1',
  'APDBKeyHi_EL1',
  'APGAKeyLo_EL1',
  'APGAKeyHi_EL1',
  'CNTKCTL_EL1',
  'CNTVOFF_EL2',
  'CNTV_CVAL_EL0',
  'CNTV_CTL_EL0',
  'CNTP_CVAL_EL0',
  'CNTP_CTL_EL0',
  'VPIDR_EL2',
  'VMPIDR_EL2',
  'HCR_EL2',
  'FPCR',
  'FPSR',
  'CSSELR_EL1',
  // Debug: values that nobody shares, though there are no debug exceptions.
  'MDSCR_EL1',
  'MDCCINT_EL1',
  'OSDTRRX_EL1',
  'OSDTRTX_EL1',
  'OSLSR_EL1',
  'OSDLR_EL1',
  'DBGPRCR_EL1',
  'DBGCLAIMCLR_EL1',
  'DBGBVR0_EL1',
  'DBGBCR0_EL1',
  'DBGBVR1_EL1',
  'DBGBCR1_EL1',
  'DBGWVR0_EL1',
  'DBGWCR0_EL1',
  'DBGWVR1_EL1',
  'DBGWCR1_EL1',
  // Performance monitors: PMCR_EL0 last, it lets the counter run.
  'PMUSERENR_EL0',
  'PMSELR_EL0',
  'PMCCFILTR_EL0',
  'PMCCNTR_EL0',
  'PMCNTENSET_EL0',
  'PMINTENSET_EL1',
  'PMOVSSET_EL0',
  'PMCR_EL0',
] as const;
export type VcpuRegister = (typeof vcpuRegisters)[number];

const generalRegisters = 31;
const vectorBytes = 32 * 16;

/** Why a guest has left for EL2. */
export const exitCauses = [
  'IRQ',
  'FIQ',
  'SError',
  'HVC',
  'SMC',
  'MMIO',
  'stage-2 fault',
  'system register',
  'WFx',
  'other',
] as const;
export type ExitCause = (typeof exitCauses)[number];

const vcpu = record({
  isAllocated: 'u32',
  /** In its VM. */
  id: 'u32',
  vm: 'u32',
  core: 'u32',
  state: 'u32',
  /** It has been booted, or turned on by PSCI. */
  isOn: 'u32',
  x: array('u64', generalRegisters),
  elr: 'u64',
  spsr: 'u64',
  system: array('u64', vcpuRegisters.length),
  vectors: array('u8', vectorBytes),
  vgic: nested(vgicOfVcpu),
  exits: array('u64', exitCauses.length),
  injectedInterrupts: 'address',
  directInterrupts: 'address',
  switches: 'address',
  /** Running, and in a WFI or WFE that is not trapped. */
  guestTicks: 'address',
  asleepTicks: 'address',
});

const ipi = record({
  kind: 'u32',
  source: 'u32',
  vm: 'u32',
  a: 'u32',
  b: 'u32',
  c: 'u32',
  valueLow: 'u64',
  valueHigh: 'u64',
});

/** Kinds of messages between cores, by the numbers of the ancestor. */
export const ipiKinds = [
  'Intc',
  'Power',
  'EthernetMsg',
  'HyperFresh',
  'Hvc',
  'VMM',
  'MediatedDev',
  '',
  'IntInject',
] as const;

/**
 * What the physical interrupts are that a core takes at EL2: the hypervisor's own, those of transports that act for devices of VMs, the
 * SMMU's, those that a VM has by its configuration, and what nobody wants.
 */
export const interruptKinds = ['IPI', 'tick', 'maintenance', 'transport', 'SMMU', 'passthrough', 'stray'] as const;
export type InterruptKind = (typeof interruptKinds)[number];

/** Whose the time of a core is: the active vCPU's or else nobody's, the hypervisor's, or, once the machine is off, nobody's. */
export const coreHolder = { guest: 0, hypervisor: 1, off: 2 } as const;

const core = record({
  state: 'u32',
  /** MPIDR_EL1. */
  mpidr: 'u64',
  /** GICv2: the core's CPU interface, as a bit. */
  interfaceMask: 'u32',
  listRegisters: 'u32',
  /** Position of the vCPU that the registers belong to, plus one; 0 when idle. */
  active: 'u32',
  /** Positions of the vCPUs that can run here, in the order of their turns. */
  queueLength: 'u32',
  queue: array('u32', limits.vms),
  turn: 'u32',
  isTicking: 'u32',
  /** When the time slice ends, and the patience with block requests: counts of CNTPCT_EL0; 0 without (timer.ts). */
  sliceEnd: 'u64',
  patienceEnd: 'u64',
  /** How far the VM of this core has been made to abort (hold.ts), and which it is. */
  holdState: 'u32',
  heldVm: 'u32',
  ipiCount: 'u32',
  ipis: several(ipi, limits.ipis),
  /** What the core had counted at the last entry to EL2, or at its end (accounting.ts). */
  since: 'address',
  asleepSince: 'address',
  interruptsSince: 'address',
  /** Who has it since then: `coreHolder`. */
  holder: 'u32',
  guestTicks: 'address',
  guestAsleepTicks: 'address',
  idleTicks: 'address',
  hypervisorTicks: 'address',
  ticks: 'address',
  schedules: 'address',
  /** Interrupts taken at EL2 that are neither the hypervisor's own nor of the VM that is on the core. */
  foreignInterrupts: 'address',
  interrupts: array('u64', interruptKinds.length),
  /** Messages that have been asked to be answered, and the last one that was (hvc/ping.ts). */
  pings: 'u32',
  pingAnswered: 'u32',
  ipisSent: array('u64', ipiKinds.length),
  ipisReceived: array('u64', ipiKinds.length),
});

const system = record({
  /** 'RHYPER' and the version of this layout. */
  magic: 'u64',
  coreCount: 'u32',
  coresReady: 'u32',
  /** Pages of the hypervisor's own memory: one bit each, set where in use. */
  heapStart: 'address',
  heapPages: 'u32',
  heapHint: 'u32',
  heapBitmap: array('u32', 1024),
  freeCount: 'u32',
  free: several(record({ pa: 'address', bytes: 'address' }), limits.freeRegions),
  /** SPIs that some VM owns. */
  assignedInterrupts: array('u32', limits.intids / 32),
  smmu: nested(smmuState),
  vms: several(vm, limits.vms),
  vcpus: several(vcpu, limits.vcpus),
  disks: several(mediatedDisk, limits.mediatedDisks),
  /** The VM whose request of a mediated block device was begun last. */
  blockTurn: 'u32',
  cores: several(core, limits.cores),
});

export type SystemState = ReturnType<(typeof system)['at']>;
export type Vm = RecordOfLayout<typeof vm>;
export type VmConfig = RecordOfLayout<typeof vmConfig>;
export type Vcpu = RecordOfLayout<typeof vcpu>;
export type CoreState = RecordOfLayout<typeof core>;
export type MediatedDisk = SystemState['disks'][number];
export type IpiMessage = RecordOfLayout<typeof ipi>;
export type EmulatedDevice = RecordOfLayout<typeof emulatedDevice>;

type RecordOfLayout<L> = L extends { at(...args: never[]): infer R } ? R : never;

export const stateBytes = system.sizeBytes;
export const stateMagic = 0x0001_5245_5059_4852n;

/** The state at the start of the hypervisor's memory. */
export const stateAt = (memory: MemoryViews, address: number): SystemState => system.at(memory, address);

export const systemSlot = (name: VcpuRegister): number => vcpuRegisters.indexOf(name);
