// The GICv3 distributor (Arm IHI 0069): SPIs, their configuration, their routing, and the group enables of the whole GIC.
// Affinity routing is always on, in both Security states (GICD_CTLR.ARE_* are RAO/WI). An SPI that can be taken is offered to
// one redistributor at a time; whatever changes in the meantime, it is offered elsewhere only after that one has answered.
// Left out: LPIs, message-based SPIs, extended SPIs, and the wake-up of a sleeping PE by a 1 of N interrupt (GICD_CTLR.E1NWF).

import type { Actor, Message, Port } from '../actor.ts';
import { type Device, type GuestErrors, noGuestErrors, serveBusRequest } from '../device.ts';
import { ctlr, distributorTable, interruptCount, interruptWords, irouter, typer } from './distributor-registers.ts';
import { allGroups, firstSpi, groupBit } from './groups.ts';
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
import type { GicTopology } from './topology.ts';
import { wireMessages } from './wires.ts';

const version = 1;
const nobody = -1;

interface SavedDistributor {
  readonly version: typeof version;
  readonly control: number;
  readonly spis: SavedInterruptState;
  readonly nsacr: readonly number[];
  readonly affinity: readonly number[];
  readonly oneOfN: readonly number[];
  readonly withdrawing: readonly number[];
  readonly offeredTo: readonly number[];
  readonly offeredPriority: readonly number[];
  readonly offeredGroup: readonly number[];
  readonly participation: readonly number[];
  readonly groupEnablesUnacknowledged: number;
  readonly guestErrors: GuestErrors;
}

export class Distributor implements Actor, Device {
  guestErrors: GuestErrors = noGuestErrors();
  private readonly port: Port;
  private readonly topology: GicTopology;
  /** GICD_CTLR without RWP; bits 2:0 and DS are all that varies. */
  private control: number;
  private readonly spis = new InterruptState(interruptWords);
  private readonly registers: InterruptRegisters;
  /** GICD_IROUTER by INTID: Aff3.Aff2.Aff1.Aff0, and Interrupt_Routing_Mode. */
  private readonly affinity = new Uint32Array(interruptCount);
  private readonly oneOfN = new Uint32Array(interruptWords);
  /** An offer has been withdrawn and its answer is awaited. */
  private readonly withdrawing = new Uint32Array(interruptWords);
  /** What the outstanding offer of an SPI said: its PE, priority and group. */
  private readonly offeredTo = new Int32Array(interruptCount).fill(nobody);
  private readonly offeredPriority = new Uint8Array(interruptCount);
  private readonly offeredGroup = new Uint8Array(interruptCount);
  /** By PE: the groups that it takes. */
  private readonly participation: Uint8Array;
  private groupEnablesUnacknowledged = 0;
  private readonly peOfRedistributor: ReadonlyMap<number, number>;

  constructor(port: Port, topology: GicTopology) {
    this.port = port;
    this.topology = topology;
    const { disableSecurity } = topology;
    this.control = ctlr.areSecure | (disableSecurity ? ctlr.disableSecurity : ctlr.areNonSecure);
    this.registers = new InterruptRegisters(this.spis, disableSecurity);
    this.participation = new Uint8Array(topology.cores.length);
    this.peOfRedistributor = new Map(topology.redistributors.map((actor, pe) => [actor, pe]));
  }

  receive(message: Message): void {
    if (serveBusRequest(this.port, this, message)) return;
    const [intid = 0] = message.payload;
    switch (message.code) {
      case wireMessages.WireSet.code:
        this.spis.raise(intid);
        break;
      case wireMessages.WireClear.code:
        this.spis.lower(intid);
        break;
      case interconnectMessages.ActivateSpi.code:
        this.answered(intid);
        this.spis.activate(intid);
        this.port.send(message.source, interconnectMessages.ActivateSpiAcknowledge.code, [intid]);
        break;
      case interconnectMessages.ReleaseSpi.code:
        this.spis.release(intid);
        if (!test(this.spis.offered, intid)) this.answered(intid);
        break;
      case interconnectMessages.DeactivateSpi.code:
        this.deactivate(intid, message.payload[1] ?? 0);
        this.port.send(message.source, interconnectMessages.DeactivateSpiAcknowledge.code, [intid]);
        break;
      case interconnectMessages.Participation.code:
        this.participation[this.peOfRedistributor.get(message.source)!] = intid;
        this.reconsiderWhere(this.oneOfN);
        return;
      case interconnectMessages.GroupEnablesAcknowledge.code:
        this.groupEnablesUnacknowledged--;
        return;
    }
    this.reconsider(intid);
  }

  timer(): void {}

  /** True while an effect of a write to GICD_CTLR or GICD_ICENABLER is not yet visible to every PE. */
  private get registerWritePending(): boolean {
    if (this.groupEnablesUnacknowledged > 0) return true;
    for (let w = 1; w < interruptWords; w++) {
      if ((this.spis.offered[w]! & ~(this.spis.enabled[w]! & this.inEnabledGroups(w))) !== 0) return true;
    }
    return false;
  }

  private get disableSecurity(): boolean {
    return this.registers.disableSecurity;
  }

  private inEnabledGroups(w: number): number {
    return this.spis.inGroups(w, this.control & ctlr.groupEnables, this.disableSecurity);
  }

  private isWanted(intid: number): boolean {
    const w = intid >> 5;
    const wanted = this.spis.pendingWord(w) & this.spis.enabled[w]! & ~this.spis.active[w]! & this.inEnabledGroups(w);
    return ((wanted >>> (intid & 31)) & 1) === 1;
  }

  /** The PE that the SPI is to be offered to, or `nobody`. */
  private route(intid: number): number {
    if (!test(this.oneOfN, intid)) return this.topology.peOfAffinity.get(this.affinity[intid]!) ?? nobody;
    // 1 of N: the PE that has it keeps it; else the lowest-numbered PE that is awake and takes the group.
    const takes = groupBit(this.spis.groupOf(intid, this.disableSecurity));
    const holder = this.offeredTo[intid]!;
    if (holder !== nobody && (this.participation[holder]! & takes) !== 0) return holder;
    return this.participation.findIndex((groups) => (groups & takes) !== 0);
  }

  /** Offers an SPI, or takes the offer back, as its state now demands. */
  private reconsider(intid: number): void {
    const target = this.isWanted(intid) ? this.route(intid) : nobody;
    if (test(this.spis.offered, intid)) {
      if (test(this.withdrawing, intid)) return;
      if (target !== this.offeredTo[intid]! || this.offerIsStale(intid)) {
        setBit(this.withdrawing, intid);
        this.send(this.offeredTo[intid]!, interconnectMessages.WithdrawSpi.code, [intid]);
      } else if (this.spis.needsReissue(intid)) {
        this.spis.reissue(intid);
        this.forward(intid, target, 1);
      }
    } else if (target !== nobody && this.spis.isWithheld(intid)) {
      this.spis.offer(intid);
      this.offeredTo[intid] = target;
      this.offeredPriority[intid] = this.spis.priority[intid]!;
      this.offeredGroup[intid] = this.spis.groupOf(intid, this.disableSecurity);
      this.forward(intid, target, 0);
    }
  }

  private offerIsStale(intid: number): boolean {
    return (
      this.offeredPriority[intid] !== this.spis.priority[intid] ||
      this.offeredGroup[intid] !== this.spis.groupOf(intid, this.disableSecurity)
    );
  }

  private forward(intid: number, pe: number, reissue: number): void {
    const fields = [intid, this.offeredPriority[intid]!, this.offeredGroup[intid]!, reissue];
    this.send(pe, interconnectMessages.ForwardSpi.code, fields);
  }

  private answered(intid: number): void {
    clearBit(this.withdrawing, intid);
    this.offeredTo[intid] = nobody;
  }

  /** Reconsiders the SPIs of a bitmap that are pending or offered; the others cannot change by a new route or group enable. */
  private reconsiderWhere(bits: Uint32Array): void {
    for (let w = 1; w < interruptWords; w++) {
      let rest = bits[w]! & (this.spis.pendingWord(w) | this.spis.offered[w]!);
      for (; rest !== 0; rest &= rest - 1) this.reconsider(w * 32 + lowestBit(rest));
    }
  }

  private deactivate(intid: number, groups: number): void {
    if ((groups & groupBit(this.spis.groupOf(intid, this.disableSecurity))) !== 0) this.spis.deactivate(intid);
  }

  private send(pe: number, code: number, payload: readonly number[]): void {
    this.port.send(this.topology.redistributors[pe]!, code, payload);
  }

  read(offset: number, sizeBytes: number, nonSecure: boolean): number {
    const row = this.rowAt(offset, sizeBytes);
    if (row === undefined) return 0;
    const n = (offset - row.offset) >> 2;
    if (row.interrupts !== undefined) {
      const first = n * interruptsPerWord(row.interrupts);
      if (!isSpi(first) || first >= interruptCount) return 0;
      if (sizeBytes === 1) return this.registers.readPriority(first + (offset & 3), nonSecure);
      return this.registers.read(row.interrupts, n, nonSecure) >>> 0;
    }
    switch (row.name) {
      case 'GICD_CTLR':
        return this.readControl(nonSecure);
      case 'GICD_TYPER':
        return row.reset | (this.disableSecurity ? 0 : typer.securityExtn);
      case 'GICD_IROUTER':
        return this.readRoute(n >> 1, n & 1, nonSecure);
      default:
        return row.access === 'WO' ? 0 : row.reset;
    }
  }

  write(offset: number, sizeBytes: number, value: number, nonSecure: boolean): void {
    const row = this.rowAt(offset, sizeBytes);
    if (row === undefined) return;
    const n = (offset - row.offset) >> 2;
    if (row.access === 'RO') this.guestErrors.writeOfReadOnly++;
    else if (row.interrupts !== undefined) {
      const first = n * interruptsPerWord(row.interrupts);
      if (!isSpi(first) || first >= interruptCount) return;
      if (sizeBytes === 1) this.registers.writePriority(first + (offset & 3), value, nonSecure);
      else this.registers.write(row.interrupts, n, value, nonSecure);
      for (let i = 0; i < interruptsPerWord(row.interrupts); i++) this.reconsider(first + i);
    } else if (row.name === 'GICD_CTLR') this.writeControl(value, nonSecure);
    else if (row.name === 'GICD_IROUTER') this.writeRoute(n >> 1, n & 1, value, nonSecure);
  }

  /** Registers are accessed by word; GICD_IPRIORITYR and GICD_ITARGETSR by byte too. */
  private rowAt(offset: number, sizeBytes: number): GicRegister | undefined {
    const row = distributorTable.rows[distributorTable.indexAt(offset)];
    if (row === undefined) {
      this.guestErrors.unknownOffset++;
      return undefined;
    }
    const byteAccess = row.interrupts === 'IPRIORITYR' || row.name === 'GICD_ITARGETSR';
    if (sizeBytes === 4 || (sizeBytes === 1 && byteAccess)) return row;
    this.guestErrors.unsupportedSize++;
    return undefined;
  }

  private readControl(nonSecure: boolean): number {
    const value = (this.control | (this.registerWritePending ? ctlr.rwp : 0)) >>> 0;
    if (!this.registers.isRestricted(nonSecure)) return value;
    // The Non-secure view: RWP, ARE_NS at bit 4, EnableGrp1A at bit 1.
    return (value & (ctlr.rwp | ctlr.areSecure | 0b10)) >>> 0;
  }

  private writeControl(value: number, nonSecure: boolean): void {
    const before = this.control;
    const restricted = this.registers.isRestricted(nonSecure);
    // DS is set once and for all; it takes EnableGrp1S and ARE_NS with it.
    if (!restricted && (value & ctlr.disableSecurity) !== 0) {
      this.control = (this.control & ~ctlr.areNonSecure) | ctlr.disableSecurity;
      this.registers.disableSecurity = true;
    }
    const writable = restricted ? 0b010 : this.disableSecurity ? 0b011 : allGroups;
    this.control = (this.control & ~writable) | (value & writable);
    if (this.disableSecurity) this.control &= ~0b100;
    if (this.control === before) return;
    this.topology.redistributors.forEach((redistributor) => {
      const fields = [this.control & ctlr.groupEnables, this.disableSecurity ? 1 : 0];
      this.port.send(redistributor, interconnectMessages.GroupEnables.code, fields);
      this.groupEnablesUnacknowledged++;
    });
    this.reconsiderWhere(this.spis.enabled);
    this.reconsiderWhere(this.spis.offered);
  }

  private readRoute(intid: number, half: number, nonSecure: boolean): number {
    if (intid < firstSpi || intid >= interruptCount || !this.registers.mayRoute(intid, nonSecure)) return 0;
    const affinity = this.affinity[intid]!;
    if (half === 1) return affinity >>> 24;
    return ((test(this.oneOfN, intid) ? irouter.routingMode : 0) | (affinity & irouter.affinityLow)) >>> 0;
  }

  private writeRoute(intid: number, half: number, value: number, nonSecure: boolean): void {
    if (intid < firstSpi || intid >= interruptCount || !this.registers.mayRoute(intid, nonSecure)) return;
    const affinity = this.affinity[intid]!;
    if (half === 1) {
      this.affinity[intid] = (affinity & irouter.affinityLow) | ((value & irouter.affinityHigh) << 24);
    } else {
      this.affinity[intid] = (affinity & ~irouter.affinityLow) | (value & irouter.affinityLow);
      if ((value & irouter.routingMode) !== 0) setBit(this.oneOfN, intid);
      else clearBit(this.oneOfN, intid);
    }
    this.reconsider(intid);
  }

  save(): SavedDistributor {
    return {
      version,
      control: this.control,
      spis: this.spis.save(),
      nsacr: Array.from(this.registers.nsacr),
      affinity: Array.from(this.affinity),
      oneOfN: Array.from(this.oneOfN),
      withdrawing: Array.from(this.withdrawing),
      offeredTo: Array.from(this.offeredTo),
      offeredPriority: Array.from(this.offeredPriority),
      offeredGroup: Array.from(this.offeredGroup),
      participation: Array.from(this.participation),
      groupEnablesUnacknowledged: this.groupEnablesUnacknowledged,
      guestErrors: { ...this.guestErrors },
    };
  }

  restore(saved: SavedDistributor): void {
    this.control = saved.control;
    this.registers.disableSecurity = (saved.control & ctlr.disableSecurity) !== 0;
    this.spis.restore(saved.spis);
    this.registers.nsacr.set(saved.nsacr);
    this.affinity.set(saved.affinity);
    this.oneOfN.set(saved.oneOfN);
    this.withdrawing.set(saved.withdrawing);
    this.offeredTo.set(saved.offeredTo);
    this.offeredPriority.set(saved.offeredPriority);
    this.offeredGroup.set(saved.offeredGroup);
    this.participation.set(saved.participation);
    this.groupEnablesUnacknowledged = saved.groupEnablesUnacknowledged;
    this.guestErrors = { ...saved.guestErrors };
  }
}
