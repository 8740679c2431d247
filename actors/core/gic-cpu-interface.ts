// The GICv3 CPU interface of a PE (Arm IHI 0069, "CPU interface" and "AArch64 System register descriptions"): plain state and
// synchronous functions that the core calls for its ICC_* registers. System registers only: ICC_SRE_ELx are RAO/WI.
// It holds at most one pending interrupt, the one that the redistributor set last, and signals it as IRQ or FIQ.
// The virtual interface (ICH_*, ICV_*) is in gic-virtual-interface.ts; the traps of ICC_* accesses the core's system register
// table decides before it calls.

import {
  ctlrEl1,
  type CpuInterfaceState,
  eoiModeEl3,
  groupPriorityMask,
  heldCanPreempt,
  highestActiveGroup,
  type IccName,
  pmhe,
  readControlEl3,
  resetState,
  runningPriority,
  smallestBinaryPoint,
  sre,
  writeControlEl3,
} from '../gic/cpu-interface-registers.ts';
import {
  allGroups,
  firstSpecialIntid,
  group,
  groupBit,
  type Group,
  idlePriority,
  intid as special,
  nonSecurePriorityRead,
  nonSecurePriorityWrite,
  priorityBits,
  priorityMask,
} from '../gic/groups.ts';
import { downstreamControl, streamMessages, upstreamControl } from '../gic/stream-protocol.ts';

/** How the CPU interface acts on the world: through its core. */
export interface CpuInterfacePort {
  /** Sends a message of the Stream Protocol to the PE's redistributor. */
  send(code: number, payload: readonly number[]): void;
  /** The interrupt signals to the PE; called when they change. */
  signal(irq: boolean, fiq: boolean): void;
}

/** What the CPU interface has to know of its PE. */
export interface PeContext {
  el: number;
  /** SCR_EL3.NS; true on a PE without EL3. */
  nonSecure: boolean;
  /** SCR_EL3.FIQ and SCR_EL3.IRQ; false on a PE without EL3. */
  fiqToEl3: boolean;
  irqToEl3: boolean;
  /** The effective HCR_EL2.FMO and HCR_EL2.IMO: set by TGE too; false where EL2 is not in use. */
  fiqToEl2: boolean;
  irqToEl2: boolean;
}

export interface CpuInterfaceOptions {
  readonly hasEl3: boolean;
  /** GICD_CTLR.DS at reset. */
  readonly disableSecurity: boolean;
}

export class GicCpuInterface {
  /** Kept by the core; it calls `contextChanged` after a change. */
  readonly context: PeContext;
  private readonly port: CpuInterfacePort;
  private readonly hasEl3: boolean;
  private state: CpuInterfaceState;
  private irq = false;
  private fiq = false;

  constructor(port: CpuInterfacePort, options: CpuInterfaceOptions) {
    this.port = port;
    this.hasEl3 = options.hasEl3;
    this.state = resetState(options.disableSecurity);
    const el = options.hasEl3 ? 3 : 2;
    this.context = {
      el,
      nonSecure: !options.hasEl3,
      fiqToEl3: false,
      irqToEl3: false,
      fiqToEl2: false,
      irqToEl2: false,
    };
  }

  /** True when every Activate, Deactivate and SGI has been acknowledged: a DSB that orders them may complete. */
  get isQuiet(): boolean {
    return this.state.unacknowledged === 0;
  }

  /** A reset of the PE: the registers, but not the conversation with the redistributor, which goes on. */
  reset(): void {
    this.setGroupEnables(0);
    const { disableSecurity, unacknowledged } = this.state;
    this.state = { ...resetState(disableSecurity), unacknowledged };
    this.signalPending();
  }

  contextChanged(): void {
    this.signalPending();
  }

  /** A message of the Stream Protocol from the redistributor. */
  receive(code: number, payload: readonly number[]): void {
    const { state } = this;
    const [first = 0, second = 0, third = 0, fourth = 0] = payload;
    switch (code) {
      case streamMessages.Set.code:
        this.set(first, second, third, fourth === 1);
        break;
      case streamMessages.Clear.code:
        if (this.holds(first)) this.release();
        this.port.send(streamMessages.ClearAcknowledge.code, [first]);
        break;
      case streamMessages.Quiesce.code:
        this.release();
        this.port.send(streamMessages.QuiesceAcknowledge.code, []);
        break;
      case streamMessages.DownstreamControl.code:
        if (first === downstreamControl.settings) state.disableSecurity = second === 1;
        this.port.send(streamMessages.DownstreamControlAcknowledge.code, [first]);
        break;
      case streamMessages.ActivateAcknowledge.code:
      case streamMessages.DeactivateAcknowledge.code:
      case streamMessages.GenerateSgiAcknowledge.code:
      case streamMessages.UpstreamControlAcknowledge.code:
        state.unacknowledged--;
        return;
    }
    this.signalPending();
  }

  read(register: IccName): number {
    const { state } = this;
    switch (register) {
      case 'ICC_PMR_EL1':
        return this.seesNonSecurePriorities ? this.nonSecureView(state.pmr) & priorityMask : state.pmr;
      case 'ICC_IAR0_EL1':
        return this.acknowledge(this.visibleInGroup0());
      case 'ICC_IAR1_EL1':
        return this.acknowledge(this.visibleInGroup1());
      case 'ICC_HPPIR0_EL1':
        return this.visibleInGroup0();
      case 'ICC_HPPIR1_EL1':
        return this.visibleInGroup1();
      case 'ICC_RPR_EL1':
        return this.seesNonSecurePriorities ? this.nonSecureView(runningPriority(state)) : runningPriority(state);
      case 'ICC_BPR0_EL1':
        return state.binaryPoints[group.group0]!;
      case 'ICC_BPR1_EL1':
        return this.readBinaryPoint1();
      case 'ICC_AP0R0_EL1':
        return state.activePriorities[group.group0]!;
      case 'ICC_AP1R0_EL1':
        return state.activePriorities[this.bankedGroup1]!;
      case 'ICC_CTLR_EL1':
        return ctlrEl1.fixed | state.control[this.bankedGroup1]! | (state.controlEl3 & pmhe);
      case 'ICC_CTLR_EL3':
        return readControlEl3(state);
      case 'ICC_SRE_EL1':
        return sre.el1;
      case 'ICC_SRE_EL2':
      case 'ICC_SRE_EL3':
        return sre.higher;
      case 'ICC_IGRPEN0_EL1':
        return state.groupEnables & groupBit(group.group0);
      case 'ICC_IGRPEN1_EL1':
        return (state.groupEnables & groupBit(this.bankedGroup1)) === 0 ? 0 : 1;
      case 'ICC_IGRPEN1_EL3':
        // EnableGrp1NS and EnableGrp1S.
        return state.groupEnables >>> group.group1NonSecure;
      case 'ICC_EOIR0_EL1':
      case 'ICC_EOIR1_EL1':
      case 'ICC_DIR_EL1':
      case 'ICC_SGI0R_EL1':
      case 'ICC_SGI1R_EL1':
      case 'ICC_ASGI1R_EL1':
        return 0;
    }
  }

  write(register: IccName, value: number | bigint): void {
    const low = typeof value === 'number' ? value >>> 0 : Number(value & 0xffff_ffffn);
    const high = typeof value === 'number' ? Math.floor(value / 2 ** 32) : Number((value >> 32n) & 0xffff_ffffn);
    switch (register) {
      case 'ICC_PMR_EL1':
        this.writePriorityMask(low & priorityMask);
        break;
      case 'ICC_EOIR0_EL1':
        this.endOfInterrupt(low & 0xff_ffff, true);
        break;
      case 'ICC_EOIR1_EL1':
        this.endOfInterrupt(low & 0xff_ffff, false);
        break;
      case 'ICC_DIR_EL1':
        this.deactivateInterrupt(low & 0xff_ffff);
        break;
      case 'ICC_SGI0R_EL1':
        this.generateSgi(group.group0, low, high);
        break;
      case 'ICC_SGI1R_EL1':
        this.generateSgi(this.isNonSecure ? group.group1NonSecure : group.group1Secure, low, high);
        break;
      case 'ICC_ASGI1R_EL1':
        // The Group 1 of the other Security state.
        this.generateSgi(this.isNonSecure ? group.group1Secure : group.group1NonSecure, low, high);
        break;
      case 'ICC_BPR0_EL1':
        this.state.binaryPoints[group.group0] = Math.max(low & 7, smallestBinaryPoint);
        break;
      case 'ICC_BPR1_EL1':
        this.writeBinaryPoint1(low & 7);
        break;
      case 'ICC_AP0R0_EL1':
        this.state.activePriorities[group.group0] = low;
        break;
      case 'ICC_AP1R0_EL1':
        this.writeActivePriorities1(low);
        break;
      case 'ICC_CTLR_EL1':
        this.writeControlEl1(low);
        break;
      case 'ICC_CTLR_EL3':
        writeControlEl3(this.state, low);
        break;
      case 'ICC_IGRPEN0_EL1':
        this.setGroupEnable(group.group0, (low & 1) === 1);
        break;
      case 'ICC_IGRPEN1_EL1':
        this.setGroupEnable(this.bankedGroup1, (low & 1) === 1);
        break;
      case 'ICC_IGRPEN1_EL3':
        this.setGroupEnables((this.state.groupEnables & 1) | ((low & 3) << group.group1NonSecure));
        break;
      default:
        // Read-only registers, and ICC_SRE_ELx, which are RAO/WI.
        return;
    }
    this.signalPending();
  }

  /** A virtual interrupt with ICH_LR<n>_EL2.HW has ended. A hypervisor, which is Non-secure, can end what is Non-secure. */
  deactivateForVirtual(intid: number): void {
    const groups = this.state.disableSecurity ? allGroups : groupBit(group.group1NonSecure);
    if (intid < firstSpecialIntid) this.deactivate(intid, groups);
  }

  save(): unknown {
    return structuredClone(this.state);
  }

  /** The signals follow from the state and from the context, which the core restores first. */
  restore(saved: unknown): void {
    this.state = structuredClone(saved) as CpuInterfaceState;
    this.signalPending();
  }

  // What is pending.

  private holds(intid: number): boolean {
    return this.state.heldPriority !== idlePriority && this.state.heldIntid === intid;
  }

  private set(intid: number, priority: number, itsGroup: number, reissue: boolean): void {
    const { state } = this;
    if (reissue) {
      this.port.send(streamMessages.Release.code, [intid]);
      return;
    }
    this.release();
    state.heldIntid = intid;
    state.heldPriority = priority;
    state.heldGroup = itsGroup;
    if ((state.groupEnables & groupBit(itsGroup)) === 0) this.release();
  }

  /** Gives back what is held, if anything is. */
  private release(): void {
    const { state } = this;
    if (state.heldPriority === idlePriority) return;
    this.port.send(streamMessages.Release.code, [state.heldIntid]);
    this.drop();
  }

  private drop(): void {
    this.state.heldIntid = special.spurious;
    this.state.heldPriority = idlePriority;
  }

  private get heldIsSecure(): boolean {
    return !this.state.disableSecurity && this.state.heldGroup !== group.group1NonSecure;
  }

  /** The pending interrupt as a read of ICC_HPPIR0_EL1 or ICC_IAR0_EL1 sees it. */
  private visibleInGroup0(): number {
    const { state, context } = this;
    if (state.heldPriority === idlePriority) return special.spurious;
    if (state.heldGroup !== group.group0 && context.el !== 3) return special.spurious;
    if (this.heldIsSecure && this.isNonSecure) return special.spurious;
    if (state.heldGroup === group.group0) return state.heldIntid;
    return this.heldIsSecure ? special.secureGroup1 : special.nonSecureGroup1;
  }

  /** The pending interrupt as a read of ICC_HPPIR1_EL1 or ICC_IAR1_EL1 sees it. */
  private visibleInGroup1(): number {
    const { state, context } = this;
    if (state.heldPriority === idlePriority || state.heldGroup === group.group0) return special.spurious;
    if (this.heldIsSecure) return this.isNonSecure ? special.spurious : state.heldIntid;
    // Non-secure interrupts are not for Secure EL1; with one Security state there is no such distinction.
    const foreign = !state.disableSecurity && !this.isNonSecure && context.el !== 3;
    return foreign ? special.spurious : state.heldIntid;
  }

  private signalPending(): void {
    const { state } = this;
    let irq = false;
    let fiq = false;
    if (heldCanPreempt(state)) {
      fiq = this.isSignalledAsFiq(state.heldGroup);
      irq = !fiq;
    }
    if (irq === this.irq && fiq === this.fiq) return;
    this.irq = irq;
    this.fiq = fiq;
    this.port.signal(irq, fiq);
  }

  /** "Interrupt assignment to IRQ and FIQ signals". */
  private isSignalledAsFiq(of: number): boolean {
    if (of === group.group0) return true;
    if (this.state.disableSecurity || !this.hasEl3) return false;
    return of === group.group1Secure ? this.isNonSecure || this.context.el === 3 : !this.isNonSecure;
  }

  // Acknowledge, priority drop, deactivation.

  private acknowledge(intid: number): number {
    if (!heldCanPreempt(this.state)) return special.spurious;
    if (intid >= firstSpecialIntid) return intid;
    const { state } = this;
    const priority = state.heldPriority & groupPriorityMask(state, state.heldGroup);
    state.activePriorities[state.heldGroup]! |= 1 << (priority >> (8 - priorityBits));
    state.activePriorities[state.heldGroup]! >>>= 0;
    this.drop();
    this.request(streamMessages.Activate.code, [intid]);
    this.signalPending();
    return intid;
  }

  private endOfInterrupt(intid: number, isGroup0: boolean): void {
    if (intid >= firstSpecialIntid) return;
    const { state, context } = this;
    const active = highestActiveGroup(state);
    if (active === undefined || (active === group.group0) !== isGroup0) return;
    const isSecure = !state.disableSecurity && active !== group.group1NonSecure;
    if (isSecure && this.isNonSecure) return;
    if (!isSecure && !state.disableSecurity && !this.isNonSecure && context.el !== 3) return;
    state.activePriorities[active]! &= state.activePriorities[active]! - 1;
    state.activePriorities[active]! >>>= 0;
    if (!this.eoiMode)
      this.deactivate(intid, this.isNonSecure && !state.disableSecurity ? groupBit(group.group1NonSecure) : allGroups);
    this.signalPending();
  }

  /** ICC_DIR_EL1: which groups the PE may deactivate where it is now. */
  private deactivateInterrupt(intid: number): void {
    if (intid >= firstSpecialIntid || !this.eoiMode) return;
    const { context } = this;
    const single = this.state.disableSecurity;
    const group0 = !context.fiqToEl3 && (context.el === 2 || !context.fiqToEl2) && (single || !this.isNonSecure);
    const group1 = !context.irqToEl3 && (context.el === 2 || !context.irqToEl2);
    let groups = allGroups;
    if (context.el < 3) {
      groups = group0 ? groupBit(group.group0) : 0;
      if (group1) groups |= groupBit(group.group1NonSecure);
      if (group1 && (single || !this.isNonSecure)) groups |= groupBit(group.group1Secure);
    }
    if (groups !== 0) this.deactivate(intid, groups);
  }

  private deactivate(intid: number, groups: number): void {
    this.request(streamMessages.Deactivate.code, [intid, groups]);
  }

  /** The effective EOImode: priority drop and deactivation are two writes. */
  private get eoiMode(): boolean {
    if (this.context.el === 3) return (this.state.controlEl3 & eoiModeEl3) !== 0;
    return (this.state.control[this.bankedGroup1]! & ctlrEl1.eoiMode) !== 0;
  }

  private generateSgi(asked: Group, low: number, high: number): void {
    const intid = (low >>> 24) & 0xf;
    const allButSelf = (high >>> 8) & 1;
    // TargetList 15:0, Aff1 23:16, Aff2 39:32, Aff3 55:48; ICC_CTLR.RSS is 0, so that RS is RES0.
    const affinity = ((((high >>> 16) & 0xff) << 24) | ((high & 0xff) << 16) | (((low >>> 16) & 0xff) << 8)) >>> 0;
    const fields = [intid, affinity, low & 0xffff, allButSelf, asked, this.isNonSecure ? 1 : 0];
    this.request(streamMessages.GenerateSgi.code, fields);
  }

  private request(code: number, payload: readonly number[]): void {
    this.state.unacknowledged++;
    this.port.send(code, payload);
  }

  // Banked registers and the Non-secure view of priorities.

  /** The Group 1 whose copy of a banked register the PE uses: at EL3 too, SCR_EL3.NS decides. */
  private get bankedGroup1(): Group {
    return this.context.nonSecure ? group.group1NonSecure : group.group1Secure;
  }

  /** The Security state of the PE: EL3 is Secure. */
  private get isNonSecure(): boolean {
    return this.context.nonSecure && this.context.el < 3;
  }

  private get seesNonSecurePriorities(): boolean {
    return this.hasEl3 && this.isNonSecure && this.context.fiqToEl3;
  }

  private nonSecureView(priority: number): number {
    if (priority === idlePriority) return idlePriority;
    return priority & 0x80 ? nonSecurePriorityRead(priority) : 0;
  }

  private writePriorityMask(value: number): void {
    if (!this.seesNonSecurePriorities) this.state.pmr = value;
    // A mask in the Secure half is not for Non-secure software to change.
    else if (this.state.pmr & 0x80) this.state.pmr = nonSecurePriorityWrite(value);
  }

  /** CBPR makes accesses of ICC_BPR1_EL1 below EL3 accesses of ICC_BPR0_EL1. */
  private get binaryPointIsCommon(): boolean {
    return this.context.el < 3 && (this.state.control[this.bankedGroup1]! & ctlrEl1.cbpr) !== 0;
  }

  private readBinaryPoint1(): number {
    const { binaryPoints } = this.state;
    if (!this.binaryPointIsCommon) return binaryPoints[this.bankedGroup1]!;
    const common = binaryPoints[group.group0]!;
    return this.context.nonSecure ? Math.min(common + 1, 7) : common;
  }

  private writeBinaryPoint1(value: number): void {
    const { binaryPoints } = this.state;
    if (this.context.nonSecure) {
      if (!this.binaryPointIsCommon) binaryPoints[group.group1NonSecure] = Math.max(value, smallestBinaryPoint + 1);
    } else {
      const of = this.binaryPointIsCommon ? group.group0 : group.group1Secure;
      binaryPoints[of] = Math.max(value, smallestBinaryPoint);
    }
  }

  private writeActivePriorities1(value: number): void {
    // Non-secure software cannot claim priorities of the Secure half, and so block Secure interrupts.
    const mask = this.hasEl3 && this.isNonSecure && !this.state.disableSecurity ? 0xffff_0000 : 0xffff_ffff;
    this.state.activePriorities[this.bankedGroup1] = (value & mask) >>> 0;
  }

  private writeControlEl1(value: number): void {
    // With two Security states CBPR and PMHE are EL3's to set.
    const shared = this.hasEl3 && !this.state.disableSecurity;
    const writable = ctlrEl1.eoiMode | (shared ? 0 : ctlrEl1.cbpr);
    const bank = this.bankedGroup1;
    this.state.control[bank] = (this.state.control[bank]! & ~writable) | (value & writable);
    if (!shared) this.state.controlEl3 = (this.state.controlEl3 & ~pmhe) | (value & pmhe);
  }

  private setGroupEnable(of: Group, enable: boolean): void {
    const { groupEnables } = this.state;
    this.setGroupEnables(enable ? groupEnables | groupBit(of) : groupEnables & ~groupBit(of));
  }

  private setGroupEnables(groupEnables: number): void {
    const { state } = this;
    if (groupEnables === state.groupEnables) return;
    state.groupEnables = groupEnables;
    this.request(streamMessages.UpstreamControl.code, [upstreamControl.physicalGroupEnables, groupEnables]);
    if ((groupEnables & groupBit(state.heldGroup)) === 0) this.release();
  }
}
