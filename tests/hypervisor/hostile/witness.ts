// A kernel that notices what is done to it. It works for ever, or for so many rounds, on everything that another VM might disturb: RAM under
// stage 1 and stage 2, exclusives, System registers, the TLB, code that it changes itself, its timer, HVC and SMC. What it
// finds goes into one sum in its RAM, the INTID of every interrupt into a log.
//
// `exact`: the log has the time of each interrupt, the sum the failures of exclusives, and it sleeps between two of them. That is equal to
// the bit only where the VM has its core to itself. Otherwise nothing that it leaves in memory depends on time, but for one page.

import { gicCode, hvc, psci } from '../kernels.ts';
import { type GicVersion, kernelIpa } from '../system.ts';

export const dataIpa = kernelIpa + 0x10_0000;
const bufferIpa = kernelIpa + 0x11_0000;
const logIpa = kernelIpa + 0x12_0000;
/** The longest time without the core, in ticks of CNTVCT_EL0: the page that depends on time. */
export const timingIpa = kernelIpa + 0x14_0000;

/** Doublewords at `dataIpa`. */
export const data = {
  rounds: 0,
  interrupts: 8,
  sum: 16,
  isDone: 24,
  syndrome: 32,
  exceptions: 40,
  cell: 64,
  id: 128,
} as const;

const virtualTimer = 27;
/** Counts of CNTVCT_EL0 from one round with a timer to its interrupt. */
const timerCounts = 200;

/** One gigabyte of devices, one with a page that moves, one of RAM. */
const stage1 = `
  .align 12
  level1: .quad 0x405, level2 + 3, 0x80000701
  .align 12
  level2: .quad level3 + 3
  .align 12
  level3: .quad ${bufferIpa} + 0x703
  .align 12
  stage1:
  ldr x9, =0x00ff
  msr mair_el1, x9
  ldr x9, =0x200803519
  msr tcr_el1, x9
  adr x9, level1
  mov x10, #5
  orr x9, x9, x10, lsl #48
  msr ttbr0_el1, x9
  isb
  mrs x9, sctlr_el1
  mov x10, #5
  orr x9, x9, x10
  msr sctlr_el1, x9
  isb
  ret`;

/** Registers that only this VM writes: what it has put there is what it finds. */
const ownRegisters = ['tpidr_el0', 'tpidr_el1', 'tpidrro_el0', 'contextidr_el1', 'afsr0_el1', 'far_el1', 'csselr_el1'];

const vectors = (gicVersion: GicVersion): string => `
  .align 11
  vectors:
  .skip 0x200
  mrs x25, esr_el1
  str x25, [x20, #${data.syndrome}]
  ldr x26, [x20, #${data.exceptions}]
  add x26, x26, #1
  str x26, [x20, #${data.exceptions}]
  b .
  .balign 128
  ${gicCode(gicVersion).acknowledge('x25', 'x28')}
  ldr x26, [x20, #${data.interrupts}]
  and x27, x26, #0xfff
  add x27, x21, x27, lsl #4
  str x25, [x27]
  mrs x28, cntvct_el0
  sub x28, x28, x22
  mul x28, x28, x19
  str x28, [x27, #8]
  add x26, x26, #1
  str x26, [x20, #${data.interrupts}]
  msr cntv_ctl_el0, xzr
  isb
  ${gicCode(gicVersion).end('x25', 'x28')}
  eret
  .skip 0x100`;

/** Every 64th round: an instruction is changed and called, and both kinds of call are made. */
const rareWork = [
  'adr x0, patch',
  'and w1, w23, #0xffff',
  'lsl w1, w1, #5',
  'movz w2, #0xd280, lsl #16',
  'orr w1, w1, w2',
  'str w1, [x0]',
  'dc cvau, x0',
  'dsb ish',
  'ic ivau, x0',
  'dsb ish',
  'isb',
  'bl patch',
  'add x29, x29, x0',
  hvc(1, 8, dataIpa + data.id),
  'add x29, x29, x0',
  psci.affinityInfo(0),
  'add x29, x29, x0',
].join('\n');

/** Every 32nd round: the timer, and its interrupt. */
const timerWork = (sleeps: boolean): string =>
  [
    'mrs x9, cntvct_el0',
    `add x9, x9, #${timerCounts}`,
    'msr cntv_cval_el0, x9',
    'mov x9, #1',
    'msr cntv_ctl_el0, x9',
    'isb',
    `3: ${sleeps ? 'wfi' : 'nop'}`,
    `ldr x9, [x20, #${data.interrupts}]`,
    'cmp x9, x13',
    'b.eq 3b',
    'mov x13, x9',
  ].join('\n');

/** Every 16th round: the page moves by one, and the TLB is told. */
const tlbWork = [
  'adr x0, level3',
  'ldr x1, [x0]',
  'eor x1, x1, #0x1000',
  'str x1, [x0]',
  'mov x2, #5',
  'lsl x2, x2, #48',
  `movz x3, #0x4000, lsl #16`,
  'orr x2, x2, x3, lsr #12',
  'dsb ishst',
  'tlbi vae1, x2',
  'dsb nsh',
  'isb',
  'ldr x1, [x3, #8]',
  'add x29, x29, x1',
].join('\n');

export interface WitnessOptions {
  readonly exact: boolean;
  /** 0: for ever. */
  readonly rounds?: number;
  readonly gicVersion?: GicVersion;
}

export const witness = ({ exact, rounds = 0, gicVersion = 3 }: WitnessOptions): string =>
  [
    'b start',
    stage1,
    vectors(gicVersion),
    'patch: nop',
    'ret',
    'start:',
    'adr x0, vectors',
    'msr vbar_el1, x0',
    `ldr x20, =${dataIpa}`,
    `ldr x21, =${logIpa}`,
    `ldr x24, =${rounds}`,
    `ldr x16, =${timingIpa}`,
    `ldr x17, =${bufferIpa}`,
    `add x12, x20, #${data.cell}`,
    `mov x19, #${exact ? 1 : 0}`,
    'mov x23, #0',
    'mov x13, #0',
    'mov x15, #0',
    'mov x18, #1',
    'mov x29, #0',
    'mov x0, #0x300000',
    'msr cpacr_el1, x0',
    'isb',
    ...ownRegisters.map((name, n) =>
      name === 'csselr_el1' ? `mov x0, #2\nmsr ${name}, x0` : `mov x0, #${n + 1}\nmsr ${name}, x0`,
    ),
    'bl stage1',
    gicCode(gicVersion).gicOn(),
    gicCode(gicVersion).enableInterrupt(virtualTimer),
    'mrs x22, cntvct_el0',
    'mov x14, x22',
    'msr daifclr, #2',
    'again:',
    // RAM: a random walk over 64 KiB.
    'ldr x0, =6364136223846793005',
    'ldr x1, =1442695040888963407',
    'madd x18, x18, x0, x1',
    'lsr x2, x18, #51',
    'ldr x3, [x17, x2, lsl #3]',
    'eor x29, x29, x3',
    'ror x29, x29, #7',
    'add x29, x29, x18',
    'str x29, [x17, x2, lsl #3]',
    // Exclusives.
    '1: ldxr x3, [x12]',
    'add x3, x3, #1',
    'stxr w4, x3, [x12]',
    'mul x5, x4, x19',
    'add x29, x29, x5',
    'cbnz w4, 1b',
    // System registers.
    ...ownRegisters.flatMap((name) => [`mrs x3, ${name}`, 'ror x29, x29, #3', 'eor x29, x29, x3']),
    'and x0, x23, #15',
    'cbnz x0, 2f',
    tlbWork,
    '2: and x0, x23, #31',
    'cbnz x0, 4f',
    timerWork(exact),
    '4: and x0, x23, #63',
    'cbnz x0, 5f',
    rareWork,
    // How long it was without the core.
    '5: mrs x0, cntvct_el0',
    'sub x1, x0, x14',
    'mov x14, x0',
    'cmp x1, x15',
    'csel x15, x1, x15, hi',
    'str x15, [x16]',
    'add x23, x23, #1',
    `str x23, [x20, #${data.rounds}]`,
    `str x29, [x20, #${data.sum}]`,
    'cmp x23, x24',
    'b.ne again',
    'mov x0, #1',
    `str x0, [x20, #${data.isDone}]`,
    psci.systemOff,
  ].join('\n');
