import { describe, expect, it } from 'vitest';
import { coreMessages } from '../../../actors/core/messages.ts';
import { streamMessages } from '../../../actors/gic/stream-protocol.ts';
import { coreMachine } from './core-machine.ts';

const { Tlbi, Sync, Complete, InstructionCacheInvalidate } = coreMessages;
const end = `
end:    wfi
        b       end
`;

describe.each(['step', 'translate'] as const)('maintenance by broadcast (%s)', (mode) => {
  it('goes to every other core, and DSB waits until each has said that it is complete', () => {
    const machine = coreMachine(`nop\n tlbi vmalle1is\n dsb ish\n mov x2, #1\n ${end}`, { cores: 3, mode });
    expect(machine.run(1_000_000).end).toBe('deadlock');
    expect(machine.sent.map(({ atTicks, from, to, code }) => [atTicks, from, to, code])).toEqual([
      [1, 0, 1, Tlbi.code],
      [1, 0, 2, Tlbi.code],
      [2, 0, 1, Sync.code],
      [2, 0, 2, Sync.code],
      [502, 1, 0, Complete.code],
      [502, 2, 0, Complete.code],
    ]);
    // DSB runs again when the answers have come; then MOV and WFI.
    expect(machine.cores[0]?.nowTicks()).toBe(1002 + 3);
    expect(machine.cores[0]?.instructions()).toBe(5);
  });

  it('names the address, the ASID and the context of a TLBI', () => {
    const machine = coreMachine(
      `movz x1, #0x1234
       movk x1, #0x0042, lsl #48
       tlbi vae1is, x1
       dsb ish
       ${end}`,
      { cores: 2, mode },
    );
    machine.run(1_000_000);
    const [operation, vaLow, vaHigh, asid] = machine.sent[0]?.payload ?? [];
    expect([operation, vaLow, vaHigh, asid]).toEqual([1, 0x0123_4000, 0, 0x42]);
  });

  it('asks for completion once for several operations, and again for later ones', () => {
    const machine = coreMachine(
      `tlbi vmalle1is
       adr x1, end
       ic ivau, x1
       ic ialluis
       dsb ish
       dsb ish
       tlbi vmalle1is
       dsb ish
       ${end}`,
      { cores: 2, mode },
    );
    machine.run(1_000_000);
    const said = machine.sent.filter(({ from }) => from === 0).map(({ code }) => code);
    const ic = InstructionCacheInvalidate.code;
    expect(said).toEqual([Tlbi.code, ic, ic, Sync.code, Tlbi.code, Sync.code]);
  });

  it('of the PE alone is told to nobody', () => {
    const machine = coreMachine(`tlbi vmalle1\n ic iallu\n dsb nsh\n mov x2, #1\n ${end}`, { cores: 2, mode });
    expect(machine.run(1_000_000).end).toBe('deadlock');
    expect(machine.sent).toEqual([]);
    expect(machine.cores[0]?.pe.readX(2)).toBe(1n);
  });

  it('is complete at once where there is no other core', () => {
    const machine = coreMachine(`tlbi vmalle1is\n dsb ish\n mov x2, #1\n ${end}`, { mode });
    expect(machine.run(1_000_000).end).toBe('deadlock');
    expect(machine.sent).toEqual([]);
    expect(machine.cores[0]?.nowTicks()).toBe(4);
  });
});

describe('an SGI', () => {
  it('is acknowledged by the redistributor before a DSB completes', () => {
    const machine = coreMachine(`mov x1, #2\n msr icc_sgi1r_el1, x1\n dsb sy\n mov x2, #1\n ${end}`, {
      peer: ({ code, source }, port) => {
        if (code === streamMessages.GenerateSgi.code)
          port.send(source, streamMessages.GenerateSgiAcknowledge.code, [], 3000);
      },
    });
    expect(machine.run(1_000_000).end).toBe('deadlock');
    expect(machine.sent.map(({ atTicks, code }) => [atTicks, code])).toEqual([[1, streamMessages.GenerateSgi.code]]);
    expect(machine.cores[0]?.counters.ipisSent).toBe(1);
    expect(machine.cores[0]?.nowTicks()).toBe(1 + 500 + 3500 + 3);
  });
});
