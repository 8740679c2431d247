// FEAT_BTI at EL0: what the engines ask of a branch's target. The guest `bti` has all pairs at EL1, beside QEMU.

import { describe, expect, test } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { el0Machine, type El0Machine } from './el0-machine.ts';
import { type FlatMachine, flatMachine } from './flat-machine.ts';

const plain = { va: 0x10_0000, pa: ramBase + 0x10_0000, sizeBytes: 0x1000, executable: true };
const guarded = { va: 0x20_0000, pa: ramBase + 0x20_0000, sizeBytes: 0x1000, executable: true, guarded: true };
const BT0 = 1n << 35n;

function write(m: El0Machine, pa: number, text: string): void {
  const { bytes } = assemble(text, { base: 0 });
  m.engine.codeWritten(pa, bytes.length);
  m.views.bytes.set(bytes, pa);
}

interface Case {
  readonly from: typeof plain;
  readonly branch: string;
  readonly target: string;
  readonly strict?: boolean;
}

/** Branches to the guarded page at 0x200800, where the target and BRK #1 stand: class, ISS and SPSR_EL1.BTYPE of what it ends in. */
function run(m: El0Machine, { from, branch, target, strict }: Case): readonly [number, number, number] {
  m.enterEl0();
  const sctlr = m.pe.readRegister('SCTLR_EL1');
  m.pe.writeRegister('SCTLR_EL1', strict === true ? sctlr | BT0 : sctlr);
  write(m, from.pa, branch);
  write(m, guarded.pa + 0x800, `${target}\nbrk #1`);
  const x = (m.pe.base + record.x) >>> 3;
  for (const n of [2, 16]) m.views.doublewords[x + n] = BigInt(guarded.va + 0x800);
  m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(from.va);
  while (m.pe.currentEl() === 0) expect(m.engine.run(m.pe, 10)).toBe(exit.redirect);
  const esr = Number(m.pe.readRegister('ESR_EL1'));
  return [esr >>> 26, esr & 0xffff, Number((m.pe.readRegister('SPSR_EL1') >> 10n) & 3n)];
}

const branchTarget = 0x0d;
const brk = 0x3c;

describe.each(['step', 'translate', 'tiered'] as const)('the %s engine', (mode) => {
  const m = el0Machine(mode, [plain, guarded]);

  test.each<[Case, readonly [number, number, number]]>([
    [{ from: plain, branch: 'br x2', target: 'nop' }, [branchTarget, 1, 1]],
    [{ from: guarded, branch: 'br x2', target: 'nop' }, [branchTarget, 3, 3]],
    [{ from: guarded, branch: 'br x16', target: 'bti c' }, [brk, 1, 0]],
    [{ from: guarded, branch: 'br x2', target: 'bti c' }, [branchTarget, 3, 3]],
    [{ from: guarded, branch: 'br x2', target: 'bti j' }, [brk, 1, 0]],
    [{ from: guarded, branch: 'blr x2', target: 'bti j' }, [branchTarget, 2, 2]],
    [{ from: guarded, branch: 'blr x2', target: 'bti jc' }, [brk, 1, 0]],
    [{ from: guarded, branch: 'ret x2', target: 'nop' }, [brk, 1, 0]],
    [{ from: guarded, branch: 'br x2', target: 'paciasp' }, [brk, 1, 0]],
    [{ from: guarded, branch: 'br x2', target: 'paciasp', strict: true }, [branchTarget, 3, 3]],
    [{ from: guarded, branch: 'blr x2', target: 'pacibsp', strict: true }, [brk, 1, 0]],
    [{ from: guarded, branch: 'br x2', target: 'brk #2' }, [brk, 2, 3]],
  ])('%o', (branch, expected) => {
    for (let n = 0; n < 30; n += 1) expect(run(m, branch)).toEqual(expected);
  });
});

/** What a branch leads to takes an exception, whose handler adds SPSR_EL1.BTYPE to the sum in X16 and counts in X15. */
const exceptionAtTarget = (branch: 'blr x9' | 'br x17', target: string): string => `
        adr     x17, vectors
        msr     vbar_el1, x17
        adr     x20, again
        mov     x22, #0x1000
        ldr     w23, udf
        adr     x24, target
again:  adr     ${branch.split(' ')[1] ?? ''}, target
        ${branch}
        .align  6
target: ${target}
udf:    .word   0
        .align  11
vectors: .space 0x200
        mrs     x18, spsr_el1
        ubfx    x19, x18, #10, #2
        add     x16, x16, x19
        add     x15, x15, #1
        bic     x18, x18, #0xc00
        msr     spsr_el1, x18
        msr     elr_el1, x20
        eret`;

describe.each([
  ['step', {}],
  ['translate', {}],
  ['region', {}],
  ['tiered', { hotRuns: 4, regionRounds: 6 }],
  // Traces follow veneers that have been stepped eight times.
  ['tiered', { hotRuns: 12, regionRounds: 1_000_000 }],
] as const)('the %s engine, %o, of SPSR_EL1.BTYPE where the target', (mode, options) => {
  test.each([
    ['is UNDEFINED, has 2', '.word 0', 2n],
    ['is BRK, has 2', 'brk #1', 2n],
    ['reads what nothing answers, has 2', 'ldr x1, [x22]', 2n],
    ['has written over itself and is UNDEFINED the next time, has 2', 'str w23, [x24]\n b again', 2n],
    ['is a branch to where nothing can be fetched, has 0', 'b . + 0x4000000', 0n],
    ['is a branch to an instruction that is UNDEFINED, has 0', 'b udf', 0n],
    ['is ISB, and what follows it is UNDEFINED, has 0', 'isb\n .word 0', 0n],
    ['is MSR, and what follows it is UNDEFINED, has 0', 'msr tpidr_el0, x1\n .word 0', 0n],
  ])('of BLR %s, of BR X17 one less', (_name, target, ofCall) => {
    for (const branch of ['blr x9', 'br x17'] as const) {
      const btype = ofCall === 0n ? 0n : branch === 'blr x9' ? 2n : 1n;
      expectBranchType(flatMachine(mode, exceptionAtTarget(branch, target), options), btype);
    }
  });
});

function expectBranchType(machine: FlatMachine, btype: bigint): void {
  for (let n = 0; n < 40; n += 1) {
    machine.run(0, 1 + (n % 23));
    const x = (machine.pes[0]!.base + record.x) >>> 3;
    const [count, sum] = [machine.views.doublewords[x + 15]!, machine.views.doublewords[x + 16]!];
    // A run may end between the two additions.
    expect([count * btype, (count + 1n) * btype]).toContain(sum);
  }
  expect(machine.views.doublewords[((machine.pes[0]!.base + record.x) >>> 3) + 15]).toBeGreaterThan(20n);
}

test('a jump to a place between those that a region knows has its BTYPE in SPSR_EL1 all the same', () => {
  const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        adr     x10, even
        adr     x11, rare
        adr     x12, odd
loop:   add     x1, x1, #1
        tst     x1, #1
        csel    x9, x10, x12, eq
        cmp     x1, #50
        csel    x9, x11, x9, eq
        br      x9
even:   b       loop
rare:   .word   0
odd:    b       loop
        .align  11
vectors: .space 0x200
        mrs     x18, spsr_el1
stay:   b       stay`;
  const machine = flatMachine('region', program);
  machine.run(0, 2000);
  const spsr = machine.views.doublewords[((machine.pes[0]!.base + record.x) >>> 3) + 18]!;
  expect((spsr >> 10n) & 3n).toBe(1n);
});
