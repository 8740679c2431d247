// YIELD: a hint where simulated time decides who runs, the end of a run where PEs share a thread that does not.

import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { flatMachine } from './flat-machine.ts';

const program = `
        mov     x8, #0
again:  add     x8, x8, #1
        yield
        b       again`;

describe.each(['step', 'translate'] as const)('YIELD, %s', (mode) => {
  it('does nothing where simulated time decides', () => {
    const machine = flatMachine(mode, program);
    expect(machine.runOnce(0, 31)).toEqual({ code: exit.budget, left: 0 });
    expect(machine.pes[0]?.readX(8)).toBe(10n);
  });

  it('ends a run where it is to, and takes one instruction', () => {
    const machine = flatMachine(mode, program, { yields: true });
    expect(machine.runOnce(0, 31)).toEqual({ code: exit.yield, left: 28 });
    for (let n = 0; n < 5; n += 1) expect(machine.runOnce(0, 100)).toEqual({ code: exit.yield, left: 97 });
    expect(machine.pes[0]?.readX(8)).toBe(6n);
  });
});
