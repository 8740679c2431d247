// The registers of a thread: in the PE while it runs, in its record while it does not. In the kernel, the PE still holds the general and
// vector registers of the thread that has been interrupted; PC, SP and PSTATE are in ELR_EL1, SP_EL0 and SPSR_EL1.

import { pe as record } from '../arch/state-layout.ts';
import type { Core } from './kernel.ts';
import type { Registers, Thread } from './state.ts';

export const generalRegisters = 31;
export const vectorBytes = 32 * 16;

export const emptyRegisters = (): Registers => ({
  x: new BigUint64Array(generalRegisters),
  v: new Uint8Array(vectorBytes),
  sp: 0n,
  pc: 0n,
  pstate: 0n,
  tpidr: 0n,
  fpcr: 0n,
  fpsr: 0n,
});

export function saveRegisters({ pe, memory }: Core, to: Registers): void {
  const x = (pe.base + record.x) / 8;
  to.x.set(memory.doublewords.subarray(x, x + generalRegisters));
  to.v.set(memory.bytes.subarray(pe.base + record.vector, pe.base + record.vector + vectorBytes));
  to.sp = pe.readRegister('SP_EL0');
  to.pc = pe.readRegister('ELR_EL1');
  to.pstate = pe.readRegister('SPSR_EL1');
  to.tpidr = pe.readRegister('TPIDR_EL0');
  to.fpcr = pe.readRegister('FPCR');
  to.fpsr = pe.readRegister('FPSR');
}

export function loadRegisters({ pe, memory }: Core, from: Registers): void {
  memory.doublewords.set(from.x, (pe.base + record.x) / 8);
  memory.bytes.set(from.v, pe.base + record.vector);
  pe.writeRegister('SP_EL0', from.sp);
  pe.writeRegister('ELR_EL1', from.pc);
  pe.writeRegister('SPSR_EL1', from.pstate);
  pe.writeRegister('TPIDR_EL0', from.tpidr);
  pe.writeRegister('FPCR', from.fpcr);
  pe.writeRegister('FPSR', from.fpsr);
}

const all64 = 64;

/** The result of a call, for a thread that no core holds. */
export function setResult(thread: Thread, value: number): void {
  thread.registers.x[0] = BigInt.asUintN(all64, BigInt(value));
}
