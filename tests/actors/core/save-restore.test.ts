import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message, Port } from '../../../actors/actor.ts';
import { busMessages, busResponse } from '../../../actors/bus/messages.ts';
import { ramBase } from '../../../src/arch/state-layout.ts';
import { type CoreMachine, coreMachine, deviceBase, ramBytes } from './core-machine.ts';

/** Works on memory with a timer running, asks a device and nobody, and sleeps by WFE until the event stream wakes it (an ERET is an event too). */
const program = `
        adr     x9, data
        mov     x10, #${deviceBase}
        mov     x11, #0x0a000000
        adr     x12, vectors
        msr     vbar_el1, x12
        mov     x1, #20
        msr     cntp_tval_el0, x1
        mov     x1, #1
        msr     cntp_ctl_el0, x1
        mov     x1, #0x84
        msr     cntkctl_el1, x1
loop:   ldr     x2, [x9]
        add     x2, x2, x2, lsl #1
        add     x2, x2, #1
        str     x2, [x9]
        ldr     w3, [x10, #4]
        add     x4, x4, x3
        ldr     x5, [x11]
        sevl
        wfe
        wfe
        ldxr    x6, [x9]
        stxr    w7, x6, [x9]
        add     x8, x8, #1
        cmp     x8, #6
        b.ne    loop
end:    wfi
        b       end
        .align  6
data:   .quad   1
        .align  11
vectors: .space 0x200
        mrs     x23, elr_el1
        add     x23, x23, #4
        msr     elr_el1, x23
        add     x24, x24, #1
        eret
        .space  0x800
`;
const device = ({ code, source, payload }: Message, port: Port): void => {
  if (code === busMessages.ReadRequest.code) {
    port.send(source, busMessages.ReadResponse.code, [busResponse.OKAY, payload[2] ?? 0, port.now() % 1000, 0], 100);
  }
};

/** All that a run leaves behind, after the time `from`. */
const outcome = ({ cores, views, sent }: CoreMachine, from: number) => ({
  registers: Array.from({ length: 31 }, (_, n) => cores[0]?.pe.readX(n)),
  instructions: cores[0]?.instructions(),
  timeTicks: cores[0]?.nowTicks(),
  counters: cores[0]?.counters,
  exceptions: cores[0]?.exceptions,
  sent: sent.filter(({ atTicks }) => atTicks >= from),
  ram: Buffer.from(views.bytes.slice(ramBase, ramBase + ramBytes)).toString('base64'),
});

test('a core that is saved at any time, and restored in another machine, goes on as if nothing had been', () => {
  const whole = coreMachine(program, { peer: device });
  expect(whole.run(1e9).end).toBe('deadlock');
  const total = whole.cores[0]?.nowTicks() ?? 0;
  expect(whole.cores[0]?.counters.asleepTicks).toBeGreaterThan(0);
  const everything = outcome(whole, 0);
  const expected = (from: number) => ({
    ...everything,
    sent: everything.sent.filter(({ atTicks }) => atTicks >= from),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: total - 1 }),
      fc.constantFrom('step' as const, 'tiered' as const),
      (at, mode) => {
        const before = coreMachine(program, { peer: device, mode });
        before.run(at);
        const saved = structuredClone(before.cores[0]?.save());
        const ram = before.views.bytes.slice(ramBase, ramBase + ramBytes);
        const inFlight = before.messagesDueFrom(at);

        const after = coreMachine('.word 0', { peer: device, mode });
        after.views.bytes.set(ram, ramBase);
        after.cores[0]?.restore(saved);
        for (const message of inFlight) after.host.accept(message);
        expect(after.run(1e9).end).toBe('deadlock');
        expect(outcome(after, at)).toEqual(expected(at));
      },
    ),
    { numRuns: 60 },
  );
});
