// The distributor of a GICv2 (Arm IHI 0048, "The Distributor"): interrupts, their configuration, and which of them each CPU interface
// is offered. The registers of SGIs and PPIs are banked: what a core reads and writes is its own. SGIs are pending for each pair of
// sender and target. Left out: GICD_PPISR and GICD_SPISR, which a GIC-400 has beyond the architecture.

import type { GuestErrors } from '../device.ts';
import { interruptCount, interruptWords } from '../gic/distributor-registers.ts';
import { firstPpi, firstSpi, group, groupBit } from '../gic/groups.ts';
import { type GicRegister, InterruptRegisters, interruptsPerWord } from '../gic/interrupt-registers.ts';
import { clearBit, InterruptState, lowestBit, type SavedInterruptState, setBit } from '../gic/interrupt-state.ts';
import { distributorTable, typer } from './registers.ts';

const allSgis = 0xffff;
const fixedForSgis: ReadonlySet<string> = new Set(['ISENABLER', 'ICENABLER', 'ISPENDR', 'ICPENDR']);

/** GICD_SGIR. */
const sgir = { nsatt: 1 << 15, targetListShift: 16, filterShift: 24 } as const;

export interface Pending {
  readonly intid: number;
  readonly priority: number;
  readonly group: 0 | 1;
}

export interface SavedDistributor {
  readonly control: number;
  readonly banks: readonly SavedInterruptState[];
  readonly spis: SavedInterruptState;
  readonly nsacr: readonly (readonly number[])[];
  readonly targets: readonly number[];
  readonly sgiSources: readonly (readonly number[])[];
}

export class GicV2Distributor {
  private readonly cores: number;
  private readonly security: boolean;
  private readonly guestErrors: GuestErrors;
  /** GICD_CTLR: EnableGrp0 and EnableGrp1, by group number. */
  private control = 0;
  /** SGIs and PPIs of each core. */
  private readonly banks: readonly InterruptRegisters[];
  private readonly spis: InterruptRegisters;
  /** GICD_ITARGETSR by INTID: a bit for each core. */
  private readonly targets = new Uint8Array(interruptCount);
  /** By target and SGI: the cores that have sent it, a bit for each. */
  private readonly sgiSources: readonly Uint8Array[];

  constructor(cores: number, security: boolean, guestErrors: GuestErrors) {
    this.cores = cores;
    this.security = security;
    this.guestErrors = guestErrors;
    this.banks = Array.from({ length: cores }, () => new InterruptRegisters(new InterruptState(1), !security));
    for (const { state } of this.banks) {
      state.edge[0] = allSgis;
      state.enabled[0] = allSgis;
    }
    this.spis = new InterruptRegisters(new InterruptState(interruptWords), !security);
    this.sgiSources = this.banks.map(() => new Uint8Array(firstPpi));
  }

  private bankOf(core: number, intid: number): InterruptRegisters {
    return intid < firstSpi ? this.banks[core]! : this.spis;
  }

  /** A wire of a device, or of a core for its own PPIs. */
  wire(core: number, intid: number, high: boolean): void {
    const { state } = this.bankOf(core, intid);
    if (high) state.raise(intid);
    else state.lower(intid);
  }

  groupOf(core: number, intid: number): 0 | 1 {
    return this.bankOf(core, intid).state.groupOf(intid, true) === group.group0 ? 0 : 1;
  }

  /** The interrupt of highest priority that is forwarded to a core's CPU interface: of equal priorities the lowest INTID. */
  highestPending(core: number): Pending | undefined {
    let best: number | undefined;
    let bestPriority = 0x100;
    for (let w = 0; w < interruptWords; w++) {
      const { state } = w === 0 ? this.banks[core]! : this.spis;
      let rest = state.pendingWord(w) & state.enabled[w]! & ~state.active[w]! & state.inGroups(w, this.control, true);
      for (; rest !== 0; rest &= rest - 1) {
        const intid = w * 32 + lowestBit(rest);
        if (state.priority[intid]! >= bestPriority || !this.isTarget(core, intid)) continue;
        best = intid;
        bestPriority = state.priority[intid]!;
      }
    }
    return best === undefined ? undefined : { intid: best, priority: bestPriority, group: this.groupOf(core, best) };
  }

  private isTarget(core: number, intid: number): boolean {
    return intid < firstSpi || this.cores === 1 || ((this.targets[intid]! >>> core) & 1) === 1;
  }

  /** The source of the SGI that an acknowledge takes next, in the place that GICC_IAR has for it. */
  sgiSource(core: number, intid: number): number {
    return intid < firstPpi ? lowestBit(this.sgiSources[core]![intid]!) << 10 : 0;
  }

  /** Makes a pending interrupt active; returns what GICC_IAR says: of an SGI its source too. */
  activate(core: number, intid: number): number {
    const { state } = this.bankOf(core, intid);
    const source = this.sgiSource(core, intid);
    state.activate(intid);
    if (intid < firstPpi) this.clearSgi(core, intid, 1 << (source >> 10));
    return intid | source;
  }

  deactivate(core: number, intid: number): void {
    if (intid < interruptCount) this.bankOf(core, intid).state.deactivate(intid);
  }

  // SGIs.

  private setSgi(target: number, intid: number, sources: number): void {
    this.sgiSources[target]![intid]! |= sources;
    if (this.sgiSources[target]![intid] !== 0) setBit(this.banks[target]!.state.latch, intid);
  }

  private clearSgi(target: number, intid: number, sources: number): void {
    this.sgiSources[target]![intid]! &= ~sources;
    if (this.sgiSources[target]![intid] === 0) clearBit(this.banks[target]!.state.latch, intid);
    else setBit(this.banks[target]!.state.latch, intid);
  }

  private generateSgi(core: number, value: number, nonSecure: boolean): void {
    const intid = value & 0xf;
    const everyone = (1 << this.cores) - 1;
    const lists = [(value >>> sgir.targetListShift) & 0xff, everyone & ~(1 << core), 1 << core, 0];
    const list = lists[(value >>> sgir.filterShift) & 3]!;
    for (let target = 0; target < this.cores; target++) {
      if (((list >>> target) & 1) === 1 && this.takesSgi(target, intid, value, nonSecure)) {
        this.setSgi(target, intid, 1 << core);
      }
    }
  }

  /** With the Security Extensions: Secure software names the group by NSATT, Non-secure software reaches what it may set pending. */
  private takesSgi(target: number, intid: number, value: number, nonSecure: boolean): boolean {
    if (!this.security) return true;
    const isGroup1 = this.groupOf(target, intid) === 1;
    if (!nonSecure) return isGroup1 === ((value & sgir.nsatt) !== 0);
    return isGroup1 || ((this.banks[target]!.nsacr[0]! >>> (intid * 2)) & 3) > 0;
  }

  // Registers.

  read(core: number, offset: number, sizeBytes: number, nonSecure: boolean): number {
    const row = this.rowAt(offset, sizeBytes);
    if (row === undefined) return 0;
    const n = (offset - row.offset) >> 2;
    if (row.interrupts !== undefined) {
      const first = n * interruptsPerWord(row.interrupts);
      if (first >= interruptCount) return 0;
      const registers = this.bankOf(core, first);
      if (sizeBytes === 1) return registers.readPriority(first + (offset & 3), nonSecure);
      return registers.read(row.interrupts, n, nonSecure) >>> 0;
    }
    switch (row.name) {
      case 'GICD_CTLR':
        return this.isRestricted(nonSecure) ? (this.control & groupBit(1)) >>> 1 : this.control;
      case 'GICD_TYPER':
        return typer.lines | ((this.cores - 1) << typer.cpuNumberShift) | (this.security ? typer.securityExtn : 0);
      case 'GICD_ITARGETSR':
        return bytes(offset, sizeBytes, 0x800, (intid) => this.readTargets(core, intid, nonSecure));
      case 'GICD_CPENDSGIR':
      case 'GICD_SPENDSGIR':
        return bytes(offset, sizeBytes, row.offset, (intid) =>
          this.maySeeSgi(core, intid, nonSecure) ? this.sgiSources[core]![intid]! : 0,
        );
      default:
        if (row.access === 'WO') this.guestErrors.readOfWriteOnly++;
        return row.reset;
    }
  }

  write(core: number, offset: number, sizeBytes: number, value: number, nonSecure: boolean): void {
    const row = this.rowAt(offset, sizeBytes);
    if (row === undefined) return;
    const n = (offset - row.offset) >> 2;
    if (row.access === 'RO') this.guestErrors.writeOfReadOnly++;
    else if (row.interrupts !== undefined) this.writeInterrupts(core, row, n, offset, sizeBytes, value, nonSecure);
    else if (row.name === 'GICD_CTLR') this.writeControl(value, nonSecure);
    else if (row.name === 'GICD_SGIR') this.generateSgi(core, value, nonSecure);
    else {
      const act = (intid: number, byte: number): void => {
        if (row.name === 'GICD_ITARGETSR') this.writeTargets(intid, byte, nonSecure);
        else if (!this.maySeeSgi(core, intid, nonSecure)) return;
        else if (row.name === 'GICD_SPENDSGIR') this.setSgi(core, intid, byte & ((1 << this.cores) - 1));
        else this.clearSgi(core, intid, byte);
      };
      for (let i = 0; i < sizeBytes; i++) act(offset + i - row.offset, (value >>> (8 * i)) & 0xff);
    }
  }

  private writeInterrupts(
    core: number,
    row: GicRegister,
    n: number,
    offset: number,
    sizeBytes: number,
    value: number,
    nonSecure: boolean,
  ): void {
    const register = row.interrupts!;
    const first = n * interruptsPerWord(register);
    if (first >= interruptCount) return;
    const registers = this.bankOf(core, first);
    if (sizeBytes === 1) {
      registers.writePriority(first + (offset & 3), value, nonSecure);
      return;
    }
    // SGIs are always enabled and edge-triggered, as in a GIC-400, and have pending registers of their own.
    if (register === 'ICFGR' && first < firstPpi) return;
    const isFixed = n === 0 && fixedForSgis.has(register);
    registers.write(register, n, isFixed ? value & ~allSgis : value, nonSecure);
  }

  private isRestricted(nonSecure: boolean): boolean {
    return this.security && nonSecure;
  }

  private writeControl(value: number, nonSecure: boolean): void {
    if (this.isRestricted(nonSecure)) this.control = (this.control & groupBit(0)) | ((value & 1) << 1);
    else this.control = value & 0b11;
  }

  /** The bytes of SGIs and PPIs name the core that reads; with a single core all are RAZ/WI. */
  private readTargets(core: number, intid: number, nonSecure: boolean): number {
    if (this.cores === 1 || intid >= interruptCount) return 0;
    if (!this.bankOf(core, intid).mayRoute(intid, nonSecure)) return 0;
    return intid < firstSpi ? 1 << core : this.targets[intid]!;
  }

  private writeTargets(intid: number, value: number, nonSecure: boolean): void {
    if (this.cores === 1 || intid < firstSpi || intid >= interruptCount) return;
    if (this.spis.mayRoute(intid, nonSecure)) this.targets[intid] = value & ((1 << this.cores) - 1);
  }

  private maySeeSgi(core: number, intid: number, nonSecure: boolean): boolean {
    return !this.isRestricted(nonSecure) || this.groupOf(core, intid) === 1;
  }

  /** Registers are accessed by word; those with a byte for each interrupt by byte too. */
  private rowAt(offset: number, sizeBytes: number): GicRegister | undefined {
    const row = distributorTable.rows[distributorTable.indexAt(offset)];
    if (row === undefined) {
      this.guestErrors.unknownOffset++;
      return undefined;
    }
    const byteAccess = row.interrupts === 'IPRIORITYR' || /ITARGETSR|PENDSGIR/.test(row.name);
    if (sizeBytes === 4 || (sizeBytes === 1 && byteAccess)) return row;
    this.guestErrors.unsupportedSize++;
    return undefined;
  }

  save(): SavedDistributor {
    return {
      control: this.control,
      banks: this.banks.map(({ state }) => state.save()),
      spis: this.spis.state.save(),
      nsacr: [...this.banks, this.spis].map(({ nsacr }) => Array.from(nsacr)),
      targets: Array.from(this.targets),
      sgiSources: this.sgiSources.map((sources) => Array.from(sources)),
    };
  }

  restore(saved: SavedDistributor): void {
    this.control = saved.control;
    this.banks.forEach(({ state }, core) => {
      state.restore(saved.banks[core]!);
    });
    this.spis.state.restore(saved.spis);
    [...this.banks, this.spis].forEach(({ nsacr }, n) => {
      nsacr.set(saved.nsacr[n]!);
    });
    this.targets.set(saved.targets);
    this.sgiSources.forEach((sources, core) => {
      sources.set(saved.sgiSources[core]!);
    });
  }
}

/** A register of bytes: one for each interrupt from `base`. */
function bytes(offset: number, sizeBytes: number, base: number, of: (intid: number) => number): number {
  let value = 0;
  for (let i = 0; i < sizeBytes; i++) value |= of(offset + i - base) << (8 * i);
  return value >>> 0;
}
