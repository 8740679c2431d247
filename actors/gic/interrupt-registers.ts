// The registers that hold one field for each interrupt: the same in the distributor (SPIs) and in a redistributor (SGIs and
// PPIs). With two Security states a Non-secure access sees Non-secure Group 1 interrupts alone, and of the others what
// GICD_NSACR or GICR_NSACR grants; the rest is RAZ/WI (Arm IHI 0069, "GIC support for software accesses").

import type { Register } from '../device.ts';
import { nonSecurePriorityRead, nonSecurePriorityWrite, priorityMask } from './groups.ts';
import { clearBit, type InterruptState, setBit, test } from './interrupt-state.ts';

export type InterruptRegister =
  | 'IGROUPR'
  | 'IGRPMODR'
  | 'ISENABLER'
  | 'ICENABLER'
  | 'ISPENDR'
  | 'ICPENDR'
  | 'ISACTIVER'
  | 'ICACTIVER'
  | 'IPRIORITYR'
  | 'ICFGR'
  | 'NSACR';

/** A row that may stand for one field of every interrupt. */
export interface GicRegister extends Register {
  readonly interrupts?: InterruptRegister;
}

const fieldBits: Readonly<Record<InterruptRegister, number>> = {
  IGROUPR: 1,
  IGRPMODR: 1,
  ISENABLER: 1,
  ICENABLER: 1,
  ISPENDR: 1,
  ICPENDR: 1,
  ISACTIVER: 1,
  ICACTIVER: 1,
  IPRIORITYR: 8,
  ICFGR: 2,
  NSACR: 2,
};

/** INTIDs that a word of the register holds: from `n * interruptsPerWord`. */
export const interruptsPerWord = (register: InterruptRegister): number => 32 / fieldBits[register];

/** Values of a two-bit NSACR field: what Non-secure software may do to a Secure interrupt. */
const nonSecureAccess = { setPending: 1, clearPending: 2, route: 3 } as const;

/** The interrupts whose configuration the registers show, and the rules by which they are shown. */
export class InterruptRegisters {
  readonly state: InterruptState;
  /** Two bits for each interrupt. */
  readonly nsacr: Uint32Array;
  /** GICD_CTLR.DS. */
  disableSecurity: boolean;

  constructor(state: InterruptState, disableSecurity: boolean) {
    this.state = state;
    this.nsacr = new Uint32Array(state.words * 2);
    this.disableSecurity = disableSecurity;
  }

  /** Reads word `n` of a register. */
  read(register: InterruptRegister, n: number, nonSecure: boolean): number {
    const { state } = this;
    const restricted = this.isRestricted(nonSecure);
    switch (register) {
      case 'IGROUPR':
        return restricted ? 0 : state.group[n]!;
      case 'IGRPMODR':
        return restricted || this.disableSecurity ? 0 : state.groupModifier[n]!;
      case 'ISENABLER':
      case 'ICENABLER':
        return state.enabled[n]! & this.visible(n, nonSecure);
      case 'ISPENDR':
        return state.pendingWord(n) & this.visible(n, nonSecure, nonSecureAccess.setPending);
      case 'ICPENDR':
        return state.pendingWord(n) & this.visible(n, nonSecure, nonSecureAccess.clearPending);
      case 'ISACTIVER':
      case 'ICACTIVER':
        return state.active[n]! & this.visible(n, nonSecure, nonSecureAccess.clearPending);
      case 'IPRIORITYR':
        return [0, 1, 2, 3].reduce(
          (word, byte) => word | (this.readPriority(n * 4 + byte, nonSecure) << (byte * 8)),
          0,
        );
      case 'ICFGR':
        return this.readTriggers(n, nonSecure);
      case 'NSACR':
        return restricted || this.disableSecurity ? 0 : this.nsacr[n]!;
    }
  }

  /** Writes word `n` of a register. */
  write(register: InterruptRegister, n: number, value: number, nonSecure: boolean): void {
    const { state } = this;
    const restricted = this.isRestricted(nonSecure);
    switch (register) {
      case 'IGROUPR':
        if (!restricted) state.group[n] = value;
        break;
      case 'IGRPMODR':
        if (!restricted && !this.disableSecurity) state.groupModifier[n] = value;
        break;
      case 'ISENABLER':
        state.enabled[n]! |= value & this.visible(n, nonSecure);
        break;
      case 'ICENABLER':
        state.enabled[n]! &= ~(value & this.visible(n, nonSecure));
        break;
      case 'ISPENDR':
        forEachBit(n, value & this.visible(n, nonSecure, nonSecureAccess.setPending), (intid) => state.pend(intid));
        break;
      case 'ICPENDR':
        forEachBit(n, value & this.visible(n, nonSecure, nonSecureAccess.clearPending), (intid) => state.unpend(intid));
        break;
      case 'ISACTIVER':
        state.active[n]! |= value & this.visible(n, nonSecure);
        break;
      case 'ICACTIVER':
        state.active[n]! &= ~(value & this.visible(n, nonSecure));
        break;
      case 'IPRIORITYR':
        for (let byte = 0; byte < 4; byte++) this.writePriority(n * 4 + byte, (value >>> (byte * 8)) & 0xff, nonSecure);
        break;
      case 'ICFGR':
        this.writeTriggers(n, value, nonSecure);
        break;
      case 'NSACR':
        if (!restricted && !this.disableSecurity) this.nsacr[n] = value;
        break;
    }
  }

  readPriority(intid: number, nonSecure: boolean): number {
    const priority = this.state.priority[intid]!;
    if (!this.isRestricted(nonSecure)) return priority;
    return test(this.state.group, intid) ? nonSecurePriorityRead(priority) : 0;
  }

  writePriority(intid: number, value: number, nonSecure: boolean): void {
    if (!this.isRestricted(nonSecure)) this.state.priority[intid] = value & priorityMask;
    else if (test(this.state.group, intid)) this.state.priority[intid] = nonSecurePriorityWrite(value);
  }

  /** Whether an access may route the interrupt (GICD_IROUTER). */
  mayRoute(intid: number, nonSecure: boolean): boolean {
    return ((this.visible(intid >> 5, nonSecure, nonSecureAccess.route) >>> (intid & 31)) & 1) === 1;
  }

  isRestricted(nonSecure: boolean): boolean {
    return nonSecure && !this.disableSecurity;
  }

  /** Interrupts of word `w` that the access may see, or touch with the right that NSACR must grant. */
  private visible(w: number, nonSecure: boolean, right?: number): number {
    if (!this.isRestricted(nonSecure)) return 0xffff_ffff;
    let mask = this.state.group[w]!;
    if (right === undefined) return mask;
    for (let bit = 0; bit < 32; bit++) {
      const granted = (this.nsacr[w * 2 + (bit >> 4)]! >>> ((bit & 15) * 2)) & 3;
      if (granted >= right) mask |= 1 << bit;
    }
    return mask;
  }

  private readTriggers(n: number, nonSecure: boolean): number {
    let word = 0;
    for (let field = 0; field < 16; field++) {
      const intid = n * 16 + field;
      const shown = this.visible(intid >> 5, nonSecure) >>> (intid & 31);
      if ((shown & 1) === 1 && test(this.state.edge, intid)) word |= 2 << (field * 2);
    }
    return word;
  }

  private writeTriggers(n: number, value: number, nonSecure: boolean): void {
    for (let field = 0; field < 16; field++) {
      const intid = n * 16 + field;
      if (((this.visible(intid >> 5, nonSecure) >>> (intid & 31)) & 1) === 0) continue;
      if ((value >>> (field * 2)) & 2) setBit(this.state.edge, intid);
      else clearBit(this.state.edge, intid);
    }
  }
}

function forEachBit(w: number, word: number, act: (intid: number) => void): void {
  for (let rest = word; rest !== 0; rest &= rest - 1) act(w * 32 + 31 - Math.clz32(rest & -rest));
}
