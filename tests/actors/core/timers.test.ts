import { describe, expect, it } from 'vitest';
import { wireMessages } from '../../../actors/gic/wires.ts';
import { coreMachine } from './core-machine.ts';

/** Sets CNTP to 100 counts of 16 ticks from now, then runs without end. */
const program = `
        mov     x1, #100
        msr     cntp_tval_el0, x1
        mov     x1, #1
        msr     cntp_ctl_el0, x1
loop:   add     x2, x2, #1
        b       loop
`;

describe('a timer of a core', () => {
  it.each(['step', 'translate', 'tiered'] as const)(
    'raises its PPI at the tick at which its count is reached (%s)',
    (mode) => {
      const machine = coreMachine(program, { mode });
      machine.run(100_000);
      expect(machine.sent).toEqual([{ atTicks: 1600, from: 0, to: 1, code: wireMessages.WireSet.code, payload: [30] }]);
    },
  );
});
