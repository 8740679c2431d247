import { describe, expect, it } from 'vitest';
import { coreMachine } from './core-machine.ts';

describe('a core whose exceptions lead to themselves', () => {
  it.each(['step', 'tiered'] as const)(
    'ends the run with a sentence that names vector, syndrome and address (%s)',
    (mode) => {
      const machine = coreMachine('ldr x0, [x1]', { mode });
      expect(machine.run(1_000_000).end).toBe('stopped');
      expect(machine.guestErrors).toEqual([
        'core 0 takes exceptions for ever: its EL1 vector at 0x200 raises the exception that leads to it ' +
          '(ESR_EL1 0x86000010, FAR_EL1 0x200)',
      ]);
    },
  );

  it('is not one that returns to an ERET, though that too comes to the same place for ever', () => {
    const machine = coreMachine(`
        adr     x1, again
        msr     elr_el1, x1
        mrs     x2, currentel
        orr     x2, x2, #1
        mov     x3, #0x3c0
        orr     x2, x2, x3
        msr     spsr_el1, x2
again:  eret`);
    expect(machine.run(20_000).end).toBe('max-time');
    expect(machine.guestErrors).toEqual([]);
    expect(machine.cores[0]?.instructions()).toBe(20_000);
  });
});
