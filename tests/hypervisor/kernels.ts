// Pieces of small A64 kernels for virtual machines: calls of the hypervisor and of PSCI, the GICv3 as a VM sees it, and
// a place for what a kernel finds. X20 points at that place, and moves on with every `note`.

import { gicdIpa, gicrIpa, kernelIpa } from './system.ts';

/** Where a kernel notes what it finds, and, half a page later, words that vCPUs share. */
export const notesIpa = kernelIpa + 0x1_0000;
export const sharedIpa = notesIpa + 0x800;

/** A number, a register, or a label of the kernel. */
type Operand = number | bigint | string;

const load = (register: string, value: Operand): string => {
  if (typeof value !== 'string') return `ldr ${register}, =${value}`;
  return /^x\d+$/.test(value) ? `mov ${register}, ${value}` : `adr ${register}, ${value}`;
};

/** A kernel: X19 keeps what it was started with. The literals end up behind its last part. */
export const kernel = (...parts: readonly string[]): string =>
  ['mov x19, x0', load('x20', notesIpa), ...parts].join('\n');

/** Appends a register to the notes. */
export const note = (register = 'x0'): string => `str ${register}, [x20], #8`;

/** HVC #0 with X0, X1, … and X7 = fid << 8 | event; the result is in X0. */
export const hvc = (fid: number, event: number, ...args: readonly Operand[]): string =>
  [...args.map((value, n) => load(`x${n}`, value)), load('x7', (fid << 8) | event), 'hvc #0'].join('\n');

const smc = (id: number, ...args: readonly Operand[]): string =>
  [load('x0', id), ...args.map((value, n) => load(`x${n + 1}`, value)), 'smc #0'].join('\n');

export const psci = {
  cpuOn: (target: number, entry: Operand, context: Operand): string => smc(0xc400_0003, target, entry, context),
  affinityInfo: (target: number): string => smc(0xc400_0004, target, 0),
  cpuOff: smc(0x8400_0002),
  systemOff: smc(0x8400_0008),
  systemReset: smc(0x8400_0009),
} as const;

/** Leaves a value in a shared word. */
export const publish = (offset: number, value: Operand): string =>
  [load('x9', sharedIpa + offset), load('x10', value), 'stlr x10, [x9]'].join('\n');

/** Waits until a shared word is not zero; X10 is the word. */
export const awaitWord = (offset: number): string =>
  [load('x9', sharedIpa + offset), '9: ldar x10, [x9]', 'cbz x10, 9b'].join('\n');

/** Passes about so many ticks, two for each turn. */
export const pause = (ticks: number): string => [load('x9', ticks / 2), '8: subs x9, x9, #1', 'b.ne 8b'].join('\n');

/** Starts a DMA engine whose registers are at this IPA. */
export const startDma = (engine: number, source: Operand, target: Operand, bytes: Operand): string =>
  [
    load('x9', engine),
    ...[source, target, bytes].flatMap((value, n) => [load('x10', value), `str x10, [x9, #${0x18 + 8 * n}]`]),
    'dsb sy',
    'mov w10, #1',
    'str w10, [x9, #8]',
  ].join('\n');

/** Copies by a DMA engine, and leaves DMA_STATUS in X0. */
export const copyByDma = (engine: number, source: Operand, target: Operand, bytes: Operand): string =>
  [startDma(engine, source, target, bytes), '7: ldr w0, [x9, #12]', 'tbnz w0, #0, 7b'].join('\n');

const redistributor = (vcpu: number): number => gicrIpa + vcpu * 0x2_0000;

const store = (address: number, value: number, width: 'w' | 'b' = 'w'): string =>
  [load('x9', address), load('x10', value), width === 'w' ? 'str w10, [x9]' : 'strb w10, [x9]'].join('\n');

/** The GIC of a VM: Group 1 on, and the interface of the vCPU open for every priority, or for none. */
export const gicOn = (vcpu = 0, mask = 0xf8): string =>
  [
    store(gicdIpa, 0x12),
    store(redistributor(vcpu) + 0x14, 0),
    load('x9', mask),
    'msr icc_pmr_el1, x9',
    'mov x9, #1',
    'msr icc_igrpen1_el1, x9',
    'isb',
  ].join('\n');

/** Enables an interrupt at a priority; SGIs and PPIs are those of one vCPU. */
export function enableInterrupt(intid: number, priority = 0x80, vcpu = 0): string {
  const frame = intid < 32 ? redistributor(vcpu) + 0x1_0000 : gicdIpa;
  return [
    store(frame + 0x400 + intid, priority, 'b'),
    store(frame + 0x100 + 4 * (intid >>> 5), 2 ** (intid & 31)),
  ].join('\n');
}

/** Makes an SPI pending, or takes that back. */
export const setPending = (intid: number): string => store(gicdIpa + 0x200 + 4 * (intid >>> 5), 2 ** (intid & 31));

/** Notes the INTID of the interrupt that is acknowledged, and ends it. */
export const takeInterrupt = ['mrs x0, icc_iar1_el1', note(), 'msr icc_eoir1_el1, x0', 'isb'].join('\n');
