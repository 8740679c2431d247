import { expect, test } from 'vitest';
import type { Message, Port } from '../../../actors/actor.ts';
import { busMessages, busResponse } from '../../../actors/bus/messages.ts';
import { interruptLines } from '../../../actors/gic-v2/messages.ts';
import { coreMachine, deviceBase } from './core-machine.ts';

/** Does nothing but read a device; its IRQ handler counts what it has read by then, and ends the run. */
const program = `
        mov     x10, #${deviceBase}
        adr     x12, vectors
        msr     vbar_el1, x12
        msr     daifclr, #2
loop:   ldr     w3, [x10]
        b       loop
        .align  11
vectors: .space 0x280
        mov     w0, #0x18
        mov     w1, #0
        hlt     #0xf000
        .space  0x600
`;

test('an interrupt is taken between two accesses of a PE that does nothing but read a device', () => {
  let reads = 0;
  const device = ({ code, source, payload }: Message, port: Port): void => {
    if (code !== busMessages.ReadRequest.code) return;
    reads += 1;
    if (reads === 3) port.send(source, interruptLines.InterruptLines.code, [1, 0, 0, 0]);
    port.send(source, busMessages.ReadResponse.code, [busResponse.OKAY, payload[2] ?? 0, reads, 0]);
  };
  const machine = coreMachine(program, { peer: device });
  machine.run(1_000_000);
  expect([reads, machine.cores[0]?.counters.interrupts, machine.cores[0]?.pe.readX(3)]).toEqual([3, 1, 3n]);
});
