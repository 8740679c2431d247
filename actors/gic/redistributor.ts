// A GICv3 redistributor (Arm IHI 0069): the SGIs and PPIs of one PE, the SPIs that the distributor offers to it, and the choice
// of the interrupt that its CPU interface holds. Left out: LPIs, GICR_CTLR.DPG* (TYPER.DPGS is 0), and the WakeRequest signal:
// a PE that sleeps by GICR_WAKER keeps its interrupts pending.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { type Device, type GuestErrors, noGuestErrors, serveBusRequest } from '../device.ts';
import { interruptWords } from './distributor-registers.ts';
import { allGroups, firstPpi, group, groupBit, type Group } from './groups.ts';
import { interconnectMessages } from './interconnect.ts';
import { type GicRegister, InterruptRegisters, interruptsPerWord } from './interrupt-registers.ts';
import {
  clearBit,
  InterruptState,
  isSpi,
  lowestBit,
  type SavedInterruptState,
  setBit,
  test,
} from './interrupt-state.ts';
import { redistributorRwp, redistributorTable, redistributorTyper, waker } from './redistributor-registers.ts';
import { forEachSgiTarget, sgiIsTaken } from './sgi.ts';
import { downstreamControl, streamMessages, upstreamControl } from './stream-protocol.ts';
import type { GicTopology } from './topology.ts';
import { wireMessages } from './wires.ts';

const version = 1;
const none = -1;
const allSgis = 0xffff;

interface SavedRedistributor {
  readonly version: typeof version;
  readonly interrupts: SavedInterruptState;
  readonly nsacr: readonly number[];
  readonly withdrawn: readonly number[];
  readonly presented: number;
  readonly presentedPriority: number;
  readonly presentedGroup: number;
  readonly clearing: boolean;
  readonly asleep: boolean;
  readonly quiescing: number;
  readonly distributorEnables: number;
  readonly disableSecurity: boolean;
  readonly peEnables: number;
  readonly participation: number;
  readonly groupEnablesOwed: number;
  readonly guestErrors: GuestErrors;
}

export class Redistributor implements Actor, Device {
  guestErrors: GuestErrors = noGuestErrors();
  private readonly port: Port;
  private readonly topology: GicTopology;
  private readonly pe: number;
  private readonly core: ActorId;
  /**
   * Word 0: SGIs and PPIs. The other words: SPIs that the distributor offers are latched, enabled, and in the group that it
   * told; their configuration and active state are its own.
   */
  private readonly interrupts = new InterruptState(interruptWords);
  private readonly registers: InterruptRegisters;
  /** SPIs that the distributor has withdrawn while they were outstanding at the CPU interface. */
  private readonly withdrawn = new Uint32Array(interruptWords);
  /** The interrupt of the latest Set that is not answered, and what that Set said. */
  private presented = none;
  private presentedPriority = 0;
  private presentedGroup: number = group.group0;
  /** A Clear waits for its acknowledge. */
  private clearing = false;
  /** GICR_WAKER.ProcessorSleep. */
  private asleep = true;
  /** Quiesce commands that wait for their acknowledge. */
  private quiescing = 0;
  /** GICD_CTLR.EnableGrp*, and ICC_IGRPEN*: masks by group number. */
  private distributorEnables = 0;
  private peEnables = 0;
  /** What the distributor was last told. */
  private participation = 0;
  /** GroupEnables whose acknowledge waits until no interrupt of a disabled group is outstanding. */
  private groupEnablesOwed = 0;

  constructor(port: Port, topology: GicTopology, pe: number) {
    this.port = port;
    this.topology = topology;
    this.pe = pe;
    this.core = topology.cores[pe]!;
    this.interrupts.edge[0] = allSgis;
    this.interrupts.enabled.fill(0xffff_ffff, 1);
    this.registers = new InterruptRegisters(this.interrupts, topology.disableSecurity);
  }

  receive(message: Message): void {
    if (!serveBusRequest(this.port, this, message)) this.act(message);
    this.present();
  }

  timer(): void {}

  private act({ code, source, payload }: Message): void {
    const [first = 0, second = 0, third = 0] = payload;
    switch (code) {
      case wireMessages.WireSet.code:
        this.interrupts.raise(first);
        break;
      case wireMessages.WireClear.code:
        this.interrupts.lower(first);
        break;
      case streamMessages.Activate.code:
        this.activated(first);
        break;
      case streamMessages.Release.code:
        this.released(first);
        break;
      case streamMessages.ClearAcknowledge.code:
        this.clearing = false;
        return;
      case streamMessages.Deactivate.code:
        this.deactivate(first, second);
        break;
      case streamMessages.GenerateSgi.code:
        this.generateSgi(payload);
        break;
      case streamMessages.UpstreamControl.code:
        if (first === upstreamControl.physicalGroupEnables) this.peEnables = second & allGroups;
        this.tellParticipation();
        this.port.send(source, streamMessages.UpstreamControlAcknowledge.code, [first]);
        break;
      case streamMessages.QuiesceAcknowledge.code:
        this.quiescing--;
        return;
      case interconnectMessages.ForwardSpi.code:
        this.offeredSpi(first, second, third, payload[3] === 1);
        break;
      case interconnectMessages.WithdrawSpi.code:
        this.withdrawSpi(first);
        break;
      case interconnectMessages.GroupEnables.code:
        this.setGroupEnables(first, second === 1);
        break;
      case interconnectMessages.ActivateSpiAcknowledge.code:
        this.port.send(this.core, streamMessages.ActivateAcknowledge.code, [first]);
        break;
      case interconnectMessages.DeactivateSpiAcknowledge.code:
        this.port.send(this.core, streamMessages.DeactivateAcknowledge.code, [first]);
        break;
      case interconnectMessages.Sgi.code:
        this.takeSgi(first, second as Group, third === 1);
        break;
    }
  }

  private get disableSecurity(): boolean {
    return this.registers.disableSecurity;
  }

  /** Interrupts of a word that the PE should be told of, if it is awake. */
  private wantedWord(w: number): number {
    const { interrupts } = this;
    const pending = interrupts.pendingWord(w) & ~this.withdrawn[w]!;
    if (pending === 0) return 0;
    const groups = this.distributorEnables & this.peEnables;
    return (
      pending & interrupts.enabled[w]! & ~interrupts.active[w]! & interrupts.inGroups(w, groups, this.disableSecurity)
    );
  }

  /** The highest-priority interrupt that may be set: of equal priorities the lowest INTID. */
  private highestPriority(): number {
    const { interrupts } = this;
    let best = none;
    for (let w = 0; w < interruptWords; w++) {
      let rest = this.wantedWord(w) & ~interrupts.offered[w]! & ~interrupts.reissued[w]!;
      for (; rest !== 0; rest &= rest - 1) {
        const candidate = w * 32 + lowestBit(rest);
        if (best === none || interrupts.priority[candidate]! < interrupts.priority[best]!) best = candidate;
      }
    }
    return best;
  }

  /** Brings what the CPU interface holds in line with what is pending, by at most one message. */
  private present(): void {
    this.settleGroupEnables();
    if (this.asleep || this.clearing) return;
    const { interrupts, presented } = this;
    const best = this.highestPriority();
    if (presented === none) {
      if (best !== none) this.set(best);
      return;
    }
    const wanted = ((this.wantedWord(presented >> 5) >>> (presented & 31)) & 1) === 1;
    const stale =
      this.presentedPriority !== interrupts.priority[presented]! ||
      this.presentedGroup !== interrupts.groupOf(presented, this.disableSecurity);
    if (!wanted || stale) {
      this.clearing = true;
      this.port.send(this.core, streamMessages.Clear.code, [presented]);
    } else if (best !== none && interrupts.priority[best]! < this.presentedPriority) {
      this.set(best);
    } else if (interrupts.needsReissue(presented)) {
      interrupts.reissue(presented);
      this.sendSet(1);
    }
  }

  private set(intid: number): void {
    this.interrupts.offer(intid);
    this.presented = intid;
    this.presentedPriority = this.interrupts.priority[intid]!;
    this.presentedGroup = this.interrupts.groupOf(intid, this.disableSecurity);
    this.sendSet(0);
  }

  private sendSet(reissue: number): void {
    const fields = [this.presented, this.presentedPriority, this.presentedGroup, reissue];
    this.port.send(this.core, streamMessages.Set.code, fields);
  }

  private activated(intid: number): void {
    const { interrupts } = this;
    const confirmationOwed = isSpi(intid) && this.reissueIsOwed(intid);
    interrupts.activate(intid);
    if (this.presented === intid) this.presented = none;
    if (!isSpi(intid)) {
      this.port.send(this.core, streamMessages.ActivateAcknowledge.code, [intid]);
      return;
    }
    this.forget(intid);
    this.toDistributor(interconnectMessages.ActivateSpi.code, [intid]);
    if (confirmationOwed) this.toDistributor(interconnectMessages.ReleaseSpi.code, [intid]);
  }

  private released(intid: number): void {
    const { interrupts } = this;
    const isOffered = test(interrupts.offered, intid);
    const confirmationOwed = isSpi(intid) && isOffered && this.reissueIsOwed(intid);
    interrupts.release(intid);
    if (confirmationOwed) {
      // The SPI was not taken before it became pending again: both are one interrupt.
      this.toDistributor(interconnectMessages.ReleaseSpi.code, [intid]);
      clearBit(interrupts.again, intid);
    }
    if (test(interrupts.offered, intid)) return;
    if (this.presented === intid) this.presented = none;
    if (isOffered && test(this.withdrawn, intid)) {
      this.forget(intid);
      this.toDistributor(interconnectMessages.ReleaseSpi.code, [intid]);
    }
  }

  private deactivate(intid: number, groups: number): void {
    if (isSpi(intid)) {
      this.toDistributor(interconnectMessages.DeactivateSpi.code, [intid, groups]);
      return;
    }
    if ((groups & groupBit(this.interrupts.groupOf(intid, this.disableSecurity))) !== 0)
      this.interrupts.deactivate(intid);
    this.port.send(this.core, streamMessages.DeactivateAcknowledge.code, [intid]);
  }

  private offeredSpi(intid: number, priority: number, itsGroup: number, reissue: boolean): void {
    const { interrupts } = this;
    if (reissue) {
      // Waits for what the PE does with the earlier offer, if it has it; else that offer's fate is known, and so is this one's.
      if (test(interrupts.offered, intid)) interrupts.pend(intid);
      else this.toDistributor(interconnectMessages.ReleaseSpi.code, [intid]);
      return;
    }
    interrupts.priority[intid] = priority;
    if (itsGroup === group.group1NonSecure) setBit(interrupts.group, intid);
    else clearBit(interrupts.group, intid);
    if (itsGroup === group.group1Secure) setBit(interrupts.groupModifier, intid);
    else clearBit(interrupts.groupModifier, intid);
    setBit(interrupts.latch, intid);
  }

  /** The distributor waits for the answer to a reissue of this SPI. */
  private reissueIsOwed(intid: number): boolean {
    return test(this.interrupts.again, intid) || test(this.interrupts.carried, intid);
  }

  private withdrawSpi(intid: number): void {
    if (!test(this.interrupts.latch, intid)) return;
    if (test(this.interrupts.offered, intid)) {
      setBit(this.withdrawn, intid);
      return;
    }
    this.forget(intid);
    this.toDistributor(interconnectMessages.ReleaseSpi.code, [intid]);
  }

  /** The SPI is the distributor's again. */
  private forget(intid: number): void {
    this.interrupts.unpend(intid);
    this.interrupts.deactivate(intid);
    clearBit(this.withdrawn, intid);
  }

  private setGroupEnables(enables: number, disableSecurity: boolean): void {
    this.distributorEnables = enables;
    this.groupEnablesOwed++;
    if (disableSecurity === this.disableSecurity) return;
    this.registers.disableSecurity = disableSecurity;
    this.port.send(this.core, streamMessages.DownstreamControl.code, [
      downstreamControl.settings,
      disableSecurity ? 1 : 0,
    ]);
  }

  private settleGroupEnables(): void {
    if (this.groupEnablesOwed === 0) return;
    for (let w = 0; w < interruptWords; w++) {
      const enabled = this.interrupts.inGroups(w, this.distributorEnables, this.disableSecurity);
      if ((this.interrupts.offered[w]! & ~enabled) !== 0) return;
    }
    for (; this.groupEnablesOwed > 0; this.groupEnablesOwed--) {
      this.toDistributor(interconnectMessages.GroupEnablesAcknowledge.code, []);
    }
  }

  private generateSgi(payload: readonly number[]): void {
    const [intid = 0, affinity = 0, targetList = 0, allButSelf = 0, asked = 0, nonSecure = 0] = payload;
    forEachSgiTarget(this.topology, this.pe, affinity, targetList, allButSelf === 1, (pe) => {
      if (pe === this.pe) this.takeSgi(intid, asked as Group, nonSecure === 1);
      else this.port.send(this.topology.redistributors[pe]!, interconnectMessages.Sgi.code, [intid, asked, nonSecure]);
    });
    this.port.send(this.core, streamMessages.GenerateSgiAcknowledge.code, [intid]);
  }

  private takeSgi(intid: number, asked: Group, nonSecure: boolean): void {
    const configured = this.interrupts.groupOf(intid, this.disableSecurity);
    const access = (this.registers.nsacr[0]! >>> (intid * 2)) & 3;
    if (sgiIsTaken(asked, configured, nonSecure, access, this.disableSecurity)) this.interrupts.pend(intid);
  }

  private tellParticipation(): void {
    const groups = this.asleep ? 0 : this.peEnables;
    if (groups === this.participation) return;
    this.participation = groups;
    this.toDistributor(interconnectMessages.Participation.code, [groups]);
  }

  private toDistributor(code: number, payload: readonly number[]): void {
    this.port.send(this.topology.distributor, code, payload);
  }

  read(offset: number, sizeBytes: number, nonSecure: boolean): number {
    const row = this.rowAt(offset, sizeBytes);
    if (row === undefined) return 0;
    const n = (offset - row.offset) >> 2;
    if (row.interrupts !== undefined) {
      if (sizeBytes === 1) return this.registers.readPriority(n * 4 + (offset & 3), nonSecure);
      return this.registers.read(row.interrupts, n, nonSecure) >>> 0;
    }
    switch (row.name) {
      case 'GICR_CTLR':
        return (this.interrupts.offered[0]! & ~this.interrupts.enabled[0]!) !== 0 ? redistributorRwp : 0;
      case 'GICR_TYPER':
        return n === 1 ? this.topology.affinities[this.pe]! >>> 0 : this.typerLow;
      case 'GICR_WAKER':
        // Non-secure accesses see RAZ/WI where there are two Security states.
        if (this.registers.isRestricted(nonSecure)) return 0;
        return this.asleep ? waker.processorSleep | (this.quiescing === 0 ? waker.childrenAsleep : 0) : 0;
      default:
        return row.reset;
    }
  }

  write(offset: number, sizeBytes: number, value: number, nonSecure: boolean): void {
    const row = this.rowAt(offset, sizeBytes);
    if (row === undefined) return;
    const n = (offset - row.offset) >> 2;
    if (row.access === 'RO') this.guestErrors.writeOfReadOnly++;
    else if (row.interrupts !== undefined) {
      // SGIs are always edge-triggered: GICR_ICFGR0 is fixed.
      if (row.interrupts === 'ICFGR' && n * interruptsPerWord('ICFGR') < firstPpi) return;
      if (sizeBytes === 1) this.registers.writePriority(n * 4 + (offset & 3), value, nonSecure);
      else this.registers.write(row.interrupts, n, value, nonSecure);
    } else if (row.name === 'GICR_WAKER' && !this.registers.isRestricted(nonSecure)) {
      this.setAsleep((value & waker.processorSleep) !== 0);
    }
  }

  private get typerLow(): number {
    const last = this.topology.lastOfRegion.has(this.pe) ? redistributorTyper.last : 0;
    return last | (this.pe << redistributorTyper.processorNumberShift);
  }

  private setAsleep(asleep: boolean): void {
    if (asleep === this.asleep) return;
    this.asleep = asleep;
    if (asleep) {
      this.quiescing++;
      this.port.send(this.core, streamMessages.Quiesce.code, []);
    }
    this.tellParticipation();
  }

  private rowAt(offset: number, sizeBytes: number): GicRegister | undefined {
    const row = redistributorTable.rows[redistributorTable.indexAt(offset)];
    if (row === undefined) {
      this.guestErrors.unknownOffset++;
      return undefined;
    }
    if (sizeBytes === 4 || (sizeBytes === 1 && row.interrupts === 'IPRIORITYR')) return row;
    this.guestErrors.unsupportedSize++;
    return undefined;
  }

  save(): SavedRedistributor {
    return {
      version,
      interrupts: this.interrupts.save(),
      nsacr: Array.from(this.registers.nsacr),
      withdrawn: Array.from(this.withdrawn),
      presented: this.presented,
      presentedPriority: this.presentedPriority,
      presentedGroup: this.presentedGroup,
      clearing: this.clearing,
      asleep: this.asleep,
      quiescing: this.quiescing,
      distributorEnables: this.distributorEnables,
      disableSecurity: this.disableSecurity,
      peEnables: this.peEnables,
      participation: this.participation,
      groupEnablesOwed: this.groupEnablesOwed,
      guestErrors: { ...this.guestErrors },
    };
  }

  restore(saved: SavedRedistributor): void {
    this.interrupts.restore(saved.interrupts);
    this.registers.nsacr.set(saved.nsacr);
    this.withdrawn.set(saved.withdrawn);
    this.presented = saved.presented;
    this.presentedPriority = saved.presentedPriority;
    this.presentedGroup = saved.presentedGroup;
    this.clearing = saved.clearing;
    this.asleep = saved.asleep;
    this.quiescing = saved.quiescing;
    this.distributorEnables = saved.distributorEnables;
    this.registers.disableSecurity = saved.disableSecurity;
    this.peEnables = saved.peEnables;
    this.participation = saved.participation;
    this.groupEnablesOwed = saved.groupEnablesOwed;
    this.guestErrors = { ...saved.guestErrors };
  }
}
