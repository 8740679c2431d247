// Accesses of the PE to its GIC CPU interface: from a system register's encoding to the register's name, with what the interface
// has to know of the PE at this moment; and whether EL1 means the virtual interface by it.

import type { GicCpuInterface as IccRegisters } from '../../src/arch/environment.ts';
import type { Pe } from '../../src/arch/pe.ts';
import { registerAt } from '../../src/arch/system-registers.ts';
import { type IccName, iccNames } from '../gic/cpu-interface-registers.ts';
import { type IchName, ichNames, virtualBy } from '../gic/virtual-interface-registers.ts';
import type { GicCpuInterface } from './gic-cpu-interface.ts';
import type { GicVirtualInterface } from './gic-virtual-interface.ts';

const icc: ReadonlySet<string> = new Set(iccNames);
const ich: ReadonlySet<string> = new Set(ichNames);
const firstPpi = 16;

/** SCR_EL3 and HCR_EL2 bits that route interrupts (Arm DDI 0487, D1.3.6). */
const routing = { irq: 1n << 1n, fiq: 1n << 2n, ns: 1n } as const;
const hcr = { fmo: 1n << 3n, imo: 1n << 4n, tge: 1n << 27n } as const;

/** Brings what the CPU interface knows of its PE up to date. */
export function refreshContext(gic: GicCpuInterface, pe: Pe, hasEl2: boolean, hasEl3: boolean): void {
  const { context } = gic;
  context.el = pe.currentEl();
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

/** ICC_* below EL2 is ICV_* where HCR_EL2 routes the physical interrupts of its group to EL2. */
function isVirtual({ context }: GicCpuInterface, name: IccName): boolean {
  if (context.el !== 1) return false;
  switch (virtualBy[name]) {
    case 'FMO':
      return context.fiqToEl2;
    case 'IMO':
      return context.irqToEl2;
    case 'either':
      return context.fiqToEl2 || context.irqToEl2;
    default:
      return false;
  }
}

/** The list registers by name. */
const listNumbers: ReadonlyMap<string, number> = new Map(Array.from({ length: 16 }, (_, n) => [`ICH_LR${n}_EL2`, n]));

export function iccAccess(
  gic: GicCpuInterface,
  virtual: GicVirtualInterface,
  pe: () => Pe,
  options: IccOptions,
): IccRegisters {
  function readIcc(name: IccName): number {
    refreshContext(gic, pe(), options.hasEl2, options.hasEl3);
    if (isVirtual(gic, name)) return virtual.read(name);
    const value = gic.read(name);
    const acknowledges = name === 'ICC_IAR0_EL1' || name === 'ICC_IAR1_EL1';
    if (acknowledges && value < firstPpi) options.sgiAcknowledged();
    return value;
  }

  function writeIcc(name: IccName, value: bigint): void {
    refreshContext(gic, pe(), options.hasEl2, options.hasEl3);
    if (isVirtual(gic, name)) virtual.write(name, value);
    else gic.write(name, value);
  }

  return {
    read: (key) => {
      const name = registerAt(key)?.name ?? '';
      if (icc.has(name)) return BigInt(readIcc(name as IccName));
      if (ich.has(name)) return BigInt(virtual.readIch(name as IchName));
      const n = listNumbers.get(name);
      return n === undefined ? undefined : virtual.readList(n);
    },
    write: (key, value) => {
      const name = registerAt(key)?.name ?? '';
      const n = listNumbers.get(name);
      if (icc.has(name)) writeIcc(name as IccName, value);
      else if (ich.has(name)) virtual.writeIch(name as IchName, value);
      else return n !== undefined && virtual.writeList(n, value);
      return true;
    },
  };
}
