import { describe, expect, it } from 'vitest';
import { coreMessages } from '../../../actors/core/messages.ts';
import { coreMachine } from './core-machine.ts';

// EL2 with SError vectors that write down what they see; EL1 sleeps. HCR_EL2 is the first instruction's to set.
const program = (hcrEl2: number, daif: number): string => `
        mov     x0, #${hcrEl2 & 0xffff}
        movk    x0, #0x8000, lsl #16
        msr     hcr_el2, x0
        mov     x0, #0x8800
        movk    x0, #0x4000, lsl #16
        msr     vbar_el2, x0
        msr     vbar_el1, x0
        mov     x0, #${daif | 5}
        msr     spsr_el2, x0
        adr     x0, guest
        msr     elr_el2, x0
        mov     x5, #0
        eret
guest:  wfi
        add     x5, x5, #1
        b       guest
`;
/** MRS X3, CurrentEL; WFI; B to the WFI. */
const handler = [0xd538_4243, 0xd503_207f, 0x17ff_ffff];
const [fromLower, fromCurrent] = [0x4000_8800 + 0x580, 0x4000_8800 + 0x380];
const AMO = 1 << 5;

function interrupted(hcrEl2: number, daif: number): { el: bigint; woken: bigint; taken: readonly number[] } {
  const machine = coreMachine(program(hcrEl2, daif), { hasEl2: true });
  for (const at of [fromLower, fromCurrent]) handler.forEach((word, n) => (machine.views.words[at / 4 + n] = word));
  machine.run(10_000);
  const [core] = machine.cores;
  machine.portOf(machine.ids.device).send(0, coreMessages.AsynchronousError.code, []);
  machine.run(20_000);
  return { el: core!.pe.readX(3) >> 2n, woken: core!.pe.readX(5), taken: core!.exceptions };
}

describe('an error that a device reports to a core', () => {
  it('is an SError interrupt at EL1, which wakes it', () => {
    expect(interrupted(0, 0)).toEqual({ el: 1n, woken: 0n, taken: [0, 1, 0, 0] });
  });

  it('goes to EL2 with HCR_EL2.AMO, whatever PSTATE.A says at EL1', () => {
    expect(interrupted(AMO, 0x100)).toEqual({ el: 2n, woken: 0n, taken: [0, 0, 1, 0] });
  });

  it('stays pending where PSTATE.A masks it, and WFI does not wait any more', () => {
    const { el, woken, taken } = interrupted(0, 0x100);
    expect(el).toBe(0n);
    expect(woken).toBeGreaterThan(1n);
    expect(taken).toEqual([0, 0, 0, 0]);
  });
});
