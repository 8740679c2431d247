// Pieces of small A64 kernels for virtual machines: calls of the hypervisor and of PSCI, the GIC of either version as a VM sees it, and
// a place for what a kernel finds. X20 points at that place, and moves on with every `note`.

import { giccIpa, gicdIpa, gicrIpa, type GicVersion, kernelIpa } from './system.ts';

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

/** Waits for the DMA engine whose registers X9 points at, and leaves DMA_STATUS in X0. */
export const awaitDma = ['7: ldr w0, [x9, #12]', 'tbnz w0, #0, 7b'].join('\n');

/** Copies by a DMA engine, and leaves DMA_STATUS in X0. */
export const copyByDma = (engine: number, source: Operand, target: Operand, bytes: Operand): string =>
  [startDma(engine, source, target, bytes), awaitDma].join('\n');

const redistributor = (vcpu: number): number => gicrIpa + vcpu * 0x2_0000;

const store = (address: number, value: number, width: 'w' | 'b' = 'w'): string =>
  [load('x9', address), load('x10', value), width === 'w' ? 'str w10, [x9]' : 'strb w10, [x9]'].join('\n');

/** What a kernel does to its GIC; X9 and X10 are used. */
export interface GicCode {
  /** The distributor and the interface of the vCPU on, open for every priority, or for none. */
  readonly gicOn: (vcpu?: number, mask?: number) => string;
  /** Changes what the interface is open for. */
  readonly open: (mask: number) => string;
  /** Enables an interrupt at a priority; SGIs and PPIs are those of one vCPU. SPIs go to vCPU 0. */
  readonly enableInterrupt: (intid: number, priority?: number, vcpu?: number) => string;
  /** Makes an SPI pending. */
  readonly setPending: (intid: number) => string;
  /** IAR into a register; `scratch` is used in the place of X9. */
  readonly acknowledge: (register?: string, scratch?: string) => string;
  /** EOIR of what a register has. */
  readonly end: (register?: string, scratch?: string) => string;
  /** Notes what is acknowledged, and ends it. */
  readonly takeInterrupt: string;
  /** An SGI to the vCPUs of a mask. */
  readonly sendSgi: (intid: number, targets: number) => string;
}

const setPending = (intid: number): string => store(gicdIpa + 0x200 + 4 * (intid >>> 5), 2 ** (intid & 31));

const enableIn = (frame: number, intid: number, priority: number): string =>
  [store(frame + 0x400 + intid, priority, 'b'), store(frame + 0x100 + 4 * (intid >>> 5), 2 ** (intid & 31))].join('\n');

const version3: GicCode = {
  gicOn: (vcpu = 0, mask = 0xf8) =>
    [
      store(gicdIpa, 0x12),
      store(redistributor(vcpu) + 0x14, 0),
      version3.open(mask),
      'mov x9, #1',
      'msr icc_igrpen1_el1, x9',
      'isb',
    ].join('\n'),
  open: (mask) => [load('x9', mask), 'msr icc_pmr_el1, x9', 'isb'].join('\n'),
  enableInterrupt: (intid, priority = 0x80, vcpu = 0) =>
    enableIn(intid < 32 ? redistributor(vcpu) + 0x1_0000 : gicdIpa, intid, priority),
  setPending,
  acknowledge: (register = 'x0') => `mrs ${register}, icc_iar1_el1`,
  end: (register = 'x0') => `msr icc_eoir1_el1, ${register}\nisb`,
  takeInterrupt: ['mrs x0, icc_iar1_el1', note(), 'msr icc_eoir1_el1, x0', 'isb'].join('\n'),
  sendSgi: (intid, targets) => [load('x9', (intid << 24) | targets), 'msr icc_sgi1r_el1, x9', 'isb'].join('\n'),
};

const word = (register: string): string => register.replace('x', 'w');

const version2: GicCode = {
  gicOn: (_vcpu = 0, mask = 0xf8) => [store(gicdIpa, 1), version2.open(mask), store(giccIpa, 1)].join('\n'),
  open: (mask) => store(giccIpa + 0x04, mask),
  // GICD_ITARGETSR is RAZ/WI for a VM with one vCPU.
  enableInterrupt: (intid, priority = 0x80) =>
    [...(intid < 32 ? [] : [store(gicdIpa + 0x800 + intid, 1, 'b')]), enableIn(gicdIpa, intid, priority)].join('\n'),
  setPending,
  acknowledge: (register = 'x0', scratch = 'x9') =>
    [load(scratch, giccIpa), `ldr ${word(register)}, [${scratch}, #0x0c]`].join('\n'),
  end: (register = 'x0', scratch = 'x9') =>
    [load(scratch, giccIpa), `str ${word(register)}, [${scratch}, #0x10]`].join('\n'),
  takeInterrupt: [load('x9', giccIpa), 'ldr w0, [x9, #0x0c]', note(), 'str w0, [x9, #0x10]'].join('\n'),
  sendSgi: (intid, targets) => store(gicdIpa + 0xf00, (targets << 16) | intid),
};

export const gicCode = (version: GicVersion): GicCode => (version === 2 ? version2 : version3);
export const { gicOn, enableInterrupt, takeInterrupt } = version3;
