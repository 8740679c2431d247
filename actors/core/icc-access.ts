// Accesses of the PE to its GIC CPU interface: from a system register's encoding to the register's name, with what the interface
// has to know of the PE at this moment.

import type { GicCpuInterface as IccRegisters } from '../../src/arch/environment.ts';
import type { Pe } from '../../src/arch/pe.ts';
import { registerAt } from '../../src/arch/system-registers.ts';
import { type IccName, iccNames } from '../gic/cpu-interface-registers.ts';
import type { GicCpuInterface } from './gic-cpu-interface.ts';

const names: ReadonlySet<string> = new Set(iccNames);
const firstPpi = 16;

/** SCR_EL3 and HCR_EL2 bits that route interrupts (Arm DDI 0487, D1.3.6). */
const routing = { irq: 1n << 1n, fiq: 1n << 2n, ns: 1n } as const;
const hcr = { fmo: 1n << 3n, imo: 1n << 4n, tge: 1n << 27n } as const;

/** Brings what the CPU interface knows of its PE up to date. */
export function refreshContext(gic: GicCpuInterface, pe: Pe, hasEl2: boolean, hasEl3: boolean): void {
  const { context } = gic;
  context.el = pe.currentEl;
  if (hasEl3) {
    const scr = pe.readRegister('SCR_EL3');
    context.nonSecure = (scr & routing.ns) !== 0n;
    context.irqToEl3 = (scr & routing.irq) !== 0n;
    context.fiqToEl3 = (scr & routing.fiq) !== 0n;
  }
  if (hasEl2) {
    const value = context.nonSecure ? pe.readRegister('HCR_EL2') : 0n;
    context.fiqToEl2 = (value & (hcr.fmo | hcr.tge)) !== 0n;
    context.irqToEl2 = (value & (hcr.imo | hcr.tge)) !== 0n;
  }
}

export interface IccOptions {
  readonly hasEl2: boolean;
  readonly hasEl3: boolean;
  /** An SGI has been acknowledged. */
  readonly sgiAcknowledged: () => void;
}

export function iccAccess(gic: GicCpuInterface, pe: () => Pe, options: IccOptions): IccRegisters {
  const named = (key: number): IccName | undefined => {
    const name = registerAt(key)?.name;
    return name !== undefined && names.has(name) ? (name as IccName) : undefined;
  };
  return {
    read: (key) => {
      const name = named(key);
      if (name === undefined) return undefined;
      refreshContext(gic, pe(), options.hasEl2, options.hasEl3);
      const value = gic.read(name);
      const acknowledges = name === 'ICC_IAR0_EL1' || name === 'ICC_IAR1_EL1';
      if (acknowledges && value < firstPpi) options.sgiAcknowledged();
      return BigInt(value);
    },
    write: (key, value) => {
      const name = named(key);
      if (name === undefined) return false;
      refreshContext(gic, pe(), options.hasEl2, options.hasEl3);
      gic.write(name, value);
      return true;
    },
  };
}
