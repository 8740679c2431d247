// FPCR, FPSR and the traps of FP in translated code, which looks at them once: what changes them counts from the next instruction on.

import { describe, expect, it } from 'vitest';
import type { EngineMode } from '../../src/engine/engine.ts';
import { flatMachine } from './flat-machine.ts';

/** A third under three settings, round after round: X1 rounded to nearest, X2 rounded down, and the flags of each in X11 to X13. */
const thirds = `
        mov     x17, #0x300000
        msr     cpacr_el1, x17
        mov     x20, #0x800000
        fmov    d1, #1.0
        fmov    d2, #-3.0
loop:   msr     fpsr, xzr
        msr     fpcr, xzr
        fdiv    d3, d1, d2
        mrs     x11, fpsr
        fdiv    d4, d3, d2
        fmov    x1, d3
        msr     fpsr, xzr
        fadd    d5, d1, d1
        mrs     x12, fpsr
        msr     fpcr, x20
        fdiv    d3, d1, d2
        fdiv    d3, d1, d2
        fmov    x2, d3
        mrs     x13, fpsr
        add     x9, x9, #1
        b       loop
end:`;

describe('FPCR and FPSR', () => {
  it.each(['step', 'translate', 'region', 'tiered'] satisfies EngineMode[])(
    'count from the instruction on that writes them: %s',
    (mode) => {
      const machine = flatMachine(mode, thirds, mode === 'tiered' ? { hotRuns: 24, regionRounds: 3 } : {});
      const pe = machine.pes[0]!;
      for (const [round, budget] of [5 + 16, 16, 16 * 30, 16 * 7].entries()) {
        machine.run(0, budget);
        const registers = [1, 2, 11, 12, 13].map((n) => machine.views.doublewords[(pe.base + 8 * n) / 8]);
        expect(registers, `after ${round + 1} runs`).toEqual([
          0xbfd5_5555_5555_5555n,
          0xbfd5_5555_5555_5556n,
          0x10n,
          0n,
          0x10n,
        ]);
      }
    },
  );
});

/** FP is disabled in every round after it has been used; what uses it then traps, once: X9 counts rounds, X10 traps. */
const disabling = `
        adr     x17, vectors
        msr     vbar_el1, x17
        mov     x18, #0x300000
        msr     cpacr_el1, x18
loop:   fmov    d1, #1.0
        fmov    d2, d1
        msr     cpacr_el1, xzr
        fmov    d3, d2
        fadd    d3, d3, d2
        add     x9, x9, #1
        b       loop
        .align  11
vectors: .space 0x200
        add     x10, x10, #1
        msr     cpacr_el1, x18
        eret
end:`;

describe('CPACR_EL1.FPEN', () => {
  it.each(['step', 'translate', 'region', 'tiered'] satisfies EngineMode[])(
    'counts from the instruction on that follows its write, whatever was used before: %s',
    (mode) => {
      const machine = flatMachine(mode, disabling, mode === 'tiered' ? { regionRounds: 3 } : {});
      // A trap counts as an instruction.
      machine.run(0, 4 + 11 * 50);
      const [rounds, traps] = [9, 10].map((n) => machine.views.doublewords[(machine.pes[0]!.base + 8 * n) / 8]);
      expect([rounds, traps]).toEqual([50n, 50n]);
    },
  );
});
