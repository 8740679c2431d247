// The virtual CPU interface of a PE (Arm IHI 0069, "Virtual Interrupt Handling and Prioritization"; in IHI 0048 the same of GICv2):
// list registers, active priorities, the control of a virtual machine, and what they signal. Two sets of registers lead here:
// ICH_* and ICV_* of a core, and the frames GICH and GICV of a GICv2. ICH_HCR_EL2 and GICH_HCR, and ICH_VMCR_EL2 and GICH_VMCR, have
// the same layout. Left out: virtual LPIs and SGIs that need no list register (GICv4), and SEIs of the CPU interface.

import { firstLpi, idlePriority, isSpecialIntid, priorityBits } from './groups.ts';

/** How the virtual interface acts on the world. */
export interface VirtualInterfacePort {
  /** The virtual interrupt signals to the PE; called when they change. */
  signal(virq: boolean, vfiq: boolean): void;
  /** The maintenance interrupt; called when it changes. */
  maintenance(level: boolean): void;
  /** A virtual interrupt that stands for a physical one has been deactivated: so is the physical one. */
  deactivate(physicalIntid: number): void;
}

export interface VirtualInterfaceOptions {
  /** List registers, 1 to 16. */
  readonly lists: number;
  /** Bits of HCR that software can change. */
  readonly writableHcr: number;
  /** Bits of VMCR that are RES1. */
  readonly vmcrOnes: number;
  readonly writableVmcr: number;
  /** GICv2: one register of active priorities for both groups. */
  readonly sharesActivePriorities: boolean;
}

/** ICH_HCR_EL2. */
export const hcr = {
  en: 1 << 0,
  uie: 1 << 1,
  lrenpie: 1 << 2,
  npie: 1 << 3,
  /** VGrp0EIE, VGrp0DIE, VGrp1EIE, VGrp1DIE, in the places that MISR has for what they enable. */
  groupInterrupts: 0xf0,
  /** TC, TALL0, TALL1, TDIR; TSEI is RES0, as VTR.SEIS is. */
  traps: (1 << 10) | (1 << 11) | (1 << 12) | (1 << 14),
  eoiCount: 0xf800_0000,
  eoiCountOne: 1 << 27,
} as const;

/** ICH_MISR_EL2; U, LRENP and NP stand where their enables stand. */
const misr = { eoi: 1 << 0, vGrp0E: 1 << 4, vGrp0D: 1 << 5, vGrp1E: 1 << 6, vGrp1D: 1 << 7 } as const;

/** ICH_VMCR_EL2. */
export const vmcr = {
  /** VENG0; VENG1 is one bit higher. */
  veng0: 1 << 0,
  veng1: 1 << 1,
  vAckCtl: 1 << 2,
  vFiqEn: 1 << 3,
  vcbpr: 1 << 4,
  veoim: 1 << 9,
  binaryPoints: 0x00fc_0000,
  vpmr: 0xf800_0000,
} as const;
const binaryPointShift = [21, 18] as const;
const vpmrShift = 24;

/** The smallest value of each binary point: all five bits decide on preemption. */
const smallestBinaryPoint = [7 - priorityBits, 8 - priorityBits] as const;

/** State of a list register: a pending and an active bit. */
const state = { pending: 1, active: 2 } as const;

/** In `physical`, where the interrupt is the hypervisor's own: its deactivation asks for maintenance. */
export const eoiMaintenance = 1 << 9;

/** A list register. */
export interface ListRegister {
  /** Bit 0: pending, bit 1: active. */
  state: number;
  hw: boolean;
  group: 0 | 1;
  priority: number;
  /** With `hw` the INTID of the physical interrupt, else `eoiMaintenance` or 0. */
  physical: number;
  /** What the virtual machine sees; of a GICv2's SGI the source PE in bits [12:10] too. */
  intid: number;
}

export interface VirtualInterfaceState {
  version: 1;
  hcr: number;
  vmcr: number;
  /** Active priorities of Group 0 and Group 1, a bit for each of the 32 group priorities. */
  activePriorities: number[];
  lists: ListRegister[];
  /** What was last told. */
  virq: boolean;
  vfiq: boolean;
  maintenance: boolean;
}

const emptyList = (): ListRegister => ({ state: 0, hw: false, group: 0, priority: 0, physical: 0, intid: 0 });
const lowestSet = (bits: number): number => 31 - Math.clz32(bits & -bits);

export class VirtualInterface {
  private readonly port: VirtualInterfacePort;
  private readonly options: VirtualInterfaceOptions;
  private readonly state: VirtualInterfaceState;

  constructor(port: VirtualInterfacePort, options: VirtualInterfaceOptions) {
    this.port = port;
    this.options = options;
    this.state = {
      version: 1,
      hcr: 0,
      vmcr: 0,
      activePriorities: [0, 0],
      lists: Array.from({ length: options.lists }, emptyList),
      virq: false,
      vfiq: false,
      maintenance: false,
    };
    this.setVmcr(0);
  }

  reset(): void {
    this.state.hcr = 0;
    this.state.activePriorities.fill(0);
    this.state.lists = this.state.lists.map(emptyList);
    this.setVmcr(0);
    this.update();
  }

  // What the hypervisor controls.

  get hcr(): number {
    return this.state.hcr;
  }

  writeHcr(value: number): void {
    this.state.hcr = (value & this.options.writableHcr) >>> 0;
    this.update();
  }

  get vmcr(): number {
    return this.state.vmcr;
  }

  writeVmcr(value: number): void {
    this.setVmcr(value);
    this.update();
  }

  private setVmcr(value: number): void {
    this.state.vmcr = ((value & this.options.writableVmcr) | this.options.vmcrOnes) >>> 0;
    for (const group of [0, 1] as const) this.setBinaryPoint(group, this.binaryPoint(group));
  }

  list(n: number): Readonly<ListRegister> | undefined {
    return this.state.lists[n];
  }

  writeList(n: number, list: ListRegister): void {
    this.state.lists[n] = { ...list, priority: list.priority & 0xf8 };
    this.update();
  }

  activePriorities(group: 0 | 1): number {
    return this.state.activePriorities[group]!;
  }

  writeActivePriorities(group: 0 | 1, value: number): void {
    this.state.activePriorities[group] = value >>> 0;
    this.update();
  }

  /** VTR without the features of its version: PRIbits, PREbits, ListRegs. */
  get vtr(): number {
    return (((priorityBits - 1) << 29) | ((priorityBits - 1) << 26) | (this.options.lists - 1)) >>> 0;
  }

  /** EISR: list registers whose interrupt has ended and whose owner wants to know. */
  get eisr(): number {
    return this.listsWhere((list) => list.state === 0 && this.wantsMaintenance(list));
  }

  /** ELRSR: list registers that are free, and that nobody waits to hear of. */
  get elrsr(): number {
    return this.listsWhere((list) => list.state === 0 && !this.wantsMaintenance(list));
  }

  get misr(): number {
    const { hcr: controls, vmcr: control } = this.state;
    let valid = 0;
    let pending = 0;
    for (const list of this.state.lists) {
      if (list.state !== 0) valid++;
      if (list.state === state.pending) pending++;
    }
    const enabled =
      ((control & vmcr.veng0) !== 0 ? misr.vGrp0E : misr.vGrp0D) |
      ((control & vmcr.veng1) !== 0 ? misr.vGrp1E : misr.vGrp1D);
    return (
      (this.eisr !== 0 ? misr.eoi : 0) |
      (valid <= 1 ? controls & hcr.uie : 0) |
      ((controls & hcr.eoiCount) !== 0 ? controls & hcr.lrenpie : 0) |
      (pending === 0 ? controls & hcr.npie : 0) |
      (controls & enabled)
    );
  }

  private wantsMaintenance(list: ListRegister): boolean {
    return !list.hw && (list.physical & eoiMaintenance) !== 0;
  }

  private listsWhere(holds: (list: ListRegister) => boolean): number {
    return this.state.lists.reduce((bits, list, n) => (holds(list) ? bits | (1 << n) : bits), 0);
  }

  // What the virtual machine controls.

  binaryPoint(group: 0 | 1): number {
    return (this.state.vmcr >>> binaryPointShift[group]) & 7;
  }

  /** A value below the smallest sets the smallest. */
  private setBinaryPoint(group: 0 | 1, value: number): void {
    const shift = binaryPointShift[group];
    const field = Math.max(value & 7, smallestBinaryPoint[group]) << shift;
    this.state.vmcr = ((this.state.vmcr & ~(7 << shift)) | field) >>> 0;
  }

  writeBinaryPoint(group: 0 | 1, value: number): void {
    this.setBinaryPoint(group, value);
    this.update();
  }

  get priorityMask(): number {
    return this.state.vmcr >>> vpmrShift;
  }

  writePriorityMask(value: number): void {
    this.control(vmcr.vpmr, value << vpmrShift);
  }

  /** Changes the bits of VMCR that `mask` has. */
  control(mask: number, value: number): void {
    this.writeVmcr((this.state.vmcr & ~mask) | (value & mask));
  }

  get runningPriority(): number {
    const active = this.state.activePriorities[0]! | this.state.activePriorities[1]!;
    return active === 0 ? idlePriority : lowestSet(active) << (8 - priorityBits);
  }

  /** HighestPriorityVirtualInterrupt(): of equal priorities the lowest list register. */
  highestPending(): ListRegister | undefined {
    let best: ListRegister | undefined;
    for (const list of this.state.lists) {
      if (list.state !== state.pending || ((this.state.vmcr >>> list.group) & 1) === 0) continue;
      if (best === undefined || list.priority < best.priority) best = list;
    }
    return best;
  }

  /** CanSignalVirtualInterrupt(): above the mask, and above what is running. */
  canSignal(list: ListRegister): boolean {
    if ((this.state.hcr & hcr.en) === 0 || list.priority >= this.priorityMask) return false;
    const running = this.runningPriority;
    if (running === idlePriority) return true;
    const mask = this.groupPriorityMask(list.group);
    return (list.priority & mask) < (running & mask);
  }

  private groupPriorityMask(group: 0 | 1): number {
    const using = (this.state.vmcr & vmcr.vcbpr) !== 0 ? 0 : group;
    // The binary point of Group 1 counts from one bit higher.
    return (0xff << (this.binaryPoint(using) + 1 - using)) & 0xff;
  }

  /** Acknowledges what `highestPending` has returned and `canSignal` allows. */
  acknowledge(list: ListRegister): number {
    list.state &= ~state.pending;
    if (!isSpecialIntid(list.intid)) {
      list.state |= state.active;
      const level = (list.priority & this.groupPriorityMask(list.group)) >> (8 - priorityBits);
      const bank = this.bankOf(list.group);
      this.state.activePriorities[bank] = (this.state.activePriorities[bank]! | (1 << level)) >>> 0;
    }
    this.update();
    return list.intid;
  }

  private bankOf(group: 0 | 1): 0 | 1 {
    return this.options.sharesActivePriorities ? 0 : group;
  }

  /** VPriorityDrop(): clears the highest active priority and returns it; undefined where nothing is active. */
  private dropPriority(): number | undefined {
    const dropped = this.runningPriority;
    if (dropped === idlePriority) return undefined;
    const [group0 = 0, group1 = 0] = this.state.activePriorities;
    const top = 1 << (dropped >> (8 - priorityBits));
    const bank = (group0 & top) !== 0 ? 0 : 1;
    this.state.activePriorities[bank] = ((bank === 0 ? group0 : group1) & ~top) >>> 0;
    return dropped;
  }

  /**
   * A write of EOIR of a group, or of both groups. The priority is dropped before anything else is looked at; where none is active, the list registers
   * are not looked at either (both CONSTRAINED UNPREDICTABLE, and so in QEMU).
   */
  endOfInterrupt(intid: number, group?: 0 | 1): void {
    const dropped = this.dropPriority();
    if (dropped === undefined) return;
    const list = this.activeList(intid);
    // An LPI is deactivated in any case, and nobody counts those that are in no list register.
    const deactivates = (this.state.vmcr & vmcr.veoim) === 0 || intid >= firstLpi;
    if (list === undefined) {
      if (deactivates && intid < firstLpi) this.countEoi();
    } else if (deactivates && (group === undefined || this.matches(list, group, dropped))) {
      this.deactivateList(list);
    }
    this.update();
  }

  private matches(list: ListRegister, group: 0 | 1, dropped: number): boolean {
    return list.group === group && (list.priority & this.groupPriorityMask(group)) === dropped;
  }

  /** A write of DIR. */
  deactivate(intid: number): void {
    if ((this.state.vmcr & vmcr.veoim) === 0 || intid >= firstLpi) return;
    const list = this.activeList(intid);
    if (list === undefined) this.countEoi();
    else this.deactivateList(list);
    this.update();
  }

  private activeList(intid: number): ListRegister | undefined {
    return this.state.lists.find((list) => (list.state & state.active) !== 0 && list.intid === intid);
  }

  private deactivateList(list: ListRegister): void {
    list.state &= ~state.active;
    if (list.hw) this.port.deactivate(list.physical);
  }

  /** EOIcount: an interrupt has ended that is in no list register; the field wraps. */
  private countEoi(): void {
    this.state.hcr = (this.state.hcr + hcr.eoiCountOne) >>> 0;
  }

  /** Tells what has changed. Without FIQEn, which GICv3 has set, Group 0 is signalled as IRQ too. */
  private update(): void {
    const { state: now } = this;
    const pending = this.highestPending();
    const isSignalled = pending !== undefined && this.canSignal(pending);
    const vfiq = isSignalled && pending.group === 0 && (now.vmcr & vmcr.vFiqEn) !== 0;
    const virq = isSignalled && !vfiq;
    const maintenance = (now.hcr & hcr.en) !== 0 && this.misr !== 0;
    if (virq !== now.virq || vfiq !== now.vfiq) {
      now.virq = virq;
      now.vfiq = vfiq;
      this.port.signal(virq, vfiq);
    }
    if (maintenance === now.maintenance) return;
    now.maintenance = maintenance;
    this.port.maintenance(maintenance);
  }

  save(): VirtualInterfaceState {
    return structuredClone(this.state);
  }

  /** Says nothing: who was told knows it still. */
  restore(saved: VirtualInterfaceState): void {
    Object.assign(this.state, structuredClone(saved));
  }
}
