import { describe, expect, it } from 'vitest';
import { coreMessages } from '../../../actors/core/messages.ts';
import { streamMessages } from '../../../actors/gic/stream-protocol.ts';
import { coreMachine } from './core-machine.ts';

const end = `
end:    wfi
        b       end
`;
/** Interrupts of group 1 of every priority reach the PE. */
const enableInterrupts = `
        mov     x1, #0xff
        msr     icc_pmr_el1, x1
        mov     x1, #1
        msr     icc_igrpen1_el1, x1
`;
const intid40 = [40, 0x80, 1, 0];

describe('WFI', () => {
  it('sleeps until the CPU interface signals an interrupt, also one that PSTATE masks', () => {
    const machine = coreMachine(`${enableInterrupts} wfi\n mov x2, #1\n ${end}`);
    machine.portOf(1).send(0, streamMessages.Set.code, intid40, 9500);
    const core = machine.cores[0];
    expect(machine.run(9999)).toMatchObject({ end: 'max-time' });
    expect(core?.state()).toBe('asleep');
    expect(core?.pe.readX(2)).toBe(0n);
    machine.run(10_002);
    expect(core?.pe.readX(2)).toBe(1n);
    expect(core?.state()).toBe('on');
    // WFI was the fifth instruction.
    expect(core?.counters).toMatchObject({ asleepTicks: 10_000 - 5, interrupts: 0 });
    expect(core?.exceptions).toEqual([0, 0, 0, 0]);
  });

  it('does not sleep where an interrupt is pending already', () => {
    const machine = coreMachine(`${enableInterrupts}
        mov     x3, #1000
delay:  sub     x3, x3, #1
        cbnz    x3, delay
        wfi
        mov     x2, #1
loop:   b       loop`);
    machine.portOf(1).send(0, streamMessages.Set.code, intid40);
    machine.run(4000);
    expect(machine.cores[0]?.pe.readX(2)).toBe(1n);
    expect(machine.cores[0]?.counters.asleepTicks).toBe(0);
  });

  it('is left for the interrupt that it waits for, whose handler sees it active', () => {
    const machine = coreMachine(`
        adr     x9, vectors
        msr     vbar_el1, x9
        ${enableInterrupts}
        msr     daifclr, #2
        wfi
        mov     x2, #1
        ${end}
        .align  11
vectors: .space 0x280
        mrs     x3, icc_iar1_el1
        mrs     x4, icc_rpr_el1
        msr     icc_eoir1_el1, x3
        eret
    `);
    machine.portOf(1).send(0, streamMessages.Set.code, intid40, 5000);
    expect(machine.run(1_000_000).end).toBe('deadlock');
    const core = machine.cores[0];
    expect([2, 3, 4].map((n) => core?.pe.readX(n))).toEqual([1n, 40n, 0x80n]);
    expect(core?.counters.interrupts).toBe(1);
    const said = machine.sent.map(({ code }) => code);
    expect(said).toContain(streamMessages.Activate.code);
    expect(said.indexOf(streamMessages.Deactivate.code)).toBeGreaterThan(said.indexOf(streamMessages.Activate.code));
  });
});

describe('WFE', () => {
  it('sleeps until an event of another core, which SEV sends to every other one', () => {
    const machine = coreMachine(
      `
        cbz     x0, sender
        wfe
        mov     x2, #1
        ${end}
sender: mov     x3, #3000
delay:  sub     x3, x3, #1
        cbnz    x3, delay
        sev
        ${end.replaceAll('end', 'over')}`,
      { cores: 3, bootCores: [0, 1, 2] },
    );
    expect(machine.run(1_000_000).end).toBe('deadlock');
    const sev = 2 + 2 * 3000;
    expect(machine.sent).toEqual(
      [1, 2].map((to) => ({ atTicks: sev, from: 0, to, code: coreMessages.Event.code, payload: [] })),
    );
    for (const core of machine.cores.slice(1)) {
      expect(core.pe.readX(2)).toBe(1n);
      // Asleep after two instructions until the event was due; then in WFI.
      expect(core.nowTicks()).toBe(sev + 500 + 2);
      expect(core.counters.asleepTicks).toBe(sev + 500 - 2);
    }
  });

  it('returns at once when the event register is set, and clears it', () => {
    const machine = coreMachine(`sevl\n wfe\n mov x2, #1\n wfe\n mov x2, #2\n ${end}`);
    expect(machine.run(100_000).end).toBe('deadlock');
    expect(machine.cores[0]?.pe.readX(2)).toBe(1n);
    expect(machine.cores[0]?.state()).toBe('asleep');
  });

  it.each([
    ['a store', 'str x4, [x1]'],
    ['an atomic', 'ldadd x4, x5, [x1]'],
    ['a Store-Exclusive', 'ldxr x5, [x1]\n stxr w6, x4, [x1]'],
  ])('is left when %s of another core takes the exclusive monitor away, one lookahead later', (_name, store) => {
    const machine = coreMachine(
      `
        adr     x1, word
        cbz     x0, sender
        ldxr    x2, [x1]
        wfe
        ldxr    x2, [x1]
        ${end}
sender: mov     x4, #7
        mov     x3, #3000
delay:  sub     x3, x3, #1
        cbnz    x3, delay
        ${store}
        mov     x7, #1
        ${end.replaceAll('end', 'over')}
        .align  6
word:   .quad   0`,
      { cores: 2, bootCores: [0, 1] },
    );
    expect(machine.run(1_000_000).end).toBe('deadlock');
    const [storing, waiting] = machine.cores;
    expect(storing?.pe.readX(7)).toBe(1n);
    expect(storing?.pe.readX(6)).toBe(0n);
    expect(machine.doubleword('word')).toBe(7n);
    expect(waiting?.pe.readX(2)).toBe(7n);
    const [event] = machine.sent;
    expect(event).toMatchObject({ from: 0, to: 1, code: coreMessages.Event.code });
    // The load that follows, and WFI.
    expect(waiting?.nowTicks()).toBe((event?.atTicks ?? 0) + 500 + 2);
  });
});
