// How much of everything there is. The ancestor's limits where it has one, for its configurations must fit; each is checked where it
// is used and refused in words.

export const limits = {
  cores: 16,
  vms: 8,
  vcpus: 32,
  vcpusPerVm: 8,
  memoryRegionsPerVm: 4,
  emulatedDevicesPerVm: 16,
  emulatedDevices: 32,
  passthroughWindowsPerVm: 128,
  dtbDevicesPerVm: 16,
  interruptsPerVm: 64,
  streamsPerVm: 16,
  /** StreamIDs from 0 on: what the SMMU's stream table is made for. */
  streamIds: 2 ** 16,
  /** Streams that the hypervisor has a record of: of all VMs, and some that are nobody's. */
  streams: 64,
  /** Faults of a stream that the hypervisor hears of before it tells the SMMU to be silent about them. */
  recordedFaults: 100,
  /** Disks that the management VM offers to others. */
  mediatedDisks: 8,
  deviceArguments: 16,
  /** INTIDs: SGIs, PPIs and SPIs. */
  intids: 1024,
  listRegisters: 16,
  nameBytes: 32,
  commandLineBytes: 512,
  /** Messages that wait for one core. */
  ipis: 64,
  /** Pieces of the memory of VMs that are free. */
  freeRegions: 32,
  /** Interrupts that wait for a vCPU that is not running. */
  waitingInterrupts: 64,
} as const;

/** Interrupts that the hypervisor keeps for itself. */
export const ownInterrupts = {
  /** SGI that says: there is a message for this core. */
  ipi: 1,
  /** PPIs. */
  maintenance: 25,
  tick: 26,
} as const;

/** PPI of the EL1 virtual timer. */
export const virtualTimerIntid = 27;

/** SPI by which the hypervisor tells a VM that there is a message for it. */
export const notificationIntid = 64;
