// The frame that a signal's handler finds on its stack, and what rt_sigreturn takes from it: struct rt_sigframe of
// arch/arm64/kernel/signal.c, which is siginfo, ucontext with sigcontext, the records of its reserved part, and a frame record above.

import type { Core } from './kernel.ts';
import { fields, viewOf } from './records.ts';
import { emptyRegisters, generalRegisters, loadRegisters, saveRegisters, vectorBytes } from './registers.ts';
import { CLD, SI, SIG } from './signal-numbers.ts';
import type { Registers, Signal, Thread } from './state.ts';

const siginfoBytes = 128;
/** Offsets in the frame. */
const at = {
  flags: siginfoBytes,
  stack: siginfoBytes + 16,
  mask: siginfoBytes + 40,
  context: siginfoBytes + 176,
} as const;
/** Offsets in sigcontext. */
const context = { faultAddress: 0, regs: 8, sp: 256, pc: 264, pstate: 272, reserved: 288 } as const;
export const frameBytes = siginfoBytes + 4560;
/** fp and lr, above the frame. */
export const frameRecordBytes = 16;
const fpsimd = { magic: 0x4650_8001, sizeBytes: 528, fpsr: 8, fpcr: 12, vregs: 16 } as const;
const esr = { magic: 0x4553_5201, sizeBytes: 16, value: 8 } as const;
export const uid = 1000;

/** struct siginfo. */
export function siginfo({ number, code, pid = 0, address = 0n, status = 0, value = 0n, timer }: Signal): Uint8Array {
  const info = fields(siginfoBytes).u32(0, number).u32(8, code);
  const isFault = code > 0 && code !== SI.KERNEL && faultSignals.has(number);
  if (isFault) return info.i64(16, address).bytes;
  if (timer) return info.u32(16, timer.id).u32(20, timer.lastOverrun).i64(24, value).bytes;
  info.u32(16, pid).u32(20, code === SI.KERNEL ? 0 : uid);
  if (number === SIG.CHLD && (code === CLD.EXITED || code === CLD.KILLED)) return info.u32(24, status).bytes;
  return info.i64(24, value).bytes;
}
const faultSignals: ReadonlySet<number> = new Set([SIG.SEGV, SIG.BUS, SIG.ILL, SIG.TRAP, SIG.FPE]);

/** The frame of a thread with these registers. */
export function buildFrame(
  thread: Thread,
  signal: Signal,
  mask: bigint,
  registers: Registers,
  syndrome: bigint,
): Uint8Array {
  const { alternateStack } = thread;
  const frame = fields(frameBytes);
  frame.bytes.set(siginfo(signal));
  frame
    .i64(at.stack, alternateStack.sp)
    .u32(at.stack + 8, alternateStack.flags)
    .i64(at.stack + 16, alternateStack.size);
  frame.i64(at.mask, mask);
  const base = at.context;
  frame.i64(base + context.faultAddress, signal.address ?? 0n);
  registers.x.forEach((value, n) => frame.i64(base + context.regs + 8 * n, value));
  frame.i64(base + context.sp, registers.sp).i64(base + context.pc, registers.pc);
  frame.i64(base + context.pstate, registers.pstate);
  let record = base + context.reserved;
  frame.u32(record, fpsimd.magic).u32(record + 4, fpsimd.sizeBytes);
  frame.u32(record + fpsimd.fpsr, Number(registers.fpsr)).u32(record + fpsimd.fpcr, Number(registers.fpcr));
  frame.bytes.set(registers.v, record + fpsimd.vregs);
  record += fpsimd.sizeBytes;
  if (syndrome !== 0n)
    frame
      .u32(record, esr.magic)
      .u32(record + 4, esr.sizeBytes)
      .i64(record + esr.value, syndrome);
  return frame.bytes;
}

/** NZCV and SS are the program's to choose; the rest says EL0, AArch64, nothing masked. */
const userPstate = 0xf000_0000n;

/** What a frame says, into the registers of the running thread; undefined where it is damaged. The result is the signal mask. */
export function restoreFrame(core: Core, frame: Uint8Array): bigint | undefined {
  const view = viewOf(frame);
  const base = at.context;
  const registers = emptyRegisters();
  saveRegisters(core, registers);
  for (let n = 0; n < generalRegisters; n += 1) registers.x[n] = view.getBigUint64(base + context.regs + 8 * n, true);
  registers.sp = view.getBigUint64(base + context.sp, true);
  registers.pc = view.getBigUint64(base + context.pc, true);
  const pstate = view.getBigUint64(base + context.pstate, true);
  if ((pstate & 0x1fn) !== 0n) return undefined;
  registers.pstate = pstate & userPstate;
  if (!restoreRecords(frame, base + context.reserved, registers)) return undefined;
  loadRegisters(core, registers);
  return view.getBigUint64(at.mask, true);
}

/** The records of the reserved part: fpsimd must be among them; others are skipped up to the terminating one. */
function restoreRecords(frame: Uint8Array, start: number, registers: Registers): boolean {
  const view = viewOf(frame);
  let hasVectors = false;
  for (let record = start; record + 8 <= frame.length;) {
    const magic = view.getUint32(record, true);
    const sizeBytes = view.getUint32(record + 4, true);
    if (magic === 0) return sizeBytes === 0 && hasVectors;
    if (sizeBytes < 16 || sizeBytes % 16 !== 0 || record + sizeBytes > frame.length) return false;
    if (magic === fpsimd.magic) {
      if (sizeBytes !== fpsimd.sizeBytes) return false;
      registers.fpsr = BigInt(view.getUint32(record + fpsimd.fpsr, true));
      registers.fpcr = BigInt(view.getUint32(record + fpsimd.fpcr, true));
      registers.v.set(frame.subarray(record + fpsimd.vregs, record + fpsimd.vregs + vectorBytes));
      hasVectors = true;
    } else if (magic !== esr.magic) return false;
    record += sizeBytes;
  }
  return false;
}

/** uc_stack of a frame, which rt_sigreturn restores. */
export function stackOf(frame: Uint8Array): Thread['alternateStack'] {
  const view = viewOf(frame);
  return {
    sp: view.getBigUint64(at.stack, true),
    flags: view.getUint32(at.stack + 8, true),
    size: view.getBigUint64(at.stack + 16, true),
  };
}

/** Offsets of what a handler with SA_SIGINFO is given the address of. */
export const frameOffset = { info: 0, ucontext: siginfoBytes } as const;
